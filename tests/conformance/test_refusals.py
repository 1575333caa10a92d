"""What goes wrong between a driver and its server is told in the same words for every driver."""

import asyncio
from urllib.parse import quote

import pytest
from asyncpg import InternalClientError  # type: ignore[import-untyped]  # has no annotations
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

import bootstrap
from bootstrap.backends.base import Reason
from tests.tls import TLS

on_servers = pytest.mark.parametrize(
    "backend_name",
    [
        *("postgresql", "postgresql+psycopg"),
        *("mysql", "mysql+asyncmy", "mariadb", "mariadb+asyncmy"),
    ],
    indirect=True,
)
_END = {
    "postgresql": "SELECT pg_terminate_backend({pid})",
    "mysql": "KILL {pid}",
    "mariadb": "KILL {pid}",
}
_OWN_PID = {
    "postgresql": "SELECT pg_backend_pid()",
    "mysql": "SELECT connection_id()",
    "mariadb": "SELECT connection_id()",
}
_IMPATIENT = {
    "postgresql": "SET lock_timeout = '50ms'",
    "mysql": "SET innodb_lock_wait_timeout = 1",
    "mariadb": "SET innodb_lock_wait_timeout = 1",
}


def reason(database: bootstrap.Database, error: BaseException) -> Reason | None:
    failure = database.backend.errors.translate(error)
    return failure.reason if failure else None


async def test_a_database_that_is_missing(fresh_url: str) -> None:
    with pytest.raises(bootstrap.DatabaseMissing):
        async with bootstrap.Database.of(fresh_url).connect():
            pass


@on_servers
@pytest.mark.parametrize("sslmode", ["disable", "require"])
async def test_a_wrong_password(scheme: str, tls: TLS, sslmode: str) -> None:
    server = bootstrap.Database.of(tls.url(scheme, f"sslmode={sslmode}")).url
    url = server.set(username="stranger", password="geheim")

    with pytest.raises(bootstrap.DatabaseRefused, match="the login was refused") as refused:
        async with bootstrap.Database.of(url).connect():
            pass

    assert "geheim" not in str(refused.value)


@on_servers
async def test_a_port_at_which_nobody_listens(scheme: str, unused_tcp_port: int) -> None:
    with pytest.raises(bootstrap.DatabaseUnreachable, match="nothing listens on"):
        async with bootstrap.Database.of(f"{scheme}://u@127.0.0.1:{unused_tcp_port}/a").connect():
            pass


@on_servers
async def test_a_socket_that_is_not_there(backend_name: str, scheme: str) -> None:
    option = "host" if backend_name == "postgresql" else "unix_socket"

    with pytest.raises(bootstrap.DatabaseUnreachable, match="nothing listens on"):
        async with bootstrap.Database.of(f"{scheme}://u@/a?{option}=/no/such").connect():
            pass


@on_servers
async def test_a_host_that_is_unknown(scheme: str) -> None:
    with pytest.raises(bootstrap.DatabaseUnreachable, match="cannot be found"):
        async with bootstrap.Database.of(f"{scheme}://u@nowhere.invalid/a").connect():
            pass


@on_servers
async def test_a_connection_that_the_server_ended(backend_name: str, empty_url: str) -> None:
    database = bootstrap.Database.of(empty_url)
    async with database.connect() as connection:
        pid = await connection.scalar(text(_OWN_PID[backend_name]))
        async with database.connect() as other:
            await other.execute(text(_END[backend_name].format(pid=pid)))

        with pytest.raises((DBAPIError, InternalClientError)) as lost:
            await connection.execute(text("SELECT 1"))
        await connection.invalidate()

    assert Reason.CONNECTION_LOST is reason(database, lost.value)


@on_servers
async def test_a_lock_that_another_holds(backend_name: str, empty_url: str) -> None:
    database = bootstrap.Database.of(empty_url)
    async with database.connect() as holder, database.connect() as waiting:
        await holder.execute(text("CREATE TABLE t (id INTEGER PRIMARY KEY)"))
        await holder.execute(text("INSERT INTO t VALUES (1)"))
        await holder.commit()
        await holder.execute(text("UPDATE t SET id = 2"))
        await waiting.execute(text(_IMPATIENT[backend_name]))

        with pytest.raises(DBAPIError) as busy:
            await waiting.execute(text("UPDATE t SET id = 3"))

    assert Reason.BUSY is reason(database, busy.value)


@on_servers
async def test_a_right_that_is_missing(backend_name: str, scheme: str, tls: TLS) -> None:
    url = tls.url(scheme, "")
    server = bootstrap.Database.of(url)
    name = f"poor_{scheme.replace('+', '_')}"
    async with server.connect() as connection:
        as_role = f"CREATE ROLE {name} LOGIN PASSWORD 'geheim'"
        as_user = f"CREATE USER {name} IDENTIFIED BY 'geheim'"
        await connection.execute(text(as_role if backend_name == "postgresql" else as_user))
        await connection.commit()
    poor = server.url.set(username=name, password=quote("geheim"))
    poor = poor.set(database="postgres" if backend_name == "postgresql" else "information_schema")

    with pytest.raises(bootstrap.DatabaseRefused, match="the right to do that is missing"):
        await bootstrap.create(poor.set(database=f"{name}_db"))


async def test_the_values_of_a_row_stay_out_of_the_message(empty_url: str) -> None:
    database = bootstrap.Database.of(empty_url)
    async with database.connect() as connection:
        await connection.execute(
            text("CREATE TABLE t (id INTEGER NOT NULL, name VARCHAR(20) NOT NULL)")
        )
        insert = text("INSERT INTO t VALUES (:id, :name)")
        with pytest.raises(DBAPIError) as failed:
            await connection.execute(insert, {"id": 4711, "name": None})

    failure = database.backend.errors.translate(failed.value)
    assert failure is not None
    assert "4711" not in failure.text


@on_servers
async def test_a_login_that_is_cancelled_leaves_nothing_open(scheme: str, tls: TLS) -> None:
    database = bootstrap.Database.of(tls.url(scheme, "sslmode=require"))
    for pause in (0, 0.001, 0.005, 0.02):
        opening = asyncio.ensure_future(database.exists())
        await asyncio.sleep(pause)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)

    assert await database.exists()

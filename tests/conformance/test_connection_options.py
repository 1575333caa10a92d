"""Options in URLs do to a real connection what they say."""

import asyncio
import gc
import socket
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

import bootstrap
from tests.tls import TLS

_ON_MYSQL = ["mysql", "mysql+asyncmy", "mariadb", "mariadb+asyncmy"]
_ON_POSTGRESQL = ["postgresql", "postgresql+psycopg"]
on_servers = pytest.mark.parametrize("backend_name", [*_ON_POSTGRESQL, *_ON_MYSQL], indirect=True)
on_postgresql = pytest.mark.parametrize("backend_name", _ON_POSTGRESQL, indirect=True)
on_asyncpg = pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
on_psycopg = pytest.mark.parametrize("backend_name", ["postgresql+psycopg"], indirect=True)
on_mysql = pytest.mark.parametrize("backend_name", _ON_MYSQL, indirect=True)
on_files = pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)

_IS_ENCRYPTED = {
    "postgresql": "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    "mysql": "SELECT variable_value <> '' FROM performance_schema.session_status"
    " WHERE variable_name = 'Ssl_cipher'",
    "mariadb": "SELECT variable_value <> '' FROM information_schema.session_status"
    " WHERE variable_name = 'Ssl_cipher'",
}
_APPLICATION = {
    "postgresql": "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()",
    "mysql": "SELECT attr_value FROM performance_schema.session_connect_attrs"
    " WHERE processlist_id = connection_id() AND attr_name = 'program_name'",
}
_APPLICATION["mariadb"] = _APPLICATION["mysql"]


async def asked(url: str, sql: str) -> object:
    """The one value that a query gives."""
    async with bootstrap.Database.of(url).connect() as connection:
        return await connection.scalar(text(sql))


@on_servers
@pytest.mark.parametrize(
    ("query", "encrypted"),
    [("", True), ("sslmode=prefer", True), ("sslmode=require", True), ("sslmode=disable", False)],
)
async def test_sslmode_decides_about_tls(
    backend_name: str, scheme: str, tls: TLS, query: str, encrypted: bool
) -> None:
    url = tls.url(scheme, query)

    assert encrypted == bool(await asked(url, _IS_ENCRYPTED[backend_name]))


@on_servers
@pytest.mark.parametrize("query", ["", "sslmode=prefer", "sslmode=disable"])
async def test_a_server_without_tls_is_used_unless_tls_is_required(
    backend_name: str, scheme: str, tls: TLS, query: str
) -> None:
    url = tls.url(scheme, query, tls=False)

    assert not await asked(url, _IS_ENCRYPTED[backend_name])


@on_servers
@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_a_server_without_tls_is_refused_where_tls_is_required(
    scheme: str, tls: TLS, mode: str
) -> None:
    url = tls.url(scheme, f"sslmode={mode}&sslrootcert={tls.authority}", tls=False)

    with pytest.raises(bootstrap.DatabaseRefused, match="no secure connection was possible"):
        await asked(url, "SELECT 1")


@on_servers
@pytest.mark.parametrize(
    ("mode", "host"),
    [("verify-full", "localhost"), ("verify-ca", "localhost"), ("verify-ca", "127.0.0.1")],
)
async def test_a_certificate_of_the_authority_is_trusted(
    backend_name: str, scheme: str, tls: TLS, mode: str, host: str
) -> None:
    url = tls.url(scheme, f"sslmode={mode}&sslrootcert={tls.authority}", host=host)

    assert await asked(url, _IS_ENCRYPTED[backend_name])


@on_servers
async def test_a_certificate_for_another_host_is_refused(scheme: str, tls: TLS) -> None:
    query = f"sslmode=verify-full&sslrootcert={tls.authority}"

    with pytest.raises(bootstrap.DatabaseRefused, match="IP address mismatch"):
        await asked(tls.url(scheme, query, host="127.0.0.1"), "SELECT 1")


@on_servers
@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
async def test_a_certificate_of_a_stranger_is_refused(scheme: str, tls: TLS, mode: str) -> None:
    query = f"sslmode={mode}&sslrootcert={tls.stranger}"

    with pytest.raises(bootstrap.DatabaseRefused, match="certificate verify failed"):
        await asked(tls.url(scheme, query), "SELECT 1")


@on_mysql
async def test_an_authority_alone_asks_for_every_check(
    backend_name: str, scheme: str, tls: TLS
) -> None:
    query = f"ssl-ca={tls.authority}"

    assert await asked(tls.url(scheme, query), _IS_ENCRYPTED[backend_name])
    with pytest.raises(bootstrap.DatabaseRefused, match="IP address mismatch"):
        await asked(tls.url(scheme, query, host="127.0.0.1"), "SELECT 1")


@on_postgresql
@pytest.mark.parametrize("roots", ["{authority}", "system"])
async def test_the_certificate_of_the_client_is_shown_to_postgresql(
    scheme: str, tls: TLS, roots: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.authority))
    own = f"sslcert={tls.authority}&sslkey={tls.client_key}"
    query = f"sslmode=verify-full&sslrootcert={roots.format(authority=tls.authority)}&{own}"

    dn = "SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    assert "/CN=authority" == await asked(tls.url(scheme, query), dn)


@on_mysql
async def test_the_certificate_of_the_client_is_shown_to_mysql(scheme: str, tls: TLS) -> None:
    root = bootstrap.Database.of(tls.url(scheme, ""))
    async with root.connect() as connection:
        await connection.exec_driver_sql("DROP USER IF EXISTS certified")
        await connection.exec_driver_sql("CREATE USER certified REQUIRE X509")
    own = f"ssl-cert={tls.authority}&ssl-key={tls.client_key}"
    url = f"{scheme}://certified@localhost:{root.url.port}/information_schema?sslmode=require"

    assert 1 == await asked(f"{url}&{own}", "SELECT 1")
    with pytest.raises(bootstrap.DatabaseRefused, match="the login was refused"):
        await asked(url, "SELECT 1")


@on_servers
def test_a_secure_connection_is_closed_before_its_loop_ends(scheme: str, tls: TLS) -> None:
    url = tls.url(scheme, "sslmode=require")

    for _ in range(10):
        assert 1 == asyncio.run(asked(url, "SELECT 1"))
        gc.collect()  # a connection left open warns now, and warnings are errors


@on_psycopg
async def test_channel_binding_is_left_to_libpq(scheme: str, tls: TLS) -> None:
    url = tls.url(scheme, "sslmode=require&channel_binding=require")

    with pytest.raises(bootstrap.DatabaseRefused, match="channel binding"):
        await asked(url, "SELECT 1")  # this server asks for no password, to which it could be bound


@on_asyncpg
async def test_channel_binding_is_replaced_by_a_check_of_the_certificate(
    backend_name: str, scheme: str, tls: TLS, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    url = tls.url(scheme, "sslmode=require&channel_binding=require")
    with pytest.raises(bootstrap.DatabaseRefused, match="certificate verify failed"):
        await asked(url, "SELECT 1")

    monkeypatch.setenv("SSL_CERT_FILE", str(tls.authority))  # OpenSSL's, for the machine's own

    assert await asked(url, _IS_ENCRYPTED[backend_name])


@on_servers
@pytest.mark.parametrize(
    ("query", "name"), [("", "bootstrap"), ("application_name=deploy%20job", "deploy job")]
)
async def test_the_application_is_known_to_the_server(
    backend_name: str, scheme: str, tls: TLS, query: str, name: str
) -> None:
    assert name == await asked(tls.url(scheme, query), _APPLICATION[backend_name])


@on_postgresql
async def test_options_set_parameters_of_the_session(scheme: str, tls: TLS) -> None:
    query = "options=" + quote("-c statement_timeout=7s -c search_path=one,two")
    url = tls.url(scheme, query)

    assert ("7s", "one,two") == (
        await asked(url, "SHOW statement_timeout"),
        await asked(url, "SHOW search_path"),
    )


@on_postgresql
async def test_a_connection_for_a_pooler_works(scheme: str, tls: TLS) -> None:
    assert 1 == await asked(tls.url(scheme, "pgbouncer=true"), "SELECT 1")


@on_postgresql
async def test_a_standby_is_not_taken_for_a_primary(scheme: str, tls: TLS) -> None:
    assert 1 == await asked(tls.url(scheme, "target_session_attrs=primary"), "SELECT 1")
    with pytest.raises(bootstrap.DatabaseError):
        await asked(tls.url(scheme, "target_session_attrs=standby"), "SELECT 1")


@on_mysql
@pytest.mark.parametrize("mode", ["disable", "require"])
async def test_any_password_is_sent_as_utf8(scheme: str, tls: TLS, mode: str) -> None:
    password = "пароль 100%@:/?#'\"é"
    root = bootstrap.Database.of(tls.url(scheme, ""))
    async with root.connect() as connection:
        await connection.exec_driver_sql("DROP USER IF EXISTS 'größe'@'%%'")
        create = "CREATE USER 'größe'@'%%' IDENTIFIED BY %s"
        await connection.exec_driver_sql(create, (password,))
    login = f"größe:{quote(password, safe='')}"
    place = f"{login}@localhost:{root.url.port}/information_schema"

    assert 1 == await asked(f"{scheme}://{place}?sslmode={mode}", "SELECT 1")


@on_servers
async def test_a_server_that_says_nothing_is_given_up(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"{scheme}://u@127.0.0.1:{port}/app?connect_timeout=0.2"

        async with asyncio.timeout(10):
            with pytest.raises(bootstrap.DatabaseUnreachable, match="did not answer in time"):
                await asked(url, "SELECT 1")


@on_files
async def test_a_file_opened_for_reading_cannot_be_written(empty_url: str) -> None:
    database = bootstrap.Database.of(f"{empty_url}?mode=ro")

    async with database.connect() as connection:
        with pytest.raises(OperationalError, match="readonly database"):
            await connection.execute(text("CREATE TABLE t (id INTEGER)"))

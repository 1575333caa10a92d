"""A database that takes no writes is recognised before anything runs."""

from __future__ import annotations

import os
import pwd
import secrets
import socket
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url

import bootstrap
from bootstrap.backends.sqlite.health import read_only
from bootstrap.database import Database
from bootstrap.testing.watchdog import Order
from bootstrap.testing.watched import Watched
from tests import available
from tests.conformance.test_doctor import MYSQLS, POSTGRES, executed, poor_account
from tests.projects import ProjectFolder, three_tables

_SECONDS = 60.0
_SEEDS = "table: t_one\nkey: id\nrows:\n  - id: 1\n"


@pytest.fixture
def project(tmp_path: Path) -> ProjectFolder:
    folder = three_tables(tmp_path / "project")
    (folder.root / "seeds.yaml").write_text(_SEEDS)
    return folder


async def refused(project: ProjectFolder, url: str) -> set[tuple[int, str]]:
    """What each command that writes says, with its exit code."""
    seeds = project.root / "seeds.yaml"
    said = set()
    for run in (
        lambda: bootstrap.migrate(url, project=project.project),
        lambda: bootstrap.downgrade(url, "base", project=project.project, drop_rows=True),
        lambda: bootstrap.stamp(url, "head", project=project.project),
        lambda: bootstrap.seed(url, datasets=seeds),
        lambda: bootstrap.up(url, project=project.project, datasets=seeds),
    ):
        with pytest.raises(bootstrap.DatabaseRefused) as error:
            await run()
        assert "primary" in error.value.hint
        said.add((error.value.exit_code, error.value.message))
    return said


@contextmanager
def standby(primary: str) -> Iterator[str]:
    """The URL of the same database on a standby of its server."""
    found = available.look_for("postgresql")
    assert isinstance(found, available.Found)
    if found.programs is None:
        pytest.skip("a server that runs already gives no base backup without its programs")
    programs = (found.programs / "postgres").resolve().parent  # a folder of links may lack some
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    there = make_url(primary)
    folder = Path(tempfile.gettempdir()) / f"bootstrap-{secrets.token_hex(8)}"
    data = str(folder / "data")
    copy = ("-D", data, "-h", "127.0.0.1", "-p", str(there.port), "-U", "postgres")
    names = {entry.pw_name for entry in pwd.getpwall()}
    order = Order(
        folder=str(folder),
        init=((str(programs / "pg_basebackup"), *copy, "-R", "-X", "stream", "-c", "fast"),),
        run=(
            *(str(programs / "postgres"), "-D", data, "-p", str(port)),
            *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="),
        ),
        account=("postgres" if "postgres" in names else "nobody") if os.geteuid() == 0 else None,
    )
    watched = Watched(order)
    try:
        yield there.set(port=port).render_as_string(hide_password=False)
    finally:
        watched.stop()


@POSTGRES
async def test_a_standby_is_refused_by_all_that_writes(
    project: ProjectFolder, empty_url: str
) -> None:
    await bootstrap.migrate(empty_url, "two", project=project.project)
    with standby(empty_url) as url:
        await bootstrap.wait(url, timeout=_SECONDS)

        said = await refused(project, url)
        report = await bootstrap.status(url, project=project.project)

    assert {
        (
            4,
            f"cannot write to {Database.of(url).label}: it is a standby, which only replays "
            "what its primary writes; nothing was run",
        )
    } == said
    assert ("two",) == report.current


@POSTGRES
async def test_a_standby_at_the_heads_has_nothing_left_to_do(
    project: ProjectFolder, empty_url: str
) -> None:
    await bootstrap.migrate(empty_url, project=project.project)
    with standby(empty_url) as url:
        await bootstrap.wait(url, timeout=_SECONDS)

        report = await bootstrap.migrate(url, project=project.project)

    assert ((), ("three",)) == (report.steps, report.after)


@POSTGRES
async def test_a_database_whose_transactions_only_read_is_refused(
    project: ProjectFolder, empty_url: str
) -> None:
    name = make_url(empty_url).database
    await executed(empty_url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")

    ((code, message),) = await refused(project, empty_url)

    assert 4 == code
    assert "default_transaction_read_only is on" in message


@asynccontextmanager
async def switched_on(url: str, switch: str) -> AsyncIterator[None]:
    """A server that is read-only for the time of the block."""
    await executed(url, f"SET GLOBAL {switch} = 1")
    try:
        yield
    finally:
        await executed(url, f"SET GLOBAL {switch} = 0")


@MYSQLS
async def test_a_read_only_server_is_refused_for_those_whom_it_refuses(
    project: ProjectFolder, empty_url: str
) -> None:
    name = make_url(empty_url).database
    async with (
        poor_account(empty_url, f"GRANT ALL ON {name}.*") as url,
        switched_on(empty_url, "read_only"),
    ):
        ((code, message),) = await refused(project, url)
        tables = await bootstrap.snapshot(empty_url)
        by_root = await bootstrap.migrate(empty_url, project=project.project)

    assert (4, True) == (code, "read_only is on" in message)
    assert () == tuple(tables.schema.tables)
    assert ("three",) == by_root.after


@MYSQLS
async def test_a_server_whose_transactions_only_read_is_refused(
    project: ProjectFolder, empty_url: str, backend_name: str
) -> None:
    switch = "transaction_read_only" if backend_name == "mysql" else "tx_read_only"
    async with switched_on(empty_url, switch):
        try:
            ((code, message),) = await refused(project, empty_url)
        finally:
            await executed(empty_url, f"SET SESSION {switch} = 0", f"SET GLOBAL {switch} = 0")

    assert (4, True) == (code, "its transactions only read" in message)


@pytest.mark.parametrize("backend_name", ["mysql"], indirect=True)
async def test_a_server_that_is_read_only_for_everybody_is_refused(
    project: ProjectFolder, empty_url: str
) -> None:
    async with switched_on(empty_url, "super_read_only"):
        ((code, message),) = await refused(project, empty_url)
    await executed(empty_url, "SET GLOBAL read_only = 0")

    assert (4, True) == (code, "super_read_only is on" in message)


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_a_file_that_is_opened_for_reading_only_is_refused(
    project: ProjectFolder, empty_url: str
) -> None:
    await bootstrap.migrate(empty_url, "two", project=project.project)

    path = make_url(empty_url).database

    for url in (f"sqlite:///file:{path}?mode=ro&uri=true", f"sqlite:///{path}?mode=ro"):
        ((code, message),) = await refused(project, url)
        assert (4, True) == (code, "opens it for reading only" in message)


_WRITES = """
import sqlalchemy as sa
from alembic import context
engine = sa.create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=sa.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection)
    connection.execute(sa.text("PRAGMA user_version = 7"))
"""
_WRITES_ASYNC = """
import asyncio
import sqlalchemy as sa
from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine

def run(connection):
    context.configure(connection=connection)
    connection.execute(sa.text("PRAGMA user_version = 7"))

async def main():
    url = context.config.get_main_option("sqlalchemy.url")
    engine = create_async_engine(url, poolclass=sa.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)

asyncio.run(main())
"""


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("env", [_WRITES, _WRITES_ASYNC], ids=["sync", "async"])
async def test_an_env_py_that_knows_nothing_of_it_opens_the_file_for_reading_only_too(
    project: ProjectFolder, empty_url: str, env: str
) -> None:
    """SQLAlchemy throws `mode=ro` away, with a warning, where the name is no URI."""
    project.env(env)
    await bootstrap.status(empty_url, project=project.project)  # the control: it may write
    with pytest.raises(bootstrap.BootstrapError, match="readonly database"):
        await bootstrap.status(f"{empty_url}?mode=ro", project=project.project)


@contextmanager
def not_root() -> Iterator[None]:
    """As another account than root, who may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(("locked", "said"), [("app.db", "the file"), (".", "the folder of")])
def test_a_file_or_folder_that_may_not_be_written_is_recognised(locked: str, said: str) -> None:
    with tempfile.TemporaryDirectory() as name, closing(sqlite3.connect(f"{name}/app.db")) as made:
        made.execute("CREATE TABLE t (id INTEGER)")
        folder, path = Path(name), Path(name) / locked
        for one, mode in ((folder, 0o777), (folder / "app.db", 0o666)):
            one.chmod(mode)
        engine = create_engine(f"sqlite:///{name}/app.db")
        with engine.connect() as connection:
            before = read_only(connection)
            path.chmod(0o555 if path.is_dir() else 0o444)
            with not_root():
                after = read_only(connection)
        engine.dispose()
        folder.chmod(0o700)

    assert "" == before
    assert after.startswith(f"{said} ")

"""An env.py that makes an engine of its own from the URL gets what the URL asks for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

import bootstrap
from tests.projects import ProjectFolder, three_tables
from tests.tls import TLS

networked = pytest.mark.parametrize(
    "backend_name",
    ["postgresql+asyncpg", "postgresql+psycopg", "mariadb+aiomysql", "mariadb+asyncmy"],
    indirect=True,
)
# Alembic's template `async`, with what a connection tells of itself.
STOCK = """
import asyncio
from logging.config import fileConfig
from alembic import context
from sqlalchemy import pool, text
from sqlalchemy.ext.asyncio import async_engine_from_config

config = context.config
if config.config_file_name is not None:
    fileConfig(config.config_file_name)

def do_run_migrations(connection):
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()

async def run_async_migrations():
    connectable = async_engine_from_config(
        config.get_section(config.config_ini_section, {{}}),
        prefix="sqlalchemy.",
        poolclass=pool.NullPool,
        connect_args={arguments},
    )
    async with connectable.connect() as connection:
        await connection.run_sync(do_run_migrations)
    await connectable.dispose()

asyncio.run(run_async_migrations())
"""
ENCRYPTED = {
    "postgresql": "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    "mariadb": "SELECT variable_value <> '' FROM information_schema.session_status"
    " WHERE variable_name = 'Ssl_cipher'",
}


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    folder = three_tables(tmp_path / "project")
    folder.env(STOCK.format(arguments="{}"))
    return folder


def telling(folder: ProjectFolder, sql: str) -> None:
    """Adds a revision that keeps what the connection of env.py answers."""
    folder.revision(
        "told",
        down="three",
        upgrade=f"op.execute({('CREATE TABLE told AS ' + sql)!r})",
    )


async def told(url: str) -> str:
    async with bootstrap.Database.of(url).connect() as connection:
        return str(await connection.scalar(text("SELECT * FROM told")))


@networked
@pytest.mark.parametrize(
    "query",
    ["sslmode=require", "sslmode=verify-full&sslrootcert={authority}&connect_timeout=7"],
)
async def test_tls_that_the_url_asks_for_is_what_env_py_gets(
    scheme: str, backend_name: str, tls: TLS, folder: ProjectFolder, query: str
) -> None:
    query = query.format(authority=tls.authority)
    server = make_url(tls.url(scheme, query))
    name = f"tls_{scheme.replace('+', '_')}_{len(query)}"
    url = server.set(database=name).render_as_string(hide_password=False)
    telling(folder, ENCRYPTED[backend_name])
    await bootstrap.create(url)
    try:
        await bootstrap.migrate(url, project=folder.project)
        said = await told(url)
    finally:
        await bootstrap.drop(url, force=True)

    assert said in {"true", "1"}


SYNC = """
from alembic import context
from sqlalchemy import engine_from_config

connectable = engine_from_config(context.config.get_section("alembic"), prefix="sqlalchemy.")
with connectable.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
connectable.dispose()
"""


@pytest.mark.parametrize("backend_name", ["postgresql+psycopg"], indirect=True)
@pytest.mark.parametrize(("port", "encrypted"), [(True, "true"), (False, "")])
async def test_a_sync_engine_keeps_the_words_of_libpq(
    scheme: str, tls: TLS, folder: ProjectFolder, port: bool, encrypted: str
) -> None:
    folder.env(SYNC)
    telling(folder, ENCRYPTED["postgresql"])
    url = tls.url(scheme, "sslmode=require&connect_timeout=7", tls=port)
    name = make_url(url).set(database="sync_words").render_as_string(hide_password=False)
    if not encrypted:
        with pytest.raises(bootstrap.DatabaseError):
            await bootstrap.migrate(name, project=folder.project)
        return
    await bootstrap.create(name)
    try:
        await bootstrap.migrate(name, project=folder.project)
        said = await told(name)
    finally:
        await bootstrap.drop(name, force=True)

    assert encrypted == said


@networked
async def test_a_server_without_tls_is_refused_where_the_url_asks_for_it(
    scheme: str, tls: TLS, folder: ProjectFolder
) -> None:
    """The control: the option reaches the driver, and is not thrown away."""
    with pytest.raises(bootstrap.DatabaseError):
        await bootstrap.migrate(
            tls.url(scheme, "sslmode=require", tls=False), project=folder.project
        )


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@networked
async def test_connect_timeout_ends_the_waiting_of_env_py(
    empty_url: str, folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def there(_database: bootstrap.Database) -> bool:
        return True

    # What is asked before env.py runs would end first.
    monkeypatch.setattr(bootstrap.Database, "exists", there)
    with silent_port() as port:
        url = make_url(empty_url).set(port=port).update_query_dict({"connect_timeout": "1"})
        async with asyncio.timeout(60):
            with pytest.raises(bootstrap.DatabaseError, match=r"time"):
                await bootstrap.migrate(url, project=folder.project, retry_for=0)


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_connect_args_of_env_py_go_first(empty_url: str, folder: ProjectFolder) -> None:
    folder.env(STOCK.format(arguments="{'server_settings': {'application_name': 'theirs'}}"))
    telling(
        folder, "SELECT current_setting('application_name') || current_setting('work_mem') AS said"
    )
    url = f"{empty_url}?application_name=ours&options=-cwork_mem%3D5MB"

    await bootstrap.migrate(url, project=folder.project)

    assert "theirs5MB" == await told(empty_url)


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_an_engine_of_the_program_is_as_before_afterwards(
    empty_url: str, folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = create_async_engine(make_url(empty_url).set(drivername="postgresql+asyncpg"))
    module = folder.root / "application_engine.py"
    module.write_text("engine = None\n")
    monkeypatch.syspath_prepend(folder.root)
    import application_engine  # type: ignore[import-not-found]  # written above

    application_engine.engine = engine
    source = STOCK.format(arguments="{}")
    start, end = source.index("    connectable = "), source.index("    async with")
    imported = "    from application_engine import engine as connectable\n"
    folder.env(source[:start] + imported + source[end:])
    telling(folder, "SELECT current_setting('application_name') AS said")

    await bootstrap.migrate(empty_url, project=folder.project)
    async with engine.connect() as connection:
        after = await connection.scalar(text("SELECT current_setting('application_name')"))
    await engine.dispose()

    assert ("bootstrap", "") == (await told(empty_url), after)

"""Behind PgBouncer in transaction mode each transaction may be on another session."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import NullPool, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

import bootstrap
from bootstrap.errors import StatementFailed
from bootstrap.project import Project
from tests import commands
from tests.available import Servers
from tests.conformance.test_moves import tables_of
from tests.pgbouncer import PgBouncer
from tests.projects import new_project, three_tables

_ROOT = Path(__file__).parents[2]
on_postgresql = pytest.mark.parametrize(
    "backend_name", ["postgresql", "postgresql+psycopg"], indirect=True
)
on_asyncpg = pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)


@pytest.fixture(scope="session")
def pgbouncer(servers: Servers) -> Iterator[PgBouncer]:
    """A pooler with two sessions per database."""
    pooler = PgBouncer(servers.url("postgresql"), size=2)
    try:
        pooler.wait()
        yield pooler
    finally:
        pooler.stop()


@pytest.fixture
def pgbouncer_url(empty_url: str, pgbouncer: PgBouncer) -> str:
    """The URL of an empty database, through the pooler."""
    there = pgbouncer.url
    url = make_url(empty_url).set(host=there.host, port=there.port)
    return url.render_as_string(hide_password=False)


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Project:
    """The reference project."""
    monkeypatch.chdir(_ROOT)
    return Project.at(Path("alembic.ini"))


async def changing_sessions(connection: AsyncConnection, other: AsyncConnection) -> list[int]:
    """Asks the same in two transactions, and sees to it that they are on different sessions."""
    pids = [await connection.scalar(text("SELECT pg_backend_pid()"))]
    await connection.commit()
    await other.execute(text("SELECT 1"))  # takes the session that was used last, and keeps it
    pids += [await connection.scalar(text("SELECT pg_backend_pid()"))]
    await connection.commit()
    await other.commit()
    return pids


@asynccontextmanager
async def two(engine: AsyncEngine) -> AsyncIterator[tuple[AsyncConnection, AsyncConnection]]:
    """Two connections of an engine that ends with them."""
    try:
        async with engine.connect() as one, engine.connect() as other:
            yield one, other
    finally:
        await engine.dispose()


@on_asyncpg
async def test_the_defaults_of_asyncpg_do_not_survive_it(pgbouncer_url: str) -> None:
    url = make_url(pgbouncer_url).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, poolclass=NullPool)

    with pytest.raises(DBAPIError, match=r"prepared statement .* does not exist"):
        async with two(engine) as (one, other):
            await changing_sessions(one, other)


@on_postgresql
@pytest.mark.parametrize("query", ["", "?pgbouncer=true"])
async def test_our_engine_does(pgbouncer_url: str, query: str) -> None:
    engine = bootstrap.Database.of(pgbouncer_url + query).engine()

    async with two(engine) as (one, other):
        first, second = await changing_sessions(one, other)

    assert first != second


@pytest.mark.parametrize("backend_name", ["postgresql+psycopg"], indirect=True)
async def test_psycopg_needs_no_transaction_for_it(pgbouncer_url: str) -> None:
    engine = bootstrap.Database.of(pgbouncer_url).engine()
    pids: set[int] = set()
    async with traffic(pgbouncer_url), asyncio.timeout(60), engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        while len(pids) < 2:
            pids |= {await connection.scalar(text("SELECT pg_backend_pid()")) for _ in range(9)}
    await engine.dispose()


@on_postgresql
async def test_commands_side_by_side_do_their_work(pgbouncer_url: str, project: Project) -> None:
    datasets = _ROOT / "bootstrap" / "reference" / "datasets"
    await bootstrap.up(pgbouncer_url, project=project, datasets=datasets)

    async with traffic(pgbouncer_url):
        for _ in range(2):
            await bootstrap.downgrade(pgbouncer_url, "base", project=project, drop_rows=True)
            await bootstrap.migrate(pgbouncer_url, project=project)
            await bootstrap.seed(pgbouncer_url, datasets=datasets)
        seeds = [bootstrap.seed(pgbouncer_url, datasets=datasets) for _ in range(3)]
        looks = [bootstrap.status(pgbouncer_url, project=project) for _ in range(3)]
        seeded, seen = await asyncio.gather(asyncio.gather(*seeds), asyncio.gather(*looks))

    assert [12] * 3 == [sum(one.unchanged for one in report.data_sets) for report in seeded]
    assert [()] * 3 == [report.pending for report in seen]


_STRANGER = """
import asyncio
import os
from alembic import context
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import create_async_engine
{imports}

def run(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()

async def connect():
    engine = create_async_engine(os.environ["STRANGERS_URL"], poolclass=NullPool, {options})
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()

asyncio.run(connect())
"""
# What docs/settings.md says.
_REMEDY = """connect_args={
    "statement_cache_size": 0,
    "prepared_statement_cache_size": 0,
    "prepared_statement_name_func": lambda: str(uuid4()),
}"""


@on_asyncpg
@pytest.mark.parametrize(
    ("imports", "options", "codes"), [("", "", {0, 1}), ("from uuid import uuid4", _REMEDY, {0})]
)
def test_an_engine_of_env_py_needs_to_be_told(
    pgbouncer_url: str, tmp_path: Path, imports: str, options: str, codes: set[int]
) -> None:
    folder = three_tables(tmp_path)
    folder.env(_STRANGER.format(imports=imports, options=options))
    url = make_url(pgbouncer_url).set(drivername="postgresql+asyncpg")
    environ = {**os.environ, "STRANGERS_URL": url.render_as_string(hide_password=False)}

    # Each process numbers its statements from one, and their sessions outlive it.
    done = [_alembic(folder.root, environ) for _ in range(3)]

    assert codes == {one.returncode for one in done}, done
    assert ("already exists" in "".join(one.stderr for one in done)) == (codes != {0})


@on_asyncpg
async def test_migrate_tells_an_engine_of_env_py(pgbouncer_url: str, tmp_path: Path) -> None:
    folder = three_tables(tmp_path)
    folder.env(
        _STRANGER.format(imports="", options="").replace(
            'os.environ["STRANGERS_URL"]', 'context.config.get_main_option("sqlalchemy.url")'
        )
    )
    async with traffic(pgbouncer_url):
        for _ in range(3):
            up = await bootstrap.migrate(pgbouncer_url, project=folder.project)
            down = await bootstrap.downgrade(
                pgbouncer_url, "base", project=folder.project, drop_rows=True
            )
            assert (("three",), ()) == (up.after, down.after)


def _alembic(folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return commands.run("alembic", "upgrade", "head", cwd=folder, environ=environ)


@asynccontextmanager
async def traffic(url: str) -> AsyncIterator[None]:
    """Transactions of an application, on four connections at a time, while the block runs."""
    engine = bootstrap.Database.of(url).engine()
    done = asyncio.Event()

    async def ask() -> None:
        while not done.is_set():
            async with engine.connect() as connection:
                for number in range(5):
                    await connection.execute(text("SELECT :number"), {"number": str(number)})
                    await connection.commit()

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(ask())
        try:
            yield
        finally:
            done.set()
    await engine.dispose()


@on_postgresql
async def test_a_revision_with_an_autocommit_block_goes_on(
    pgbouncer_url: str, empty_url: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path)
    folder.revision("one", down=None, upgrade=_BLOCK.format(""))
    with pytest.raises(StatementFailed, match="statements 1-2 are applied and recorded"):
        await bootstrap.migrate(pgbouncer_url, project=folder.project)

    folder.revision("one", down=None, upgrade=_BLOCK.format("WHERE n = 0"))
    await bootstrap.migrate(pgbouncer_url, project=folder.project)

    assert {"t", "alembic_version"} == await tables_of(empty_url)


_BLOCK = """
    op.execute("CREATE TABLE t (n integer)")
    op.execute("INSERT INTO t VALUES (1), (1)")
    with op.get_context().autocommit_block():
        op.execute("CREATE UNIQUE INDEX CONCURRENTLY ix ON t (n) {}")
"""

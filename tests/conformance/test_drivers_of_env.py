"""An env.py keeps the driver that it is written for, whichever the command was given."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

import bootstrap
from tests.projects import ProjectFolder, three_tables

on_psycopg = pytest.mark.parametrize("backend_name", ["postgresql+psycopg"], indirect=True)
_SYNC = """
from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
_ASYNC = """
import asyncio
from alembic import context
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import create_async_engine

def run(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()

async def connect():
    url = context.config.get_main_option("sqlalchemy.url")
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()

asyncio.run(connect())
"""


def own_url(folder: ProjectFolder, url: str) -> None:
    """Gives the project a URL of its own."""
    ini = folder.root / "alembic.ini"
    ini.write_text(ini.read_text().replace("[alembic]\n", f"[alembic]\nsqlalchemy.url = {url}\n"))


@on_psycopg
@pytest.mark.parametrize("source", [_SYNC, _ASYNC], ids=["sync", "async"])
@pytest.mark.parametrize("given", ["postgresql", "postgresql+asyncpg", "postgresql+psycopg"])
async def test_psycopg_is_both_a_sync_and_an_async_driver(
    empty_url: str, tmp_path: Path, source: str, given: str
) -> None:
    folder = three_tables(tmp_path)
    folder.env(source)
    own_url(folder, "postgresql+psycopg://u@elsewhere/other")
    url = make_url(empty_url).set(drivername=given)

    report = await bootstrap.migrate(url, project=folder.project)

    assert ("three",) == report.after


@pytest.mark.parametrize(
    "backend_name", ["mysql+asyncmy", "mariadb+asyncmy", "postgresql+psycopg"], indirect=True
)
async def test_a_driver_that_was_asked_for_reaches_an_env_py_without_a_url(
    empty_url: str, tmp_path: Path, scheme: str
) -> None:
    folder = three_tables(tmp_path)
    folder.env(_ASYNC.replace("import asyncio\n", "import asyncio\nfrom pathlib import Path\n"))
    env = folder.root / "migrations" / "env.py"
    env.write_text(
        env.read_text().replace(
            "    engine =", "    Path('seen').write_text(url.partition(':')[0])\n    engine ="
        )
    )

    report = await bootstrap.migrate(empty_url, project=folder.project)

    assert ("three",) == report.after
    assert scheme == Path("seen").read_text()


@pytest.mark.parametrize("own", [None, '""', "driver://user:pass@localhost/dbname"])
async def test_a_sync_env_py_without_a_url_gets_a_sync_driver(
    empty_url: str, tmp_path: Path, own: str | None
) -> None:
    """What `alembic init` leaves in alembic.ini names no database."""
    folder = three_tables(tmp_path)
    folder.env(_SYNC)
    if own is not None:
        own_url(folder, own)

    report = await bootstrap.migrate(empty_url, project=folder.project)

    assert ("three",) == report.after


_STREAMS = """
table = sa.table("t_one", sa.column("id"))
query = sa.select(table.c.id).order_by(table.c.id)
query = query.execution_options(stream_results=True, yield_per=1)
assert [] == op.get_bind().execute(query).all()
op.bulk_insert(table, [{"id": 1}, {"id": 2}])
assert [1, 2] == [row.id for row in op.get_bind().execute(query)]
"""


@pytest.mark.parametrize("source", [_SYNC, _ASYNC], ids=["sync", "async"])
async def test_a_revision_may_stream_what_it_reads(
    empty_url: str, tmp_path: Path, source: str
) -> None:
    """psycopg2 tells the columns of a cursor of the server when its first row is there."""
    folder = three_tables(tmp_path)
    folder.env(source)
    folder.revision("four", down="three", upgrade=_STREAMS)

    report = await bootstrap.migrate(empty_url, project=folder.project)

    assert ("four",) == report.after


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

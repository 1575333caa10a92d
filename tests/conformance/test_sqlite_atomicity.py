"""Each revision is one transaction on SQLite, whatever env.py does."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

import bootstrap
from bootstrap.errors import Place
from bootstrap.records.names import TOOL_TABLES
from tests.projects import ProjectFolder, new_project

ASYNC_ENV = """
    import asyncio
    from alembic import context
    from sqlalchemy import pool
    from sqlalchemy.ext.asyncio import create_async_engine

    def run(connection):
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()

    async def main():
        url = context.config.get_main_option("sqlalchemy.url")
        engine = create_async_engine(url, poolclass=pool.NullPool)
        async with engine.CONNECT() as connection:
            await connection.run_sync(run)

    if (handed := context.config.attributes.get("connection")) is not None:
        run(handed)
    else:
        asyncio.run(main())
"""
SYNC_ENV = """
    from alembic import context
    from sqlalchemy import create_engine, pool

    engine = create_engine(
        context.config.get_main_option("sqlalchemy.url").replace("+aiosqlite", ""),
        poolclass=pool.NullPool, ARGUMENTS
    )
    with engine.connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
"""
ENVS = {
    "async": ASYNC_ENV.replace("CONNECT", "connect"),
    "async, in one transaction of its own": ASYNC_ENV.replace("CONNECT", "begin"),
    "sync": SYNC_ENV.replace("ARGUMENTS", ""),
    "sync, AUTOCOMMIT": SYNC_ENV.replace("ARGUMENTS", "isolation_level='AUTOCOMMIT'"),
    "sync, no isolation level": SYNC_ENV.replace(
        "ARGUMENTS", "connect_args={'isolation_level': None}"
    ),
}
APPLICATION = """
from sqlalchemy import create_engine, event

engine = create_engine("sqlite:///FILE")


@event.listens_for(engine, "connect")
def strict(connection, _record):
    connection.execute("PRAGMA foreign_keys = ON")
"""
# Python 3.12 has modes of its own: with True the driver's commit() does nothing, with False it is
# always in a transaction.
if sys.version_info >= (3, 12):
    ENVS |= {
        f"sync, autocommit={mode}": SYNC_ENV.replace(
            "ARGUMENTS", f"connect_args={{'autocommit': {mode}}}"
        )
        for mode in (True, False)
    }
HALF = """
    op.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    op.execute("INSERT INTO t VALUES (1)")
    op.execute("ALTER TABLE t ADD COLUMN name TEXT")
    LAST
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An empty database."""
    path = tmp_path / "app.db"
    sqlite3.connect(path).close()
    return path


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    """A project without revisions, with an env.py that knows nothing of bootstrap."""
    made = new_project(tmp_path / "project")
    made.env(ENVS["async"])
    return made


def asked(file: Path, sql: str) -> list[tuple[object, ...]]:
    """What a connection of its own is told."""
    connection = sqlite3.connect(file)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def tables(file: Path) -> list[str]:
    found = [
        str(row[0]) for row in asked(file, "SELECT name FROM sqlite_master WHERE type='table'")
    ]
    return [name for name in found if name not in TOOL_TABLES]


@pytest.mark.parametrize("env", ENVS.values(), ids=ENVS)
async def test_a_revision_that_fails_leaves_nothing(
    env: str, file: Path, folder: ProjectFolder
) -> None:
    folder.env(env)
    path = folder.revision("one", down=None, upgrade=HALF.replace("LAST", "op.execute('DROP x')"))

    with pytest.raises(bootstrap.StatementFailed) as failed:
        await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)

    assert [] == tables(file)
    assert "may keep" not in failed.value.hint
    path.write_text(path.read_text().replace("DROP x", "CREATE INDEX i ON t (name)"))
    report = await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)
    assert ("one",) == report.after
    assert [(1, None)] == asked(file, "SELECT * FROM t")


@pytest.mark.parametrize("name", [name for name in ENVS if "transaction of its own" not in name])
async def test_a_statement_that_must_run_alone_does_with_every_driver_mode(
    name: str, file: Path, folder: ProjectFolder
) -> None:
    folder.env(ENVS[name])
    folder.revision(
        "one", down=None, upgrade="\n    op.execute('VACUUM')" + HALF.replace("LAST", "")
    )

    await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)

    assert [(1, None)] == asked(file, "SELECT * FROM t")


async def test_revisions_before_the_one_that_fails_stay(file: Path, folder: ProjectFolder) -> None:
    folder.revision("one", down=None, upgrade="op.execute('CREATE TABLE first (id INTEGER)')")
    folder.revision("two", down="one", upgrade=HALF.replace("LAST", "1 / 0"))

    with pytest.raises(bootstrap.RevisionError) as failed:
        await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)

    assert "one is applied; this revision was rolled back" in failed.value.hint
    assert ["alembic_version", "first"] == tables(file)
    assert [("one",)] == asked(file, "SELECT * FROM alembic_version")


async def test_an_autocommit_block_for_another_backend_commits_nothing_here(
    file: Path, folder: ProjectFolder
) -> None:
    block = """
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX i ON t (name)")
    1 / 0
    """
    folder.revision("one", down=None, upgrade=HALF.replace("LAST", "") + block)

    with pytest.raises(bootstrap.RevisionError, match="ZeroDivisionError"):
        await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)

    assert [] == tables(file)


async def test_a_savepoint_undoes_its_own_statements_only(
    file: Path, folder: ProjectFolder
) -> None:
    undone = """
    try:
        with op.get_bind().begin_nested():
            op.execute("CREATE TABLE gone (id INTEGER)")
            op.execute("INSERT INTO t VALUES (1, 'twice')")
    except sa.exc.IntegrityError:
        op.execute("UPDATE t SET name = 'once'")
    """
    folder.revision("one", down=None, upgrade=HALF.replace("LAST", "") + undone)

    await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)

    assert ["alembic_version", "t"] == sorted(tables(file))
    assert [(1, "once")] == asked(file, "SELECT * FROM t")


async def test_statements_that_cannot_run_in_a_transaction_run_outside_of_it(
    file: Path, folder: ProjectFolder
) -> None:
    folder.revision(
        "one",
        down=None,
        upgrade="""
        op.execute('''
            -- smaller
            PRAGMA journal_mode = /* for readers */ WAL
        ''')
        op.execute("vacuum")
        op.execute("PRAGMA foreign_keys = ON")
        op.execute("CREATE TABLE t (id INTEGER)")
        """,
    )
    folder.revision("two", down="one", upgrade="op.execute('VACUUM')")

    report = await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)

    assert ("two",) == report.after
    assert [("wal",)] == asked(file, "PRAGMA journal_mode")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("VACUUM", "sends VACUUM, which cannot run in a transaction, after it has written"),
        ("PRAGMA journal_mode=DELETE", "sends PRAGMA JOURNAL_MODE, which cannot run"),
        ("COMMIT", "sends COMMIT"),
        ("/* */ end transaction", "sends END"),
        ("ROLLBACK", "sends ROLLBACK"),
    ],
)
async def test_what_would_commit_half_a_revision_is_refused(
    statement: str, said: str, file: Path, folder: ProjectFolder
) -> None:
    path = folder.revision(
        "one", down=None, upgrade=HALF.replace("LAST", f"op.execute({statement!r})")
    )

    with pytest.raises(bootstrap.RevisionError, match=said) as refused:
        await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)

    assert [] == tables(file)
    lines = path.read_text().splitlines()
    line = lines.index(f"    op.execute({statement!r})") + 1
    assert f"{path}:{line}" in refused.value.message
    assert Place(path=path, line=line) == refused.value.place


async def test_a_revision_that_commits_by_itself_is_refused(
    file: Path, folder: ProjectFolder
) -> None:
    folder.revision("one", down=None, upgrade=HALF.replace("LAST", "op.get_bind().commit()"))

    with pytest.raises(bootstrap.RevisionError, match="revision one commits before it is done"):
        await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)

    assert [] == tables(file)


async def test_a_transaction_that_sqlite_ended_is_noticed(
    file: Path, folder: ProjectFolder
) -> None:
    ended = """
    try:
        op.execute("INSERT OR ROLLBACK INTO t VALUES (1, 'twice')")
    except sa.exc.IntegrityError:
        pass
    """
    folder.revision("one", down=None, upgrade=HALF.replace("LAST", "") + ended)

    with pytest.raises(bootstrap.RevisionError, match="transaction of revision one was ended"):
        await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)

    assert [] == tables(file)


async def test_another_writer_is_waited_for_and_then_named(
    file: Path, folder: ProjectFolder
) -> None:
    folder.revision("one", down=None, upgrade=HALF.replace("LAST", ""))
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(bootstrap.DatabaseInUse, match="SQLITE_BUSY") as refused:
        await bootstrap.migrate(
            f"sqlite:///{file}?timeout=0.1", project=folder.project, lock_retries=0
        )

    assert "wait until they are done" in refused.value.hint
    waiting = asyncio.create_task(
        bootstrap.migrate(f"sqlite:///{file}?timeout=60", project=folder.project)
    )
    other.execute("COMMIT")
    other.close()
    assert ("one",) == (await waiting).after


async def test_with_nothing_to_do_no_writer_is_waited_for(
    file: Path, folder: ProjectFolder
) -> None:
    folder.revision("one", down=None, upgrade=HALF.replace("LAST", ""))
    await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    report = await bootstrap.migrate(f"sqlite:///{file}?timeout=0", project=folder.project)

    other.close()
    assert () == report.steps


@pytest.mark.parametrize("first", ["SELECT 1", "CREATE TABLE mine (id INTEGER)"])
async def test_a_transaction_of_the_program_takes_all_with_it(
    first: str, file: Path, folder: ProjectFolder
) -> None:
    folder.revision("one", down=None, upgrade=HALF.replace("LAST", ""))
    engine = create_async_engine(f"sqlite+aiosqlite:///{file}")
    async with engine.connect() as connection:
        await connection.execute(text(first))
        await bootstrap.migrate(connection, project=folder.project)
        await connection.rollback()
        kept = [name for name in tables(file) if name != "mine"]
        assert [] == kept

        await connection.execute(text("SELECT 1"))
        await bootstrap.migrate(connection, project=folder.project)
        await connection.commit()
    await engine.dispose()

    assert [(1, None)] == asked(file, "SELECT * FROM t")


@pytest.mark.parametrize("first", [None, "SELECT 1"])
async def test_a_program_gets_its_connection_back_as_it_was(
    first: str | None, file: Path, folder: ProjectFolder
) -> None:
    folder.revision("one", down=None, upgrade=HALF.replace("LAST", ""))
    engine = create_async_engine(f"sqlite+aiosqlite:///{file}")
    async with engine.connect() as connection:
        await connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        await connection.rollback()
        if first:
            await connection.execute(text(first))

        await bootstrap.migrate(connection, project=folder.project)
        await connection.commit()

        assert 1 == (await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar()
        await connection.rollback()
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        assert ("", False) == (raw.isolation_level, raw.in_transaction)
    await engine.dispose()


async def test_the_pool_of_an_application_gets_its_connection_back_as_it_was(
    file: Path, folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.root / "shop_engine.py").write_text(APPLICATION.replace("FILE", str(file)))
    monkeypatch.syspath_prepend(str(folder.root))
    folder.env(
        """
        from alembic import context
        from shop_engine import engine

        with engine.connect() as connection:
            context.configure(connection=connection)
            with context.begin_transaction():
                context.run_migrations()
        """
    )
    folder.revision("one", down=None, upgrade=HALF.replace("LAST", ""))
    await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)

    from shop_engine import engine  # type: ignore[import-not-found]  # written by this test

    with engine.connect() as connection:
        assert 1 == connection.exec_driver_sql("PRAGMA foreign_keys").scalar()
    engine.dispose()

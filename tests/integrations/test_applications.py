"""The database of an application: who is let in, what is committed, and what is given back."""

from __future__ import annotations

import asyncio
import json
import textwrap
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import QueuePool, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col
from sqlmodel import select as select_model
from sqlmodel.ext.asyncio.session import AsyncSession as ModelSession

import bootstrap
from bootstrap import DatabaseUnreachable, HalfApplied, RevisionError, SettingsError
from bootstrap.integrations.applications import ApplicationDatabase, Pool, require_head
from bootstrap.integrations.serving import Behind, WhenBehind
from bootstrap.settings import resolve
from tests.integrations.conftest import One
from tests.projects import ProjectFolder

_PATIENCE = 60  # seconds for what takes one
# Where a server does not notice at once that a client is gone, it works for two seconds.
_LONG = {
    "postgresql": "SELECT pg_sleep(600)",
    "mysql": "SELECT SLEEP(2)",
    "mariadb": "SELECT SLEEP(2)",
    "sqlite": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
    " SELECT count(*) FROM c",
}
_SERVERS = ["sqlite", "postgresql", "mysql", "mariadb"]  # what no driver changes


async def count(database: ApplicationDatabase) -> int:
    """The rows that others see."""
    async with database.database.connect() as another:
        return await another.scalar(select(func.count()).select_from(One)) or 0


def in_use(database: ApplicationDatabase) -> int:
    """The connections that somebody has not given back."""
    pool: Any = database.engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


@pytest.mark.parametrize("backend_name", _SERVERS, indirect=True)
async def test_nobody_starts_on_a_database_that_is_behind(
    empty_url: str, folder: ProjectFolder
) -> None:
    database = ApplicationDatabase(empty_url, project=folder.project)
    await bootstrap.migrate(empty_url, "one", project=folder.project)

    with pytest.raises(RevisionError) as behind:
        async with database.started():
            pytest.fail("it was started")
    await bootstrap.migrate(empty_url, project=folder.project)
    async with database.started():
        ready = await database.readiness()

    assert f"{database.database.label} is behind the code: pending are two, three" == str(
        behind.value
    )
    assert ready.ready


@pytest.mark.parametrize("backend_name", _SERVERS, indirect=True)
async def test_it_waits_until_somebody_else_has_migrated(
    fresh_url: str, folder: ProjectFolder
) -> None:
    database = ApplicationDatabase(fresh_url, project=folder.project)
    waited = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        served = tasks.create_task(
            require_head(
                fresh_url,
                project=folder.project,
                behind="wait",
                timeout=_PATIENCE,
                emit=lambda _: waited.set(),
            )
        )
        await waited.wait()
        await bootstrap.up(fresh_url, project=folder.project)

    assert ("three",) == served.result().revisions
    async with database.started():
        assert 0 == in_use(database)


async def test_it_does_not_wait_for_ever(tmp_path: Path, folder: ProjectFolder) -> None:
    url = f"sqlite:///{tmp_path}/app.db"
    await bootstrap.create(url)

    with pytest.raises(RevisionError, match="pending are one, two, three"):
        await require_head(url, project=folder.project, behind="wait", timeout=0.2)


@pytest.mark.parametrize("backend_name", _SERVERS, indirect=True)
async def test_of_several_that_start_at_once_one_migrates(
    empty_url: str, folder: ProjectFolder
) -> None:
    async def start() -> tuple[str, ...]:
        database = ApplicationDatabase(empty_url, project=folder.project)
        async with database.started(behind="migrate", timeout=_PATIENCE):
            return (await database.readiness()).reasons

    assert [()] * 3 == list(await asyncio.gather(start(), start(), start()))
    entries = (await bootstrap.log(empty_url, project=folder.project)).entries
    assert 3 == len(entries)


@pytest.mark.parametrize("allowed", [False, True])
async def test_newer_code_may_be_allowed(
    tmp_path: Path, folder: ProjectFolder, *, allowed: bool
) -> None:
    url = f"sqlite:///{tmp_path}/app.db"
    newest = folder.revision("four", down="three")
    await bootstrap.up(url, project=folder.project)
    newest.unlink()
    database = ApplicationDatabase(url, project=folder.project, allow_ahead=allowed)

    if allowed:
        async with database.started():
            assert (await database.readiness()).ready
    else:
        with pytest.raises(RevisionError, match="four, which this project does not have"):
            async with database.started():
                pass


@pytest.mark.parametrize("backend_name", ["mariadb"], indirect=True)
async def test_half_a_revision_is_not_served(empty_url: str, folder: ProjectFolder) -> None:
    failing = 'op.create_table("t_four", sa.Column("id", sa.Integer))\nop.execute("nonsense")'
    folder.revision("four", down="three", upgrade=failing)
    with pytest.raises(bootstrap.StatementFailed):
        await bootstrap.migrate(empty_url, project=folder.project)

    with pytest.raises(HalfApplied, match="revision four is half-applied"):
        await require_head(empty_url, project=folder.project)


@pytest.mark.parametrize("behind", ["later", ""])
async def test_what_it_does_then_is_one_of_three(folder: ProjectFolder, behind: Any) -> None:
    with pytest.raises(SettingsError) as wrong:
        await require_head("sqlite:///x.db", project=folder.project, behind=behind)

    assert "use one of: refuse, wait, migrate" == wrong.value.hint


async def test_a_block_is_committed(migrated: ApplicationDatabase) -> None:
    async with migrated.started():
        async with migrated.transaction() as session:
            row = One(id=1)
            session.add(row)
        seen = await count(migrated)

        assert (1, 1, 0) == (seen, row.id, in_use(migrated))


async def _fail(block: AbstractAsyncContextManager[AsyncSession]) -> None:
    async with block as session:
        session.add(One(id=1))
        await session.flush()
        raise LookupError


@pytest.mark.parametrize("backend_name", _SERVERS, indirect=True)
async def test_an_error_undoes_the_block(migrated: ApplicationDatabase) -> None:
    async with migrated.started():
        with pytest.raises(LookupError):
            await _fail(migrated.transaction())
        seen = await count(migrated)

        assert (0, 0) == (seen, in_use(migrated))


async def _in_a_statement(session: AsyncSession, begun: asyncio.Event, sql: str) -> None:
    begun.set()
    await session.execute(text(sql))


async def _between_statements(_session: AsyncSession, begun: asyncio.Event, _sql: str) -> None:
    begun.set()
    await asyncio.Event().wait()


@pytest.mark.parametrize("wait", [_in_a_statement, _between_statements])
async def test_a_cancelled_task_gives_its_connection_back(
    migrated: ApplicationDatabase,
    backend_name: str,
    wait: Callable[[AsyncSession, asyncio.Event, str], Awaitable[None]],
) -> None:
    async def work(begun: asyncio.Event) -> None:
        async with migrated.transaction() as session:
            session.add(One(id=1))
            await session.flush()
            await wait(session, begun, _LONG[backend_name])

    async with migrated.started():
        begun = asyncio.Event()
        task = asyncio.create_task(work(begun))
        await begun.wait()
        await asyncio.sleep(0.05)  # the statement is on its way
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        await _all_given_back(migrated)
        assert 1 == await count(migrated)


@pytest.mark.parametrize("backend_name", _SERVERS, indirect=True)
async def test_a_scope_that_is_cancelled_gives_its_connection_back(
    migrated: ApplicationDatabase, backend_name: str
) -> None:
    """Unlike asyncio, anyio cancels whatever is awaited afterwards too; Starlette uses it."""
    async with migrated.started():
        for number in (1, 2, 3):  # of one id those that still wait for it could deadlock
            with anyio.move_on_after(0.1) as scope:
                async with migrated.transaction() as session:
                    session.add(One(id=number))
                    await session.flush()
                    await session.execute(text(_LONG[backend_name]))
            assert scope.cancelled_caught

        await _all_given_back(migrated)
        assert 1 == await count(migrated)


async def _all_given_back(database: ApplicationDatabase) -> None:
    """Nobody keeps a connection, and nothing is locked any more."""
    async with asyncio.timeout(_PATIENCE):
        while in_use(database):  # the pool tells nobody
            await asyncio.sleep(0.02)
        async with database.transaction() as session:
            session.add(One(id=1))


@pytest.mark.parametrize("backend_name", _SERVERS, indirect=True)
async def test_a_task_has_one_session(migrated: ApplicationDatabase) -> None:
    async def called() -> AsyncSession:
        async with migrated.task_session() as inner:
            migrated.scoped().add(One(id=1))
            return inner

    async with migrated.started():
        async with migrated.task_session() as session:
            same = await called()
            another = await asyncio.create_task(called())
            inside = await count(migrated)  # the other task has committed
            await session.rollback()
        left = migrated.scoped.registry.has()

        assert session is same
        assert session is not another
        assert (1, False, 0) == (inside, left, in_use(migrated))


@pytest.mark.parametrize("backend_name", _SERVERS, indirect=True)
async def test_a_task_that_fails_leaves_nothing(migrated: ApplicationDatabase) -> None:
    async with migrated.started():
        with pytest.raises(LookupError):
            await _fail(migrated.task_session())

        assert (0, False, 0) == (
            await count(migrated),
            migrated.scoped.registry.has(),
            in_use(migrated),
        )


@pytest.mark.parametrize("backend_name", _SERVERS, indirect=True)
async def test_it_is_ready_while_it_is_at_head(
    migrated: ApplicationDatabase, folder: ProjectFolder
) -> None:
    before = await migrated.readiness()
    async with migrated.started():
        at_head = await migrated.readiness()
        await bootstrap.stamp(migrated.database, "two", project=folder.project)
        behind = await migrated.readiness()
        await bootstrap.stamp(migrated.database, "three", project=folder.project)
        again = await migrated.readiness()

    assert [False, True, False, True] == [one.ready for one in (before, at_head, behind, again)]
    assert ("the application has not started",) == before.reasons
    assert ("the database is behind: it is at two, and the code is at three",) == behind.reasons


@pytest.mark.parametrize("backend_name", _SERVERS, indirect=True)
async def test_it_is_not_ready_where_no_connection_is_free(
    empty_url: str, folder: ProjectFolder
) -> None:
    await bootstrap.migrate(empty_url, project=folder.project)
    small = Pool(size=1, max_overflow=0, timeout=0.1)
    database = ApplicationDatabase(empty_url, project=folder.project, pool=small)

    async with database.started():
        async with database.transaction() as session:
            await session.execute(select(One))
            busy = await database.readiness(timeout=0.2)
            with pytest.raises(DatabaseUnreachable, match="no connection was free"):
                async with database.transaction() as another:
                    await another.execute(select(One))
        free = await database.readiness()

    assert ("there was no answer within 0.2 seconds",) == busy.reasons
    assert free.ready


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_it_is_used_after_its_start_only(migrated: ApplicationDatabase) -> None:
    for name in ("engine", "sessions", "scoped"):
        with pytest.raises(SettingsError, match="is not started"):
            getattr(migrated, name)
    async with migrated.started():
        with pytest.raises(SettingsError, match="is started already"):
            async with migrated.started():
                pass
    async with migrated.started():
        assert 0 == await count(migrated)


def test_a_database_in_memory_is_refused(folder: ProjectFolder) -> None:
    with pytest.raises(SettingsError, match="cannot keep its rows in memory"):
        ApplicationDatabase("sqlite://", project=folder.project)


class Row(SQLModel, table=True):
    """The same table in the words of SQLModel."""

    __tablename__ = "t_one"

    id: int = Field(primary_key=True)


@pytest.mark.parametrize("backend_name", _SERVERS, indirect=True)
async def test_it_works_with_sqlmodel(empty_url: str, folder: ProjectFolder) -> None:
    await bootstrap.migrate(empty_url, project=folder.project)
    database = ApplicationDatabase(empty_url, project=folder.project, session_class=ModelSession)

    async with database.started():
        async with database.transaction() as session:
            session.add_all([Row(id=1), Row(id=2)])
        async with database.transaction() as session:
            assert isinstance(session, ModelSession)
            found = (await session.exec(select_model(Row).order_by(col(Row.id)))).all()

    assert [1, 2] == [row.id for row in found]


def test_database_and_pool_come_from_the_settings(folder: ProjectFolder) -> None:
    lines = """
        [tool.bootstrap]
        url = "sqlite:///app.db"
        pool_size = 2
        pool_max_overflow = 3
        pool_timeout = 4
        pool_recycle = 0
        allow_ahead = true
    """
    (folder.root / "pyproject.toml").write_text(textwrap.dedent(lines))
    environ = {"BOOTSTRAP_POOL_SIZE": "7", "BOOTSTRAP_POOL_PRE_PING": "no"}

    database = ApplicationDatabase.configured(resolve(cwd=folder.root, environ=environ))

    assert "sqlite:///app.db" == str(database.database)
    expected = Pool(size=7, max_overflow=3, timeout=4.0, recycle=0.0, pre_ping=False)
    assert expected == database._pool
    made: Any = database.database.pooled(database._pool).pool
    assert (7, 3, 4.0, -1) == (made.size(), made._max_overflow, made.timeout(), made._recycle)


def test_without_a_url_the_settings_name_no_database(folder: ProjectFolder) -> None:
    with pytest.raises(SettingsError, match="no database is configured"):
        ApplicationDatabase.configured(resolve(cwd=folder.root, environ={}))


def test_each_word_has_a_value() -> None:
    words: tuple[WhenBehind, ...] = ("refuse", "wait", "migrate")

    assert json.dumps(words) == json.dumps([str(one) for one in Behind])

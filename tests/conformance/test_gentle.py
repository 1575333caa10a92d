"""A run that waits for a lock lets others go on, says who is in its way, and comes through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

import bootstrap
from bootstrap.database import Database
from bootstrap.events import Event, LockRetried, StatementBlocked
from tests import available
from tests.available import BACKENDS
from tests.long_statements import SLEEPS, long_ones
from tests.projects import ProjectFolder, env, new_project

SERVERS = [name for name in BACKENDS if name != "sqlite"]
_PATIENCE = 120  # seconds for what takes a few
_MANY = 50
# SQLite locks the file before a revision begins.
_GIVEN_UP = (bootstrap.StatementFailed, bootstrap.DatabaseInUse)
_BLOCKED = "ALTER TABLE t ADD COLUMN more INTEGER"
_OWN_PID = {"postgresql": "SELECT pg_backend_pid()", "mysql": "SELECT connection_id()"}
_OWN_PID["mariadb"] = _OWN_PID["mysql"]


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    """A project whose second revision needs the lock of a table, after it has done something."""
    folder = new_project(tmp_path / "project")
    folder.revision(
        "one",
        down=None,
        upgrade="op.create_table('t', sa.Column('id', sa.Integer, primary_key=True))",
    )
    folder.revision("two", down="one", upgrade=_two())
    return folder


def _two(*, last: str = _BLOCKED) -> str:
    first = "op.create_table('t_two', sa.Column('id', sa.Integer, primary_key=True))"
    return f"{first}\nop.execute({last!r})"


@asynccontextmanager
async def in_the_way(url: str) -> AsyncIterator[AsyncConnection]:
    """A transaction that has read the table, or locked the file, and does not end."""
    async with Database.of(url).connect() as connection:
        if Database.of(url).backend.name == "sqlite":
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
        await connection.execute(text("SELECT * FROM t"))
        yield connection
        if Database.of(url).backend.name == "sqlite":
            await connection.exec_driver_sql("ROLLBACK")
        await connection.rollback()


class Seen:
    """The events of a run, as they come."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, kind: type[Event]) -> Any:
        async with asyncio.timeout(_PATIENCE):
            while not (found := self.of(kind)):
                await asyncio.sleep(0.01)
        return found[0]


async def _read(url: str) -> None:
    async with asyncio.timeout(_PATIENCE), Database.of(url).connect() as connection:
        await connection.execute(text("SELECT * FROM t"))


async def test_a_run_that_is_blocked_comes_through_later(
    empty_url: str, folder: ProjectFolder
) -> None:
    await bootstrap.migrate(empty_url, "one", project=folder.project)
    seen = Seen()

    async with in_the_way(empty_url):
        run = asyncio.create_task(
            bootstrap.migrate(
                empty_url,
                project=folder.project,
                lock_timeout=0.5,
                lock_retries=_MANY,
                emit=seen,
            )
        )
        retried = await seen.until(LockRetried)
        still = run.done()
    report = await run

    assert not still
    assert ("two", _MANY - 1) == (retried.revision, retried.left)
    assert ["two"] == [step.revision for step in report.steps]
    assert (("one",), ("two",)) == (report.before, report.after)


@pytest.mark.parametrize("backend_name", SERVERS, indirect=True)
async def test_queries_of_others_come_through_while_a_run_is_blocked(
    empty_url: str, folder: ProjectFolder
) -> None:
    await bootstrap.migrate(empty_url, "one", project=folder.project)
    seen = Seen()

    async with in_the_way(empty_url):
        run = asyncio.create_task(
            bootstrap.migrate(
                empty_url, project=folder.project, lock_timeout=1, lock_retries=_MANY, emit=seen
            )
        )
        await seen.until(StatementBlocked)
        await _read(empty_url)
        still = run.done()
    await run

    assert not still


@pytest.mark.parametrize("backend_name", SERVERS, indirect=True)
async def test_with_plain_alembic_they_do_not(
    empty_url: str, backend_name: str, folder: ProjectFolder
) -> None:
    """The control: the lock that is waited for keeps readers out."""
    await bootstrap.migrate(empty_url, "one", project=folder.project)

    async with in_the_way(empty_url):
        alembic = asyncio.create_task(
            asyncio.to_thread(folder.alembic, "upgrade", "head", url=empty_url)
        )
        await _until_it_runs(empty_url, _BLOCKED)
        reader = asyncio.create_task(_read(empty_url))
        await _until_it_runs(empty_url, "SELECT * FROM t")
        done, _ = await asyncio.wait({reader}, timeout=1)
    await asyncio.gather(reader, alembic)

    assert set() == done
    assert 0 == alembic.result().returncode


async def _until_it_runs(url: str, begun: str) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not any(one.startswith(begun) for one in available.statements(url)):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("backend_name", SERVERS, indirect=True)
async def test_who_is_in_the_way_is_said(
    empty_url: str, backend_name: str, folder: ProjectFolder
) -> None:
    await bootstrap.migrate(empty_url, "one", project=folder.project)
    seen = Seen()

    async with in_the_way(empty_url) as connection:
        pid = await connection.scalar(text(_OWN_PID[backend_name]))
        with pytest.raises(bootstrap.StatementFailed) as failed:
            await bootstrap.migrate(
                empty_url, project=folder.project, lock_timeout=3, lock_retries=0, emit=seen
            )

    (blocker,) = seen.of(StatementBlocked)[0].blockers
    sure = backend_name != "mariadb"  # its list of metadata locks is a plugin
    assert blocker.startswith(f"{'' if sure else 'perhaps '}session {pid} of ")
    assert f"  in the way: {blocker}" in failed.value.message
    assert failed.value.busy


@pytest.mark.parametrize("backend_name", ["mysql", "mariadb"], indirect=True)
async def test_who_is_in_the_way_of_the_first_statement_is_said(
    empty_url: str, folder: ProjectFolder
) -> None:
    """Inside of it the journal looks for its table, which is not there yet."""
    folder.revision("two", down="one", upgrade=f"op.execute({_BLOCKED!r})")
    await bootstrap.migrate(empty_url, "one", project=folder.project)
    seen = Seen()

    async with in_the_way(empty_url):
        with pytest.raises(bootstrap.StatementFailed, match="in the way: "):
            await bootstrap.migrate(
                empty_url, project=folder.project, lock_timeout=3, lock_retries=0, emit=seen
            )

    assert 1 == len(seen.of(StatementBlocked))


async def test_a_run_gives_up_when_its_tries_are_used_up(
    empty_url: str, folder: ProjectFolder
) -> None:
    await bootstrap.migrate(empty_url, "one", project=folder.project)
    seen = Seen()

    async with in_the_way(empty_url):
        with pytest.raises(_GIVEN_UP, match=r"(?i)lock") as failed:
            await bootstrap.migrate(
                empty_url, project=folder.project, lock_timeout=0.2, lock_retries=1, emit=seen
            )
    status = await bootstrap.status(empty_url, project=folder.project)

    assert [0] == [event.left for event in seen.of(LockRetried)]
    assert ("one",) == status.current
    assert failed.value.hint


async def test_a_revision_may_have_limits_of_its_own(empty_url: str, folder: ProjectFolder) -> None:
    folder.revision(
        "two",
        down="one",
        upgrade=_two(),
        extra="bootstrap_lock_timeout, bootstrap_lock_retries = 0.2, 0",
    )
    await bootstrap.migrate(empty_url, "one", project=folder.project)
    seen = Seen()

    async with in_the_way(empty_url):
        with pytest.raises(_GIVEN_UP, match=r"(?i)lock"):
            await bootstrap.migrate(
                empty_url, project=folder.project, lock_timeout=0, lock_retries=_MANY, emit=seen
            )

    assert [] == seen.of(LockRetried)


@pytest.mark.parametrize(
    "extra", ["lock_timeout = 'soon'", "lock_retries = 1.5", "lock_timeout = -1"]
)
async def test_limits_that_are_no_numbers_are_refused(
    empty_url: str, folder: ProjectFolder, extra: str
) -> None:
    path = folder.revision("two", down="one", upgrade=_two(), extra=f"bootstrap_{extra}")

    with pytest.raises(bootstrap.RevisionError, match="in revision two, lock_") as refused:
        await bootstrap.migrate(empty_url, project=folder.project)

    assert refused.value.place is not None
    assert path == refused.value.place.path


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_names_that_a_revision_has_for_itself_mean_nothing(
    empty_url: str, folder: ProjectFolder
) -> None:
    folder.revision("two", down="one", upgrade=_two(), extra="lock_timeout = '5s'")

    report = await bootstrap.migrate(empty_url, project=folder.project)

    assert ("two",) == report.after


async def test_a_statement_that_takes_too_long_is_cancelled(
    empty_url: str, backend_name: str, folder: ProjectFolder
) -> None:
    folder.revision("two", down="one", upgrade=_two(last=SLEEPS[backend_name]))

    with pytest.raises(bootstrap.StatementFailed, match=r"cancelled after 0\.5 s"):
        await bootstrap.migrate(empty_url, project=folder.project, statement_timeout=0.5)
    status = await bootstrap.status(empty_url, project=folder.project)

    assert ("one",) == status.current
    assert [] == long_ones(empty_url)


@pytest.mark.parametrize("backend_name", ["mariadb"], indirect=True)
async def test_a_session_that_waits_for_itself_is_not_in_its_own_way(
    empty_url: str, folder: ProjectFolder
) -> None:
    """MariaDB 10.11 does so when it looks at the rows of an exchange; later ones come through."""
    made = "CREATE TABLE p (id INTEGER) PARTITION BY RANGE (id) (PARTITION a VALUES LESS THAN (9))"
    lines = (
        "CREATE TABLE u (id INTEGER)",
        "INSERT INTO u VALUES (1)",
        made,
        "ALTER TABLE p EXCHANGE PARTITION a WITH TABLE u",
    )
    folder.revision("two", down="one", upgrade="\n".join(f"op.execute({one!r})" for one in lines))
    seen = Seen()

    with suppress(bootstrap.StatementFailed):
        await bootstrap.migrate(
            empty_url, project=folder.project, lock_timeout=3, lock_retries=0, emit=seen
        )

    assert [] == seen.of(StatementBlocked)


@pytest.mark.parametrize("backend_name", ["mariadb", "mysql"], indirect=True)
async def test_a_statement_stays_watched_when_another_connection_is_refused(
    empty_url: str, backend_name: str, folder: ProjectFolder
) -> None:
    """Before a table is made the journal asks for it beside the run, and there is none."""
    folder.revision(
        "two", down="one", upgrade=_two(last=f"CREATE TABLE l AS {SLEEPS[backend_name]}")
    )

    with pytest.raises(bootstrap.StatementFailed, match=r"cancelled after 0\.5 s"):
        await bootstrap.migrate(empty_url, project=folder.project, statement_timeout=0.5)

    assert [] == long_ones(empty_url)


_LIMITS: dict[str, tuple[str, str, Callable[[float], str]]] = {
    "postgresql": (
        "SET lock_timeout = '7s'",
        "SELECT current_setting('lock_timeout')",
        lambda seconds: f"{seconds:g}s",
    ),
    "mysql": (
        "SET lock_wait_timeout = 7",
        "SELECT @@lock_wait_timeout",
        lambda seconds: f"{seconds:g}",
    ),
    "sqlite": (
        "PRAGMA busy_timeout = 7000",
        "PRAGMA busy_timeout",
        lambda seconds: f"{seconds * 1000:g}",
    ),
}
_LIMITS["mariadb"] = _LIMITS["mysql"]


@pytest.mark.parametrize(
    ("before", "asked", "found"),
    [(False, None, 3), (True, None, 7), (False, 2, 2), (True, 2, 2)],
)
async def test_a_limit_that_env_py_has_set_stays_unless_another_is_asked_for(
    empty_url: str, backend_name: str, tmp_path: Path, before: bool, asked: float | None, found: int
) -> None:
    set_it, read_it, written = _LIMITS[backend_name]
    folder = new_project(tmp_path / "project")
    if before:
        folder.env(env(before=f"connection.execute(text({set_it!r}))"))
    note = folder.root / "found"
    folder.revision(
        "one",
        down=None,
        upgrade=f"""
            import pathlib
            found = op.get_bind().exec_driver_sql({read_it!r}).scalar()
            pathlib.Path({str(note)!r}).write_text(str(found))
            """,
    )

    await bootstrap.migrate(empty_url, project=folder.project, lock_timeout=asked)

    assert written(found) == note.read_text()


async def test_a_programs_connection_has_its_own_limit_back_afterwards(
    empty_url: str, backend_name: str, tmp_path: Path
) -> None:
    _, read_it, _ = _LIMITS[backend_name]
    folder = new_project(tmp_path / "project")
    folder.revision("one", down=None)
    async with Database.of(empty_url).connect() as connection:
        before = (await connection.exec_driver_sql(read_it)).scalar()

        await bootstrap.migrate(connection, project=folder.project, lock_timeout=2)
        after = (await connection.exec_driver_sql(read_it)).scalar()

    assert before == after


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_outside_of_transactions_nothing_is_limited(empty_url: str, tmp_path: Path) -> None:
    folder = new_project(tmp_path / "project")
    note = folder.root / "found"
    folder.revision(
        "one",
        down=None,
        upgrade=f"""
            import pathlib
            with op.get_context().autocommit_block():
                found = op.get_bind().exec_driver_sql("SHOW lock_timeout").scalar()
            pathlib.Path({str(note)!r}).write_text(found)
            """,
    )

    await bootstrap.migrate(empty_url, project=folder.project, lock_timeout=2)

    assert "0" == note.read_text()


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_what_stays_of_a_revision_is_not_done_again_when_the_rest_is(
    empty_url: str, folder: ProjectFolder
) -> None:
    folder.revision(
        "two",
        down="one",
        upgrade=f"""
            with op.get_context().autocommit_block():
                op.execute("CREATE TABLE stays (id integer)")
                op.execute("INSERT INTO stays VALUES (1)")
            op.execute({_BLOCKED!r})
            """,
    )
    await bootstrap.migrate(empty_url, "one", project=folder.project)
    seen = Seen()

    async with in_the_way(empty_url):
        run = asyncio.create_task(
            bootstrap.migrate(
                empty_url,
                project=folder.project,
                lock_timeout=0.2,
                lock_retries=_MANY,
                emit=seen,
            )
        )
        retried = await seen.until(LockRetried)
    report = await run

    assert "two" == retried.revision
    assert (("two",), 1) == (report.after, report.tries)
    async with Database.of(empty_url).connect() as connection:
        assert [(1,)] == [tuple(one) for one in await connection.execute(text("TABLE stays"))]

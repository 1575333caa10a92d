"""Of several runs on one database one works, and the others wait; whatever becomes of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text

import bootstrap
from bootstrap.backends.sessions import LockSession
from bootstrap.database import Database
from bootstrap.events import Event, LockAwaited
from bootstrap.records.lock import this_process
from bootstrap.records.names import LOG
from tests import commands
from tests.available import BACKENDS
from tests.commands import Run
from tests.projects import ProjectFolder, new_project, three_tables

SERVERS = [name for name in BACKENDS if name != "sqlite"]
_ROUNDS = int(os.environ.get("BOOTSTRAP_TEST_ROUNDS", "3"))
_AT_ONCE = 20
_COMINGS = 40
# Twice what a run waits for another one: what takes longer does not wait, it hangs.
_PATIENCE = 600


async def session_of(url: str, name: str = "alembic_version") -> LockSession:
    database = Database.of(url)
    backend = database.backend
    return await backend.locks.open(
        backend.engines, database.connecting(), name=name, owner=this_process()
    )


def slow_revision(folder: ProjectFolder, name: str, *, down: str | None) -> tuple[Path, Path]:
    """A revision that says when it works and goes on when it may."""
    begun, go_on = folder.root / f"{name}.begun", folder.root / f"{name}.go_on"
    folder.revision(
        name,
        down=down,
        upgrade=f"""
            import pathlib, time
            op.create_table('t_{name}', sa.Column('id', sa.Integer, primary_key=True))
            pathlib.Path({str(begun)!r}).touch()
            while not pathlib.Path({str(go_on)!r}).exists():
                time.sleep(0.01)
            """,
    )
    return begun, go_on


def started(folder: ProjectFolder, url: str, *arguments: str) -> Run:
    """A run in a process of its own, which has imported already: many at once begin at once."""
    return commands.start(
        "bootstrap", *arguments, "--url", url, "--format", "json", cwd=folder.root
    )


def ended(process: Run) -> Any:
    """The document of a run. One that hangs is ended with its reason in the assertion's words."""
    try:
        out, err = process.communicate(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        pytest.fail(f"a run did not end in {_PATIENCE} s: {err}{out}")
    assert out, err
    return json.loads(out)


async def until(path: Path) -> None:
    async with asyncio.timeout(60):
        while not path.exists():
            await asyncio.sleep(0.01)


@contextmanager
def killed_at_last(process: Run) -> Iterator[None]:
    try:
        yield
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", range(_ROUNDS))
def test_twenty_at_once_end_well_and_one_of_them_works(
    empty_url: str, tmp_path: Path, number: int
) -> None:
    folder = three_tables(tmp_path / "project")

    runs = [started(folder, empty_url, "migrate") for _ in range(_AT_ONCE)]
    documents = [ended(run) for run in runs]

    assert [0] * _AT_ONCE == [run.returncode for run in runs], documents
    steps = [len(document["report"]["steps"]) for document in documents]
    assert [3] + [0] * (_AT_ONCE - 1) == sorted(steps, reverse=True)


def test_twenty_seeds_at_once_write_each_row_once(empty_url: str, tmp_path: Path) -> None:
    folder = new_project(tmp_path / "project")
    folder.revision(
        "one",
        down=None,
        upgrade="op.create_table('t', sa.Column('id', sa.Integer, primary_key=True, "
        "autoincrement=False), sa.Column('name', sa.String(20), nullable=False))",
    )
    (folder.root / "t.yaml").write_text("table: t\nkey: [id]\nrows:\n  - {id: 100, name: last}\n")
    ended(started(folder, empty_url, "migrate"))

    runs = [started(folder, empty_url, "seed", "t.yaml") for _ in range(_AT_ONCE)]
    documents = [ended(run) for run in runs]

    assert [0] * _AT_ONCE == [run.returncode for run in runs], documents
    assert 1 == sum(document["report"]["inserted"] for document in documents)


async def test_the_next_run_takes_over_from_one_that_was_killed(
    empty_url: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path / "project")
    begun, go_on = slow_revision(folder, "one", down=None)
    first = started(folder, empty_url, "migrate")
    await until(begun)
    looking = await session_of(empty_url)
    held = await looking.holder()

    first.send_signal(signal.SIGKILL)

    assert held is not None, "the control: somebody held it"
    assert -signal.SIGKILL == first.wait(30)
    first.communicate()
    async with asyncio.timeout(30):
        while await looking.holder() is not None:
            await asyncio.sleep(0.01)
    assert await looking.acquire()
    await looking.close()
    assert not go_on.exists()


async def test_a_run_that_waits_says_for_whom_and_gives_up_in_time(
    empty_url: str, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path / "project")
    other = await session_of(empty_url)
    assert await other.acquire()
    await other.announce()
    events: list[Event] = []

    with pytest.raises(bootstrap.LockNotObtained) as caught:
        await bootstrap.migrate(
            empty_url, project=folder.project, wait_lock=0.3, emit=events.append
        )

    await other.close()
    assert 5 == caught.value.exit_code
    me = this_process()
    assert f"pid {me.pid} of {me.user}@{me.host}" in caught.value.message
    (waited,) = [event for event in events if isinstance(event, LockAwaited)]
    assert f"pid {me.pid}" in waited.holder
    assert "since 20" in waited.holder
    report = await bootstrap.migrate(empty_url, project=folder.project, wait_lock=0)
    assert 3 == len(report.steps)


async def test_a_run_that_waited_reads_again_where_the_database_is(
    empty_url: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path / "project")
    begun, go_on = slow_revision(folder, "one", down=None)
    events: list[Event] = []
    first = started(folder, empty_url, "migrate")
    await until(begun)

    def seen(event: Event) -> None:
        events.append(event)
        go_on.touch()

    second = await bootstrap.migrate(empty_url, project=folder.project, emit=seen)

    assert 1 == len(ended(first)["report"]["steps"])
    assert () == second.steps
    assert ("one",) == second.before
    assert [LockAwaited] == [type(event) for event in events]


async def test_a_run_that_loses_its_lock_begins_no_other_revision(
    empty_url: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path / "project")
    begun, go_on = slow_revision(folder, "one", down=None)
    folder.revision("two", down="one", upgrade="op.execute('CREATE TABLE never (id INTEGER)')")
    run = started(folder, empty_url, "migrate")
    await until(begun)

    broken = await bootstrap.lock_break(empty_url, project=folder.project)
    after = await bootstrap.lock_status(empty_url, project=folder.project)
    go_on.touch()
    document = ended(run)

    assert (True, run.pid) == (broken.broken, broken.pid)
    assert not after.held
    assert 5 == run.returncode
    assert "LockLost" == document["error"]["kind"]
    report = await bootstrap.status(empty_url, project=folder.project)
    assert ("one",) == report.current


async def test_a_lost_lock_is_no_success_even_after_the_last_revision(
    empty_url: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path / "project")
    begun, go_on = slow_revision(folder, "one", down=None)
    run = started(folder, empty_url, "migrate")
    await until(begun)

    await bootstrap.lock_break(empty_url, project=folder.project)
    go_on.touch()

    assert "LockLost" == ended(run)["error"]["kind"]
    assert ("one",) == (await bootstrap.status(empty_url, project=folder.project)).current


@pytest.mark.parametrize("backend_name", ["mysql", "mariadb"], indirect=True)
async def test_a_run_with_nothing_to_do_removes_what_a_killed_one_has_written(
    empty_url: str, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path / "project")
    await bootstrap.migrate(empty_url, project=folder.project)
    before = await tables_of(empty_url)
    killed = await session_of(empty_url)
    assert await killed.acquire()
    await killed.announce()
    await bootstrap.lock_break(empty_url, project=folder.project)
    await killed.close()
    left = await tables_of(empty_url)

    await bootstrap.migrate(empty_url, project=folder.project)

    assert {"bootstrap_lock"} == left - before
    assert before == await tables_of(empty_url)


async def test_lock_status_tells_who_works_and_leaves_nothing_behind(
    empty_url: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path / "project")
    begun, go_on = slow_revision(folder, "one", down=None)
    before = await bootstrap.lock_status(empty_url, project=folder.project)
    run = started(folder, empty_url, "migrate")
    await until(begun)

    during = await bootstrap.lock_status(empty_url, project=folder.project)
    go_on.touch()
    ended(run)
    after = await bootstrap.lock_status(empty_url, project=folder.project)

    assert (False, True, False) == (before.held, during.held, after.held)
    me = this_process()
    assert (me.host, run.pid, me.user) == (during.host, during.pid, during.user)
    assert during.since is not None
    assert {"alembic_version", "t_one"} == await tables_of(empty_url)
    if make_url(empty_url).get_backend_name() == "sqlite":
        assert not list(Path(str(make_url(empty_url).database)).parent.glob("*.bootstrap-lock"))


async def test_two_version_tables_in_one_database_do_not_wait_for_each_other(
    backend_name: str, empty_url: str
) -> None:
    one, other = await session_of(empty_url), await session_of(empty_url, "other_version")

    both = (await one.acquire(), await other.acquire())

    await one.close()
    await other.close()
    assert (True, backend_name != "sqlite") == both  # a file has one writer anyway


@pytest.mark.parametrize("backend_name", SERVERS, indirect=True)
async def test_two_databases_on_one_server_do_not_wait_for_each_other(
    empty_url: str, backend_name: str
) -> None:
    maintenance = {"postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql"}[backend_name]
    elsewhere = make_url(empty_url).set(database=maintenance)
    one = await session_of(empty_url)
    other = await session_of(elsewhere.render_as_string(hide_password=False))

    both = (await one.acquire(), await other.acquire())

    await one.close()
    await other.close()
    assert (True, True) == both


_IDLE = {
    "postgresql": "ALTER DATABASE {name} SET idle_in_transaction_session_timeout = '300ms'",
    "mysql": "SET GLOBAL wait_timeout = 1",
    "mariadb": "SET GLOBAL wait_timeout = 1",
}
_NO_LIMIT = {
    "postgresql": "SELECT 1",
    "mysql": "SET GLOBAL wait_timeout = DEFAULT",
    "mariadb": "SET GLOBAL wait_timeout = DEFAULT",
}


@pytest.mark.parametrize("backend_name", SERVERS, indirect=True)
async def test_the_servers_idle_time_out_does_not_end_the_lock(
    empty_url: str, backend_name: str
) -> None:
    database = Database.of(empty_url)
    async with database.connect() as connection:
        await connection.execute(text(_IDLE[backend_name].format(name=database.name)))
        await connection.commit()
    try:
        lock = await session_of(empty_url)
        assert await lock.acquire()
        async with database.connect() as idle:
            await idle.execute(text("SELECT 1"))
            with pytest.raises(Exception, match=r"(?i)idle|lost|closed|timeout|inactivity"):  # noqa: PT012 - the control: it ends by and by
                async with asyncio.timeout(30):
                    while True:
                        await asyncio.sleep(1.5)
                        await idle.execute(text("SELECT 1"))
            await idle.invalidate()
        held = await lock.is_held()
    finally:
        async with database.connect() as connection:
            await connection.execute(text(_NO_LIMIT[backend_name]))
    await lock.close()
    assert held


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
@pytest.mark.parametrize("level", ["read committed", "repeatable read"])
async def test_an_index_is_built_concurrently_beside_the_lock(
    empty_url: str, tmp_path: Path, level: str
) -> None:
    database = Database.of(empty_url)
    async with database.connect() as connection:
        name = database.name
        await connection.execute(
            text(f"ALTER DATABASE {name} SET default_transaction_isolation = '{level}'")
        )
        await connection.execute(text(f"ALTER DATABASE {name} SET statement_timeout = '20s'"))
        await connection.commit()
    folder = new_project(tmp_path / "project")
    folder.revision(
        "one",
        down=None,
        upgrade="""
            op.create_table('t', sa.Column('id', sa.Integer))
            with op.get_context().autocommit_block():
                op.execute('CREATE INDEX CONCURRENTLY i ON t (id)')
            """,
    )

    report = await bootstrap.migrate(empty_url, project=folder.project)

    assert ("one",) == report.after


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_an_index_waits_for_whoever_has_a_snapshot(empty_url: str) -> None:
    """The control of the test above: this is what a lock by a prepared statement would do."""
    database = Database.of(empty_url)
    async with database.connect() as holder, database.connect() as builder:
        await holder.execution_options(isolation_level="REPEATABLE READ")
        await holder.execute(text("SELECT pg_try_advisory_xact_lock(1)"))
        await builder.execution_options(isolation_level="AUTOCOMMIT")
        await builder.execute(text("CREATE TABLE t (id INTEGER)"))
        await builder.execute(text("SET statement_timeout = '500ms'"))

        with pytest.raises(Exception, match="statement timeout"):
            await builder.execute(text("CREATE INDEX CONCURRENTLY i ON t (id)"))


async def tables_of(url: str) -> set[str]:
    from sqlalchemy import inspect

    async with Database.of(url).connect() as connection:
        found = await connection.run_sync(lambda plain: inspect(plain).get_table_names())
        return set(found) - {LOG}


async def test_who_waits_can_ask_while_others_come_and_go(empty_url: str) -> None:
    looking = await session_of(empty_url)
    seen = set()

    async def come_and_go() -> None:
        for _ in range(_COMINGS):
            session = await session_of(empty_url)
            if await session.acquire():
                await session.announce()
                await asyncio.sleep(0)
            await session.close()

    try:
        async with asyncio.TaskGroup() as group:
            going = [group.create_task(come_and_go()) for _ in range(2)]
            while not all(task.done() for task in going):
                seen.add(await looking.holder() is None)
                await asyncio.sleep(0)
    finally:
        await looking.close()

    assert {True, False} == seen

"""Programs hand over an engine or a connection, inside their own event loop."""

from __future__ import annotations

import asyncio
import gc
import re
import shutil
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

import bootstrap
from bootstrap import events
from bootstrap.reference import configuration_file, datasets_folder, migrations_folder
from bootstrap.running.handed import not_handed
from tests.conformance.test_moves import run_alembic, tables, tables_of
from tests.projects import ProjectFolder, new_project, three_tables

HEAD = "widen_usernames"
THREE = {"t_one", "t_two", "t_three", "alembic_version"}
IN_MEMORY = "sqlite+aiosqlite://"


@pytest.fixture
async def engine(empty_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine with a pool, as a program has it."""
    made = create_async_engine(bootstrap.Database.of(empty_url).url)
    yield made
    await made.dispose()


@pytest.fixture
def reference(tmp_path: Path) -> bootstrap.Project:
    root = tmp_path / "reference"
    root.mkdir()
    shutil.copy(configuration_file(), root)
    shutil.copytree(migrations_folder(), root / "migrations")
    return bootstrap.Project.at(root / "alembic.ini")


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    return three_tables(tmp_path / "project")


async def whole_life(target: AsyncConnection | AsyncEngine, project: bootstrap.Project) -> None:
    """Everything that takes a database, one after the other."""
    before = await bootstrap.status(target, project=project)
    migrated = await bootstrap.migrate(target, project=project)
    again = await bootstrap.migrate(target, project=project)
    checked = await bootstrap.check(target, project=project)
    seeded = await bootstrap.seed(target, datasets=datasets_folder())
    unchanged = await bootstrap.seed(target, datasets=datasets_folder())
    current = await bootstrap.current(target, project=project)
    shown = await bootstrap.history("current:", project=project, database=target)
    with pytest.raises(bootstrap.RowsWouldBeLost):
        await bootstrap.downgrade(target, "base", project=project)
    down = await bootstrap.downgrade(target, "base", project=project, drop_rows=True)
    stamped = await bootstrap.stamp(target, "head", project=project)

    assert 5 == len(before.pending)
    assert ((), (HEAD,), 5) == (migrated.before, migrated.after, len(migrated.steps))
    assert () == again.steps
    assert checked.is_clean
    assert (12, 0) == (seeded.inserted, seeded.unchanged)
    assert (0, 0, 12) == (unchanged.inserted, unchanged.updated, unchanged.unchanged)
    assert [HEAD] == [one.revision for one in current.revisions]
    assert [True] == [one.is_current for one in shown.revisions]
    assert ((HEAD,), ()) == (down.before, down.after)
    assert (HEAD,) == stamped.after


async def test_a_connection_is_enough_for_all(
    engine: AsyncEngine, reference: bootstrap.Project
) -> None:
    async with engine.connect() as connection:
        await whole_life(connection, reference)

        assert not connection.in_transaction()


async def test_an_engine_is_enough_for_all(
    engine: AsyncEngine, reference: bootstrap.Project
) -> None:
    await whole_life(engine, reference)


async def test_a_database_in_memory_lives_as_long_as_its_engine(
    reference: bootstrap.Project,
) -> None:
    engine = create_async_engine(IN_MEMORY)

    await whole_life(engine, reference)

    report = await bootstrap.status(engine, project=reference)
    assert ("sqlite://", (HEAD,)) == (report.database, report.current)
    await engine.dispose()


async def test_what_is_committed_is_seen_by_others(
    engine: AsyncEngine, empty_url: str, folder: ProjectFolder
) -> None:
    async with engine.connect() as connection:
        await bootstrap.migrate(connection, project=folder.project)

        assert await tables_of(empty_url) == THREE


async def test_an_application_migrates_in_its_lifespan(
    engine: AsyncEngine, folder: ProjectFolder
) -> None:
    """The loop goes on meanwhile: the health check answers, other requests run."""
    beats = 0

    async def heart() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        async with engine.connect() as connection:
            await bootstrap.migrate(connection, project=folder.project)
        yield

    beating = asyncio.create_task(heart())
    async with lifespan("app"), engine.connect() as connection:
        found = await connection.run_sync(tables)
    beating.cancel()

    assert found == THREE
    assert beats > 10


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_a_transaction_that_the_program_rolls_back_leaves_nothing(
    engine: AsyncEngine, empty_url: str, reference: bootstrap.Project
) -> None:
    async with engine.connect() as connection:
        transaction = await connection.begin()
        report = await bootstrap.migrate(connection, project=reference)
        seeds = await bootstrap.seed(connection, datasets=datasets_folder())
        inside = await connection.run_sync(tables)
        assert connection.in_transaction()
        await transaction.rollback()

    assert ((HEAD,), 12) == (report.after, seeds.inserted)
    assert {"users", "items", "alembic_version"} == inside
    assert set() == await tables_of(empty_url)


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_a_failure_inside_of_a_transaction_tells_to_roll_it_back(
    engine: AsyncEngine, empty_url: str, folder: ProjectFolder
) -> None:
    folder.revision("four", down="three", upgrade="op.execute('SELECT nothing FROM nowhere')")

    async with engine.connect() as connection:
        async with connection.begin() as transaction:
            with pytest.raises(bootstrap.StatementFailed) as it:
                await bootstrap.migrate(connection, project=folder.project)
            await transaction.rollback()
        after = await bootstrap.status(connection, project=folder.project)

    assert "roll your transaction back" in it.value.hint
    assert () == after.current
    assert set() == await tables_of(empty_url)


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_a_refused_row_inside_of_a_transaction_is_an_error_of_ours(
    engine: AsyncEngine, reference: bootstrap.Project, tmp_path: Path
) -> None:
    bad = tmp_path / "items.csv"
    bad.write_text("name,price,owner\npen,-1,ada\n")
    async with engine.connect() as connection:
        await bootstrap.migrate(connection, project=reference)
        async with connection.begin() as transaction:
            with pytest.raises(bootstrap.SeedError):
                await bootstrap.seed(connection, datasets=bad)
            await transaction.rollback()


# One after the other ------------------------------------------------------------------------------


async def test_tasks_and_threads_come_through_one_after_the_other(
    engine: AsyncEngine, empty_url: str, tmp_path: Path
) -> None:
    """Two on connections of this loop, two by URL, and one in the loop of another thread."""
    folders = [three_tables(tmp_path / f"project{number}") for number in range(5)]
    urls = [empty_url, *(f"sqlite:///{tmp_path}/{number}.db" for number in range(3))]
    for url in urls[1:]:
        await bootstrap.create(url)
    memory = create_async_engine(IN_MEMORY)

    def in_a_loop_of_its_own() -> None:
        asyncio.run(bootstrap.migrate(urls[3], project=folders[4].project))

    async with asyncio.timeout(60), engine.connect() as connection:
        await asyncio.gather(
            bootstrap.migrate(connection, project=folders[0].project),
            bootstrap.migrate(memory, project=folders[1].project),
            bootstrap.migrate(urls[1], project=folders[2].project),
            bootstrap.migrate(urls[2], project=folders[3].project),
            asyncio.to_thread(in_a_loop_of_its_own),
        )
    async with memory.connect() as connection:
        in_memory = await connection.run_sync(tables)
    await memory.dispose()

    assert [THREE] * 5 == [in_memory, *[await tables_of(url) for url in urls]]


@asynccontextmanager
async def held(
    tmp_path: Path, *, steps: str = "gate.wait(30)"
) -> AsyncIterator[tuple[threading.Event, asyncio.Task[Any]]]:
    """A run by URL in a thread that goes on when its gate is opened."""
    gate = GATES[str(tmp_path)] = threading.Event()
    slow = new_project(tmp_path / "slow")
    slow.revision(
        "one",
        down=None,
        upgrade=f"from tests.conformance.test_in_program import GATES\n"
        f"gate = GATES[{str(tmp_path)!r}]\n{steps}",
    )
    url = f"sqlite:///{tmp_path}/slow.db"
    await bootstrap.create(url)
    started = asyncio.Event()
    running = asyncio.create_task(
        bootstrap.migrate(url, project=slow.project, emit=lambda _event: started.set())
    )
    await started.wait()
    try:
        yield gate, running
    finally:
        gate.set()
        await running


GATES: dict[str, threading.Event] = {}  # revision files are modules that nobody can hand a value


async def test_a_run_that_is_cancelled_while_it_waits_applies_nothing(
    engine: AsyncEngine, empty_url: str, tmp_path: Path, folder: ProjectFolder
) -> None:
    async with engine.connect() as connection:
        async with held(tmp_path):
            waiting = asyncio.create_task(bootstrap.migrate(connection, project=folder.project))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(waiting), 0.2)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        nothing = await tables_of(empty_url)
        report = await bootstrap.migrate(connection, project=folder.project)

    assert set() == nothing
    assert ("three",) == report.after


async def test_a_cancelled_run_ends_after_its_step_and_the_connection_can_be_used(
    engine: AsyncEngine, empty_url: str, folder: ProjectFolder
) -> None:
    async with engine.connect() as connection:

        def cancel(seen: events.Event) -> None:
            if isinstance(seen, events.StepStarted):
                running.cancel()

        running = asyncio.create_task(
            bootstrap.migrate(connection, project=folder.project, emit=cancel)
        )
        with pytest.raises(asyncio.CancelledError):
            await running
        between = await bootstrap.status(connection, project=folder.project)
        after = await bootstrap.migrate(connection, project=folder.project)

    assert "three" not in between.current
    assert ("three",) == after.after
    assert await tables_of(empty_url) == THREE


# What env.py does with it -------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:coroutine '.*' was never awaited")
@pytest.mark.parametrize("template", ["generic", "async"])
@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_an_env_py_that_takes_no_connection_is_told_what_to_add(
    engine: AsyncEngine, empty_url: str, tmp_path: Path, template: str
) -> None:
    project = stock(tmp_path / "stock", template)

    async with engine.connect() as connection:
        with pytest.raises(bootstrap.SettingsError, match="does not use the connection") as it:
            await bootstrap.migrate(connection, project=project)
    by_engine = await bootstrap.migrate(engine, project=project)

    hint = it.value.hint
    del it  # its traceback holds the coroutine that nobody awaited; the warning is ignored here
    gc.collect()
    assert 'config.attributes.get("connection")' in hint
    assert ("first",) == by_engine.after


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_the_two_lines_of_the_hint_are_all_it_takes(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    project = stock(tmp_path / "stock", "async")
    async with engine.connect() as connection:
        hint = not_handed().hint
        env = project.config_file.parent / "migrations" / "env.py"
        source = env.read_text()
        function = re.search(r'(?s)def run_migrations_online\(\).*?""".*?"""\n', source)
        assert function
        lines = hint.partition(":\n")[2]
        env.write_text(source.replace(function[0], f"{function[0]}{lines}\n"))

        report = await bootstrap.migrate(connection, project=project)

    assert ("first",) == report.after


def stock(root: Path, template: str) -> bootstrap.Project:
    """What `alembic init` writes, with one revision."""
    root.mkdir()
    driver = "+aiosqlite" if template == "async" else ""
    run_alembic("init", "-t", template, "migrations", cwd=root)
    ini = root / "alembic.ini"
    url = f"sqlalchemy.url = sqlite{driver}:///unused.db"
    ini.write_text(re.sub(r"(?m)^sqlalchemy\.url = .*$", url, ini.read_text()))
    run_alembic("revision", "-m", "first", "--rev-id", "first", cwd=root)
    return bootstrap.Project.at(ini)


# What an engine may be ----------------------------------------------------------------------------


@pytest.mark.parametrize("backend_name", ["postgresql", "mysql"], indirect=True)
async def test_a_login_beyond_the_url_needs_a_connection(
    empty_url: str, folder: ProjectFolder
) -> None:
    url = bootstrap.Database.of(empty_url).url
    engine = create_async_engine(url.set(port=1), connect_args={"port": url.port})

    with pytest.raises(bootstrap.DatabaseUnreachable) as it:
        await bootstrap.migrate(engine, project=folder.project)
    async with engine.connect() as connection:
        report = await bootstrap.migrate(connection, project=folder.project)
    await engine.dispose()

    assert "hand over a connection" in it.value.hint
    assert ("three",) == report.after


async def test_an_engine_without_a_database_in_its_url_needs_a_connection(
    folder: ProjectFolder,
) -> None:
    engine = create_async_engine("postgresql+asyncpg://localhost")

    with pytest.raises(bootstrap.SettingsError, match="which database") as it:
        await bootstrap.status(engine, project=folder.project)

    assert "hand over a connection" in it.value.hint


async def test_a_connection_that_is_not_open_is_refused(folder: ProjectFolder) -> None:
    engine = create_async_engine(IN_MEMORY)
    not_yet = engine.connect()
    async with engine.connect() as no_longer:
        pass
    await engine.dispose()

    for connection in (not_yet, no_longer):
        with pytest.raises(bootstrap.SettingsError, match="not open"):
            await bootstrap.status(connection, project=folder.project)


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_listeners_of_the_program_see_everything_on_its_connection(
    engine: AsyncEngine, folder: ProjectFolder
) -> None:
    seen: list[str] = []

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def note(_c: Connection, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement.strip())

    async with engine.connect() as connection:
        await bootstrap.migrate(connection, project=folder.project)
        await connection.execute(text("SELECT 1"))
        assert not engine.sync_engine.hide_parameters

    assert [f"CREATE TABLE t_{name} (" for name in ("one", "two", "three")] == [
        one.splitlines()[0].strip() for one in seen if one.startswith("CREATE TABLE t_")
    ]
    assert "SELECT 1" == seen[-1]

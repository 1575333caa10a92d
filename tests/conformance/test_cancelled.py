"""A program cancels a migration: its statement ends on the server, and nothing is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

import bootstrap
from bootstrap import events
from tests.long_statements import SLEEPS, long_ones, long_revisions, until_it_runs
from tests.projects import ProjectFolder, three_tables


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    return three_tables(tmp_path / "project")


@pytest.fixture
async def engine(empty_url: str) -> AsyncIterator[AsyncEngine]:
    made = create_async_engine(bootstrap.Database.of(empty_url).url)
    yield made
    await made.dispose()


async def test_a_run_by_url_ends_with_its_statement(
    empty_url: str, folder: ProjectFolder, backend_name: str
) -> None:
    marker = long_revisions(folder, backend_name)
    seen: list[events.Event] = []
    running = asyncio.create_task(
        bootstrap.migrate(empty_url, project=folder.project, emit=seen.append)
    )
    await until_it_runs(empty_url, marker)

    running.cancel()
    async with asyncio.timeout(60):
        await asyncio.wait({running})

    assert running.cancelled()
    assert [] == long_ones(empty_url)
    (interrupted,) = [one for one in seen if isinstance(one, events.RunInterrupted)]
    assert ("long", ("rows",)) == (interrupted.revision, interrupted.current)
    again = await bootstrap.migrate(empty_url, project=folder.project, wait_lock=0)
    assert ("long",) == again.after


async def test_a_run_on_a_connection_leaves_one_that_can_be_used(
    engine: AsyncEngine, empty_url: str, folder: ProjectFolder, backend_name: str
) -> None:
    marker = long_revisions(folder, backend_name)
    async with engine.connect() as connection:
        running = asyncio.create_task(bootstrap.migrate(connection, project=folder.project))
        await until_it_runs(empty_url, marker)

        running.cancel()
        async with asyncio.timeout(60):
            await asyncio.wait({running})

        assert running.cancelled()
        assert [] == long_ones(empty_url)
        assert 1 == await connection.scalar(text("SELECT 1"))
        await connection.rollback()
        again = await bootstrap.migrate(connection, project=folder.project, wait_lock=0)
    assert ("long",) == again.after


async def test_a_time_out_of_the_program_is_one(
    empty_url: str, folder: ProjectFolder, backend_name: str
) -> None:
    marker = long_revisions(folder, backend_name)

    async def soon(deadline: asyncio.Timeout) -> None:
        await until_it_runs(empty_url, marker)
        deadline.reschedule(asyncio.get_running_loop().time())

    with pytest.raises(TimeoutError):  # noqa: PT012 - the way it is written in a program
        async with asyncio.timeout(None) as deadline, asyncio.TaskGroup() as group:
            group.create_task(soon(deadline))
            await bootstrap.migrate(empty_url, project=folder.project)

    assert [] == long_ones(empty_url)


@pytest.mark.parametrize("backend_name", ["postgresql", "mysql", "mariadb"], indirect=True)
async def test_the_same_statement_of_somebody_else_goes_on(
    engine: AsyncEngine, empty_url: str, folder: ProjectFolder, backend_name: str
) -> None:
    marker = long_revisions(folder, backend_name)
    async with engine.connect() as connection:
        theirs = asyncio.create_task(connection.execute(text(SLEEPS[backend_name])))
        running = asyncio.create_task(bootstrap.migrate(empty_url, project=folder.project))
        await until_it_runs(empty_url, marker, count=2)

        running.cancel()
        await asyncio.wait({running})

        assert 1 == len(long_ones(empty_url))
        assert not theirs.done()
        theirs.cancel()
        await asyncio.wait({theirs})
        await connection.invalidate()

"""`before`: a program hears what is planned, under the run lock, and may say no."""

from __future__ import annotations

from pathlib import Path

import pytest

import bootstrap
from bootstrap.positions.planned import Planned
from tests.available import without_loop
from tests.conformance.test_run_lock import session_of
from tests.projects import ProjectFolder, three_tables


@pytest.fixture
def project(tmp_path: Path) -> ProjectFolder:
    return three_tables(tmp_path / "project")


class NotNowError(Exception):
    """What the program says."""


async def test_a_program_that_says_no_leaves_the_database_as_it_was(
    project: ProjectFolder, empty_url: str
) -> None:
    heard: list[Planned] = []

    def refuse(planned: Planned) -> None:
        heard.append(planned)
        raise NotNowError

    with pytest.raises(NotNowError):
        await bootstrap.migrate(empty_url, "two", project=project.project, before=refuse)

    (planned,) = heard
    assert [("one", "upgrade"), ("two", "upgrade")] == [
        (one.revision, one.direction) for one in planned.steps
    ]
    assert () == planned.before
    assert () == tuple((await bootstrap.snapshot(empty_url)).schema.tables)


async def test_the_run_lock_is_held_meanwhile_and_nothing_is_written(
    project: ProjectFolder, empty_url: str
) -> None:
    seen: list[tuple[bool, int]] = []

    async def look() -> tuple[bool, int]:
        session = await session_of(empty_url)
        try:
            free = await session.acquire()
        finally:
            await session.close()
        return free, len((await bootstrap.snapshot(empty_url)).schema.tables)

    def asked(_planned: Planned) -> None:
        seen.append(without_loop(look()))

    await bootstrap.migrate(empty_url, project=project.project, before=asked)

    assert [(False, 0)] == seen


async def test_where_nothing_is_to_be_done_nobody_is_asked(
    project: ProjectFolder, empty_url: str
) -> None:
    heard: list[Planned] = []
    await bootstrap.up(empty_url, project=project.project, before=heard.append)

    await bootstrap.migrate(empty_url, project=project.project, before=heard.append)
    await bootstrap.downgrade(empty_url, "two", project=project.project, before=heard.append)

    assert [3, 1] == [len(planned.steps) for planned in heard]
    assert ("three",) == heard[1].before

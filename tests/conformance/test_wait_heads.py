"""A service waits until a job of the same deploy has migrated its database."""

from __future__ import annotations

import asyncio
from pathlib import Path

import bootstrap
from bootstrap.events import Event, HeadsAwaited
from tests.projects import three_tables


async def test_it_ends_when_somebody_has_migrated_the_database(
    fresh_url: str, tmp_path: Path
) -> None:
    project = three_tables(tmp_path / "project").project
    seen: list[Event] = []

    waiting = asyncio.create_task(
        bootstrap.wait_heads(fresh_url, project=project, timeout=300, emit=seen.append)
    )
    async with asyncio.timeout(60):
        while not any(isinstance(event, HeadsAwaited) for event in seen):
            await asyncio.sleep(0.01)
    missing = waiting.done()
    await bootstrap.create(fresh_url)
    await bootstrap.migrate(fresh_url, "two", project=project)
    async with asyncio.timeout(60):
        while HeadsAwaited not in {
            type(event) for event in seen if getattr(event, "current", None) == ("two",)
        }:
            await asyncio.sleep(0.01)
    half_way = waiting.done()
    await bootstrap.migrate(fresh_url, project=project)
    report = await waiting

    assert [False, False] == [missing, half_way]
    assert report.at_heads
    assert (("three",), ("three",)) == (report.current, report.heads)


async def test_when_it_takes_too_long_it_says_where_the_database_is(
    empty_url: str, tmp_path: Path
) -> None:
    project = three_tables(tmp_path / "project").project
    await bootstrap.migrate(empty_url, "one", project=project)

    report = await bootstrap.wait_heads(empty_url, project=project, timeout=0)

    assert not report.at_heads
    assert (("one",), ("three",)) == (report.current, report.heads)

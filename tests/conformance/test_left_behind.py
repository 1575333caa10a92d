"""A run that is killed leaves its throwaway database; the next one drops it, and none in use."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

import bootstrap
from bootstrap.database import Database
from bootstrap.records.lock import this_process
from bootstrap.testing import ThrowawayDatabases, leftovers
from bootstrap.testing.leftovers import left_behind
from tests import commands
from tests.commands import Run
from tests.projects import ProjectFolder, new_project

SERVERS = pytest.mark.parametrize(
    "backend_name",
    ["postgresql", "postgresql+psycopg", "mysql", "mariadb", "mariadb+asyncmy"],
    indirect=True,
)
_BEGUN = "SHADOW_BEGUN"  # a file that the revision makes, to sleep then
_SLEEPS = f"""
import os, pathlib, time
if begun := os.environ.get({_BEGUN!r}):
    pathlib.Path(begun).touch()
    time.sleep(120)
op.create_table('t', sa.Column('id', sa.Integer))
"""


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    found = new_project(tmp_path / "project")
    found.revision("one", down=None, upgrade=_SLEEPS)
    return found


@pytest.fixture
def drift_at_work(empty_url: str, folder: ProjectFolder, tmp_path: Path) -> Iterator[Run]:
    """A `bootstrap drift` in the middle of replaying the history."""
    bootstrap_up = bootstrap.migrate(empty_url, project=folder.project)
    asyncio.run(bootstrap_up)
    begun = tmp_path / "begun"
    arguments = ("drift", "--url", empty_url)
    environ = os.environ | {_BEGUN: str(begun)}
    process = commands.start("bootstrap", *arguments, cwd=folder.root, environ=environ)
    while not begun.exists():
        assert process.poll() is None
        asyncio.run(asyncio.sleep(0.05))
    yield process
    process.kill()
    process.wait()


@SERVERS
async def test_a_throwaway_database_that_is_compared_itself_is_left_alone(
    empty_url: str, folder: ProjectFolder
) -> None:
    """Nobody is connected to it in the moments between, and another place may begin to sweep."""
    place = Database.of(empty_url)
    places = [ThrowawayDatabases(backend=place.backend, place=place.url) for _ in range(2)]
    async with places[0].empty() as live:
        await bootstrap.migrate(live, project=folder.project)
        report = await bootstrap.drift(live, project=folder.project)
        async with places[1].empty() as other:
            both = await throwaways(empty_url)

    assert report.is_clean
    assert {live.name, other.name} == both


async def throwaways(url: str) -> set[str]:
    """All of the server, used or not."""
    database = Database.of(url)
    admin, engines = database.backend.admin, database.backend.engines
    names = await admin.names(engines, database.connecting())
    return {name for name in names if name.startswith("throwaway_")}


async def until(true: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    async with asyncio.timeout(60):
        while not await true():
            await asyncio.sleep(0.05)


@SERVERS
async def test_the_next_run_drops_what_a_killed_one_has_left_and_nothing_that_is_in_use(
    empty_url: str, folder: ProjectFolder, drift_at_work: Run
) -> None:
    place = Database.of(empty_url)
    in_use = await throwaways(empty_url)
    free = await left_behind(place)
    beside = await bootstrap.drift(empty_url, project=folder.project)
    still_there = await throwaways(empty_url)

    drift_at_work.send_signal(signal.SIGKILL)
    killed = drift_at_work.wait()
    left = await throwaways(empty_url)

    async def is_free() -> bool:
        return set(await left_behind(place)) == in_use

    await until(is_free)
    after = await bootstrap.drift(empty_url, project=folder.project)

    assert 1 == len(in_use)
    assert () == free
    assert beside.is_clean
    assert in_use == still_there
    assert -signal.SIGKILL == killed
    assert in_use == left  # the control: without the kill it would be gone
    assert after.is_clean
    assert set() == await throwaways(empty_url)


@SERVERS
async def test_a_run_whose_lock_is_lost_takes_it_anew(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "_SHOWN_EVERY", 0.05)
    place = Database.of(empty_url)
    backend, name = place.backend, leftovers.new_name()
    database = Database.of(place.url.set(database=name))
    lobby = backend.admin.lobby(place.connecting())
    looking = await backend.locks.open(backend.engines, lobby, name=name, owner=this_process())

    async with leftovers.in_use(database):
        first = await looking.holder()
        await looking.end_holder()

        async def is_another() -> bool:
            found = await looking.holder()
            return found is not None and first is not None and found.session != first.session

        await until(is_another)
    gone = await looking.holder()
    await looking.close()

    assert first is not None
    assert gone is None

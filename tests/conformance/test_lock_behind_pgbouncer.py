"""The run lock behind PgBouncer in transaction mode, whose sessions are few and nobody's own."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

import bootstrap
from bootstrap.database import Database
from bootstrap.events import silent
from bootstrap.records.lock import RunLock
from bootstrap.targets import Place
from tests.available import Servers
from tests.conformance.test_run_lock import ended, session_of, slow_revision, started, until
from tests.long_statements import long_ones, long_revisions, until_it_runs
from tests.pgbouncer import PgBouncer
from tests.projects import new_project, three_tables

on_postgresql = pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
on_both_drivers = pytest.mark.parametrize(
    "backend_name", ["postgresql", "postgresql+psycopg"], indirect=True
)
_AT_ONCE = 20


@contextmanager
def pooled(servers: Servers, url: str, *, size: int) -> Iterator[str]:
    """The URL of the same database through a pooler with so many sessions for it."""
    pooler = PgBouncer(servers.url("postgresql"), size=size)
    try:
        pooler.wait()
        there = make_url(url).set(host=pooler.url.host, port=pooler.url.port)
        yield there.render_as_string(hide_password=False)
    finally:
        pooler.stop()


@on_postgresql
@pytest.mark.parametrize("size", [2, 4])
def test_of_twenty_at_once_one_works_and_nobody_fails(
    empty_url: str, servers: Servers, tmp_path: Path, size: int
) -> None:
    folder = three_tables(tmp_path / "project")
    with pooled(servers, empty_url, size=size) as url:
        runs = [started(folder, url, "migrate") for _ in range(_AT_ONCE)]
        documents = [ended(run) for run in runs]

    assert [0] * _AT_ONCE == [run.returncode for run in runs], documents
    steps = [len(document["report"]["steps"]) for document in documents]
    assert [3] + [0] * (_AT_ONCE - 1) == sorted(steps, reverse=True)


@on_postgresql
async def test_a_pool_of_one_is_told_and_not_waited_for(empty_url: str, servers: Servers) -> None:
    with pooled(servers, empty_url, size=1) as url:
        database = Database.of(url)
        lock = RunLock(Place(database=database), wait=0, emit=silent, stuck=0.5)
        keeping = asyncio.create_task(lock.keep())
        await lock.take("alembic_version")

        async with asyncio.timeout(60), database.connect():  # it gets its turn when the lock goes
            pass

        with pytest.raises(bootstrap.LockLost, match=r"did not answer for 0\.5 s") as it:
            await lock.prove()
        keeping.cancel()
        await asyncio.wait({keeping})
        await lock.close()
    assert "at least two server connections" in it.value.hint


@on_both_drivers
async def test_the_next_run_takes_over_from_one_that_was_killed(
    empty_url: str, servers: Servers, tmp_path: Path
) -> None:
    folder = new_project(tmp_path / "project")
    begun, _ = slow_revision(folder, "one", down=None)
    with pooled(servers, empty_url, size=2) as url:
        first = started(folder, url, "migrate")
        await until(begun)
        looking = await session_of(empty_url)
        held = await looking.holder()

        first.send_signal(signal.SIGKILL)

        assert -signal.SIGKILL == first.wait(60)
        first.communicate()
        assert held is not None, "the control: somebody held it"
        async with asyncio.timeout(60):
            while await looking.holder() is not None:
                await asyncio.sleep(0.01)
        await looking.close()
        (folder.root / "one.go_on").touch()
        report = await bootstrap.migrate(url, project=folder.project, wait_lock=60)
    assert ("one",) == report.after


@on_both_drivers
async def test_a_signal_ends_the_statement_through_the_pooler(
    empty_url: str, servers: Servers, tmp_path: Path, backend_name: str
) -> None:
    folder = three_tables(tmp_path / "project")
    marker = long_revisions(folder, backend_name)
    with pooled(servers, empty_url, size=2) as url:
        run = started(folder, url, "migrate")
        await until_it_runs(empty_url, marker)

        run.send_signal(signal.SIGTERM)
        document = ended(run)
        async with asyncio.timeout(60):
            while long_ones(empty_url):
                await asyncio.sleep(0.05)

    assert (143, "Terminated") == (run.returncode, document["error"]["kind"])

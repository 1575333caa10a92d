"""What a killed run leaves on a server where it was outside of a transaction."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

import bootstrap
from bootstrap.database import Database
from bootstrap.errors import LockNotObtained
from bootstrap.events import Event, LockAwaited
from tests import available
from tests.conformance.test_autocommit_blocks import (
    TABLE,
    goes_on,
    inside,
    relations,
    rows,
)
from tests.conformance.test_journal_killed import begun
from tests.projects import ProjectFolder, new_project

on_both = pytest.mark.parametrize(
    "backend_name", ["postgresql", "postgresql+psycopg"], indirect=True
)
on_asyncpg = pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
BUILD = "CREATE INDEX CONCURRENTLY ix ON t (n)"
MADE = f"""
{TABLE}
op.execute("CREATE INDEX old ON t (n)")
op.execute("CREATE TABLE parts (n integer) PARTITION BY LIST (n)")
op.execute("CREATE TABLE part PARTITION OF parts FOR VALUES IN (1)")
"""
OID = "SELECT 'ix'::regclass::oid::bigint"


async def made(url: str, folder: ProjectFolder, statement: str) -> None:
    """A database with the tables, and a revision with the statement in a block."""
    folder.revision("made", down=None, upgrade=MADE)
    await bootstrap.migrate(url, project=folder.project)
    lines = [inside(f'op.execute("{statement}")', "op.execute('INSERT INTO t (n) VALUES (1)')")]
    folder.revision("one", down="made", upgrade="\n".join(lines))


@asynccontextmanager
async def somebody_writes(url: str) -> AsyncIterator[None]:
    """A transaction that has written to the tables, for which all that is concurrent waits."""
    async with Database.of(url).connect() as connection:
        await connection.execute(text("INSERT INTO t (n) VALUES (5)"))
        await connection.execute(text("INSERT INTO parts VALUES (1)"))
        yield
        await connection.rollback()


async def until_it_runs(url: str, statement: str) -> None:
    async with asyncio.timeout(60):
        while not runs(url, statement):
            await asyncio.sleep(0.05)


def runs(url: str, statement: str) -> bool:
    return any(statement in one for one in available.statements(url))


async def terminated(url: str, statement: str) -> None:
    """Ends the session that runs the statement, and waits for its end."""
    found = "FROM pg_stat_activity WHERE position(:mark IN query) > 0 AND pid <> pg_backend_pid()"
    # The mark, without what this very statement would be found by.
    values = {"mark": f"*/ {statement}"}
    async with Database.of(url).connect() as connection, asyncio.timeout(60):
        await connection.execute(text(f"SELECT pg_terminate_backend(pid) {found}"), values)
        while await connection.scalar(text(f"SELECT count(*) {found}"), values):
            await connection.execute(text("SELECT pg_stat_clear_snapshot()"))
            await asyncio.sleep(0.05)


@on_both
async def test_a_build_whose_client_was_killed_is_waited_for_and_not_begun_again(
    empty_url: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path)
    await made(empty_url, folder, BUILD)
    waits = asyncio.Event()

    def seen(event: Event) -> None:
        if isinstance(event, LockAwaited) and event.holder == "a statement of an earlier run":
            waits.set()

    async with somebody_writes(empty_url):
        child = begun(folder, empty_url)
        await until_it_runs(empty_url, BUILD)
        child.kill()
        child.wait()
        assert runs(empty_url, BUILD)  # the control: the client is gone, its statement is not
        oid = await rows(empty_url, OID)
        again = asyncio.create_task(bootstrap.migrate(empty_url, project=folder.project, emit=seen))
        await asyncio.wait_for(waits.wait(), 60)
        assert "ix (invalid)" in await relations(empty_url)
    await again

    assert oid == await rows(empty_url, OID)
    assert "ix" in await relations(empty_url)
    assert "bootstrap_journal" not in await relations(empty_url)
    assert [(1,)] == await rows(empty_url, "SELECT n FROM t")


@on_asyncpg
async def test_waiting_for_it_has_an_end(empty_url: str, tmp_path: Path) -> None:
    folder = new_project(tmp_path)
    await made(empty_url, folder, BUILD)
    async with somebody_writes(empty_url):
        child = begun(folder, empty_url)
        await until_it_runs(empty_url, BUILD)
        child.kill()
        child.wait()

        with pytest.raises(LockNotObtained, match="a statement of an earlier run still runs"):
            await bootstrap.migrate(empty_url, project=folder.project, wait_lock=1)

        half = (await bootstrap.status(empty_url, project=folder.project)).half_applied
        assert half is not None
        assert (0, 1, "not applied") == (half.applied, half.statement, half.state)
    await goes_on(empty_url, folder)


@on_asyncpg
@pytest.mark.parametrize(
    ("statement", "left", "relation"),
    [
        (BUILD, "ix (invalid)", "ix"),
        ("REINDEX INDEX CONCURRENTLY old", "old_ccnew (invalid)", "old"),
        ("REINDEX (VERBOSE) TABLE CONCURRENTLY t", "old_ccnew (invalid)", "old"),
        ("DROP INDEX CONCURRENTLY old", "old (invalid)", ""),
        ("ALTER TABLE parts DETACH PARTITION part CONCURRENTLY", "part", "part"),
    ],
)
async def test_a_statement_whose_session_was_ended_is_finished_or_begun_anew(
    empty_url: str,
    tmp_path: Path,
    statement: str,
    left: str,
    relation: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BOOTSTRAP_RETRY_FOR", "0")  # it would go on by itself
    folder = new_project(tmp_path)
    await made(empty_url, folder, statement)
    before = await relations(empty_url)
    async with somebody_writes(empty_url):
        child = begun(folder, empty_url)
        await until_it_runs(empty_url, statement)
        await terminated(empty_url, statement)
        assert 0 != await asyncio.to_thread(child.wait, 60)
        assert left in await relations(empty_url)  # the control

    await goes_on(empty_url, folder)

    found = await relations(empty_url)
    changed = {"ix"} if relation == "ix" else set() if relation else {"old"}
    assert changed == set(before) ^ set(found)
    assert [] == await rows(empty_url, "SELECT 1 FROM pg_index WHERE NOT indisvalid")
    detached = [] if "DETACH" in statement else [("part",)]
    assert detached == await rows(
        empty_url,
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhrelid = 'part'::regclass",
    )
    assert [(1,)] == await rows(empty_url, "SELECT n FROM t")


@on_both
async def test_an_interrupted_build_ends_on_the_server_and_is_begun_anew(
    empty_url: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path)
    await made(empty_url, folder, BUILD)
    async with somebody_writes(empty_url):
        child = begun(folder, empty_url)
        await until_it_runs(empty_url, BUILD)
        child.send_signal(signal.SIGINT)
        assert 130 == await asyncio.to_thread(child.wait, 60)
        assert not runs(empty_url, BUILD)
        assert "ix (invalid)" in await relations(empty_url)  # the control

    await goes_on(empty_url, folder)

    assert "ix" in await relations(empty_url)


@on_asyncpg
async def test_an_index_that_somebody_else_builds_is_not_dropped(
    empty_url: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path)
    await made(empty_url, folder, BUILD.replace("ix", "IF NOT EXISTS ix"))
    async with somebody_writes(empty_url):
        other = asyncio.create_task(built(empty_url))
        await until_it_runs(empty_url, BUILD)
        child = begun(folder, empty_url)
        async with asyncio.timeout(60):
            while not runs(empty_url, "pg_locks"):
                await asyncio.sleep(0.01)
        oid = await rows(empty_url, OID)
    await other

    assert 0 == await asyncio.to_thread(child.wait, 60)

    assert oid == await rows(empty_url, OID)
    assert "ix" in await relations(empty_url)


async def built(url: str) -> None:
    async with Database.of(url).connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.exec_driver_sql(BUILD)

"""A server that is killed in the middle of a long ALTER, with commits that outlive that."""

from __future__ import annotations

import asyncio
import os
import textwrap
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL

import bootstrap
from bootstrap.database import Database
from bootstrap.errors import Fault
from bootstrap.events import Emit, Event, RunRetried, silent
from bootstrap.running import retrying
from tests import available
from tests.chaos.comparing import Contents
from tests.chaos.interrupting import database, read
from tests.chaos.killable import Killable, killable
from tests.projects import ProjectFolder, env, new_project

_PATIENCE = 120  # seconds for what takes a few
# MySQL takes long to start; `make test-full` has it too.
BACKENDS = ["postgresql", "mariadb"]
if os.environ.get("BOOTSTRAP_TEST_CHAOS") == "all":
    BACKENDS.append("mysql")
# Work for each of 2^10 rows, for which the server copies the table: about three seconds.
_HASHES = "ALTER TABLE rows_ ADD COLUMN h VARCHAR(200) AS (sha2(repeat(id, 200000), 512)) STORED"
_ALTERS = {
    "postgresql": "ALTER TABLE rows_ ALTER id TYPE text USING id::text || pg_sleep(0.003)::text",
    "mysql": _HASHES,
    "mariadb": _HASHES,
}
_ROWS = """
    op.create_table("rows_", sa.Column("id", sa.Integer))
    op.execute("INSERT INTO rows_ VALUES (12345678)")
    for _ in range(10):
        op.execute("INSERT INTO rows_ SELECT id FROM rows_")
"""


@pytest.fixture(params=BACKENDS, scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[Killable]:
    with killable(request.param) as running:
        yield running


# PostgreSQL's: in a block, which commits what was before; its index takes as long.
_BUILD = "CREATE INDEX CONCURRENTLY ix ON rows_ (slow(id))"
_LEAVES = f"""
    op.execute('''
        CREATE FUNCTION slow(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql
        AS 'BEGIN PERFORM pg_sleep(0.002); RETURN $1; END'
    ''')
    op.execute("CREATE TABLE counted (n INTEGER)")
    op.execute("INSERT INTO counted VALUES (1)")
    with op.get_context().autocommit_block():
        op.execute("UPDATE counted SET n = n + 1")
        op.execute("{_BUILD}")
        op.execute("UPDATE counted SET n = n * 2")
    op.execute("UPDATE counted SET n = n + 1")
"""


def _project(root: Path, backend_name: str) -> ProjectFolder:
    folder = new_project(root)
    folder.env(env(options="transaction_per_migration=True"))
    folder.revision("rows", down=None, upgrade=_ROWS)
    upgrade = f"""
        op.execute("CREATE TABLE counted (n INTEGER)")
        op.execute("INSERT INTO counted VALUES (1)")
        op.execute({_ALTERS[backend_name]!r})
        op.execute("UPDATE counted SET n = n + 1")
    """
    folder.revision("long", down="rows", upgrade=textwrap.dedent(upgrade))
    return folder


async def _until_it_runs(url: URL, statement: str) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not [one for one in available.statements(url) if statement in one[:200]]:
            await asyncio.sleep(0.02)


def _name(server: Killable) -> str:
    return Database.of(server.url).backend.name


@asynccontextmanager
async def _killed(
    server: Killable,
    url: URL,
    folder: ProjectFolder,
    *,
    retry_for: float,
    emit: Emit,
    during: str = "",
) -> AsyncIterator[asyncio.Task[bootstrap.MigrationReport]]:
    """A run whose server is killed in the middle of the ALTER, and up again after the block."""
    run = asyncio.create_task(
        bootstrap.migrate(url, project=folder.project, retry_for=retry_for, emit=emit)
    )
    await _until_it_runs(url, during or _ALTERS[_name(server)])
    assert server.kill()
    yield run
    server.start_again()
    await bootstrap.wait(url, timeout=_PATIENCE)


async def _undisturbed(server: Killable, folder: ProjectFolder) -> Contents:
    async with database(server.url, server.url.drivername) as url:
        await bootstrap.migrate(url, project=folder.project)
        return await read(url)


async def test_a_run_goes_on_when_the_server_is_back(
    server: Killable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrying, "_FIRST_PAUSE", 0.1)
    folder = _project(tmp_path / "project", _name(server))
    expected = await _undisturbed(server, folder)
    faults: list[str] = []
    told = asyncio.Event()

    def emit(event: Event) -> None:
        if isinstance(event, RunRetried):
            faults.append(event.fault)
            told.set()

    async with database(server.url, server.url.drivername) as url:
        async with _killed(server, url, folder, retry_for=_PATIENCE, emit=emit) as run:
            async with asyncio.timeout(_PATIENCE):
                await told.wait()
        report = await run
        after = await read(url)

    assert Fault.LOST == faults[0]
    assert len(faults) + 1 == report.tries
    assert ["rows", "long"] == [step.revision for step in report.steps]
    assert expected == after


async def test_without_a_second_try_the_next_run_goes_on(server: Killable, tmp_path: Path) -> None:
    folder = _project(tmp_path / "project", _name(server))
    expected = await _undisturbed(server, folder)

    async with database(server.url, server.url.drivername) as url:
        async with _killed(server, url, folder, retry_for=0, emit=silent) as run:
            with pytest.raises(bootstrap.StatementFailed) as failed:
                await run
        report = await bootstrap.migrate(url, project=folder.project)
        after = await read(url)

    assert Fault.LOST is failed.value.fault
    assert (1, ["long"]) == (report.tries, [step.revision for step in report.steps])
    assert expected == after


@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
@pytest.mark.parametrize("retry_for", [_PATIENCE, 0], ids=["tried again", "the next run"])
async def test_an_autocommit_block_goes_on_when_the_server_is_back(
    server: Killable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, retry_for: float
) -> None:
    monkeypatch.setattr(retrying, "_FIRST_PAUSE", 0.1)
    folder = _project(tmp_path / "project", _name(server))
    folder.revision("long", down="rows", upgrade=textwrap.dedent(_LEAVES))
    expected = await _undisturbed(server, folder)

    async with database(server.url, server.url.drivername) as url:
        async with _killed(
            server, url, folder, retry_for=retry_for, emit=silent, during=_BUILD
        ) as run:
            if not retry_for:
                with pytest.raises(bootstrap.StatementFailed) as failed:
                    await run
                assert Fault.LOST is failed.value.fault
        report = await run if retry_for else await bootstrap.migrate(url, project=folder.project)
        after = await read(url)

    assert (report.tries > 1) == bool(retry_for)
    assert ("(5,)",) == after.rows["counted"]
    assert expected == after

"""MariaDB, when it is killed itself, leaves the list of a DROP half done."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from bootstrap.database import Database
from tests import available
from tests.conformance.test_journal import TABLE, goes_on, project, tables
from tests.conformance.test_journal_killed import begun


@pytest.mark.parametrize("backend_name", ["mariadb"], indirect=True)
async def test_a_list_of_tables_that_was_dropped_in_part_is_dropped_to_the_end(
    empty_url: str, tmp_path: Path
) -> None:
    both, go_on = "DROP TABLE t, u", tmp_path / "go_on"
    wait = (
        f"import pathlib, time\nwhile not pathlib.Path({str(go_on)!r}).exists(): time.sleep(0.01)"
    )
    made = "op.execute('CREATE TABLE u (n INT)')"
    folder = project(tmp_path, TABLE, made, wait, f"op.execute('{both}')")
    async with Database.of(empty_url).connect() as reader, asyncio.timeout(60):
        child = begun(folder, empty_url)
        while "u" not in await tables(empty_url):
            await asyncio.sleep(0.05)
        await reader.execute(text("SELECT * FROM u"))
        go_on.touch()
        while both not in available.statements(empty_url):
            await asyncio.sleep(0.05)
        child.kill()
        child.wait()
        assert both in available.statements(empty_url)  # the control
        await _kill(empty_url, both)
        await reader.rollback()
        assert {"t", "u"} <= set(await tables(empty_url))
        await reader.execute(text("DROP TABLE t"))

    await goes_on(empty_url, folder)

    assert ["alembic_version"] == await tables(empty_url)


async def _kill(url: str, statement: str) -> None:
    """Ends the session that waits with a statement, and waits for its end."""
    found = "SELECT id FROM information_schema.processlist WHERE info = :statement"
    async with asyncio.timeout(60), Database.of(url).connect() as connection:
        session = await connection.scalar(text(found), {"statement": statement})
        await connection.exec_driver_sql(f"KILL {session:d}")
        while await connection.scalar(text(found), {"statement": statement}):
            await asyncio.sleep(0.05)

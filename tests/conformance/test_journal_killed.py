"""What a killed run leaves on the server, and what nobody can tell about it."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

import bootstrap
from bootstrap.backends.mysql.journal import locks
from bootstrap.database import Database
from bootstrap.errors import HalfApplied, LockNotObtained
from tests import available, commands
from tests.commands import Run
from tests.conformance.test_journal import TABLE, goes_on, half_applied, project, rows, tables
from tests.projects import ProjectFolder

pytestmark = pytest.mark.parametrize("backend_name", ["mariadb", "mysql"], indirect=True)
KILL = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
MYISAM = "op.execute('CREATE TABLE m (n INTEGER) ENGINE=MyISAM')"


def begun(folder: ProjectFolder, url: str) -> Run:
    return commands.start("bootstrap", "migrate", "--url", url, cwd=folder.root)


async def killed(folder: ProjectFolder, url: str) -> None:
    child = begun(folder, url)
    assert -signal.SIGKILL == await asyncio.to_thread(child.wait, 60)


async def test_the_statement_of_a_killed_run_is_waited_for(empty_url: str, tmp_path: Path) -> None:
    long = "CREATE TABLE u AS SELECT SLEEP(8) AS n"
    folder = project(
        tmp_path, TABLE, f"op.execute('{long}')", "op.execute('CREATE TABLE w (n INT)')"
    )
    child = begun(folder, empty_url)
    async with asyncio.timeout(60):
        while long not in available.statements(empty_url):
            await asyncio.sleep(0.05)
    child.kill()
    child.wait()
    # The control: the client is gone, its statement is not.
    assert long in available.statements(empty_url)

    await goes_on(empty_url, folder)

    assert [(0,)] == await rows(empty_url, "SELECT n FROM u")
    assert ["alembic_version", "t", "u", "w"] == await tables(empty_url)


async def test_waiting_for_it_has_an_end(empty_url: str, tmp_path: Path) -> None:
    folder = project(tmp_path, TABLE)
    name = locks.name_of(str(make_url(empty_url).database), "alembic_version")
    async with Database.of(empty_url).connect() as connection:
        await connection.execute(text("SELECT GET_LOCK(:name, 0)"), {"name": name})

        with pytest.raises(LockNotObtained, match="a statement of an earlier run still runs"):
            await bootstrap.migrate(empty_url, project=folder.project, wait_lock=1.5)

    await goes_on(empty_url, folder)


@pytest.mark.parametrize("decision", ["applied", "not applied"])
async def test_rows_in_a_table_without_transactions_are_in_doubt(
    empty_url: str, tmp_path: Path, decision: str
) -> None:
    insert = "op.execute('INSERT INTO m VALUES (1)')"
    folder = project(tmp_path, TABLE, MYISAM, insert, KILL)
    await killed(folder, empty_url)
    assert [(1,)] == await rows(empty_url, "SELECT n FROM m")
    folder.revision("one", down=None, upgrade="\n".join([TABLE, MYISAM, insert]))

    with pytest.raises(HalfApplied) as caught:
        await bootstrap.migrate(empty_url, project=folder.project)

    assert "whether statement 3 of revision one was applied" in caught.value.message
    assert "one.py:10   INSERT INTO m VALUES (1)" in caught.value.message
    assert "--applied" in caught.value.hint
    assert "--not-applied" in caught.value.hint
    found = await half_applied(empty_url, folder)
    assert (2, 3, "in doubt") == (found.applied, found.statement, found.state)
    await bootstrap.repair(empty_url, decision, project=folder.project)
    await goes_on(empty_url, folder)
    times = 1 if decision == "applied" else 2
    assert [(1,)] * times == await rows(empty_url, "SELECT n FROM m")


async def test_a_procedure_that_commits_is_in_doubt(empty_url: str, tmp_path: Path) -> None:
    made = "op.execute('CREATE PROCEDURE p() BEGIN INSERT INTO t (n) VALUES (1); COMMIT; END')"
    call = "op.execute('CALL p()')"
    folder = project(tmp_path, TABLE, made, call, KILL)
    await killed(folder, empty_url)

    with pytest.raises(HalfApplied, match="whether statement 3 of revision one was applied"):
        await bootstrap.migrate(empty_url, project=folder.project)

    assert [(1,)] == await rows(empty_url, "SELECT n FROM t")


async def test_a_refused_statement_that_did_a_part_of_its_work_is_said(
    empty_url: str, tmp_path: Path, backend_name: str
) -> None:
    two = "op.execute('DROP TABLE t, nothing')"
    folder = project(tmp_path, TABLE, two)

    with pytest.raises(bootstrap.BootstrapError) as caught:
        await bootstrap.migrate(empty_url, project=folder.project)

    gone = "t" not in await tables(empty_url)
    assert gone == isinstance(caught.value, HalfApplied)
    assert gone == ("has kept a part" in caught.value.message)
    if gone:  # MariaDB
        folder.revision("one", down=None, upgrade=f"{TABLE}\n{two}")
        await bootstrap.repair(empty_url, "applied", project=folder.project)
        await goes_on(empty_url, folder)

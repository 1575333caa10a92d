"""A revision that stops half-way goes on where it stopped, and does nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest

import bootstrap
from bootstrap.backends.mysql.journal.store import TYPES
from bootstrap.database import Database
from bootstrap.errors import HalfApplied, StatementFailed
from bootstrap.journal.table import made_of
from bootstrap.records.names import LOG
from tests.long_statements import with_sync_driver
from tests.projects import ProjectFolder, env, new_project

pytestmark = pytest.mark.parametrize(
    "backend_name", ["mariadb", "mysql", "mariadb+asyncmy"], indirect=True
)
TABLE = "op.execute('CREATE TABLE t (id INTEGER PRIMARY KEY AUTO_INCREMENT, n INTEGER)')"
FAILS = "op.execute('CREATE TABLE t (wrong INTEGER)')"


async def rows(url: str, sql: str) -> list[tuple[object, ...]]:
    async with Database.of(url).connect() as connection:
        return [tuple(row) for row in await connection.exec_driver_sql(sql)]


async def tables(url: str) -> list[str]:
    found = {str(name) for (name,) in await rows(url, "SHOW TABLES")}
    return sorted(found - {LOG})


def project(tmp_path: Path, *lines: str, name: str = "one") -> ProjectFolder:
    folder = new_project(tmp_path)
    folder.revision(name, down=None, upgrade="\n".join(lines))
    return folder


async def stops(url: str, folder: ProjectFolder) -> str:
    with pytest.raises(StatementFailed) as caught:
        await bootstrap.migrate(url, project=folder.project)
    return f"{caught.value.message}\n{caught.value.hint}"


async def refused(url: str, folder: ProjectFolder) -> HalfApplied:
    with pytest.raises(HalfApplied) as caught:
        await bootstrap.migrate(url, project=folder.project)
    assert caught.value.exit_code == 7
    return caught.value


async def goes_on(url: str, folder: ProjectFolder) -> None:
    report = await bootstrap.migrate(url, project=folder.project)
    assert report.after == ("one",)
    assert "bootstrap_journal" not in await tables(url)


async def test_the_error_says_what_is_applied_and_the_corrected_revision_goes_on(
    empty_url: str, tmp_path: Path
) -> None:
    insert = "op.execute('INSERT INTO t (n) VALUES (1)')"
    folder = project(tmp_path, TABLE, insert, "op.execute('CREATE TABLE u (id INTEGER)')", FAILS)

    said = await stops(empty_url, folder)

    assert "statement 4 of revision one failed" in said
    assert "1050" in said
    assert "one.py:11   CREATE TABLE t" in said
    assert "statements 1-3 are applied and recorded" in said
    assert "correct the revision from line 11 on" in said
    assert "goes on at statement 4" in said
    assert "bootstrap_journal" in await tables(empty_url)
    folder.revision(
        "one",
        down=None,
        upgrade="\n".join([TABLE, insert, "op.execute('CREATE TABLE u (id INTEGER)')", insert]),
    )
    await goes_on(empty_url, folder)
    assert [(1, 1), (2, 1)] == await rows(empty_url, "SELECT * FROM t")


async def test_what_was_not_committed_is_sent_again(empty_url: str, tmp_path: Path) -> None:
    insert = "op.execute('INSERT INTO t (n) VALUES (1)')"
    folder = project(tmp_path, TABLE, insert, "op.execute('nonsense')")

    said = await stops(empty_url, folder)

    assert "statement 1 is applied and recorded" in said
    assert [] == await rows(empty_url, "SELECT n FROM t")
    folder.revision("one", down=None, upgrade="\n".join([TABLE, insert]))
    await goes_on(empty_url, folder)
    assert [(1,)] == await rows(empty_url, "SELECT n FROM t")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(
            "made = op.get_bind().execute(sa.text('INSERT INTO t (n) VALUES (7)')).lastrowid",
            "op.execute(f'INSERT INTO u VALUES ({made})')",
            [(1,)],
            id="lastrowid",
        ),
        pytest.param(
            "op.execute('INSERT INTO t (n) VALUES (7), (8)')\n"
            "changed = op.get_bind().execute(sa.text('UPDATE t SET n = 9')).rowcount",
            "op.execute(f'INSERT INTO u VALUES ({changed})')",
            [(2,)],
            id="rowcount",
        ),
        pytest.param(
            "op.execute('INSERT INTO t (n) VALUES (7)')\n"
            "found = op.get_bind().execute(sa.text('SELECT MAX(n) FROM t')).scalar_one()\n"
            "op.execute('DELETE FROM t')",
            "op.execute(f'INSERT INTO u VALUES ({found})')",
            [(7,)],
            id="a read, though the row is gone",
        ),
        pytest.param(
            "op.execute('INSERT INTO t (n) VALUES (7)')\n"
            "op.execute('SET @n = (SELECT MAX(n) FROM t)')\n"
            "op.execute('DELETE FROM t')",
            "op.execute('INSERT INTO u VALUES (@n)')",
            [(7,)],
            id="a variable that was computed",
        ),
        pytest.param(
            "op.execute('INSERT INTO t (n) VALUES (7)')",
            "op.execute('INSERT INTO u VALUES (LAST_INSERT_ID())')",
            [(1,)],
            id="LAST_INSERT_ID()",
        ),
        pytest.param(
            "try:\n    op.execute('CREATE TABLE t (wrong INTEGER)')\n"
            "except sa.exc.DBAPIError as error:\n    code = error.orig.args[0]",
            "op.execute(f'INSERT INTO u VALUES ({code})')",
            [(1050,)],
            id="an error that the revision caught",
        ),
        pytest.param(
            "op.execute('INSERT INTO t (n) VALUES (1)')\n"
            "with op.get_bind().begin_nested() as point:\n"
            "    op.execute('INSERT INTO t (n) VALUES (2)')\n"
            "    point.rollback()",
            "op.execute('INSERT INTO u SELECT n FROM t')",
            [(1,)],
            id="a savepoint that was rolled back",
        ),
        pytest.param(
            "op.execute('CREATE TEMPORARY TABLE x (n INTEGER)')\n"
            "op.execute('INSERT INTO x VALUES (3)')",
            "op.execute('INSERT INTO u SELECT n FROM x')",
            [(3,)],
            id="a temporary table",
        ),
        pytest.param(
            "op.execute('SET sql_mode = ANSI_QUOTES')",
            "op.execute('INSERT INTO \"u\" VALUES (5)')",
            [(5,)],
            id="SET",
        ),
        pytest.param(
            "from decimal import Decimal\n"
            "import datetime\n"
            'read = op.get_bind().execute(sa.text("SELECT CAST(1.50 AS DECIMAL(5,2)), '
            "DATE '2026-01-02', TIMESTAMP '2026-01-02 03:04:05.000006', x'00ff', NULL\")).one()\n"
            "assert tuple(read) == (Decimal('1.50'), datetime.date(2026, 1, 2), "
            "datetime.datetime(2026, 1, 2, 3, 4, 5, 6), b'\\x00\\xff', None), read",
            "op.execute('INSERT INTO u VALUES (1)')",
            [(1,)],
            id="values of every type",
        ),
        pytest.param(
            "rows = sa.table('t', sa.column('id'), sa.column('n'))\n"
            "op.bulk_insert(rows, [{'n': n} for n in range(1500)])",
            "op.execute('INSERT INTO u SELECT COUNT(*) FROM t')",
            [(1500,)],
            id="bulk_insert of 1,500 rows",
        ),
        pytest.param(
            "with op.get_context().autocommit_block():\n"
            "    op.execute('INSERT INTO t (n) VALUES (1)')\n"
            "    op.execute('INSERT INTO t (n) VALUES (2)')",
            "op.execute('INSERT INTO u SELECT SUM(n) FROM t')",
            [(3,)],
            id="an autocommit block",
        ),
        pytest.param(
            "op.execute(\"PREPARE s FROM 'ALTER TABLE t ADD COLUMN m INTEGER DEFAULT 4'\")\n"
            "op.execute('EXECUTE s')\n"
            "op.execute('DEALLOCATE PREPARE s')\n"
            "op.execute('INSERT INTO t (n) VALUES (1)')",
            "op.execute('INSERT INTO u SELECT m FROM t')",
            [(4,)],
            id="a prepared statement",
        ),
        pytest.param(
            "op.execute('CREATE PROCEDURE p() BEGIN INSERT INTO t (n) VALUES (6); "
            "INSERT INTO t (n) VALUES (7); END')\n"
            "op.execute('CALL p()')",
            "op.execute('INSERT INTO u SELECT SUM(n) FROM t')",
            [(13,)],
            id="a procedure that writes rows",
        ),
        pytest.param(
            "if not sa.inspect(op.get_bind()).has_table('v'):\n"
            "    op.execute('CREATE TABLE v (id INTEGER)')\n"
            "    op.execute('INSERT INTO v VALUES (8)')",
            "op.execute('INSERT INTO u SELECT id FROM v')",
            [(8,)],
            id="a guard",
        ),
        pytest.param(
            "op.execute('LOCK TABLES t WRITE')\n"
            "op.execute('INSERT INTO t (n) VALUES (1)')\n"
            "op.execute('UNLOCK TABLES')",
            "op.execute('INSERT INTO u SELECT n FROM t')",
            [(1,)],
            id="LOCK TABLES",
        ),
    ],
)
async def test_a_revision_that_goes_on_knows_what_it_knew(
    empty_url: str, tmp_path: Path, before: str, after: str, expected: list[tuple[object, ...]]
) -> None:
    made = "op.execute('CREATE TABLE u (n INTEGER)')"
    folder = project(tmp_path, TABLE, before, made, FAILS, after)

    await stops(empty_url, folder)
    folder.revision("one", down=None, upgrade="\n".join([TABLE, before, made, after]))
    await goes_on(empty_url, folder)

    assert expected == await rows(empty_url, "SELECT * FROM u")


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param("op.execute('CREATE TABLE u (n BIGINT)')", id="edited"),
        pytest.param(
            "op.execute('SELECT 1')\nop.execute('CREATE TABLE u (n INTEGER)')", id="added"
        ),
        pytest.param("", id="deleted"),
    ],
)
async def test_a_change_of_what_is_applied_is_refused_with_its_line(
    empty_url: str, tmp_path: Path, changed: str
) -> None:
    made = "op.execute('CREATE TABLE u (n INTEGER)')"
    last = "op.execute('CREATE TABLE w (n INTEGER)')"
    folder = project(tmp_path, TABLE, made, last, FAILS)
    await stops(empty_url, folder)
    folder.revision("one", down=None, upgrade="\n".join([TABLE, changed, last]))

    error = await refused(empty_url, folder)

    assert "statement 2 is another one" in error.message
    assert "one.py:9   CREATE TABLE u (n INTEGER)" in error.message
    assert "one.py:" in error.message.partition("is now")[2]
    assert "repair --forget" in error.hint


async def test_parameters_that_are_other_ones_are_refused(empty_url: str, tmp_path: Path) -> None:
    random = (
        "import uuid\n"
        "op.get_bind().execute(sa.text('INSERT INTO t (n) VALUES (LENGTH(:x))'), "
        "{'x': str(uuid.uuid4())})"
    )
    folder = project(tmp_path, TABLE, random, "op.execute('CREATE TABLE u (n INTEGER)')", FAILS)
    await stops(empty_url, folder)

    error = await refused(empty_url, folder)

    assert "statement 2 is another one" in error.message


async def test_a_statement_that_is_missing_at_the_end_is_refused(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, TABLE, "op.execute('CREATE TABLE u (n INTEGER)')", FAILS)
    await stops(empty_url, folder)
    folder.revision("one", down=None, upgrade=TABLE)

    error = await refused(empty_url, folder)

    assert "ends before a statement that was applied" in error.message
    assert "one.py:9   CREATE TABLE u" in error.message


async def test_a_temporary_table_that_was_filled_from_a_real_one_is_not_filled_again(
    empty_url: str, tmp_path: Path
) -> None:
    filled = "op.execute('CREATE TEMPORARY TABLE x AS SELECT n FROM t')"
    folder = project(tmp_path, TABLE, filled, "op.execute('CREATE TABLE u (n INTEGER)')", FAILS)
    await stops(empty_url, folder)

    error = await refused(empty_url, folder)

    assert "one.py:9   CREATE TEMPORARY TABLE x" in error.message


async def test_a_revision_does_not_go_on_after_a_cursor_of_the_driver(
    empty_url: str, tmp_path: Path
) -> None:
    raw = (
        "cursor = op.get_bind().connection.cursor()\n"
        "cursor.execute('INSERT INTO t (n) VALUES (1)')\n"
        "cursor.close()"
    )
    folder = project(tmp_path, TABLE, raw, "op.execute('CREATE TABLE u (n INTEGER)')", FAILS)
    await stops(empty_url, folder)

    error = await refused(empty_url, folder)

    assert "one.py:9   a cursor of the driver" in error.message
    assert [(1,)] == await rows(empty_url, "SELECT n FROM t")


async def test_secrets_in_a_statement_are_not_kept(empty_url: str, tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        TABLE,
        "op.execute(\"INSERT INTO t (n) VALUES (LENGTH('s3cret'))\")",
        "op.execute('CREATE TABLE u (n INTEGER)')",
        FAILS,
    )
    await stops(empty_url, folder)

    kept = await rows(empty_url, "SELECT * FROM bootstrap_journal")

    assert "s3cret" not in repr(kept)
    assert "LENGTH ('…')" in repr(kept) or "LENGTH('…')" in repr(kept)


async def test_several_statements_in_one_string_are_refused_before_they_are_sent(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(
        tmp_path, "op.execute('CREATE TABLE t (id INTEGER); CREATE TABLE u (id INTEGER)')"
    )

    with pytest.raises(bootstrap.RevisionError, match="several statements in one string"):
        await bootstrap.migrate(empty_url, project=folder.project)

    assert ["alembic_version"] == await tables(empty_url)


async def test_an_env_py_with_a_sync_driver_goes_on_too(
    empty_url: str, tmp_path: Path, backend_name: str
) -> None:
    found = "found = op.get_bind().execute(sa.text('SELECT MAX(n) FROM t')).scalar_one()"
    insert = "op.execute('INSERT INTO t (n) VALUES (7)')"
    made = "op.execute('CREATE TABLE u (n INTEGER)')"
    folder = project(tmp_path, TABLE, insert, found, made, FAILS)
    with_sync_driver(folder, f"{backend_name}+pymysql")
    await stops(empty_url, folder)
    last = "op.execute(f'INSERT INTO u VALUES ({found})')"
    folder.revision("one", down=None, upgrade="\n".join([TABLE, insert, found, made, last]))

    await goes_on(empty_url, folder)

    assert [(7,)] == await rows(empty_url, "SELECT n FROM u")


async def test_an_engine_in_autocommit_mode_goes_on_too(empty_url: str, tmp_path: Path) -> None:
    insert = "op.execute('INSERT INTO t (n) VALUES (7)')"
    folder = project(tmp_path, TABLE, insert, FAILS)
    folder.env(
        env().replace(
            "poolclass=pool.NullPool", "poolclass=pool.NullPool, isolation_level='AUTOCOMMIT'"
        )
    )
    assert "statements 1-2 are applied and recorded" in await stops(empty_url, folder)
    folder.revision("one", down=None, upgrade="\n".join([TABLE, insert]))

    await goes_on(empty_url, folder)

    assert [(7,)] == await rows(empty_url, "SELECT n FROM t")


async def test_a_connection_of_the_program_goes_on_too(empty_url: str, tmp_path: Path) -> None:
    insert = "op.execute('INSERT INTO t (n) VALUES (7)')"
    folder = project(tmp_path, TABLE, insert, "op.execute('CREATE TABLE u (n INTEGER)')", FAILS)
    await stops(empty_url, folder)
    folder.revision(
        "one",
        down=None,
        upgrade="\n".join([TABLE, insert, "op.execute('CREATE TABLE u (n INTEGER)')"]),
    )

    async with Database.of(empty_url).connect() as connection:
        report = await bootstrap.migrate(connection, project=folder.project)
        await connection.commit()

    assert ("one",) == report.after
    assert [(7,)] == await rows(empty_url, "SELECT n FROM t")
    assert ["alembic_version", "t", "u"] == await tables(empty_url)


# What a person decides ----------------------------------------------------------------------------


async def half_applied(url: str, folder: ProjectFolder) -> bootstrap.HalfAppliedStep:
    report = await bootstrap.status(url, project=folder.project)
    assert report.half_applied is not None
    return report.half_applied


async def test_status_says_which_statement_was_the_last_one(empty_url: str, tmp_path: Path) -> None:
    folder = project(tmp_path, TABLE, "op.execute('CREATE TABLE u (n INTEGER)')", FAILS)
    await stops(empty_url, folder)

    found = await half_applied(empty_url, folder)

    assert ("one", "upgrade", 2, 2) == (
        found.revision,
        found.direction,
        found.applied,
        found.statement,
    )
    assert ("CREATE TABLE u (n INTEGER)", 9) == (found.sql, found.line)
    assert "applied" == found.state


async def test_a_revision_that_was_finished_by_hand_is_marked_done(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, TABLE, FAILS)
    await stops(empty_url, folder)

    report = await bootstrap.repair(empty_url, "done", project=folder.project)

    assert report.half_applied is not None
    assert [("one",)] == await rows(empty_url, "SELECT version_num FROM alembic_version")
    await goes_on(empty_url, folder)


async def test_a_revision_that_was_undone_by_hand_begins_anew(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, TABLE, FAILS)
    await stops(empty_url, folder)
    async with Database.of(empty_url).connect() as connection:
        await connection.exec_driver_sql("DROP TABLE t")
    folder.revision("one", down=None, upgrade="op.execute('CREATE TABLE v (n INTEGER)')")

    await bootstrap.repair(empty_url, "forget", project=folder.project)

    await goes_on(empty_url, folder)
    assert ["alembic_version", "v"] == await tables(empty_url)


async def test_what_is_not_in_doubt_is_not_decided(empty_url: str, tmp_path: Path) -> None:
    folder = project(tmp_path, TABLE, FAILS)
    await stops(empty_url, folder)

    with pytest.raises(bootstrap.SettingsError, match="is not in doubt"):
        await bootstrap.repair(empty_url, "applied", project=folder.project)


async def test_a_run_that_goes_elsewhere_does_not_leave_a_half_applied_revision_behind(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, TABLE)
    folder.revision("two", down="one", upgrade="op.execute('CREATE TABLE u (n INTEGER)')\n" + FAILS)
    with pytest.raises(StatementFailed):
        await bootstrap.migrate(empty_url, project=folder.project)

    with pytest.raises(HalfApplied, match="revision two is half-applied"):
        await bootstrap.downgrade(empty_url, "base", project=folder.project, drop_rows=True)

    assert "u" in await tables(empty_url)


async def test_a_stamp_forgets_what_was_half_applied(empty_url: str, tmp_path: Path) -> None:
    folder = project(tmp_path, TABLE, FAILS)
    await stops(empty_url, folder)

    await bootstrap.stamp(empty_url, "one", project=folder.project)

    assert "bootstrap_journal" not in await tables(empty_url)
    report = await bootstrap.status(empty_url, project=folder.project)
    assert report.half_applied is None


async def test_a_downgrade_goes_on_too(empty_url: str, tmp_path: Path) -> None:
    folder = new_project(tmp_path)
    down = "op.execute('DROP TABLE u')\nop.execute('{}')\nop.execute('DROP TABLE t')"
    up = TABLE + "\nop.execute('CREATE TABLE u (n INTEGER)')"
    folder.revision("one", down=None, upgrade=up, downgrade=down.format("DROP TABLE nothing"))
    await bootstrap.migrate(empty_url, project=folder.project)
    with pytest.raises(StatementFailed, match="statement 1 is applied and recorded"):
        await bootstrap.downgrade(empty_url, "base", project=folder.project)
    folder.revision("one", down=None, upgrade=up, downgrade=down.format("SELECT 1"))

    report = await bootstrap.downgrade(empty_url, "base", project=folder.project)

    assert () == report.after
    assert ["alembic_version"] == await tables(empty_url)


async def test_an_empty_journal_of_a_run_that_was_killed_at_its_end_is_removed(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, TABLE)
    await goes_on(empty_url, folder)
    async with Database.of(empty_url).connect() as connection:
        await connection.run_sync(made_of(TYPES).create)
    assert "bootstrap_journal" in await tables(empty_url)

    await goes_on(empty_url, folder)

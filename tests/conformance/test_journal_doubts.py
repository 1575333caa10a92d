"""Statements that leave the same schema, with the right PROCESS and without it; reads too long."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

import bootstrap
from bootstrap.database import Database
from bootstrap.errors import HalfApplied
from tests.conformance.test_journal import FAILS, TABLE, goes_on, project, refused, rows, stops
from tests.conformance.test_journal_killed import KILL, killed

on_both = pytest.mark.parametrize("backend_name", ["mariadb", "mysql"], indirect=True)
# MariaDB 10.11.19 waits for itself while it verifies the rows of an exchange, in plain SQL too.
on_mysql = pytest.mark.parametrize("backend_name", ["mysql"], indirect=True)

FILLED = "op.execute('INSERT INTO t (n) VALUES (1), (2)')"
OTHER = "op.execute('CREATE TABLE u (id INTEGER, n INTEGER)')"
PARTED = (
    "op.execute('CREATE TABLE p (id INTEGER, n INTEGER) PARTITION BY RANGE (id) "
    "(PARTITION p0 VALUES LESS THAN (100))')"
)
EXCHANGE = (
    [OTHER, PARTED, "op.execute('INSERT INTO u VALUES (1, 1)')"],
    "ALTER TABLE p EXCHANGE PARTITION p0 WITH TABLE u",
    ("SELECT COUNT(*) FROM p", 1),
)
# What is made before, the statement, and what tells afterwards that it was carried out once.
SAME_SCHEMA = [
    pytest.param([TABLE, FILLED], "TRUNCATE TABLE t", ("SELECT COUNT(*) FROM t", 0), id="TRUNCATE"),
    pytest.param(
        [
            OTHER,
            OTHER.replace("u (", "v ("),
            OTHER.replace("'CREATE TABLE u", "'CREATE TABLE x"),
            "op.execute('DROP TABLE x')",
            "op.execute('INSERT INTO u VALUES (1, 1)')",
        ],
        "RENAME TABLE u TO x, v TO u, x TO v",
        ("SELECT COUNT(*) FROM v", 1),
        id="a swap of names",
    ),
]


@pytest.fixture
async def without_process(empty_url: str) -> AsyncIterator[str]:
    """The URL of an account that may do all in this database, and sees nothing of the server."""
    name, password = f"u_{secrets.token_hex(4)}", secrets.token_hex(8)
    database = make_url(empty_url).database
    async with Database.of(empty_url).connect() as connection:
        await connection.exec_driver_sql(f"CREATE USER {name} IDENTIFIED BY '{password}'")
        await connection.exec_driver_sql(f"GRANT ALL ON `{database}`.* TO {name}")
    url = make_url(empty_url).set(username=name, password=password)
    yield url.render_as_string(hide_password=False)
    async with Database.of(empty_url).connect() as connection:
        await connection.exec_driver_sql(f"DROP USER {name}")


@on_both
@pytest.mark.parametrize(("before", "statement", "seen"), SAME_SCHEMA)
async def test_a_statement_that_leaves_the_same_schema_is_sent_once(
    empty_url: str, tmp_path: Path, before: list[str], statement: str, seen: tuple[str, int]
) -> None:
    await is_sent_once(empty_url, tmp_path, before, statement, seen)


@on_mysql
async def test_an_exchange_of_partitions_is_done_once(empty_url: str, tmp_path: Path) -> None:
    await is_sent_once(empty_url, tmp_path, *EXCHANGE)


@on_mysql
async def test_an_exchange_of_partitions_is_in_doubt_without_the_right(
    without_process: str, tmp_path: Path
) -> None:
    await is_in_doubt(without_process, tmp_path, *EXCHANGE)


async def is_sent_once(
    empty_url: str, tmp_path: Path, before: list[str], statement: str, seen: tuple[str, int]
) -> None:
    folder = project(tmp_path, *before, f"op.execute('{statement}')", KILL)
    await killed(folder, empty_url)
    folder.revision("one", down=None, upgrade="\n".join([*before, f"op.execute('{statement}')"]))

    await goes_on(empty_url, folder)

    sql, number = seen
    assert [(number,)] == await rows(empty_url, sql)


@on_both
@pytest.mark.parametrize(("before", "statement", "seen"), SAME_SCHEMA)
async def test_without_the_right_to_see_numbers_of_tables_it_is_in_doubt(
    without_process: str, tmp_path: Path, before: list[str], statement: str, seen: tuple[str, int]
) -> None:
    await is_in_doubt(without_process, tmp_path, before, statement, seen)


async def is_in_doubt(
    without_process: str, tmp_path: Path, before: list[str], statement: str, seen: tuple[str, int]
) -> None:
    folder = project(tmp_path, *before, f"op.execute('{statement}')", KILL)
    await killed(folder, without_process)
    folder.revision("one", down=None, upgrade="\n".join([*before, f"op.execute('{statement}')"]))

    error = await refused(without_process, folder)

    number = len(before) + 1
    assert f"whether statement {number} of revision one was applied" in error.message
    assert f"one.py:{7 + number}" in error.message
    assert {"--applied", "--not-applied"} <= set(error.hint.replace(",", " ").split())
    await bootstrap.repair(without_process, "applied", project=folder.project)
    await goes_on(without_process, folder)
    sql, count = seen
    assert [(count,)] == await rows(without_process, sql)


@on_both
async def test_a_revision_does_not_go_on_after_more_rows_than_are_kept(
    empty_url: str, tmp_path: Path
) -> None:
    many = (
        "found = sa.table('t', sa.column('n'))\n"
        "op.bulk_insert(found, [{'n': n} for n in range(10_001)])"
    )
    read = (
        "found = op.get_bind().execute(sa.text('SELECT n FROM t')).all()\n"
        "assert len(found) == 10_001"
    )
    write = "op.execute(f'INSERT INTO t (n) VALUES ({len(found)})')"
    folder = project(tmp_path, TABLE, many, read, write, FAILS)
    await stops(empty_url, folder)
    before = await rows(empty_url, "SELECT COUNT(*), MAX(n) FROM t")
    assert [(10_002, 10_001)] == before

    error = await refused(empty_url, folder)

    assert "its statement 3 cannot be done again: it returned more rows than are" in error.message
    assert "one.py:11   SELECT n FROM t" in error.message
    assert isinstance(error, HalfApplied)
    assert before == await rows(empty_url, "SELECT COUNT(*), MAX(n) FROM t")

"""Definitions of one CREATE TABLE in another, for what drift leaves as it is on SQLite."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from bootstrap.backends.sqlite.definitions import mixed
from bootstrap.schema.changes import Kind

HISTORY = """CREATE TABLE "t" (
  id INTEGER PRIMARY KEY, -- the key, (of all)
  "a,b" NUMERIC(10, 2) DEFAULT (1 + 2),
  c TEXT DEFAULT 'x, y)',
  CONSTRAINT "ck" CHECK (c IN ('a', 'b')),
  CHECK (id > 0) -- the last (one)
) STRICT"""
LIVE = """CREATE TABLE t (id INTEGER PRIMARY KEY, [A,B] TEXT, d BLOB, c INTEGER,
  CONSTRAINT ck CHECK (c > 1), CONSTRAINT other UNIQUE (d))"""


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (
            {(Kind.COLUMN, "a,b")},
            """CREATE TABLE "t" (id INTEGER PRIMARY KEY, [A,B] TEXT, c TEXT DEFAULT 'x, y)', """
            """CONSTRAINT "ck" CHECK (c IN ('a', 'b')), CHECK (id > 0)) STRICT""",
        ),
        (
            {(Kind.COLUMN, "d"), (Kind.INDEX, "other")},
            """CREATE TABLE "t" (id INTEGER PRIMARY KEY, "a,b" NUMERIC(10, 2) DEFAULT (1 + 2), """
            """c TEXT DEFAULT 'x, y)', d BLOB, CONSTRAINT "ck" CHECK (c IN ('a', 'b')), """
            """CHECK (id > 0), CONSTRAINT other UNIQUE (d)) STRICT""",
        ),
        (
            {(Kind.COLUMN, "c"), (Kind.INDEX, "ck")},
            """CREATE TABLE "t" (id INTEGER PRIMARY KEY, "a,b" NUMERIC(10, 2) DEFAULT (1 + 2), """
            """c INTEGER, CONSTRAINT ck CHECK (c > 1), CHECK (id > 0)) STRICT""",
        ),
    ],
    ids=["changed", "added", "constraint"],
)
def test_parts_of_one_statement_stand_in_the_other(
    parts: set[tuple[Kind, str]], expected: str
) -> None:
    found = mixed(LIVE, HISTORY, parts)

    assert expected == found
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(found.replace("NUMERIC(10, 2)", "REAL").replace("STRICT", ""))


def test_what_only_the_history_has_is_left_out_where_that_is_accepted() -> None:
    found = mixed(
        "CREATE TABLE t (id INTEGER)",
        "CREATE TABLE t (id INTEGER, gone TEXT)",
        {(Kind.COLUMN, "gone")},
    )

    assert "CREATE TABLE t (id INTEGER)" == found


def test_a_table_without_columns_of_its_own_stays_as_the_history_has_it() -> None:
    history = "CREATE TABLE t (gone TEXT)"

    assert history == mixed("CREATE TABLE t (id INTEGER)", history, {(Kind.COLUMN, "gone")})

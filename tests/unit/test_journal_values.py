"""The journal's pure parts: what statements mean, results as text, the order of entries."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bootstrap.backends.mysql.journal.statements import read
from bootstrap.backends.mysql.journal.targets import targets
from bootstrap.backends.mysql.journal.tokens import tokens
from bootstrap.backends.postgresql.journal import statements as of_postgresql
from bootstrap.errors import RevisionError
from bootstrap.journal import encoding
from bootstrap.journal.course import Course
from bootstrap.journal.entries import Entry, Kind, Outcome, Refusal
from bootstrap.journal.half import half_of
from bootstrap.journal.statements import Decision, Nature


@pytest.mark.parametrize(
    ("sql", "nature"),
    [
        ("SELECT 1", Nature.READS),
        ("-- a comment\n  select 1", Nature.READS),
        ("(SELECT 1) UNION (SELECT 2)", Nature.READS),
        ("WITH x AS (SELECT 1) SELECT * FROM x", Nature.READS),
        ("WITH x AS (SELECT 1) DELETE FROM t", Nature.WRITES),
        ("INSERT INTO t VALUES (1)", Nature.WRITES),
        ("LOAD DATA INFILE 'x' INTO TABLE t", Nature.WRITES),
        ("LOAD INDEX INTO CACHE t", Nature.COMMITS),
        ("CREATE TABLE t (id INTEGER)", Nature.COMMITS),
        ("/*!50001 CREATE VIEW v AS SELECT 1 */", Nature.COMMITS),
        ("CREATE TEMPORARY TABLE t (id INTEGER)", Nature.SESSION),
        ("DROP TEMPORARY TABLE t", Nature.SESSION),
        ("SET @x = 1", Nature.SESSION),
        ("SELECT MAX(id) INTO @x FROM t", Nature.SESSION),
        ("LOCK TABLES t WRITE", Nature.SESSION),
        ("BEGIN", Nature.ENDS),
        ("START TRANSACTION", Nature.ENDS),
        ("START REPLICA", Nature.COMMITS),
        ("COMMIT", Nature.ENDS),
        ("ROLLBACK TO SAVEPOINT s", Nature.UNDOES),
        ("SAVEPOINT s", Nature.READS),
        ("something new", Nature.COMMITS),
    ],
)
def test_what_a_statement_means(sql: str, nature: Nature) -> None:
    assert nature == read(sql).nature


def test_several_statements_are_told_from_a_body() -> None:
    read("CREATE TRIGGER a BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.a = 1; SET NEW.b = 2; END")
    read("INSERT INTO t VALUES ('a; b'); ")
    with pytest.raises(RevisionError, match="several statements in one string: SET @a = 1; DELETE"):
        read("SET @a = 1; DELETE FROM t WHERE s = 's3cret'")


def test_lock_tables_locks_the_journal_too() -> None:
    assert "LOCK TABLES t READ, bootstrap_journal WRITE" == read("LOCK TABLES t READ;").sent


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("CREATE TABLE IF NOT EXISTS `a b` (id INTEGER)", [("a b",)]),
        ("CREATE UNIQUE INDEX i ON d.t (id)", [("d", "t")]),
        ("DROP INDEX i ON t", [("t",)]),
        ("DROP TABLE IF EXISTS a, b", [("a",), ("b",)]),
        ("ALTER TABLE t ADD COLUMN x INTEGER", [("t",)]),
        ("ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u", [("t",), ("u",)]),
        ("RENAME TABLE a TO x, b TO a, x TO b", [("a",), ("x",), ("b",), ("a",), ("x",), ("b",)]),
        ("TRUNCATE t", [("t",)]),
        ("CREATE VIEW v AS SELECT 1", None),
    ],
)
def test_which_tables_a_statement_is_about(sql: str, named: list[tuple[str, ...]] | None) -> None:
    assert named == targets(tokens(sql))


@pytest.mark.parametrize(
    "value",
    [
        *(
            None,
            True,
            0,
            -7,
            "it's",
            1.5,
            float("inf"),
            b"\x00\xff",
            Decimal("1.50"),
            uuid.UUID(int=3),
        ),
        *(date(2026, 1, 2), datetime(2026, 1, 2, 3, 4, 5, 6), time(1, 2, 3), timedelta(-1, 2, 3)),
        *({"a", "b"}, {"a": [1, None]}, (1, (2,)), ["x"]),
    ],
)
def test_a_value_that_was_written_is_read_with_its_type(value: Any) -> None:
    outcome = Outcome(columns=(("x", 3),), rows=[(value,)], rowcount=1)

    found = encoding.read(encoding.written(outcome))

    assert outcome == found
    assert found.rows is not None
    assert type(value) is type(found.rows[0][0])


def test_what_cannot_be_written_is_said_to_be_missing() -> None:
    assert (
        encoding.read(encoding.written(Outcome(columns=(("x",),), rows=[(object(),)]))).rows is None
    )
    many = Outcome(columns=(("x",),), rows=[("x" * 1000,)] * 2000)
    assert encoding.read(encoding.written(many)).rows is None


def test_the_digest_tells_parameters_apart_by_value_and_type() -> None:
    same = encoding.digest("SELECT %s", (1,))
    assert same == encoding.digest("SELECT %s", (1,))
    others = {encoding.digest("SELECT %s", (one,)) for one in ("1", 2, Decimal(1), None, [1])}
    assert 5 == len(others - {same})


def entry(number: int, kind: Kind, outcome: Outcome | None = None) -> Entry:
    return Entry(
        number=number,
        kind=kind,
        statement=f"s{number}",
        digest=str(number),
        line=number,
        outcome=outcome or Outcome(),
    )


def test_a_refused_statement_at_the_end_is_the_one_to_correct() -> None:
    refusal = Outcome(refusal=Refusal(names=("Error", "Exception"), arguments=(1060, "x")))
    course = Course([entry(1, Kind.WRITE), entry(2, Kind.FAILED, refusal)])

    assert course.next is not None
    course.go_on()

    assert course.next is None
    assert 2 == course.numbers


@pytest.mark.parametrize("decision", list(Decision))
def test_the_last_intent_decides_how_far_a_revision_came(decision: Decision) -> None:
    entries = [entry(1, Kind.WRITE), entry(2, Kind.INTENT)]

    half = half_of(("one", "upgrade"), entries, lambda _evidence: decision)

    assert half is not None
    assert (decision, 2 if decision is Decision.APPLIED else 1) == (half.state, half.applied)
    settled = half_of(
        ("one", "upgrade"), [*entries, entry(3, Kind.SETTLED)], lambda _evidence: decision
    )
    assert settled is not None
    assert (Decision.APPLIED, 2) == (settled.state, settled.applied)


@pytest.mark.parametrize(
    ("sql", "nature"),
    [
        ("CREATE INDEX CONCURRENTLY ix ON t (n)", Nature.COMMITS),
        ("create unique index concurrently ix on t (n)", Nature.COMMITS),
        ('CREATE INDEX "CONCURRENTLY" ON t (n)', Nature.WRITES),
        ("REINDEX (VERBOSE) TABLE CONCURRENTLY t", Nature.COMMITS),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", Nature.WRITES),
        ("ALTER TABLE p DETACH PARTITION q CONCURRENTLY", Nature.COMMITS),
        ("ALTER TABLE p DETACH PARTITION q", Nature.WRITES),
        ("ALTER TYPE mood ADD VALUE 'good'", Nature.WRITES),
        ("ALTER DATABASE d SET TABLESPACE s", Nature.COMMITS),
        ("ALTER DATABASE d SET work_mem = '1MB'", Nature.WRITES),
        ("ALTER SYSTEM SET work_mem = '1MB'", Nature.COMMITS),
        ("-- VACUUM\nINSERT INTO t VALUES ('VACUUM')", Nature.WRITES),
        ("DO $x$ BEGIN VACUUM; END $x$", Nature.WRITES),
        ("SELECT 1", Nature.READS),
        ("SELECT set_config('a.b', 'c', false)", Nature.SESSION),
        ("SELECT n INTO TEMP few FROM t", Nature.SESSION),
        ("CREATE TEMP TABLE few (n integer)", Nature.SESSION),
        ("WITH x AS (DELETE FROM t RETURNING n) SELECT * FROM x", Nature.WRITES),
        ("EXPLAIN ANALYZE DELETE FROM t", Nature.WRITES),
        ("COMMIT PREPARED 'x'", Nature.COMMITS),
        ("COMMIT", Nature.SESSION),
        ("", Nature.WRITES),
    ],
)
def test_what_a_statement_means_on_postgresql(sql: str, nature: Nature) -> None:
    assert nature == of_postgresql.read(sql).nature


def test_an_interrupted_detach_is_ended_by_another_statement() -> None:
    said = of_postgresql.read("ALTER TABLE p DETACH PARTITION q CONCURRENTLY;")

    assert said.finish.endswith("*/ ALTER TABLE p DETACH PARTITION q FINALIZE;")
    assert said.sent.startswith(f"/* {of_postgresql.mark(said.sql)} */")


def test_of_many_rows_the_beginning_is_read() -> None:
    said = of_postgresql.read(f"INSERT INTO t VALUES {', '.join(['(1)'] * 2000)}")

    assert ("t", Nature.WRITES) == (said.target, said.nature)

"""Columns of large files become what single values become, in fewer steps."""

from __future__ import annotations

import random
from array import array
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import BigInteger, DateTime, Integer, String, column, make_url, table
from sqlalchemy.types import TypeEngine

from bootstrap.backends.base import Bulk
from bootstrap.backends.moments import Moments
from bootstrap.backends.mysql.bulk import MySQLBulk, _fitting
from bootstrap.backends.postgresql.bulk import PostgreSQLBulk
from bootstrap.backends.sqlite.bulk import SQLiteBulk
from bootstrap.datasets.checking.columns import Columns, columns_of
from bootstrap.datasets.checking.kinds import kind_of
from bootstrap.datasets.checking.tables import SeedTable, TableColumn
from bootstrap.datasets.reading.batches import Batch, Slot
from bootstrap.datasets.writing import large

_BULKS: tuple[tuple[Bulk, Any], ...] = tuple(
    (bulk, make_url(url).get_dialect()())
    for bulk, url in (
        (SQLiteBulk(), "sqlite://"),
        (PostgreSQLBulk(), "postgresql+asyncpg://"),
        (MySQLBulk(), "mysql+aiomysql://"),
    )
)
# Forms of a time that several texts of a column can share.
_FORMS = (
    *("2026-01-05 09:12:00.250001", "2026-01-05 09:12:00", "2026-01-05T09:12:00.250"),
    *("2026-01-05T09:12:00Z", "2026-01-05 09:12:00.250+00:00", "2026-01-05T09:12:00+00:00"),
    *("0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", "2026-01-05 23:59:59.000000"),
)
# Others, which are looked at one by one.
_OTHERS = (
    *("2026-01-05", "20260105T091200", "2026-01-05 09:12", "2026-W02-1", "2026-01-05 09:12:00,25"),
    *("2026-01-05T10:12:00+01:00", "2026-01-05 09:12:00-00:00", "2026-01-05 09:12:00.25"),
)
_WRONG = (
    *("2026-02-30 09:12:00", "2026-01-05 24:00:00", "0000-01-05 09:12:00", "2026-01-05 09:60:00"),
    *("\u0662026-01-05 09:12:00", "2026-01-05 09:12:00\n", "2026-01-05 09:12:00+25:00", "now"),
)


def _keeps_zones(bulk: Bulk) -> bool:
    """Whether columns of the backend can have a time zone."""
    return isinstance(bulk, PostgreSQLBulk)


def _table(column_type: TypeEngine[Any]) -> SeedTable:
    kind = kind_of(column_type)
    only = TableColumn(name="a", type=column_type, kind=kind, nullable=True, required=False)
    clause = table("t", column("a", column_type))
    return SeedTable(clause=clause, columns={"a": only}, primary_key=(), links=())


def _columns(column_type: TypeEngine[Any], texts: Sequence[str]) -> Columns | None:
    batch = Batch(lines=range(len(texts)), slots=(Slot("a"),), columns=[texts], unsaid="")
    return columns_of(batch, _table(column_type), {}, [])


def _values(column_type: TypeEngine[Any], texts: Sequence[str]) -> Sequence[Any]:
    found = _columns(column_type, texts)
    assert found is not None
    return found.values[Slot("a")].of


def _parsed(column_type: TypeEngine[Any], text: str) -> Any:
    kind = kind_of(column_type)
    assert kind is not None
    return kind.parse(text)


@pytest.mark.parametrize("in_utc", [True, False])
@pytest.mark.parametrize("text", _FORMS)
def test_times_of_one_form_are_texts_of_the_same_times(text: str, in_utc: bool) -> None:
    column_type = DateTime(timezone=in_utc)

    found = _values(column_type, [text, text])

    assert isinstance(found, Moments)
    expected = _parsed(column_type, text).replace(tzinfo=None).isoformat(" ", "microseconds")
    assert [expected] * 2 == found


@pytest.mark.parametrize("text", _OTHERS)
def test_times_of_other_forms_are_read_one_by_one(text: str) -> None:
    mixed = [_FORMS[0], text]

    found = _values(DateTime(timezone=True), mixed)

    assert not isinstance(found, Moments)
    assert [datetime(2026, 1, 5, 9, 12, 0, 250001, UTC), _parsed(DateTime(True), text)] == found


@pytest.mark.parametrize("text", _WRONG)
def test_times_that_there_are_not_do_not_fit(text: str) -> None:
    assert _columns(DateTime(), [text, text]) is None
    assert _columns(DateTime(), [_FORMS[1], text]) is None


@pytest.mark.parametrize(("bulk", "dialect"), _BULKS, ids=lambda one: type(one).__name__)
def test_times_are_sent_as_those_of_python_are(bulk: Bulk, dialect: Any) -> None:
    column_type = DateTime(timezone=_keeps_zones(bulk))
    texts = ["2026-01-05 09:12:00.250001", "1999-12-31 23:59:59.000001"]
    values = [_parsed(column_type, text) for text in texts]

    packed = bulk.packed([column_type], [_values(column_type, texts)], dialect)

    assert bulk.packed([column_type], [values], dialect) == packed


@pytest.mark.parametrize(("bulk", "dialect"), _BULKS, ids=lambda one: type(one).__name__)
def test_none_among_times_is_sent_as_null(bulk: Bulk, dialect: Any) -> None:
    types: list[TypeEngine[Any]] = [DateTime(timezone=_keeps_zones(bulk)), String(5)]
    texts = [Moments(["2026-01-05 09:12:00.250001", None]), ["x", "y"]]
    times = [[_parsed(types[0], "2026-01-05 09:12:00.250001"), None], ["x", "y"]]

    assert bulk.packed(types, times, dialect) == bulk.packed(types, texts, dialect)


def test_gaps_stay_where_times_are_not_said() -> None:
    found = _columns(DateTime(), ["", _FORMS[1], "", _FORMS[1]])

    assert found is not None
    assert [False, True, False, True] == [bool(shape) for shape in found.shape_of_each()]
    assert isinstance(found.values[Slot("a")].of, Moments)


@pytest.mark.parametrize("text", ["+5", " 5", "05", "1_000", "\u0665", "-0", "5\n", "true"])
def test_numbers_are_those_that_single_values_are(text: str) -> None:
    assert [_parsed(Integer(), text), 7] == _values(Integer(), [text, "7"])


_SPECIAL = (
    *("plain", "it's", "a\\b", r"\N", "a\tb", "a\nb", "a\rb", "naïve", "😀", '"', "%s", "\x7f"),
    *(";--", "/*", " ", "a,b", "('x')", "NULL", "None"),
)


@pytest.mark.parametrize("special", _SPECIAL)
def test_a_text_is_packed_alike_alone_and_among_others(special: str) -> None:
    types: list[TypeEngine[Any]] = [String(9), BigInteger(), String(9)]
    for bulk, dialect in _BULKS:
        alone = bulk.packed(types, [[special], [1], ["x"]], dialect)
        among = bulk.packed(types, [["y", special, "z"], [2, 1, None], ["y", "x", None]], dialect)

        assert _rows(alone)[0] == _rows(among)[1]
        assert 3 == len(_rows(among))


def _rows(packed: Any) -> Sequence[Any]:
    if isinstance(packed, tuple):  # SQLite's, value by value
        return [packed[start : start + 3] for start in range(0, len(packed), 3)]
    found: Sequence[Any] = packed.splitlines() if isinstance(packed, bytes) else packed
    return found


def test_what_could_end_a_literal_is_sent_in_hexadecimal_digits() -> None:
    (row,) = MySQLBulk().packed([String(9)] * 3, [["it's"], ["\\"], ["é"]], _BULKS[-1][1])

    assert "(_utf8mb4 X'69742773',_utf8mb4 X'5c',_utf8mb4 X'c3a9')" == row


@pytest.mark.parametrize("size", [1, 9, 10, 25, 60, 1000])
def test_statements_have_all_rows_and_are_no_longer_than_asked_for(size: int) -> None:
    packed = [["(1)", "(22)"], ["(333)"], ["(4444)", "(5)", "(6)"], ["(7)"] * 9]

    found = list(_fitting(packed, size))

    assert ",".join(found) == ",".join(row for batch in packed for row in batch)
    assert all(len(one) <= size or "," not in one for one in found)


def test_of_many_hashes_the_repeated_ones_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "_AT_ONCE", 100)
    chance = random.Random(1)
    edges = [-(2**63), 2**63 - 1, 0, -1, 2**63 - 1]
    some = [chance.randrange(-(2**63), 2**63) for _ in range(1000)]
    every = [*some, *chance.sample(some, 20), *edges, *[7] * 3]
    chance.shuffle(every)

    for hashes in (every, every[:100], every[:101], [], [5, 5]):
        expected = {one for one, times in Counter(hashes).items() if times > 1}
        assert expected == large._repeated(array("q", hashes))

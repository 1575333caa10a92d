"""The types of `bootstrap.types` without a server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, Table, column, literal, make_url, select
from sqlalchemy.types import TypeEngine

from bootstrap.types import ExactDecimal, ExactString, UtcDateTime, ascii_lower, utc_now

URLS = (
    "postgresql+asyncpg://",
    "mysql+aiomysql://",
    "mariadb+aiomysql://",
    "sqlite+aiosqlite://",
)
LATER = datetime(2026, 1, 5, 9, 12, 0, 7, tzinfo=timezone(timedelta(hours=2)))


@pytest.fixture(params=URLS)
def dialect(request: pytest.FixtureRequest) -> Any:
    return make_url(request.param).get_dialect()()


def binding(type_: TypeEngine[Any], dialect: Any) -> Callable[[Any], Any]:
    processor = type_.dialect_impl(dialect).bind_processor(dialect)
    assert processor is not None
    return processor


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        (ExactString(50), "ExactString(length=50)"),
        (ExactDecimal(12, 2), "ExactDecimal(precision=12, scale=2)"),
        (UtcDateTime(), "UtcDateTime()"),
    ],
)
def test_a_type_is_written_as_it_is_constructed(type_: TypeEngine[Any], expected: str) -> None:
    assert expected == repr(type_)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (URLS[0], 'VARCHAR(50) COLLATE "C"'),
        (URLS[1], "VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin"),
        (URLS[2], "VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"),
        (URLS[3], "VARCHAR(50)"),
    ],
)
def test_an_exact_string_names_a_collation_without_padding(url: str, expected: str) -> None:
    dialect = make_url(url).get_dialect()()

    assert expected == ExactString(50).compile(dialect)


def test_a_mysql_url_that_leads_to_mariadb_takes_the_collation_of_mariadb() -> None:
    dialect: Any = make_url("mysql+aiomysql://").get_dialect()()
    before = ExactString(50).compile(dialect)
    dialect.is_mariadb = True  # what SQLAlchemy sets after connecting

    assert before.endswith("utf8mb4_0900_bin")
    assert ExactString(50).compile(dialect).endswith("utf8mb4_nopad_bin")


@pytest.mark.parametrize(("precision", "scale"), [(16, 2), (5, 6), (5, -1)])
def test_a_decimal_that_a_double_cannot_hold_is_refused_when_it_is_declared(
    precision: int, scale: int
) -> None:
    with pytest.raises(ValueError, match=r"0 <= scale <= precision <= 15"):
        ExactDecimal(precision, scale)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("1.005", "1.01"),
        ("-1.005", "-1.01"),
        ("1.004", "1.00"),
        ("7", "7.00"),
        ("999.994", "999.99"),
    ],
)
def test_a_decimal_is_rounded_half_away_from_zero(dialect: Any, given: str, expected: str) -> None:
    bound = binding(ExactDecimal(5, 2), dialect)(Decimal(given))

    assert Decimal(expected) == Decimal(str(bound))


@pytest.mark.parametrize("given", ["999.995", "-1000", "1e30", "NaN", "sNaN", "Infinity"])
def test_a_decimal_that_does_not_fit_is_refused(dialect: Any, given: str) -> None:
    with pytest.raises(ValueError, match=r"does not fit into NUMERIC\(5, 2\)"):
        binding(ExactDecimal(5, 2), dialect)(Decimal(given))


def test_a_float_is_no_exact_decimal(dialect: Any) -> None:
    with pytest.raises(TypeError, match="give a Decimal or an int"):
        binding(ExactDecimal(5, 2), dialect)(0.1)


def test_a_time_without_a_zone_is_refused(dialect: Any) -> None:
    naive = LATER.replace(tzinfo=None)

    with pytest.raises(ValueError, match="has no time zone"):
        binding(UtcDateTime(), dialect)(naive)


def test_a_string_with_a_nul_is_refused(dialect: Any) -> None:
    with pytest.raises(ValueError, match=r"U\+0000"):
        binding(ExactString(5), dialect)("a\0b")


def test_nothing_stays_nothing(dialect: Any) -> None:
    types = (ExactString(5), UtcDateTime(), ExactDecimal(5, 2))

    assert [None] * 3 == [binding(type_, dialect)(None) for type_ in types]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (URLS[0], "'2026-01-05 07:12:00.000007+00:00'"),
        (URLS[1], "'2026-01-05 07:12:00.000007'"),
        (URLS[2], "'2026-01-05 07:12:00.000007'"),
        (URLS[3], "'2026-01-05 07:12:00.000007'"),
    ],
)
def test_a_time_in_an_offline_script_is_utc_with_microseconds(url: str, expected: str) -> None:
    dialect = make_url(url).get_dialect()()
    statement = select(literal(LATER, UtcDateTime()).label("t"))

    sql = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))

    assert expected in sql


def test_a_price_in_an_offline_script_has_its_scale(dialect: Any) -> None:
    statement = select(literal(Decimal("9.5"), ExactDecimal(12, 2)).label("price"))

    sql = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))

    assert "SELECT 9.5" in sql


def test_two_lengths_or_scales_are_two_types_for_the_statement_cache() -> None:
    table = Table("t", MetaData(), Column("a", ExactDecimal(5, 2)), Column("b", ExactDecimal(5, 3)))

    assert table.c.a.type._static_cache_key != table.c.b.type._static_cache_key
    assert ExactString(5)._static_cache_key != ExactString(6)._static_cache_key


def test_a_compared_number_is_not_rounded_to_the_scale() -> None:
    condition: Any = column("price", ExactDecimal(5, 2)) == Decimal("9.999")

    assert not isinstance(condition.right.type, ExactDecimal)


def test_a_compared_time_is_converted_and_a_duration_is_not() -> None:
    created: Any = column("created_at", UtcDateTime())

    assert isinstance((created > LATER).right.type, UtcDateTime)
    assert not isinstance((created - timedelta(hours=1)).right.type, UtcDateTime)


def test_ascii_lower_names_each_capital_once() -> None:
    sql = str(ascii_lower(column("email")).compile(compile_kwargs={"literal_binds": True}))

    assert 26 == sql.count("replace(")
    assert "'A', 'a'" in sql
    assert "'Z', 'z'" in sql


def test_utc_now_gives_aware_times() -> None:
    assert isinstance(utc_now().type, UtcDateTime)

"""The types of `bootstrap.types` mean the same on every backend."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap.database import Database
from bootstrap.types import ExactDecimal, ExactString, UtcDateTime, ascii_lower, utc_now

THINGS = Table(
    "things",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", ExactString(50), unique=True),
    Column("price", ExactDecimal(15, 4)),
    Column("seen_at", UtcDateTime(), server_default=utc_now()),
)
PROPERTY = settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PRICES = st.decimals(min_value=-99999999999, max_value=99999999999, places=4, allow_nan=False)
ZONES = st.timezones() | st.integers(-839, 839).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)
# MySQL's DATETIME ends with the year 9999, and begins with 1000 by its manual.
TIMES = st.datetimes(datetime(1000, 1, 3), datetime(9999, 12, 29), timezones=ZONES)
# No lone surrogates: they are no characters, and no driver can send them.
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50)


@pytest.fixture
async def connection(empty_url: str) -> AsyncIterator[AsyncConnection]:
    async with Database.of(empty_url).connect() as connection:
        await connection.run_sync(THINGS.metadata.create_all)
        yield connection


async def stored(connection: AsyncConnection, column: str, values: list[Any]) -> list[Any]:
    """Writes values as rows, and reads them again."""
    await connection.execute(THINGS.delete())
    if values:
        rows = [{"id": number, column: value} for number, value in enumerate(values, start=1)]
        await connection.execute(insert(THINGS), rows)
    found = await connection.execute(select(THINGS.c[column]).order_by(THINGS.c.id))
    return list(found.scalars())


@PROPERTY
@given(prices=st.lists(PRICES, max_size=40))
async def test_decimals_come_back_exactly(
    connection: AsyncConnection, prices: list[Decimal]
) -> None:
    found = await stored(connection, "price", prices)

    assert [str(price) for price in prices] == [str(price) for price in found]


@PROPERTY
@given(times=st.lists(TIMES, max_size=40))
async def test_times_come_back_as_the_same_points_in_utc(
    connection: AsyncConnection, times: list[datetime]
) -> None:
    found = await stored(connection, "seen_at", times)

    assert [time.astimezone(UTC) for time in times] == found
    assert all(time.tzinfo is UTC for time in found)


@PROPERTY
@given(names=st.lists(NAMES, max_size=40, unique=True))
async def test_strings_come_back_and_are_told_apart_and_sorted_by_code_point(
    connection: AsyncConnection, names: list[str]
) -> None:
    found = await stored(connection, "name", names)
    ordered = await connection.execute(select(THINGS.c.name).order_by(THINGS.c.name))

    assert names == found
    assert sorted(names) == list(ordered.scalars())


@pytest.mark.parametrize("twin", ["Ada", "ada ", "áda", "a\u0301da", "\uff41da", "adä"], ids=ascii)
async def test_twins_are_different(connection: AsyncConnection, twin: str) -> None:
    await stored(connection, "name", ["ada", twin])

    same = await connection.scalar(
        select(func.count()).select_from(THINGS).where(THINGS.c.name == twin)
    )

    assert 1 == same


async def test_the_same_string_twice_is_refused(connection: AsyncConnection) -> None:
    with pytest.raises(IntegrityError):
        await stored(connection, "name", ["ada", "ada"])


async def test_the_server_rounds_as_the_type_does(connection: AsyncConnection) -> None:
    """What makes half away from zero the right rule: the servers themselves do it."""
    if connection.dialect.name == "sqlite":
        pytest.skip("keeps what it is given; the reference schema has a CHECK")
    await connection.execute(
        text("INSERT INTO things (id, price) VALUES (1, 1.00005), (2, -1.00005), (3, 1.00004)")
    )
    by_server = (await connection.execute(select(THINGS.c.price).order_by(THINGS.c.id))).scalars()

    expected = [Decimal("1.0001"), Decimal("-1.0001"), Decimal("1.0000")]
    assert expected == list(by_server)
    given_values = [Decimal("1.00005"), Decimal("-1.00005"), Decimal("1.00004")]
    assert expected == await stored(connection, "price", given_values)


async def test_sums_are_exact(connection: AsyncConnection) -> None:
    await stored(connection, "price", [Decimal("0.1")] * 30)

    total = await connection.scalar(select(func.sum(THINGS.c.price)))

    assert "3.0000" == str(total)


async def test_a_product_keeps_its_digits(connection: AsyncConnection) -> None:
    await stored(connection, "price", [Decimal("1.2345")])

    product = await connection.scalar(select(THINGS.c.price * THINGS.c.price))

    assert Decimal("1.52399025") == product


async def test_a_price_is_found_by_its_value_and_not_by_one_that_rounds_to_it(
    connection: AsyncConnection,
) -> None:
    await stored(connection, "price", [Decimal("10.0000")])

    async def found(price: Decimal) -> bool:
        return bool((await connection.scalars(select(1).where(THINGS.c.price == price))).all())

    assert await found(Decimal(10))
    assert not await found(Decimal("9.99999"))


async def test_a_time_is_found_from_another_zone(connection: AsyncConnection) -> None:
    time = datetime(2026, 1, 5, 9, 12, 0, 7, tzinfo=UTC)
    await stored(connection, "seen_at", [time])
    elsewhere = time.astimezone(timezone(timedelta(hours=-7)))

    assert [1] == list(await connection.scalars(select(1).where(THINGS.c.seen_at == elsewhere)))
    assert [] == list(await connection.scalars(select(1).where(THINGS.c.seen_at > elsewhere)))


async def test_a_time_without_a_zone_is_refused_before_it_is_sent(
    connection: AsyncConnection,
) -> None:
    with pytest.raises(StatementError, match="has no time zone"):
        await stored(connection, "seen_at", [datetime(2026, 1, 5)])


async def test_the_default_is_the_present_time_whatever_the_zone_of_the_session(
    connection: AsyncConnection,
) -> None:
    zones = {
        "postgresql": "SET TIME ZONE 'Asia/Tokyo'",
        "mysql": "SET time_zone = '+09:00'",
        "mariadb": "SET time_zone = '+09:00'",
    }
    await connection.rollback()
    await connection.run_sync(THINGS.metadata.create_all)
    await connection.commit()
    if sql := zones.get(connection.dialect.name):
        await connection.execute(text(sql))
        await connection.commit()
    before = datetime.now(UTC)
    await connection.execute(insert(THINGS), [{"id": 1}])
    by_default = await connection.scalar(select(THINGS.c.seen_at))
    by_statement = await connection.scalar(select(utc_now()))

    assert by_default is not None
    assert by_statement is not None
    assert UTC is by_default.tzinfo
    assert timedelta(seconds=5) > abs(by_default - before)
    assert timedelta(seconds=5) > abs(by_statement - before)


async def test_ascii_lower_lowers_the_letters_a_to_z_and_nothing_else(
    connection: AsyncConnection,
) -> None:
    await stored(connection, "name", ["AZaz09@.ÄÉİΣЖ"])

    lowered = await connection.scalar(select(ascii_lower(THINGS.c.name)))

    assert "azaz09@.ÄÉİΣЖ" == lowered

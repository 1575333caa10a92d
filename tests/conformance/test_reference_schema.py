"""The reference schema means the same on every backend, made by the models or by migrations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import selectinload

from bootstrap import backends
from bootstrap.database import Database
from bootstrap.reference import Item, User, metadata
from tests.catalogues import catalogue, read

ROOT = Path(__file__).parents[2]
ADA = {"username": "ada", "email": "ada@example.com", "hashed_password": "x"}
SCRIPTS = ScriptDirectory(str(ROOT / "migrations"))
HISTORY = [revision.revision for revision in SCRIPTS.walk_revisions()][::-1]


def config(connection: Connection) -> Config:
    """The project's configuration, with a connection handed to env.py."""
    attributes = {"connection": connection, "configure_logger": False}
    return Config(ROOT / "alembic.ini", attributes=attributes)


async def upgrade(connection: AsyncConnection, revision: str) -> None:
    await connection.run_sync(lambda sync: command.upgrade(config(sync), revision))


async def downgrade(connection: AsyncConnection, revision: str) -> None:
    await connection.run_sync(lambda sync: command.downgrade(config(sync), revision))


@pytest.fixture
async def empty(empty_url: str) -> AsyncIterator[AsyncConnection]:
    async with Database.of(empty_url).connect() as connection:
        yield connection


@pytest.fixture
async def connection(empty: AsyncConnection) -> AsyncConnection:
    """A connection to a database that migrations made."""
    await upgrade(empty, "head")
    return empty


async def test_models_and_migrations_make_the_same_schema(empty: AsyncConnection) -> None:
    await upgrade(empty, "head")
    migrated = await empty.run_sync(read)
    await empty.rollback()
    await downgrade(empty, "base")
    left = await empty.run_sync(read)
    await empty.run_sync(metadata.create_all)
    created = await empty.run_sync(read)

    assert {} == left
    assert ["items", "users"] == sorted(created)
    assert created == migrated


async def test_each_revision_can_be_undone_and_done_again(empty: AsyncConnection) -> None:
    before = await empty.run_sync(read)
    await empty.rollback()
    for revision in HISTORY:
        seen = []
        for move, target in ((upgrade, revision), (downgrade, "-1"), (upgrade, revision)):
            await move(empty, target)
            seen.append(await empty.run_sync(read))
            await empty.rollback()

        assert seen[0] != before, revision
        assert [seen[0], before, seen[0]] == seen, revision
        before = seen[0]


async def test_every_constraint_has_the_name_of_the_convention(connection: AsyncConnection) -> None:
    tables = await connection.run_sync(read)
    features = backends.of_dialect(connection.dialect).features
    held_by_type = {"username_length", "email_length", "hashed_password_length", "name_length"}
    held_by_type |= {"created_at_time"}
    users = {"email_lower"}
    users |= set() if features.enforces_types else held_by_type
    users |= set() if features.native_booleans else {"is_active_boolean"}
    items = {"price_range"}
    items |= set() if features.enforces_types else {"name_length", "price_scale"}

    assert {f"ck_users_{name}" for name in users} == set(tables["users"]["checks"])
    assert {f"ck_items_{name}" for name in items} == set(tables["items"]["checks"])
    assert {"uq_users_email", "uq_users_username"} == set(tables["users"]["uniques"])
    assert {"fk_items_owner_id_users"} == set(tables["items"]["foreign keys"])
    assert {"ix_items_owner_id"} == set(tables["items"]["indexes"])


async def test_defaults_fill_what_is_left_out(connection: AsyncConnection) -> None:
    await connection.execute(insert(User), [ADA])
    user = (await connection.execute(select(User))).one()

    assert ("", True) == (user.name, user.is_active)
    assert timedelta(seconds=5) > abs(datetime.now(UTC) - user.created_at)


async def test_a_user_comes_back_as_it_was(connection: AsyncConnection) -> None:
    created = datetime(2026, 1, 5, 9, 12, 0, 7, tzinfo=UTC)
    async with AsyncSession(connection) as session:
        items = [Item(name="pen", price=Decimal("1.10")), Item(name="pen", price=Decimal(0))]
        session.add(User(**ADA, name="Ada Ŀ", is_active=False, created_at=created, items=items))
        await session.flush()
        session.expunge_all()
        found = (await session.scalars(select(User).options(selectinload(User.items)))).one()

        assert ("ada", "Ada Ŀ", False, created) == (
            found.username,
            found.name,
            found.is_active,
            found.created_at,
        )
        assert ["0.00", "1.10"] == sorted(str(item.price) for item in found.items)
        assert found is found.items[0].owner


@pytest.mark.parametrize(
    ("table", "column", "length"),
    [
        (User, "username", 50),
        (User, "email", 255),
        (User, "hashed_password", 255),
        (User, "name", 100),
        (Item, "name", 100),
    ],
)
async def test_the_longest_string_fits_and_a_longer_one_is_refused(
    connection: AsyncConnection, table: Any, column: str, length: int
) -> None:
    await connection.execute(insert(User), [ADA])
    owner = (await connection.execute(select(User.id))).scalar_one()
    row = {"name": "pen", "price": Decimal(1), "owner_id": owner}
    if table is User:
        row = {"username": "b", "email": "b@example.com", "hashed_password": "x"}
    await connection.execute(insert(table), [row | {column: "ŀ" * length}])

    with pytest.raises(DBAPIError):
        await connection.execute(insert(table), [row | {column: "ŀ" * (length + 1)}])


@pytest.mark.parametrize("username", ["Ada", "ada ", "áda"], ids=ascii)
async def test_usernames_that_differ_by_case_accent_or_a_space_are_different(
    connection: AsyncConnection, username: str
) -> None:
    twin = ADA | {"username": username, "email": "twin@example.com"}
    await connection.execute(insert(User), [ADA, twin])

    found = await connection.scalars(select(User.email).where(User.username == username))

    assert ["twin@example.com"] == list(found)


@pytest.mark.parametrize("column", ["username", "email"])
async def test_a_username_and_an_email_are_unique(connection: AsyncConnection, column: str) -> None:
    other = {"username": "b", "email": "b@example.com", "hashed_password": "x"}

    with pytest.raises(IntegrityError):
        await connection.execute(insert(User), [ADA, other | {column: ADA[column]}])


@pytest.mark.parametrize("email", ["Ada@example.com", "ada@example.coM", "adaZ@example.com"])
async def test_an_email_with_capitals_is_refused(connection: AsyncConnection, email: str) -> None:
    with pytest.raises(DBAPIError):
        await connection.execute(insert(User), [ADA | {"email": email}])


async def test_an_email_may_have_other_letters(connection: AsyncConnection) -> None:
    await connection.execute(insert(User), [ADA | {"email": "Äß+İ@bücher.example"}])

    assert "Äß+İ@bücher.example" == await connection.scalar(select(User.email))


@pytest.mark.parametrize("price", ["-0.01", "10000000000", "10000000000.00"])
async def test_a_price_outside_its_range_is_refused_in_plain_sql(
    connection: AsyncConnection, price: str
) -> None:
    await connection.execute(insert(User), [ADA])

    with pytest.raises(DBAPIError):
        await connection.execute(
            text(f"INSERT INTO items (name, price, owner_id) SELECT 'pen', {price}, id FROM users")
        )


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_a_price_is_a_number(connection: AsyncConnection) -> None:
    await connection.execute(insert(User), [ADA])

    with pytest.raises(IntegrityError, match="ck_items_price_range"):
        await connection.execute(
            text("INSERT INTO items (name, price, owner_id) SELECT 'pen', 'NaN', id FROM users")
        )


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("price", "1.234"),
        ("price", "'cheap'"),
        ("price", "x'00'"),
        ("price", "9e999"),
        ("is_active", "2"),
        ("is_active", "'yes'"),
        ("created_at", "'yesterday'"),
        ("created_at", "'2026-01-05 09:12:00'"),
        ("created_at", "'2026-13-05 09:12:00.000000'"),
        ("created_at", "1767604320"),
    ],
)
async def test_what_the_types_of_a_server_refuse_a_check_refuses_on_sqlite(
    connection: AsyncConnection, column: str, value: str
) -> None:
    await connection.execute(insert(User), [ADA])
    await connection.execute(insert(Item), [{"name": "pen", "price": Decimal(1), "owner_id": 1}])
    table = "items" if column == "price" else "users"

    with pytest.raises(IntegrityError, match=f"ck_{table}_{column}"):
        await connection.execute(text(f"UPDATE {table} SET {column} = {value}"))


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
@settings(
    max_examples=20,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(prices=st.lists(st.decimals(0, Decimal("9999999999.99"), places=2), max_size=100))
async def test_every_price_passes_the_check_of_its_scale(
    connection: AsyncConnection, prices: list[Decimal]
) -> None:
    await connection.execute(delete(User))
    await connection.execute(delete(Item))
    await connection.execute(insert(User), [ADA | {"id": 1}])
    rows = [{"name": "pen", "price": price, "owner_id": 1} for price in prices]
    if rows:
        await connection.execute(insert(Item), rows)

    found = await connection.scalars(select(Item.price).order_by(Item.id))

    assert [str(price) for price in prices] == [str(price) for price in found]


@pytest.mark.parametrize("backend_name", ["mysql", "mariadb"], indirect=True)
async def test_a_boolean_is_nothing_but_true_or_false(connection: AsyncConnection) -> None:
    await connection.execute(insert(User), [ADA])

    with pytest.raises(DBAPIError, match="ck_users_is_active_boolean"):
        await connection.execute(text("UPDATE users SET is_active = 2"))


async def test_the_items_of_a_deleted_user_go_with_it(connection: AsyncConnection) -> None:
    if connection.dialect.name == "sqlite":
        await connection.execute(text("PRAGMA foreign_keys=ON"))
    await connection.execute(insert(User), [ADA])
    owner = await connection.scalar(select(User.id))
    await connection.execute(
        insert(Item), [{"name": "pen", "price": Decimal(1), "owner_id": owner}]
    )
    await connection.execute(delete(User))

    assert [] == list(await connection.scalars(select(Item.id)))


async def test_an_id_is_never_used_again(connection: AsyncConnection) -> None:
    async def add(username: str) -> int:
        row = ADA | {"username": username, "email": f"{username}@example.com"}
        await connection.execute(insert(User), [row])
        found = await connection.scalar(select(User.id).where(User.username == username))
        assert found is not None
        return found

    first = await add("a")
    await connection.execute(delete(User))

    assert await add("b") > first


async def test_an_id_has_64_bits(connection: AsyncConnection) -> None:
    await connection.execute(insert(User), [ADA | {"id": 2**63 - 2}])

    assert 2**63 - 2 == await connection.scalar(select(User.id))


async def test_the_catalogue_sees_a_difference(empty_url: str) -> None:
    """The control for the comparisons above."""
    async with Database.of(empty_url).connect() as connection:
        await upgrade(connection, "lower_emails")
        before = await catalogue(empty_url)
        await connection.rollback()
        await upgrade(connection, "head")

    assert before != await catalogue(empty_url)

"""The main job: the command takes each backend from nothing to the same schema and rows."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, select
from sqlalchemy import types as sa
from sqlalchemy.ext.asyncio import AsyncSession

import bootstrap
from bootstrap.records.names import TOOL_TABLES
from bootstrap.reference import Item, User, datasets_folder
from tests import commands

ROOT = Path(__file__).parents[2]

# What every backend must end with: type, whether NULL is allowed, whether there is a default.
SCHEMA = {
    "users": {
        "columns": {
            "id": ("integer", False, False),
            "username": ("string(50)", False, False),
            "email": ("string(255)", False, False),
            "hashed_password": ("string(255)", False, False),
            "name": ("string(100)", False, True),
            "is_active": ("boolean", False, True),
            "created_at": ("time", False, True),
        },
        "primary key": ("id",),
        "uniques": [("email",), ("username",)],
        "foreign keys": [],
        "indexes": [],
    },
    "items": {
        "columns": {
            "id": ("integer", False, False),
            "name": ("string(100)", False, False),
            "price": ("decimal(12,2)", False, False),
            "owner_id": ("integer", False, False),
        },
        "primary key": ("id",),
        "uniques": [],
        "foreign keys": [(("owner_id",), "users", ("id",), "CASCADE")],
        "indexes": [("owner_id",)],
    },
}


def command(program: str, *arguments: str, url: str) -> subprocess.CompletedProcess[str]:
    """Runs `bootstrap` or `alembic` on the repository's own project."""
    environ = {**os.environ, "DATABASE_URL": url}
    return commands.run(program, *arguments, cwd=ROOT, environ=environ, timeout=120)


def meaning(connection: Connection) -> dict[str, Any]:
    """The schema without what is only spelled differently."""
    inspector = inspect(connection)
    names = set(inspector.get_table_names()) - TOOL_TABLES
    return {table: _table(inspector, table) for table in sorted(names)}


def _table(inspector: Any, table: str) -> dict[str, Any]:
    uniques = [tuple(one["column_names"]) for one in inspector.get_unique_constraints(table)]
    return {
        "columns": {
            one["name"]: (_kind(one["type"]), one["nullable"], _default(one))
            for one in inspector.get_columns(table)
        },
        "primary key": tuple(inspector.get_pk_constraint(table)["constrained_columns"]),
        "uniques": sorted(uniques),
        "foreign keys": [
            (
                tuple(one["constrained_columns"]),
                one["referred_table"],
                tuple(one["referred_columns"]),
                one["options"]["ondelete"],
            )
            for one in inspector.get_foreign_keys(table)
        ],
        # MySQL shows the index behind a unique constraint as well.
        "indexes": [
            tuple(one["column_names"]) for one in inspector.get_indexes(table) if not one["unique"]
        ],
    }


def _kind(column_type: Any) -> str:
    name = column_type.__class__.__name__
    match column_type:
        case sa.String():
            return f"string({column_type.length})"
        case sa.Numeric():
            return f"decimal({column_type.precision},{column_type.scale})"
        case sa.DateTime():
            return "time"
        case sa.Integer():
            return "boolean" if name == "TINYINT" else "integer"
    return str(name).lower()


def _default(column: Any) -> bool:
    """Whether there is a default; that an id counts up by itself is none."""
    return column["default"] is not None and column["name"] != "id"


async def read(url: str) -> dict[str, Any]:
    async with bootstrap.Database.of(url).connect() as connection:
        return await connection.run_sync(meaning)


async def test_every_backend_ends_with_the_same_schema_and_is_empty_again(fresh_url: str) -> None:
    up = command("bootstrap", "up", url=fresh_url)
    after_up = await read(fresh_url)
    down = command("bootstrap", "downgrade", "base", "--yes", url=fresh_url)
    after_down = await read(fresh_url)

    assert (0, 0) == (up.returncode, down.returncode), up.stderr + down.stderr
    assert "alembic_version" in after_up
    assert {"users": after_up["users"], "items": after_up["items"]} == SCHEMA
    assert {"users", "items", "alembic_version"} == set(after_up)
    assert {"alembic_version"} == set(after_down)


async def test_up_twice_changes_nothing_and_alembic_agrees(fresh_url: str) -> None:
    first = command("bootstrap", "up", url=fresh_url)
    second = command("bootstrap", "up", url=fresh_url)
    current = command("alembic", "current", url=fresh_url)
    check = command("alembic", "check", url=fresh_url)

    assert (0, 0) == (first.returncode, second.returncode), first.stderr + second.stderr
    assert "12 inserted, 0 updated, 0 unchanged" in first.stdout
    assert "0 inserted, 0 updated, 12 unchanged" in second.stdout
    assert second.stdout.endswith("Nothing was left to do.\n")
    assert "widen_usernames (head)" in current.stdout
    assert (0, True) == (check.returncode, "No new upgrade operations" in check.stdout)


async def test_the_rows_are_the_same_everywhere(fresh_url: str) -> None:
    project = bootstrap.Project.at(ROOT / "alembic.ini")

    await bootstrap.up(fresh_url, project=project, datasets=datasets_folder())

    async with bootstrap.Database.of(fresh_url).connect() as connection:
        session = AsyncSession(connection)
        users = list(await session.scalars(select(User.email).order_by(User.email)))
        prices = await session.scalars(select(Item.price).order_by(Item.price, Item.name))
        assert 4 == len(users)
        assert users == [email.lower() for email in users]
        assert {-2} == {price.as_tuple().exponent for price in prices}
        await session.close()

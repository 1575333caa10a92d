"""What a server says about the tables of a database, as a value that compares."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, inspect

from bootstrap.database import Database
from bootstrap.records.names import TOOL_TABLES

Catalogue = dict[str, dict[str, Any]]


async def catalogue(url: str) -> Catalogue:
    """The tables of a database, but for Alembic's own."""
    async with Database.of(url).connect() as connection:
        return await connection.run_sync(read)


def read(connection: Connection) -> Catalogue:
    """The tables that a connection sees, but for Alembic's own."""
    inspector = inspect(connection)
    return {
        table: {
            "columns": [
                (column["name"], repr(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(table)
            ],
            "primary key": inspector.get_pk_constraint(table)["constrained_columns"],
            "uniques": _by_name(inspector.get_unique_constraints(table)),
            "foreign keys": _by_name(inspector.get_foreign_keys(table)),
            "checks": _by_name(inspector.get_check_constraints(table)),
            "indexes": _by_name(inspector.get_indexes(table)),
        }
        for table in inspector.get_table_names()
        if table not in TOOL_TABLES | {"alembic_version"}
    }


def _by_name(found: list[Any]) -> dict[str, dict[str, Any]]:
    return {entry["name"]: dict(entry) for entry in found}

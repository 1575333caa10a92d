"""What a database holds, as a value: its canonical schema and all rows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL, Connection, Select, inspect, literal_column, select, table

from bootstrap.database import Database
from bootstrap.records.names import LOG
from bootstrap.schema.model import Schema


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The schema, and the rows of each table, Alembic's own included."""

    schema: Schema
    rows: Mapping[str, tuple[str, ...]]


def contents(url: URL) -> Contents:
    """Reads a database; there must be no loop in this thread."""
    return asyncio.run(_contents(Database.of(url)))


async def _contents(database: Database) -> Contents:
    async with database.connect() as connection:
        schema = (await connection.run_sync(database.backend.catalog.read)).without((LOG,))
        rows = await connection.run_sync(_rows)
    return Contents(schema=schema, rows=rows)


def _rows(connection: Connection) -> Mapping[str, tuple[str, ...]]:
    found = {}
    for name in sorted({*inspect(connection).get_table_names()} - {LOG}):
        every: Select[Any] = select(literal_column("*")).select_from(table(name))
        found[name] = tuple(sorted(repr(tuple(row)) for row in connection.execute(every)))
    return found

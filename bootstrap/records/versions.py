"""Reads Alembic's version table, on a connection of our own."""

from __future__ import annotations

from sqlalchemy import ColumnClause, column, inspect, select, table
from sqlalchemy.engine import Connection

from bootstrap.database import Database


async def read_heads(
    database: Database, *, version_table: str, schema: str | None
) -> tuple[str, ...]:
    """Reads the revisions that a database is at, sorted; empty when it was never migrated.

    Args:
        database: Where to look; a fresh connection is opened.
        version_table: Alembic's table, `alembic_version` unless env.py says otherwise.
        schema: Its schema; None for the default one.

    Raises:
        DatabaseError: The table could not be read.
    """

    def read(connection: Connection) -> tuple[str, ...]:
        if not inspect(connection).has_table(version_table, schema=schema):
            return ()
        number: ColumnClause[str] = column("version_num")
        rows = connection.execute(select(number).select_from(table(version_table, schema=schema)))
        return tuple(sorted(row[0] for row in rows))

    async with database.connect() as connection:
        with database.translated("cannot read the revision of"):
            return await connection.run_sync(read)

"""Reads Alembic's version table, on a connection of our own."""

from __future__ import annotations

from sqlalchemy import ColumnClause, column, inspect, select, table
from sqlalchemy.engine import Connection

from bootstrap.targets import Place


async def read_heads(place: Place, *, version_table: str, schema: str | None) -> tuple[str, ...]:
    """Reads the revisions that a database is at, sorted; empty when it was never migrated.

    Args:
        place: Where to look.
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

    async with place.connect() as connection:
        with place.database.translated("cannot read the revision of"):
            return await connection.run_sync(read)

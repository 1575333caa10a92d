"""SQLite's catalogue, read into the model."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from bootstrap.backends.rows import hashed
from bootstrap.backends.sqlite.catalog import queries, reading
from bootstrap.schema.model import Schema


class SQLiteCatalog:
    """Reads `sqlite_master` and the pragmas; what these do not say stands in CREATE TABLE."""

    def read(self, connection: Connection, tables: Sequence[str] | None = None) -> Schema:
        """Reads the schema, or only the tables named."""
        return reading.schema(queries.rows(connection, tables))

    def fingerprint(self, connection: Connection, tables: Sequence[str] | None = None) -> str:
        """A hash of the statements that `sqlite_master` holds."""
        return hashed({"master": queries.master(connection, tables)})

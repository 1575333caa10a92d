"""PostgreSQL's catalogue, read into the model."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from bootstrap.backends.postgresql.catalog import queries, reading
from bootstrap.backends.rows import hashed
from bootstrap.schema.model import Schema


class PostgreSQLCatalog:
    """Reads pg_catalog: some fifteen queries, whatever the number of tables.

    Definitions are written as the connection's `search_path` makes the server write them.
    """

    def read(self, connection: Connection, tables: Sequence[str] | None = None) -> Schema:
        """Reads the schema, or only the tables named, as `name` or `schema.name`."""
        return reading.schema(queries.rows(connection, tables))

    def fingerprint(self, connection: Connection, tables: Sequence[str] | None = None) -> str:
        """A hash of the catalogue's rows, with owners and rights."""
        return hashed(queries.rows(connection, tables))

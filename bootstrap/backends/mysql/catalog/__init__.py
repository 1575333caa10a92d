"""MySQL's catalogue, read into the model; MariaDB has other words for parts of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from sqlalchemy import Connection

from bootstrap.backends.mysql.catalog import fingerprint, queries, reading
from bootstrap.backends.mysql.catalog.wording import Wording
from bootstrap.backends.rows import hashed
from bootstrap.schema.model import Schema


class MySQLCatalog:
    """Reads information_schema: some fifteen queries, whatever the number of tables."""

    wording: ClassVar[Wording] = Wording()

    def read(self, connection: Connection, tables: Sequence[str] | None = None) -> Schema:
        """Reads the schema, or only the tables named."""
        found = queries.rows(connection, tables, self.wording.columns)
        here = queries.database(connection)
        schema = reading.Reader(found, self.wording, database=here).schema()
        return replace(schema, folds_names=queries.folds_names(connection))

    def fingerprint(self, connection: Connection, tables: Sequence[str] | None = None) -> str:
        """A hash of what SHOW CREATE says of the database, and of all or the objects named.

        The text depends on `sql_mode` and `sql_quote_show_create` of the session.
        """
        return hashed({"created": fingerprint.created(connection, tables)})

"""Where the journal is kept: in the schema of the version table, on the migrating connection.

DDL is part of transactions here, so the table is made and dropped in those that need it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DBAPIError

from bootstrap.backends.postgresql.journal import sessions
from bootstrap.journal import table
from bootstrap.journal.entries import NAME, Entry, Part
from bootstrap.journal.store import Entries, Store

_WHERE = text(
    "SELECT s.name AS schema,"
    " to_regclass(quote_ident(s.name) || '.' || CAST(:journal AS text)) IS NOT NULL AS there"
    " FROM (SELECT COALESCE(CAST(:schema AS text), CAST(current_schema() AS text)) AS name) s"
)


class PostgreSQLStore(Store):
    """A table on the migrating connection.

    Args:
        connection: That one.
        version_table: Whose revisions.
        version_schema: Where env.py says that it is.
    """

    def __init__(
        self, connection: Connection, *, version_table: str, version_schema: str | None
    ) -> None:
        row = connection.execute(_WHERE, {"schema": version_schema, "journal": NAME}).one()
        super().__init__(
            connection, lambda: connection, version_table=version_table, schema=row.schema
        )
        self.is_there = bool(row.there)

    def read(self) -> Entries:
        """All that is recorded; a transaction that made the table may have gone."""
        if not (self.is_there and self._table_is_there()):
            return {}
        return table.by_part(self._connection, self._table, self._version_table)

    def make(self) -> None:
        """Makes the table where it is missing; a transaction that made it may have gone."""
        self._table.create(self._connection, checkfirst=True)
        self.is_there = True

    def write(self, part: Part, entries: Sequence[Entry]) -> None:
        """Writes entries, in the transaction that is open or in one of their own."""
        with self._at_once():
            super().write(part, entries)

    def clear(self, part: Part) -> None:
        """Deletes what is recorded of a revision, in the transaction that says it is done."""
        if self.is_there and self._table_is_there():
            super().clear(part)

    def forget(self, part: Part, number: int) -> None:
        """Deletes the entries from a number on; in a transaction, that may be rolled back."""
        super().forget(part, number)
        self.overwrites = True

    @contextmanager
    def whole(self) -> Iterator[Connection]:
        """A transaction, or a part of the open one, that takes effect as one."""
        if sessions.commits_each(self._connection):
            with self._at_once():
                yield self._connection
        else:
            with self._connection.begin_nested():
                yield self._connection

    def drop_if_empty(self) -> None:
        """Leaves no table behind where nothing is left to resume.

        Who else has it open, because of another version table in this schema, drops it later.
        """
        if not self.is_there:
            return
        quoted = self._connection.dialect.identifier_preparer.format_table(self._table)
        with suppress(DBAPIError), self.whole() as connection:
            connection.exec_driver_sql(f"LOCK TABLE {quoted} IN ACCESS EXCLUSIVE MODE NOWAIT")
            if not connection.execute(select(func.count()).select_from(self._table)).scalar_one():
                self._table.drop(connection)
                self.is_there = False

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        """Where each statement would be a transaction, one for those in the block."""
        if not sessions.commits_each(self._connection):
            yield
            return
        sessions.begin(self._connection)
        try:
            yield
        except BaseException:
            with suppress(DBAPIError):
                self._connection.exec_driver_sql(f"ROLLBACK /* {NAME} */")
            raise
        self._connection.exec_driver_sql(f"COMMIT /* {NAME} */")

    def _table_is_there(self) -> bool:
        asked = {"schema": self._table.schema, "journal": NAME}
        return bool(self._connection.execute(_WHERE, asked).one().there)

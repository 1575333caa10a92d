"""Keeps Alembic's batch mode from losing anything when it rebuilds a table of SQLite.

SQLite cannot alter a table much, so batch mode makes a new one, copies the rows, drops the old one
and gives the new one its name (sqlite.org/lang_altertable.html, "Making Other Kinds Of Table
Schema Changes"). Importing this module replaces Alembic's implementation for SQLite.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alembic.ddl import sqlite
from alembic.operations.batch import ApplyBatchImpl
from sqlalchemy import Connection, Integer, String, Table, column, insert, literal, select, table

from bootstrap.backends.sqlite.foreign_keys import SwitchedOff
from bootstrap.errors import DatabaseError

_SEQUENCE = table("sqlite_sequence", column("name", String()), column("seq", Integer()))


class SQLiteImpl(sqlite.SQLiteImpl):
    """Alembic's own, but a rebuilt table goes on where AUTOINCREMENT was."""

    __dialect__ = "sqlite"

    def start_migrations(self) -> None:
        """Says in an offline script what `foreign_keys_off` does online."""
        super().start_migrations()
        if self.as_sql:
            self.static_output("PRAGMA foreign_keys=OFF;")

    def prep_table_for_batch(self, batch_impl: ApplyBatchImpl, table: Table) -> None:
        """Hands the last id over: counted from the rows alone, deleted ids would come again.

        The row moves on with the table when that is renamed (sqlite.org/autoinc.html: the table
        sqlite_sequence may be written to).
        """
        super().prep_table_for_batch(batch_impl, table)
        if table.dialect_options["sqlite"]["autoincrement"]:
            last = select(literal(batch_impl.temp_table_name), _SEQUENCE.c.seq)
            old = last.where(_SEQUENCE.c.name == table.name)
            self._exec(insert(_SEQUENCE).from_select(["name", "seq"], old))


@contextmanager
def foreign_keys_off(connection: Connection) -> Iterator[None]:
    """Switches foreign keys off for the time of the block; does nothing on other backends.

    For the plain `alembic` command; a run of `bootstrap` does it for any env.py. The driver's own
    cursor is used: a statement of SQLAlchemy would begin a transaction, in which
    the pragma has no effect, and which Alembic would take for the caller's and not commit.

    Raises:
        DatabaseError: They are on, and the connection is in a transaction already.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    switched = SwitchedOff(connection)
    if not switched.possible:
        raise DatabaseError(
            "cannot switch foreign_keys off on a connection that is in a transaction",
            hint="commit before the migrations, or hand over a new connection",
        )
    ours = not connection.in_transaction()
    try:
        yield
    finally:
        if ours:
            connection.rollback()  # what only read, Alembic leaves open
        switched.restore()

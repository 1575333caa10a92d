"""Where the journal is kept: DDL and what takes effect at once go by a connection of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.mysql import LONGTEXT, VARCHAR
from sqlalchemy.exc import DBAPIError

from bootstrap.backends.mysql.errors import MySQLErrors
from bootstrap.journal import table
from bootstrap.journal.entries import NAME, Entry, Part
from bootstrap.journal.store import Entries, Store

TYPES = table.Types(
    exact=VARCHAR(150, collation="utf8mb4_bin"),
    long=LONGTEXT(),
    options={"mysql_charset": "utf8mb4", "mysql_engine": "InnoDB"},
)
_NO_TABLE = {"1146", "1412", "1684"}


class MySQLStore(Store):
    """A table that is made and dropped beside the migrating connection, because DDL commits."""

    def read(self) -> Entries:
        """All that is recorded."""
        try:
            found = table.by_part(self._aside(), self._table, self._version_table)
        except DBAPIError as error:
            if not _is_missing(error):
                raise
            return {}
        self.is_there = True
        return found

    def make(self) -> None:
        """Makes the table where it is missing."""
        if not self.is_there:
            self._table.create(self._aside(), checkfirst=True)
            self.is_there = True

    def write(self, part: Part, entries: Sequence[Entry]) -> None:
        """Writes entries, in the transaction of the migrating connection."""
        try:
            super().write(part, entries)
        except DBAPIError as error:
            if not _is_missing(error):
                raise
            # A run on another version table of this database has just ended, and dropped it.
            self.is_there = False
            super().write(part, entries)

    @contextmanager
    def whole(self) -> Iterator[Connection]:
        """A transaction of its own, in which changes of the journal take effect as one."""
        aside = self._aside()
        aside.exec_driver_sql("START TRANSACTION")
        yield aside
        aside.exec_driver_sql("COMMIT")

    def drop_if_empty(self) -> None:
        """Leaves no table behind where nothing is left to resume.

        Locked, because a run on another version table of this database may write to it.
        """
        if not self.is_there:
            return
        aside = self._aside()
        aside.exec_driver_sql("SET SESSION lock_wait_timeout = 1")  # env.py may not have committed
        aside.exec_driver_sql(f"LOCK TABLES {NAME} WRITE")
        try:
            if aside.execute(select(func.count()).select_from(self._table)).scalar_one() == 0:
                self._table.drop(aside)
                self.is_there = False
        finally:
            aside.exec_driver_sql("UNLOCK TABLES")


def _is_missing(error: DBAPIError) -> bool:
    failure = MySQLErrors().translate(error)
    return failure is not None and failure.code in _NO_TABLE

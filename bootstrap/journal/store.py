"""Writes and reads the journal: rows beside the effect on its connection, the rest on another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from bootstrap.journal import table
from bootstrap.journal.entries import NAME, Entry, Kind, Part
from bootstrap.journal.half import Half, Repair

Entries = dict[tuple[str, str], list[Entry]]


class Store:
    """The journal of one version table.

    Args:
        connection: The migrating one; what is written there is durable when its effects are.
        aside: Gives another one, in autocommit mode.
        version_table: Whose revisions.
        is_missing: Tells the exception that says that a table is not there.
    """

    def __init__(
        self,
        connection: Connection,
        aside: Callable[[], Connection],
        *,
        version_table: str,
        is_missing: Callable[[DBAPIError], bool],
    ) -> None:
        self._connection = connection
        self._aside = aside
        self._version_table = version_table
        self._is_missing = is_missing
        self.is_there = False

    def read(self) -> Entries:
        """All that is recorded."""
        try:
            found = table.by_part(self._aside(), self._version_table)
        except DBAPIError as error:
            if not self._is_missing(error):
                raise
            return {}
        self.is_there = True
        return found

    def make(self) -> None:
        """Makes the table where it is missing, on the other connection: DDL commits."""
        if not self.is_there:
            table.TABLE.create(self._aside(), checkfirst=True)
            self.is_there = True

    def write(self, part: Part, entries: Sequence[Entry]) -> None:
        """Writes entries, in the transaction of the migrating connection."""
        self.make()
        rows = [table.row(self._version_table, part, one) for one in entries]
        try:
            self._connection.execute(table.insertion(), rows)
        except DBAPIError as error:
            if not self._is_missing(error):
                raise
            # A run on another version table of this database has just ended, and dropped it.
            self.is_there = False
            self.make()
            self._connection.execute(table.insertion(), rows)

    def clear(self, part: Part) -> None:
        """Deletes what is recorded of a revision, in the transaction that says it is done."""
        if self.is_there:
            self._connection.execute(table.deletion(self._version_table, part))

    def take_back(self, part: Part, number: int) -> None:
        """Deletes an entry that the migrating connection has not committed."""
        found = table.deletion(self._version_table, part)
        self._connection.execute(found.where(table.TABLE.c.number == number))

    def is_durable(self, part: Part, number: int) -> bool:
        """Whether an entry is committed."""
        count = select(func.count()).select_from(table.TABLE)
        mine = (
            (table.TABLE.c.version_table == self._version_table)
            & (table.TABLE.c.revision == part.revision)
            & (table.TABLE.c.direction == part.direction)
            & (table.TABLE.c.number == number)
        )
        return bool(self._aside().execute(count.where(mine)).scalar_one())

    def forget(self, part: Part, number: int) -> None:
        """Deletes the committed entries from a number on."""
        found = table.deletion(self._version_table, part)
        self._aside().execute(found.where(table.TABLE.c.number >= number))

    def replace(self, part: Part, entry: Entry) -> None:
        """Writes an entry in the place of a committed one."""
        aside = self._aside()
        aside.exec_driver_sql("START TRANSACTION")
        aside.execute(
            table.deletion(self._version_table, part).where(table.TABLE.c.number == entry.number)
        )
        aside.execute(table.insertion(), [table.row(self._version_table, part, entry)])
        aside.exec_driver_sql("COMMIT")

    def repair(self, half: Half, how: Repair) -> None:
        """Writes down what a person has decided; does nothing in the open transaction."""
        part = Part(revision=half.revision, direction=half.direction)
        match how:
            case Repair.APPLIED:
                intent = replace(half.last, kind=Kind.INTENT)
                self.replace(part, intent)
                settled = replace(intent, number=intent.number + 1, kind=Kind.SETTLED)
                self.replace(part, settled)
            case Repair.NOT_APPLIED:
                self.forget(part, half.last.number)
            case Repair.DONE | Repair.FORGET:
                self.forget(part, 0)

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
            if aside.execute(select(func.count()).select_from(table.TABLE)).scalar_one() == 0:
                table.TABLE.drop(aside)
                self.is_there = False
        finally:
            aside.exec_driver_sql("UNLOCK TABLES")

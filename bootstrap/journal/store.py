"""Writes and reads the journal: rows beside the effect, the rest where it takes effect at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Delete, func, select

from bootstrap.journal import table
from bootstrap.journal.entries import Entry, Kind, Part
from bootstrap.journal.half import Half, Repair

Entries = dict[tuple[str, str], list[Entry]]


class Store(ABC):
    """The journal of one version table.

    Args:
        connection: The migrating one; what is written there is durable when its effects are.
        aside: Gives one on which each statement takes effect at once.
        version_table: Whose revisions.
        schema: Where the table is; None for where a session finds it.
        types: What it is made of.

    Attributes:
        is_there: Whether the table is, as far as is known.
        overwrites: Whether what is written may be recorded already, as something that is over.
    """

    def __init__(
        self,
        connection: Connection,
        aside: Callable[[], Connection],
        *,
        version_table: str,
        schema: str | None = None,
        types: table.Types = table.PLAIN,
    ) -> None:
        self._connection = connection
        self._aside = aside
        self._version_table = version_table
        self._table = table.made_of(types, schema)
        self._prepared = table.Prepared.on(self._table)
        self.is_there = self.overwrites = False

    @abstractmethod
    def read(self) -> Entries:
        """All that is recorded."""

    @abstractmethod
    def make(self) -> None:
        """Makes the table where it is missing."""

    def write(self, part: Part, entries: Sequence[Entry]) -> None:
        """Writes entries, in the transaction of the migrating connection."""
        self.make()
        if self.overwrites:
            number = self._table.c.number
            self._connection.execute(self._deletion(part).where(number >= entries[0].number))
        self._connection.execute(self._prepared.write, self._rows(part, entries))

    def _rows(self, part: Part, entries: Sequence[Entry]) -> list[dict[str, Any]]:
        return [table.row(self._version_table, part, one) for one in entries]

    def _deletion(self, part: Part, number: int | None = None) -> Delete:
        return table.deletion(self._table, self._version_table, part, number)

    def clear(self, part: Part) -> None:
        """Deletes what is recorded of a revision, in the transaction that says it is done."""
        if self.is_there:
            its = self._prepared.of(self._version_table, part)
            self._connection.execute(self._prepared.clear, its)

    def take_back(self, part: Part, number: int) -> None:
        """Deletes an entry that the migrating connection has not committed."""
        self._connection.execute(self._deletion(part, number))

    def is_durable(self, part: Part, number: int) -> bool:
        """Whether an entry is committed."""
        journal = self._table.c
        count = select(func.count()).select_from(self._table)
        mine = (
            (journal.version_table == self._version_table)
            & (journal.revision == part.revision)
            & (journal.direction == part.direction)
            & (journal.number == number)
        )
        return bool(self._aside().execute(count.where(mine)).scalar_one())

    def forget(self, part: Part, number: int) -> None:
        """Deletes the committed entries from a number on."""
        self._aside().execute(self._deletion(part).where(self._table.c.number >= number))

    @abstractmethod
    def whole(self) -> AbstractContextManager[Connection]:
        """A transaction of its own, in which changes of the journal take effect as one."""

    def replace(self, part: Part, entry: Entry) -> None:
        """Writes an entry in the place of a committed one."""
        with self.whole() as connection:
            connection.execute(self._deletion(part, entry.number))
            connection.execute(self._prepared.write, self._rows(part, [entry]))

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

    @abstractmethod
    def drop_if_empty(self) -> None:
        """Leaves no table behind where nothing is left to resume."""

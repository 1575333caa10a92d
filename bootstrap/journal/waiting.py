"""The entries of statements that are not durable yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bootstrap.journal.course import without_tail
from bootstrap.journal.entries import Entry, Kind


class Waiting:
    """What was done since something was last committed, in order."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._written = 0  # how many of them have a row in the open transaction
        self._savepoints: dict[str, int] = {}

    def add(self, entry: Entry) -> None:
        """One more."""
        self._entries.append(entry)

    def take_back(self) -> Entry:
        """The last one, as if it had not been added."""
        entry = self._entries.pop()
        self._written = min(self._written, len(self._entries))
        return entry

    @property
    def unwritten(self) -> int:
        """How many have no row."""
        return len(self._entries) - self._written

    def due(self) -> Sequence[Entry]:
        """Those that count and have no row."""
        return without_tail(self._entries)[self._written :]

    def wrote(self) -> None:
        """Those have one now."""
        self._written += len(self.due())

    def settle(self) -> int:
        """All that count are durable; what was refused at the end waits for something to follow.

        Returns:
            How many statements that were.
        """
        counting = without_tail(self._entries)
        self._entries, self._written = self._entries[len(counting) :], 0
        self._savepoints.clear()
        return sum(one.kind is not Kind.SETTLED for one in counting)

    def begin_savepoint(self, name: str) -> None:
        """What comes now may be rolled back by that name."""
        self._savepoints[name] = len(self._entries)

    def undo(self, savepoint: str = "") -> None:
        """What was done from there on is rolled back, and its rows with it."""
        begin = self._savepoints.get(savepoint, 0)
        self._entries[begin:] = [
            replace(one, kind=Kind.UNDONE) if one.kind in (Kind.WRITE, Kind.INTENT) else one
            for one in self._entries[begin:]
        ]
        self._written = min(self._written, begin)

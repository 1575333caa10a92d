"""Goes through the entries of a revision again, strictly in order."""

from __future__ import annotations

from collections.abc import Sequence

from bootstrap.journal.entries import Entry, Kind


class Course:
    """What is recorded of a revision, and how far its Python has come again.

    Args:
        entries: All of them, in order.
    """

    def __init__(self, entries: Sequence[Entry] = ()) -> None:
        self._recorded = tuple(entries)
        self._entries = tuple(without_tail(entries))
        self._at = 0

    @property
    def next(self) -> Entry | None:
        """What the next statement must be; None when it is a new one."""
        while self._at < len(self._entries) and self._entries[self._at].kind is Kind.SETTLED:
            self._at += 1
        return self._entries[self._at] if self._at < len(self._entries) else None

    @property
    def is_last(self) -> bool:
        """Whether nothing is recorded after the next one, so that it may not have been applied."""
        return self._at == len(self._entries) - 1

    @property
    def numbers(self) -> int:
        """The highest number that is taken."""
        return self._recorded[-1].number if self._recorded else 0

    def settled_after(self, number: int) -> int:
        """How many entries that settle something follow a number at once."""
        found = [one for one in self._recorded if one.number > number]
        return next(
            (count for count, one in enumerate(found) if one.kind is not Kind.SETTLED), len(found)
        )

    def go_on(self) -> None:
        """The next one was met."""
        self._at += 1

    def cut(self) -> None:
        """The next one was not applied, and is forgotten with what is after it."""
        self._entries = self._entries[: self._at]


def without_tail(entries: Sequence[Entry]) -> Sequence[Entry]:
    """The entries up to the last one that counts.

    A statement that the server refused is recorded for the sake of what follows; with nothing
    after it, it is the one to be corrected.
    """
    found = list(entries)
    while found and found[-1].kind in (Kind.FAILED, Kind.UNDONE):
        found.pop()
    return found

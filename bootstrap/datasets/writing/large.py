"""Large files: checked once before anything is written, and read again to be written."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from bootstrap.datasets.checking.columns import UNSAID, Columns, Shape, columns_of, compared
from bootstrap.datasets.checking.fitting import CheckedDataSet, CheckedRow, LargeRows, Reference
from bootstrap.datasets.checking.tables import Key
from bootstrap.datasets.reading.batches import Batch, Slot
from bootstrap.datasets.reading.form import Row

_AT_ONCE = 125_000  # hashes that are compared with one another in memory
_RUN = 8_000  # hashes that are sorted while the next rows are read, in a moment
_LOWEST, _RANGE = -(2**63), 2**64  # of a hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a large file turned out to have.

    Attributes:
        rows: How many.
        slots: What some row says something about, in the order in which they were met.
        are_plain: Whether columns can be written as a whole; else each row is looked at.
    """

    rows: int
    slots: tuple[Slot, ...]
    are_plain: bool


class NotPlainError(Exception):
    """The columns of a file cannot be written as a whole."""


class _Survey:
    """What was met in a file."""

    def __init__(self) -> None:
        self._hashes = array("q")
        self._rows = 0
        self._sorted = 0  # so many hashes, run by run
        self._plain = True
        self._slots: dict[Slot, None] = {}
        self._shapes: set[Shape] = set()

    def add(self, batch: Batch, found: Columns | None, keys: Iterator[Key]) -> None:
        """Adds a batch."""
        self._rows += len(batch.lines)
        self._slots |= dict.fromkeys(batch.slots)
        self._hashes.extend(map(hash, keys))
        while len(self._hashes) >= self._sorted + _RUN:
            _sort(self._hashes, self._sorted)
            self._sorted += _RUN
        if found is None:
            self._plain = False
        else:
            self._shapes.update(found.shapes())

    def repeated(self) -> set[int]:
        """The hashes that were met several times; nothing is added afterwards."""
        return _repeated(self._hashes, are_sorted=self._sorted)

    def contents(self) -> Contents:
        """All of it."""
        return Contents(
            rows=self._rows,
            slots=tuple(self._slots),
            are_plain=self._plain and _go_together(self._slots, self._shapes),
        )


class LargeSet:
    """The rows of a large file.

    Args:
        data_set: Whose `large` is there.
        large: That.
    """

    def __init__(self, data_set: CheckedDataSet, large: LargeRows) -> None:
        self._data_set = data_set
        self._large = large

    def check(self) -> Contents:
        """Reads all of it.

        Raises:
            SeedError: A row does not fit, or two have the same natural key.
        """
        survey = _Survey()
        for _ in self._read(survey):
            pass
        return survey.contents()

    def columns(self) -> Iterator[Columns]:
        """The batches, checked in the same way; what is written before the end must be undone.

        Raises:
            SeedError: A row does not fit, or two have the same natural key.
            NotPlainError: Some rows have to be looked at one by one.
        """
        survey = _Survey()
        for found in self._read(survey):
            if found is None:
                raise NotPlainError
            yield found
        if not survey.contents().are_plain:
            raise NotPlainError

    def _read(self, survey: _Survey) -> Iterator[Columns | None]:
        for batch in self._large.batches.read():
            found = self._columns(batch)
            survey.add(batch, found, self._keys(batch, found))
            yield found
        if repeated := survey.repeated():
            self._refuse_repeated(repeated)

    def parts(self, size: int) -> Iterator[CheckedDataSet]:
        """The same data set in parts that fit into memory.

        Raises:
            SeedError: The file has changed since it was checked.
        """
        for batch in self._large.batches.read():
            rows = list(map(self._checked, batch.rows()))
            for start in range(0, len(rows), size):
                part = tuple(rows[start : start + size])
                yield replace(self._data_set, rows=part, large=None)

    def _checked(self, row: Row) -> CheckedRow:
        return self._data_set.complete(self._large.check(row))

    def _columns(self, batch: Batch) -> Columns | None:
        found = columns_of(batch, self._data_set.table, self._large.referred, self._data_set.key)
        if found is None:
            for row in batch.rows():
                self._checked(row)
        return found

    def _keys(self, batch: Batch, found: Columns | None) -> Iterator[Key]:
        """The natural keys of the rows; a reference is what it refers by."""
        if found is None:
            return (self._key(self._checked(row)) for row in batch.rows())
        columns = (self._key_column(name, found) for name in self._data_set.key)
        return zip(*columns, strict=True)

    def _key_column(self, name: str, found: Columns) -> Sequence[Any]:
        direct = found.values.get(Slot(name))
        values: Sequence[Any] = ()
        if direct:
            column = self._data_set.table.columns[name]
            values = compared(column, direct.of)
        slots = sorted(slot for slot in found.values if slot.column == name and slot.inner)
        if not slots:
            return values
        names = tuple(slot.inner for slot in slots)
        parts = zip(*(found.values[slot].of for slot in slots), strict=True)
        if not values:
            return [(names, part) for part in parts]
        return [
            (names, part) if one is UNSAID else one for one, part in zip(values, parts, strict=True)
        ]

    def _key(self, row: CheckedRow) -> Key:
        return tuple(
            _parts(value) if isinstance(value, Reference) else value
            for value in self._data_set.key_of(row.values)
        )

    def _refuse_repeated(self, hashes: Collection[int]) -> None:
        """Refuses two rows with the same key among those whose hashes are the same."""
        seen: dict[Key, int] = {}
        for batch in self._large.batches.read():
            keys = self._keys(batch, self._columns(batch))
            for line, key in zip(batch.lines, keys, strict=True):
                if hash(key) not in hashes:
                    continue
                if key in seen:
                    raise self._data_set.repeated(line, earlier=seen[key])
                seen[key] = line


def _parts(reference: Reference) -> Key:
    parts = sorted(zip(reference.columns, reference.key, strict=True))
    return tuple(name for name, _ in parts), tuple(value for _, value in parts)


def _repeated(hashes: array[int], *, are_sorted: int = 0) -> set[int]:
    """Those that are there several times; their order is another one afterwards.

    The first ones can be sorted already, each run for itself.
    """
    for start in range(are_sorted, len(hashes), _RUN):
        _sort(hashes, start)
    repeated: set[int] = set()
    for some in _apart(hashes):
        seen = set(some)
        if len(seen) < len(some):
            for one in some:
                if one in seen:
                    seen.remove(one)
                else:
                    repeated.add(one)
    return repeated


def _sort(hashes: array[int], start: int) -> None:
    """Sorts a run."""
    hashes[start : start + _RUN] = array("q", sorted(hashes[start : start + _RUN]))


def _apart(hashes: array[int]) -> Iterator[list[int]]:
    """All numbers, the same ones together, and about so many at a time as fit into memory."""
    starts, parts = range(0, len(hashes), _RUN), len(hashes) // _AT_ONCE + 1
    ends = [_LOWEST + _RANGE * part // parts for part in range(1, parts)]
    for low, high in pairwise([_LOWEST, *ends, _LOWEST + _RANGE]):
        some: list[int] = []
        for start in starts:
            within = (start, min(start + _RUN, len(hashes)))
            first, last = (bisect_left(hashes, one, *within) for one in (low, high))
            some.extend(hashes[first:last])
        yield some


def _go_together(slots: Collection[Slot], shapes: Collection[Shape]) -> bool:
    """Whether all references of a column are by the same columns of the other table."""
    for column in {slot.column for slot in slots}:
        parts = (
            frozenset(one for one in shape if one.column == column and one.inner)
            for shape in shapes
        )
        if len(set(parts) - {frozenset()}) > 1:
            return False
    return True

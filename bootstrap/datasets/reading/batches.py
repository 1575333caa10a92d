"""The rows of a large file, some hundreds at a time and column by column.

A column is a sequence of what stands in the file: so a whole one is checked and converted in few
calls, where a value at a time takes ten times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bootstrap.datasets.reading.form import Cell, Row

# Of a batch. So few are gone again before Python's garbage collector counts them, and stay in the
# cache of a processor: with 10,000 it takes twice as long.
ROWS = 250


class Slot(NamedTuple):
    """What a column of a batch is for: a column of the table, or a part of a reference there."""

    column: str
    inner: str = ""  # the column of the table referred to, or the marker of a password


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Neighbours in a file.

    Attributes:
        lines: On which each row begins.
        slots: What the columns are for.
        columns: For each slot what the rows have there.
        unsaid: What stands where a row says nothing.
    """

    lines: Sequence[int]
    slots: tuple[Slot, ...]
    columns: Sequence[Sequence[Any]] = field(repr=False)
    unsaid: Any

    def rows(self) -> Iterator[Row]:
        """The same row by row, as a small file has them."""
        for place, line in enumerate(self.lines):
            yield self._row(line, [column[place] for column in self.columns])

    def _row(self, line: int, contents: Sequence[Any]) -> Row:
        values: dict[str, Cell] = {}
        inner: dict[str, dict[str, Cell]] = {}
        for slot, content in zip(self.slots, contents, strict=True):
            if content is self.unsaid or content == self.unsaid:
                continue
            cell = Cell(content=content, line=line)
            if slot.inner:
                inner.setdefault(slot.column, {})[slot.inner] = cell
            else:
                values[slot.column] = cell
        mappings = {name: Cell(content=parts, line=line) for name, parts in inner.items()}
        return Row(line=line, values=values | mappings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """Reads the batches of a file, as often as wanted.

    Attributes:
        read: Reads them from the beginning.
        slots: Those of each batch; None where rows name their columns themselves.
    """

    read: Callable[[], Iterator[Batch]]
    slots: tuple[Slot, ...] | None = None

"""Where the tables of a drawing stand, and which way the lines between them go.

A layered drawing: tables stand in columns, a line that passes a column has a place in it, and so
never runs behind a table; lines to one table share their way. After Sugiyama, Tagawa and Toda,
"Methods for visual understanding of hierarchical system structures" (1981).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from bootstrap.reports.html.layers import layers

GAP = 28.0  # between tables of a column
GUTTER = 64.0  # between columns
_PASSING = 10.0  # what a line needs that passes a column
_SWEEPS = 8
_SHEET = 1040.0  # how wide tables without references are laid out at least


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What is drawn as a box.

    Attributes:
        name: No other table has it.
        width: In pixels, as all lengths here.
        height: Likewise.
    """

    name: str
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What is drawn as a line; its ends are so far below the top of their table."""

    table: str
    at: float
    to: str
    to_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a table stands."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A piece of a line; `looped` where both ends are on the right of their tables."""

    x: float
    y: float
    to_x: float
    to_y: float
    looped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Where references reach the table that they are to; `left` on its left side."""

    x: float
    y: float
    left: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """All of a drawing.

    Attributes:
        width: Of all.
        height: Of all.
        places: By the name of the table.
        lines: Each piece once, however many references go along it.
        starts: Where references leave their table.
        ends: Where they lead to.
    """

    width: float
    height: float
    places: Mapping[str, Place]
    lines: tuple[Line, ...]
    starts: tuple[tuple[float, float], ...]
    ends: tuple[End, ...]


@dataclass(slots=True, eq=False, kw_only=True)
class _Slot:
    """A place in a column: a table's, or that of lines that pass."""

    height: float
    width: float = 0.0
    x: float = 0.0
    y: float = 0.0
    before: list[tuple[float, _Slot, float]] = field(default_factory=list)
    after: list[tuple[float, _Slot, float]] = field(default_factory=list)


_Columns = list[list[_Slot]]


def laid_out(tables: Sequence[Table], references: Sequence[Reference]) -> Layout:
    """Lays out tables and references; the same ones always in the same way."""
    named = {one.table for one in references} | {one.to for one in references}
    drawing = _Drawing(tables=[one for one in tables if one.name in named], references=references)
    drawing.lay_out()
    width, height = drawing.size
    alone = [one for one in tables if one.name not in named]
    below = height + GAP if drawing.tables and alone else height
    places = dict(_in_rows(alone, top=below, width=max(width, _SHEET)))
    shown = [*drawing.places.values(), *places.values()]
    return Layout(
        width=max((width, *(one.x + one.width for one in shown))),
        height=max((height, *(one.y + one.height for one in shown))),
        places=drawing.places | places,
        lines=tuple(dict.fromkeys(drawing.lines())),
        starts=tuple(dict.fromkeys(drawing.starts())),
        ends=tuple(dict.fromkeys(drawing.ends())),
    )


def _in_rows(tables: Sequence[Table], *, top: float, width: float) -> Iterator[tuple[str, Place]]:
    """Tables without references, each below the lowest of the columns so far."""
    if not tables:
        return
    widest = max(one.width for one in tables)
    bottoms = [top] * min(len(tables), max(1, int((width + GAP) // (widest + GAP))))
    for one in tables:
        column = bottoms.index(min(bottoms))
        x = column * (widest + GAP)
        yield one.name, Place(x=x, y=bottoms[column], width=widest, height=one.height)
        bottoms[column] += one.height + GAP


@dataclass(slots=True, kw_only=True)
class _Drawing:
    """The tables that references connect, on their way to their places."""

    tables: Sequence[Table]
    references: Sequence[Reference]
    slots: dict[str, _Slot] = field(default_factory=dict)
    columns: _Columns = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    passing: dict[tuple[str, int], _Slot] = field(default_factory=dict)

    def lay_out(self) -> None:
        """Finds a place for everything."""
        sizes = {one.name: (one.width + GUTTER, one.height + GAP) for one in self.tables}
        self.slots = {one.name: _Slot(height=one.height, width=one.width) for one in self.tables}
        columns = layers(sizes, [(one.table, one.to) for one in self.references])
        self.columns = [[self.slots[name] for name in names] for names in columns]
        self.numbers = {name: number for number, names in enumerate(columns) for name in names}
        for one in self.references:
            self._connect(one)
        self._set_across()
        _order(self.columns)
        _settle(self.columns)

    @property
    def places(self) -> dict[str, Place]:
        """Where the tables stand."""
        return {
            name: Place(x=one.x, y=one.y, width=one.width, height=one.height)
            for name, one in self.slots.items()
        }

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, with the lines."""
        slots = [one for column in self.columns for one in column]
        looped = [one.to_x + GUTTER / 2 for one in self.lines() if one.looped]
        width = max((one.x + one.width for one in slots), default=0.0)
        return max((width, *looped)), max((one.y + one.height for one in slots), default=0.0)

    def lines(self) -> Iterator[Line]:
        """The pieces of all lines."""
        for slot in (one for column in self.columns for one in column):
            right = slot.x + slot.width
            for at, other, other_at in slot.after:
                yield Line(x=right, y=slot.y + at, to_x=other.x, to_y=other.y + other_at)
        for slot in self.passing.values():
            middle = slot.y + slot.height / 2
            yield Line(x=slot.x, y=middle, to_x=slot.x + slot.width, to_y=middle)
        for one in self.references:
            if self.numbers[one.table] == self.numbers[one.to]:
                here, there = self.slots[one.table], self.slots[one.to]
                x, to_x = here.x + here.width, there.x + there.width
                y, to_y = here.y + one.at, there.y + one.to_at
                yield Line(x=x, y=y, to_x=to_x, to_y=to_y, looped=True)

    def starts(self) -> Iterator[tuple[float, float]]:
        """Where references leave their table."""
        for one in self.references:
            slot = self.slots[one.table]
            left = self.numbers[one.table] > self.numbers[one.to]
            yield slot.x + (0 if left else slot.width), slot.y + one.at

    def ends(self) -> Iterator[End]:
        """Where they lead to."""
        for one in self.references:
            slot = self.slots[one.to]
            left = self.numbers[one.table] < self.numbers[one.to]
            yield End(x=slot.x + (0 if left else slot.width), y=slot.y + one.to_at, left=left)

    def _connect(self, one: Reference) -> None:
        """Joins what a line passes, column by column."""
        here, there = self.numbers[one.table], self.numbers[one.to]
        if here == there:
            return
        step = 1 if there < here else -1
        between = range(there + step, here, step)
        way = [
            (self.slots[one.to], one.to_at),
            *((self._passing(one.to, number), _PASSING / 2) for number in between),
            (self.slots[one.table], one.at),
        ]
        for (slot, at), (other, other_at) in pairwise(way if step == 1 else reversed(way)):
            if (at, other, other_at) not in slot.after:
                slot.after.append((at, other, other_at))
                other.before.append((other_at, slot, at))

    def _passing(self, table: str, number: int) -> _Slot:
        """The place of all lines to a table that pass a column."""
        if (table, number) not in self.passing:
            slot = self.passing[table, number] = _Slot(height=_PASSING)
            self.columns[number].append(slot)
        return self.passing[table, number]

    def _set_across(self) -> None:
        """Columns one beside the other, and all in a column as wide as the widest."""
        x = 0.0
        for column in self.columns:
            widest = max(slot.width for slot in column)
            for slot in column:
                slot.x, slot.width = x, widest
            x += widest + GUTTER


def _order(columns: _Columns) -> None:
    """Puts what is connected at the same height, so that few lines cross."""
    for column in columns:
        _stack(column)
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 else reversed(columns):
            middles = {
                slot: _wanted(slot, slot.before if sweep % 2 else slot.after) + slot.height / 2
                for slot in column
            }
            column.sort(key=middles.__getitem__)
            _stack(column)


def _settle(columns: _Columns) -> None:
    """Moves everything as near to what it is connected with as the order allows."""
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 else reversed(columns):
            _place(column)
    top = min((slot.y for column in columns for slot in column), default=0.0)
    for column in columns:
        for slot in column:
            slot.y -= top


def _wanted(slot: _Slot, links: Iterable[tuple[float, _Slot, float]]) -> float:
    """Where the top should be, so that lines are straight on the average."""
    tops = [other.y + other_at - at for at, other, other_at in links]
    return sum(tops) / len(tops) if tops else slot.y


def _stack(column: Sequence[_Slot]) -> None:
    y = 0.0
    for slot in column:
        slot.y = y
        y += slot.height + GAP


def _place(column: Sequence[_Slot]) -> None:
    """The places nearest to the wanted ones, in this order and without overlap.

    Less what stands above, the tops must only not decrease: neighbours that do are given their
    mean (the pool-adjacent-violators algorithm).
    """
    blocks: list[tuple[float, int]] = []  # the mean of the tops, of how many
    above, offsets = 0.0, []
    for slot in column:
        mean, count = _wanted(slot, (*slot.before, *slot.after)) - above, 1
        while blocks and blocks[-1][0] > mean:
            other, more = blocks.pop()
            mean, count = (mean * count + other * more) / (count + more), count + more
        blocks.append((mean, count))
        offsets.append(above)
        above += slot.height + GAP
    tops = [mean for mean, count in blocks for _ in range(count)]
    for slot, top, offset in zip(column, tops, offsets, strict=True):
        slot.y = top + offset

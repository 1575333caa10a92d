"""Checks and converts the columns of large files, each as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from sqlalchemy import CHAR, DateTime, Enum, Integer, String

from bootstrap.backends.moments import Moments, alike
from bootstrap.datasets.checking.moments import moments_of
from bootstrap.datasets.checking.passwords import MARKER
from bootstrap.datasets.checking.tables import SeedTable, TableColumn
from bootstrap.datasets.reading.batches import Batch, Slot

Shape: TypeAlias = frozenset[Slot]  # what a row says something about

UNSAID: Final = object()  # where a row does not name the column
_FEW = 8  # so many rows for each different value make it worth while to parse each value once


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """A column of a batch as Python values, or Moments.

    Attributes:
        of: Those.
        gaps: Whether some are UNSAID.
        nulls: Whether some are None.
    """

    of: Sequence[Any] = field(repr=False)
    gaps: bool
    nulls: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """A batch whose values fit the table; those of references are in normal form."""

    lines: Sequence[int]
    values: Mapping[Slot, Values]

    def shapes(self) -> set[Shape]:
        """The different sets of slots that rows say something about."""
        return set(self.shape_of_each()) if self._gaps() else {frozenset(self.values)}

    def shape_of_each(self) -> list[Shape]:
        """What each row says something about."""
        gaps = self._gaps()
        if not gaps:
            return [frozenset(self.values)] * len(self.lines)
        full = frozenset(self.values).difference(gaps)
        said = list(zip(*(_said(self.values[slot]) for slot in gaps), strict=True))
        known = {
            each: full.union(slot for slot, is_said in zip(gaps, each, strict=True) if is_said)
            for each in set(said)
        }
        return [known[each] for each in said]

    def _gaps(self) -> list[Slot]:
        return [slot for slot, values in self.values.items() if values.gaps]


def columns_of(
    batch: Batch, table: SeedTable, referred: Mapping[str, SeedTable], key: Sequence[str]
) -> Columns | None:
    """Converts a batch; None where a row does not fit, or has to be looked at by itself.

    Passwords have to be, and references by several columns that only some rows have.
    """
    found: dict[Slot, Values] = {}
    for slot, contents in zip(batch.slots, batch.columns, strict=True):
        column = column_of(slot, table, referred)
        values = _values(column, contents, batch.unsaid, refers=bool(slot.inner))
        if values is None:
            return None
        found[slot] = values
    columns = Columns(lines=batch.lines, values=found)
    return columns if _is_complete(columns, table, key) else None


def column_of(
    slot: Slot, table: SeedTable, referred: Mapping[str, SeedTable]
) -> TableColumn | None:
    """The column whose values are in a slot; None where there is none, or it is a password."""
    if not slot.inner:
        return table.columns.get(slot.column)
    if slot.column not in referred:
        return None
    return referred[slot.column].columns.get(slot.inner) if slot.inner != MARKER else None


def _values(
    column: TableColumn | None, contents: Sequence[Any], unsaid: Any, *, refers: bool
) -> Values | None:
    if column is None:
        return None
    are_texts = isinstance(unsaid, str)
    gaps, nulls = _lacks(contents, unsaid, are_texts=are_texts)
    if nulls and (refers or not column.nullable):
        return None
    said = contents
    if gaps or nulls:
        said = [one for one in contents if one is not None and one is not unsaid and one != unsaid]
    parsed = _parsed(column, said, are_texts=are_texts)
    if parsed is None:
        return None
    if refers:
        parsed = compared(column, parsed)
    if gaps or nulls:
        following = iter(parsed)
        filled = (
            None if one is None else UNSAID if one is unsaid or one == unsaid else next(following)
            for one in contents
        )
        parsed = alike(parsed, filled)
    return Values(of=parsed, gaps=gaps, nulls=nulls)


def _lacks(contents: Sequence[Any], unsaid: Any, *, are_texts: bool) -> tuple[bool, bool]:
    """Whether some rows say nothing, and whether some say NULL, which texts cannot."""
    if are_texts and not unsaid:
        return not all(contents), False
    return unsaid in contents, None in contents


def compared(column: TableColumn, values: Sequence[Any]) -> Sequence[Any]:
    """The forms in which values of a column are compared; UNSAID stays."""
    if column.kind is None:
        return values
    if isinstance(values, Moments):
        # Else the same time in a batch of another form would be another value.
        parse = column.kind.parse
        values = [parse(one) if isinstance(one, str) else one for one in values]
    if column.kind.is_normal:
        return values
    return [one if one is UNSAID else column.normal_form(one) for one in values]


def _parsed(column: TableColumn, said: Sequence[Any], *, are_texts: bool) -> Sequence[Any] | None:
    """The values; an exception would carry what stands in the file."""
    if column.kind is None:
        return None
    try:
        if isinstance(column.type, String) and not isinstance(column.type, Enum | CHAR):
            return _texts(said, column.type.length)
        quick = _quickly(column, said) if are_texts else None
        return quick or list(map(column.kind.parse, said))
    except (ValueError, TypeError, LookupError, ArithmeticError):
        return None


def _quickly(column: TableColumn, said: Sequence[str]) -> Sequence[Any] | None:
    """What the kind of the column would make of texts; None where there is no quicker way."""
    if isinstance(column.type, Integer):
        return _whole(said)
    if isinstance(column.type, DateTime):
        return moments_of(said)
    if column.kind and len(different := set(said)) * _FEW < len(said):
        known = {one: column.kind.parse(one) for one in different}
        return [known[one] for one in said]
    return None


def _texts(said: Sequence[Any], longest: int | None) -> Sequence[Any]:
    """The same, where all are texts that can be stored."""
    joined = "".join(said)
    if not joined.isascii():
        joined.encode()
    if "\x00" in joined or (longest is not None and max(map(len, said), default=0) > longest):
        raise ValueError
    return said


def _whole(said: Sequence[str]) -> Sequence[int] | None:
    """The numbers of texts; None where one is a word, or too large."""
    try:
        numbers = list(map(int, said))
    except ValueError:
        return None
    ends = (min(numbers, default=0), max(numbers, default=0))
    return numbers if ends[0] >= -(2**63) and ends[1] < 2**63 else None


def _is_complete(columns: Columns, table: SeedTable, key: Sequence[str]) -> bool:
    needed = {*key, *(one.name for one in table.columns.values() if one.required)}
    for column in dict.fromkeys(slot.column for slot in columns.values):
        slots = [slot for slot in columns.values if slot.column == column]
        parts = [_said(columns.values[slot]) for slot in slots if slot.inner]
        if any(part != parts[0] for part in parts):
            return False
        if column in needed and not _is_filled([columns.values[slot] for slot in slots]):
            return False
        if column in key and any(columns.values[slot].nulls for slot in slots):
            return False
        needed.discard(column)
    return not needed


def _said(values: Values) -> list[bool]:
    return [value is not UNSAID for value in values.of] if values.gaps else [True] * len(values.of)


def _is_filled(several: Sequence[Values]) -> bool:
    """Whether each row says something about a column, in this slot or that."""
    if not all(values.gaps for values in several):
        return True
    return all(map(any, zip(*map(_said, several), strict=True)))

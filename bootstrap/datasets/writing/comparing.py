"""Compares the rows of a data set with those that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bootstrap.datasets.checking.fitting import CheckedDataSet, CheckedRow
from bootstrap.datasets.checking.passwords import ClearPassword
from bootstrap.datasets.checking.tables import Key, SeedTable
from bootstrap.datasets.writing.rows import Change, Stored
from bootstrap.errors import SeedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of the rows of a data set."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0

    @property
    def rows(self) -> int:
        """All of them."""
        return self.inserted + self.updated + self.unchanged

    def __add__(self, other: Counts) -> Counts:
        """Those of two parts."""
        return Counts(
            inserted=self.inserted + other.inserted,
            updated=self.updated + other.updated,
            unchanged=self.unchanged + other.unchanged,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is to be written.

    Attributes:
        inserts: New rows.
        updates: Rows that are there and differ, each with the columns that do.
        keys: The natural keys of all rows, in normal form, also of those that are right.
    """

    inserts: tuple[Change, ...] = ()
    updates: tuple[Change, ...] = ()
    keys: tuple[Key, ...] = ()

    def __add__(self, other: Changes) -> Changes:
        """What both have."""
        return Changes(
            inserts=self.inserts + other.inserts,
            updates=self.updates + other.updates,
            keys=self.keys + other.keys,
        )

    @property
    def counts(self) -> Counts:
        """How many rows these are."""
        inserted, updated = len(self.inserts), len(self.updates)
        unchanged = len(self.keys) - inserted - updated
        return Counts(inserted=inserted, updated=updated, unchanged=unchanged)

    @property
    def in_order(self) -> tuple[Change, ...]:
        """Updates first: a new row may take a unique value that another row gives up."""
        return self.updates + self.inserts


def compare(data_set: CheckedDataSet, stored: Mapping[Key, Sequence[Stored]]) -> Changes:
    """Compares rows whose references are resolved with the stored ones of the same keys.

    Passwords are verified and hashed here, which takes tenths of a second of CPU each.

    Raises:
        SeedError: The natural key of a row is that of several rows in the database.
    """
    inserts, updates, keys = [], [], []
    for row in data_set.rows:
        key = data_set.key_of(row.values)
        keys.append(key)
        found = stored.get(key, ())
        if len(found) > 1:
            raise several_rows(data_set, row.line, len(found))
        if not found:
            values = {name: _written(value) for name, value in row.values.items()}
            inserts.append(_change(row, key, values, {}))
        elif values := _differing(row, found[0], data_set.table):
            identity = {name: found[0][name] for name in data_set.table.primary_key or data_set.key}
            updates.append(_change(row, key, values, identity))
    return Changes(inserts=tuple(inserts), updates=tuple(updates), keys=tuple(keys))


def refuse_altered(
    data_set: CheckedDataSet, changes: Changes, stored: Mapping[Key, Sequence[Stored]]
) -> None:
    """Refuses rows that are not in the database as they were written.

    A server that rounds a time or cuts off a text in silence would get the row again at each run.

    Raises:
        SeedError: A value came back as another one.
    """
    for change in changes.in_order:
        found = stored.get(change.key, ({},))[0]
        for name, value in change.values.items():
            if data_set.table.columns[name].normal_form(value) != found.get(name):
                raise altered(data_set, change.line, name)


def several_rows(data_set: CheckedDataSet, line: int, rows: int) -> SeedError:
    """Makes the error for a natural key that several rows of the database have."""
    return data_set.file.fault(
        line,
        f"{data_set.table.name} has {rows} rows with the natural key of this one",
        hint="remove all but one of them, or add a column to the key",
    )


def altered(data_set: CheckedDataSet, line: int, name: str) -> SeedError:
    """Makes the error for a value that came back as another one."""
    return data_set.file.fault(
        line,
        f"the database keeps another value for {name} than the one given here",
        hint="give the value as the database keeps it; each run would write it again",
    )


def _change(
    row: CheckedRow, key: Key, values: Mapping[str, Any], identity: Mapping[str, Any]
) -> Change:
    return Change(line=row.line, key=key, values=values, identity=identity, named=row.named)


def _written(value: Any) -> Any:
    return value.hash() if isinstance(value, ClearPassword) else value


def _differing(row: CheckedRow, stored: Stored, table: SeedTable) -> dict[str, Any]:
    return {
        name: _written(value)
        for name, value in row.values.items()
        if not _is_right(value, stored[name], table=table, name=name)
    }


def _is_right(value: Any, stored: Any, *, table: SeedTable, name: str) -> bool:
    if isinstance(value, ClearPassword):
        return isinstance(stored, str) and value.is_kept_in(stored)
    return bool(table.columns[name].normal_form(value) == stored)

"""Rows for all servers at once: the ordinary row of a table, and those that it refers to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bootstrap.backends.values import Value
from bootstrap.probing.conditions import Condition, breaking, keeping, understood
from bootstrap.probing.ordinary import is_known, ordinary
from bootstrap.probing.tables import SharedTable, path_of
from bootstrap.schema.model import ForeignKey


class CannotBuildError(Exception):
    """There is no row for a table; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a table; columns that are not among the values are left out."""

    table: str
    values: Mapping[str, Value]

    def but(self, values: Mapping[str, Value]) -> Row:
        """The row with other values."""
        return Row(table=self.table, values={**self.values, **values})

    def without(self, *columns: str) -> Row:
        """The row with columns left out."""
        kept = {name: one for name, one in self.values.items() if name not in columns}
        return Row(table=self.table, values=kept)


@dataclass(slots=True, kw_only=True)
class Rows:
    """Makes rows of the tables of a schema; each has a first and a second one.

    Attributes:
        tables: By path.
    """

    tables: Mapping[str, SharedTable]
    _made: dict[tuple[str, int], Row] = field(default_factory=dict)

    def parents(self, path: str) -> tuple[str, ...]:
        """The tables that rows of this one need, those first that others refer to.

        Raises:
            CannotBuildError: They need each other, or there is one that not all servers have.
        """
        found: dict[str, None] = {}
        self._collect(path, found, way=())
        found.pop(path, None)
        return tuple(found)

    def least(self, path: str, number: int) -> Row:
        """A row that refers to others only where it must.

        Raises:
            CannotBuildError: There is none.
        """
        if (path, number) not in self._made:
            self.parents(path)  # which finds circles
            self._made[path, number] = self._kept(path, self._row(path, number))
        return self._made[path, number]

    def optional(self, path: str) -> tuple[ForeignKey, ...]:
        """The references that may be NULL and that can be filled without going in a circle."""
        return tuple(key for key in self.tables[path].foreign_keys if self._can_fill(path, key))

    def full(self, path: str, number: int) -> Row:
        """A row that refers to others wherever it can.

        Raises:
            CannotBuildError: There is none.
        """
        row = self.least(path, number)
        filled = dict(row.values)
        for key in self.optional(path):
            theirs = self._referred(key, number)
            if all(filled.get(name) in (None, value) for name, value in theirs.items()):
                filled |= theirs
        return self._kept(path, row.but(filled))

    def conditions(self, row: Row) -> tuple[Condition, ...]:
        """The checks of its table that are understood."""
        return understood(self.tables[row.table].checks, row.values)

    def breaking(self, row: Row, condition: Condition) -> Row | None:
        """A row like this one that breaks a check and nothing else; None where none is found."""
        others = [one for one in self.conditions(row) if one != condition]
        found = breaking(condition, others, row.values, self._free(row))
        return row.but(found) if found is not None else None

    def _collect(self, path: str, found: dict[str, None], *, way: tuple[str, ...]) -> None:
        if path in way:
            circle = " → ".join((*way[way.index(path) :], path))
            raise CannotBuildError(f"they need each other, and none may be NULL: {circle}")
        if path in found:
            return
        if path not in self.tables:
            raise CannotBuildError(f"it refers to {path}, which not all servers have")
        table = self.tables[path]
        for key in table.foreign_keys:
            if _is_needed(table, key) and path_of(key) != path:
                self._collect(path_of(key), found, way=(*way, path))
        found[path] = None

    def _can_fill(self, path: str, key: ForeignKey) -> bool:
        target = path_of(key)
        if _is_needed(self.tables[path], key) or target == path:
            return False
        try:
            return path not in self.parents(target)
        except CannotBuildError:
            return False

    def _row(self, path: str, number: int) -> Row:
        table = self.tables[path]
        values: dict[str, Value] = {}
        for name, column in table.columns.items():
            if column.is_computed or column.is_always_numbered:
                continue
            if is_known(column):
                values[name] = ordinary(column, number)
            elif not column.is_nullable and not column.has_default:
                kinds = ", ".join(dict.fromkeys(one.raw for one in column.types))
                raise CannotBuildError(f"no value is known for its column {name} ({kinds})")
        for key in table.foreign_keys:
            values |= self._reference(table, key, number, values)
        return Row(table=path, values=values)

    def _reference(
        self, table: SharedTable, key: ForeignKey, number: int, values: Mapping[str, Value]
    ) -> dict[str, Value]:
        if path_of(key) == table.path and _is_needed(table, key):
            return {
                name: values[theirs]
                for name, theirs in zip(key.columns, key.references, strict=True)
            }
        if _is_needed(table, key):
            return self._referred(key, number)
        return {name: None for name in key.columns if table.columns[name].is_nullable}

    def _referred(self, key: ForeignKey, number: int) -> dict[str, Value]:
        """The values of the columns of a key, from the row that it refers to."""
        path = path_of(key)
        if path not in self.tables:
            raise CannotBuildError(f"it refers to {path}, which not all servers have")
        theirs = self.least(path, number).values
        if not set(key.references) <= theirs.keys():
            raise CannotBuildError(f"it refers to numbers that only the server gives in {path}")
        return {
            name: theirs[other] for name, other in zip(key.columns, key.references, strict=True)
        }

    def _kept(self, path: str, row: Row) -> Row:
        """The row with other values where it breaks a check."""
        found = keeping(self.conditions(row), row.values, self._free(row))
        if found is None:
            raise CannotBuildError("no row was found that keeps its checks")
        return row.but(found)

    def _free(self, row: Row) -> Mapping[str, Value]:
        """The columns that refer to nothing, each with another value."""
        table = self.tables[row.table]
        free = (name for name in row.values if name not in table.referring)
        return {name: ordinary(table.columns[name], 2) for name in free}


def _is_needed(table: SharedTable, key: ForeignKey) -> bool:
    """Whether each row refers to another one; on the server that is strictest about it."""
    return not any(table.columns[name].is_nullable for name in key.columns)


def values_of(row: Row, columns: Iterable[str]) -> dict[str, Value] | None:
    """The values of some columns; None where the row leaves one of them out."""
    if not set(columns) <= row.values.keys():
        return None
    return {name: row.values[name] for name in columns}

"""Which row of data sets needs which other one, by the foreign keys of its table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bootstrap.datasets.checking.fitting import CheckedDataSet, CheckedRow, Reference
from bootstrap.datasets.checking.passwords import ClearPassword
from bootstrap.datasets.checking.tables import Key, Link, SeedTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A row of another table, or of the same one, that must be there first.

    Attributes:
        link: The foreign key.
        by: The columns by which it is found.
        key: Their values, in normal form.
    """

    link: Link
    by: tuple[str, ...]
    key: Key = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """A row: which data set, and which row of it."""

    data_set: int
    row: int


class Index:
    """Finds rows of data sets by their values."""

    def __init__(self, data_sets: Sequence[CheckedDataSet]) -> None:
        self._data_sets = data_sets
        self._made: dict[tuple[str, tuple[str, ...]], dict[Key, list[At]]] = {}
        self._open: set[tuple[str, tuple[str, ...]]] = set()

    def of_table(self, table: str) -> list[int]:
        """The data sets of a table."""
        return [at for at, one in enumerate(self._data_sets) if one.table.name == table]

    def find(self, table: str, by: tuple[str, ...], key: Key) -> Sequence[At]:
        """The rows of a table that have these values."""
        return self._of(table, by).get(key, ())

    def is_open(self, table: str, by: tuple[str, ...]) -> bool:
        """Tells whether there are rows of which these columns are not known.

        The database may fill them, or the rows are not in memory.
        """
        self._of(table, by)
        return (table, by) in self._open

    def _of(self, table: str, by: tuple[str, ...]) -> Mapping[Key, list[At]]:
        if (table, by) not in self._made:
            found: dict[Key, list[At]] = {}
            for at in self.of_table(table):
                if self._data_sets[at].large:
                    self._open.add((table, by))
                for number, row in enumerate(self._data_sets[at].rows):
                    if all(name in row.values for name in by):
                        key = normal_key(self._data_sets[at].table, by, row)
                        found.setdefault(key, []).append(At(data_set=at, row=number))
                    else:
                        self._open.add((table, by))
            self._made[table, by] = found
        return self._made[table, by]


def normal_key(table: SeedTable, by: Sequence[str], row: CheckedRow) -> Key:
    """The values of some columns of a row, in normal form as far as they are known."""
    return tuple(_normal(table, name, row.values[name]) for name in by)


def needs(data_set: CheckedDataSet, row: CheckedRow) -> Iterator[Need]:
    """What a row needs, by the foreign keys whose columns it fills."""
    for link in data_set.table.links:
        values = [row.values.get(name) for name in link.columns]
        if any(value is None for value in values):
            continue
        if isinstance(values[0], Reference):
            yield Need(link=link, by=values[0].columns, key=values[0].key)
        else:
            yield Need(
                link=link, by=link.referred, key=normal_key(data_set.table, link.columns, row)
            )


def _normal(table: SeedTable, name: str, value: Any) -> Any:
    if isinstance(value, Reference | ClearPassword):
        return value
    return table.columns[name].normal_form(value)

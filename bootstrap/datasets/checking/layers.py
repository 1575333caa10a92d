"""Makes one row of what several layers say of it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from bootstrap.datasets.checking.fitting import CheckedDataSet, CheckedRow
from bootstrap.errors import Place

_Key: TypeAlias = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """Where a row stands at last."""

    data_set: CheckedDataSet
    index: int
    row: CheckedRow


def merged(data_sets: Sequence[CheckedDataSet]) -> tuple[CheckedDataSet, ...]:
    """Leaves each row in the last layer that has it, with what the earlier ones say of it.

    Raises:
        SeedError: Two files of one layer have the same row, or a row lacks a value.
    """
    said: dict[_Key, _Said] = {}
    for index, data_set in sorted(enumerate(data_sets), key=_layer):
        for row in data_set.rows:
            key = _key(data_set, row)
            before = said.get(key)
            if before:
                row = _over(before, row, data_set)  # noqa: PLW2901 - the same row, with more
            said[key] = _Said(data_set=data_set, index=index, row=row)
    rows: list[list[CheckedRow]] = [[] for _ in data_sets]
    for one in said.values():
        rows[one.index].append(one.row)
    result = tuple(
        replace(data_set, rows=tuple(sorted(left, key=_line)))
        for data_set, left in zip(data_sets, rows, strict=True)
    )
    for data_set in result:
        for row in data_set.rows:
            data_set.complete(row)
    return result


def _layer(indexed: tuple[int, CheckedDataSet]) -> int:
    return indexed[1].file.layer


def _line(row: CheckedRow) -> int:
    return row.line


def _key(data_set: CheckedDataSet, row: CheckedRow) -> _Key:
    """What tells a row in all files of its table; files with other key columns do not meet."""
    named = sorted(zip(data_set.key, data_set.key_of(row.values), strict=True), key=_name)
    return (data_set.table.name, *named)


def _name(member: tuple[str, object]) -> str:
    return member[0]


def _over(before: _Said, row: CheckedRow, data_set: CheckedDataSet) -> CheckedRow:
    if before.data_set.file.layer == data_set.file.layer:
        place = Place(path=before.data_set.file.path, line=before.row.line)
        raise data_set.taken(row.line, earlier=place)
    kept = {name: text for name, text in before.row.secrets.items() if name not in row.values}
    return replace(row, values={**before.row.values, **row.values}, secrets={**kept, **row.secrets})

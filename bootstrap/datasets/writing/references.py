"""Resolves references to rows of other tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap.datasets.checking.fitting import CheckedDataSet, CheckedRow, Reference
from bootstrap.datasets.checking.needs import Index
from bootstrap.datasets.checking.tables import Key
from bootstrap.datasets.reading.form import SeedFile
from bootstrap.datasets.writing.rows import Stored, find
from bootstrap.errors import SeedError


async def resolve(connection: AsyncConnection, data_set: CheckedDataSet) -> CheckedDataSet:
    """Replaces the references in a data set by the values that they stand for.

    Raises:
        SeedError: A reference leads to no row or to several, or two rows now have the same key.
    """
    rows = data_set.rows
    references = list(_references([data_set]))
    known: dict[Reference, Any] = {}
    for _, alike in groupby(sorted(references, key=_target), key=_target):
        known |= await _values(connection, list(alike))
    resolved = replace(data_set, rows=tuple(_resolved(row, known) for row in rows))
    resolved.refuse_repeated_keys()
    return resolved


async def refuse_lost(connection: AsyncConnection, data_sets: Sequence[CheckedDataSet]) -> None:
    """Refuses references of which it is known, before anything is written, that they lead nowhere.

    What a row of a data set leaves to the database, and what rows of its table become, is not
    known yet; then `resolve` looks.

    Raises:
        SeedError: One leads to no row, or to several.
    """
    index = Index(data_sets)
    wanted: dict[Reference, None] = {}
    for reference in _references(data_sets):
        table, columns = reference.table.name, reference.columns
        rows = index.find(table, columns, reference.key)
        # Files with other key columns can mean the same row.
        if len(rows) > 1 and len({data_sets[one.data_set].key for one in rows}) == 1:
            raise _fault(reference, len(rows))
        if not rows and not index.is_open(table, columns):
            wanted[reference] = None
    for _, alike in groupby(sorted(wanted, key=_target), key=_target):
        references = list(alike)
        found = await _found(connection, references)
        for one in references:
            there = len(found.get(one.key, ()))
            if there == 0 or (there > 1 and not index.of_table(one.table.name)):
                raise _fault(one, there)


def _references(data_sets: Sequence[CheckedDataSet]) -> Iterator[Reference]:
    for data_set in data_sets:
        for row in data_set.rows:
            yield from (one for one in row.values.values() if isinstance(one, Reference))


def _target(reference: Reference) -> tuple[str, str, tuple[str, ...]]:
    return reference.table.name, reference.wanted, reference.columns


async def _values(
    connection: AsyncConnection, references: Sequence[Reference]
) -> dict[Reference, Any]:
    """The values of references to the same table by the same columns."""
    found = await _found(connection, references)
    return {one: _value(one, found.get(one.key, ())) for one in references}


async def _found(
    connection: AsyncConnection, references: Sequence[Reference]
) -> Mapping[Key, Sequence[Stored]]:
    first = references[0]
    return await find(
        connection,
        first.table,
        by=first.columns,
        keys=(reference.key for reference in references),
        columns=[first.wanted],
    )


def _value(reference: Reference, found: Sequence[Stored]) -> Any:
    if len(found) != 1:
        raise _fault(reference, len(found))
    return found[0][reference.wanted]


def _fault(reference: Reference, rows: int) -> SeedError:
    return unresolved(
        reference.file,
        reference.line,
        rows,
        table=reference.table.name,
        columns=reference.columns,
    )


def unresolved(
    file: SeedFile, line: int, rows: int, *, table: str, columns: Sequence[str]
) -> SeedError:
    """Makes the error for a reference that leads to no row, or to several."""
    named = " and ".join(columns)
    if not rows:
        return file.fault(
            line,
            f"no row of {table} has this {named}",
            hint="correct it, or put that row into a data set too",
        )
    return file.fault(
        line,
        f"{rows} rows of {table} have this {named}",
        hint="add a column that tells them apart",
    )


def _resolved(row: CheckedRow, known: Mapping[Reference, Any]) -> CheckedRow:
    values = {
        name: known[value] if isinstance(value, Reference) else value
        for name, value in row.values.items()
    }
    return replace(row, values=values)

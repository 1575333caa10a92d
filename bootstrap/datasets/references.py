"""Resolves references to rows of other tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap.datasets.checking import CheckedDataSet, CheckedRow, Reference
from bootstrap.datasets.form import SeedFile
from bootstrap.datasets.rows import Stored, find
from bootstrap.errors import SeedError


async def resolve(connection: AsyncConnection, data_set: CheckedDataSet) -> CheckedDataSet:
    """Replaces the references in a data set by the values that they stand for.

    Raises:
        SeedError: A reference leads to no row or to several, or two rows now have the same key.
    """
    rows = data_set.rows
    values = [value for row in rows for value in row.values.values()]
    references = [value for value in values if isinstance(value, Reference)]
    known: dict[Reference, Any] = {}
    for _, alike in groupby(sorted(references, key=_target), key=_target):
        known |= await _values(connection, data_set.file, list(alike))
    resolved = replace(data_set, rows=tuple(_resolved(row, known) for row in rows))
    resolved.refuse_repeated_keys()
    return resolved


def _target(reference: Reference) -> tuple[str, str, tuple[str, ...]]:
    return reference.table.name, reference.wanted, reference.columns


async def _values(
    connection: AsyncConnection, file: SeedFile, references: Sequence[Reference]
) -> dict[Reference, Any]:
    """The values of references to the same table by the same columns."""
    first = references[0]
    found = await find(
        connection,
        first.table,
        by=first.columns,
        keys=(reference.key for reference in references),
        columns=[first.wanted],
    )
    return {one: _value(one, found.get(one.key, ()), file) for one in references}


def _value(reference: Reference, found: Sequence[Stored], file: SeedFile) -> Any:
    if len(found) != 1:
        raise unresolved(
            file, reference.line, len(found), table=reference.table.name, columns=reference.columns
        )
    return found[0][reference.wanted]


def unresolved(
    file: SeedFile, line: int, found: int, *, table: str, columns: Sequence[str]
) -> SeedError:
    """Makes the error for a reference that leads to no row, or to several."""
    named = " and ".join(columns)
    if not found:
        return file.fault(
            line,
            f"no row of {table} has this {named}",
            hint=f"correct it, or put that row into a data set that is applied before {file.path}",
        )
    return file.fault(
        line,
        f"{found} rows of {table} have this {named}",
        hint="add a column that tells them apart",
    )


def _resolved(row: CheckedRow, known: Mapping[Reference, Any]) -> CheckedRow:
    values = {
        name: known[value] if isinstance(value, Reference) else value
        for name, value in row.values.items()
    }
    return replace(row, values=values)

"""Reads rows by their keys, and writes them, in few round trips."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Insert,
    Update,
    and_,
    bindparam,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncTransaction

from bootstrap.datasets.checking.tables import Key, SeedTable

Stored: TypeAlias = Mapping[str, Any]

# Older SQLite takes 999 parameters in a statement (sqlite.org/limits.html, number 9).
_PARAMETERS = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A row to be written.

    Attributes:
        line: Where it stands in its file.
        key: Its natural key, in normal form.
        values: What is written; for a new row all that the file says.
        identity: Which row is updated, by its primary key; empty for a new row.
        named: The natural key as it may be shown.
    """

    line: int
    key: Key = field(repr=False)
    values: Mapping[str, Any] = field(repr=False)
    identity: Mapping[str, Any]
    named: Mapping[str, str] = field(default_factory=dict, repr=False)


async def find(
    connection: AsyncConnection,
    table: SeedTable,
    *,
    by: Sequence[str],
    keys: Iterable[Key],
    columns: Iterable[str],
) -> dict[Key, list[Stored]]:
    """Finds rows by the values of some columns.

    Args:
        connection: Where to read.
        table: Whose rows.
        by: The columns of the keys.
        keys: The keys, in normal form.
        columns: The columns to be read, beside those of the key and the primary key.

    Returns:
        The rows of each key, in normal form; a database that ignores case finds more than that.
    """
    names = list(dict.fromkeys([*by, *table.primary_key, *columns]))
    found: dict[Key, list[Stored]] = {}
    for condition in conditions(table, by, list(dict.fromkeys(keys))):
        query = select(*(table.column(name) for name in names)).where(condition)
        for values in await connection.execute(query):
            row = {
                name: table.columns[name].normal_form(value)
                for name, value in zip(names, values, strict=True)
            }
            found.setdefault(tuple(row[name] for name in by), []).append(row)
    return found


def conditions(
    table: SeedTable, by: Sequence[str], keys: Sequence[Key]
) -> Iterator[ColumnElement[bool]]:
    """The conditions for rows with these keys, each for as many as one statement takes."""
    columns = [table.column(name) for name in by]
    size = max(1, _PARAMETERS // (2 * len(by)))
    for start in range(0, len(keys), size):
        chunk = keys[start : start + size]
        each = [
            column.in_(list(dict.fromkeys(values)))
            for column, values in zip(columns, zip(*chunk, strict=True), strict=True)
        ]
        # PostgreSQL looks a value up in a list by its hash, but compares a tuple with one after
        # the other: 10,000 keys in as many rows are found in 0.4 s with the lists, else in 2 s.
        yield and_(*each, tuple_(*columns).in_(chunk)) if len(columns) > 1 else each[0]


async def write(connection: AsyncConnection, table: SeedTable, changes: Iterable[Change]) -> None:
    """Writes rows in their order, neighbours with the same columns at once."""
    for columns, alike in groupby(changes, key=_columns):
        statement = _statement(table, *columns)
        await connection.execute(statement, [_parameters(change) for change in alike])


async def first_refused(
    connection: AsyncConnection,
    table: SeedTable,
    changes: Iterable[Change],
    *,
    before: Callable[[], Awaitable[None]],
) -> Change | None:
    """Finds the row that the database refuses, by writing one after the other; all is undone.

    Args:
        connection: One without a transaction.
        table: Whose rows.
        changes: The rows.
        before: Writes what they need.
    """
    async with connection.begin() as transaction:
        await before()
        return await refused_of(connection, table, changes, transaction)


async def refused_of(
    connection: AsyncConnection,
    table: SeedTable,
    changes: Iterable[Change],
    transaction: AsyncTransaction,
) -> Change | None:
    """Finds the row that the database refuses, in a transaction that is undone then."""
    refused = None
    for change in changes:
        try:
            await write(connection, table, [change])
        except DBAPIError:
            refused = change
            break
    await transaction.rollback()
    return refused


def _columns(change: Change) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(change.values), tuple(change.identity)


def _statement(
    table: SeedTable, values: tuple[str, ...], identity: tuple[str, ...]
) -> Insert | Update:
    given: dict[str, Any] = {name: bindparam(f"value_{name}") for name in values}
    if not identity:
        return insert(table.clause).values(given)
    which = (table.column(name) == bindparam(f"which_{name}") for name in identity)
    return update(table.clause).where(and_(*which)).values(given)


def _parameters(change: Change) -> dict[str, Any]:
    given = {f"value_{name}": value for name, value in change.values.items()}
    return given | {f"which_{name}": value for name, value in change.identity.items()}

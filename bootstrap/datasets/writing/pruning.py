"""Deletes the rows of tables that no data set has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap.datasets.checking.secret_values import HIDDEN
from bootstrap.datasets.checking.tables import Key, Link, SeedTable, Tables
from bootstrap.datasets.writing.rows import Stored, conditions, find
from bootstrap.errors import SeedError

_NOTHING = "nothing was written; remove what refers to them first, or put the rows into a data set"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The rows of a table that data sets have.

    Attributes:
        table: Which table.
        keys: Their natural keys in normal form, by the columns of these.
        hidden: Columns of which no value is shown.
    """

    table: SeedTable
    keys: Mapping[tuple[str, ...], Set[Key]] = field(repr=False)
    hidden: Set[str]

    def has(self, row: Stored) -> bool:
        """Tells whether a data set has this row."""
        return any(tuple(row[name] for name in by) in keys for by, keys in self.keys.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What was deleted of a table: rows of which the values of the natural key are given."""

    table: str
    rows: tuple[Mapping[str, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Referring:
    """A foreign key of another table, or of the same one."""

    table: SeedTable
    link: Link


async def prune(connection: AsyncConnection, kept: Sequence[Kept]) -> tuple[Pruned, ...]:
    """Deletes the rows of tables that no data set has; in a transaction of the caller.

    Tables that refer to others come before these. Rows to which others refer stay: a foreign key
    could delete or change those others too.

    Raises:
        SeedError: Other rows refer to one of them, or a table has no primary key.
    """
    referring = await connection.run_sync(_referring, [one.table.name for one in kept])
    pruned = []
    for one in _children_first(kept, referring):
        pruned.append(await _prune(connection, one, referring[one.table.name]))  # noqa: PERF401 - await
    return tuple(pruned)


def _referring(connection: Connection, names: Sequence[str]) -> dict[str, list[_Referring]]:
    """By the name of a table, the foreign keys that lead to it."""
    tables = Tables(connection)
    found: dict[str, list[_Referring]] = {name: [] for name in names}
    for child, links in tables.all_links().items():
        for link in links:
            table = tables.find(child) if link.table in found else None
            if table:
                found[link.table].append(_Referring(table=table, link=link))
    return found


def _children_first(
    kept: Sequence[Kept], referring: Mapping[str, Sequence[_Referring]]
) -> list[Kept]:
    """In a circle the first one goes first; what refers to its rows is said then."""
    left = {one.table.name: one for one in kept}
    order = []
    while left:
        free = (
            name
            for name in left
            if not any(one.table.name in left and one.table.name != name for one in referring[name])
        )
        order.append(left.pop(next(free, next(iter(left)))))
    return order


async def _prune(
    connection: AsyncConnection, kept: Kept, referring: Sequence[_Referring]
) -> Pruned:
    table = kept.table
    if not table.primary_key:
        raise SeedError(
            f"rows of {table.name} cannot be deleted, for it has no primary key",
            hint="leave it out of --prune",
        )
    keys = dict.fromkeys(name for by in kept.keys for name in by)
    referred = [name for one in referring for name in one.link.referred]
    own = [one.link for one in referring if one.table.name == table.name]
    names = [*keys, *table.primary_key, *referred, *(name for one in own for name in one.columns)]
    rows = [row for row in await _all(connection, table, names) if not kept.has(row)]
    for one in referring:
        await _refuse_referred(connection, table, rows, one)
    for level in _leaves_first(rows, own):
        which = [tuple(row[name] for name in table.primary_key) for row in level]
        for condition in conditions(table, table.primary_key, which):
            await connection.execute(delete(table.clause).where(condition))
    shown = tuple(
        {name: HIDDEN if name in kept.hidden else str(row[name]) for name in keys} for row in rows
    )
    return Pruned(table=table.name, rows=shown)


async def _all(connection: AsyncConnection, table: SeedTable, names: Sequence[str]) -> list[Stored]:
    named = list(dict.fromkeys(names))
    found = await connection.execute(select(*(table.column(name) for name in named)))
    return [
        {
            name: table.columns[name].normal_form(value)
            for name, value in zip(named, values, strict=True)
        }
        for values in found
    ]


async def _refuse_referred(
    connection: AsyncConnection, table: SeedTable, rows: Sequence[Stored], by: _Referring
) -> None:
    """Refuses rows to which others refer that stay.

    Raises:
        SeedError: There are such rows.
    """
    child, link = by.table, by.link
    keys = [key for row in rows if None not in (key := _values(row, link.referred))]
    found = await find(connection, child, by=link.columns, keys=keys, columns=())
    others = [row for alike in found.values() for row in alike]
    if child.name == table.name:
        going = {_values(row, table.primary_key) for row in rows}
        others = [row for row in others if _values(row, table.primary_key) not in going]
    if others:
        count = "1 row" if len(others) == 1 else f"{len(others)} rows"
        verb = "refers" if len(others) == 1 else "refer"
        raise SeedError(
            f"rows of {table.name} that no data set has cannot be deleted: {count} of {child.name}"
            f" {verb} to them ({', '.join(link.columns)})",
            hint=_NOTHING,
        )


def _leaves_first(rows: Sequence[Stored], links: Sequence[Link]) -> list[list[Stored]]:
    """Groups of rows, none of which has a row in it that a later group refers to.

    InnoDB looks at a foreign key row by row, also within one statement.
    """
    left, groups = list(rows), []
    while left and links:
        wanted = {
            (at, _values(row, one.columns))
            for row in left
            for at, one in enumerate(links)
            if _values(row, one.columns) != _values(row, one.referred)  # else its own
        }
        group: list[Stored] = []
        stay: list[Stored] = []
        for row in left:
            is_wanted = any(
                (at, _values(row, one.referred)) in wanted for at, one in enumerate(links)
            )
            (stay if is_wanted else group).append(row)
        if not group:
            break
        groups.append(group)
        left = stay
    return [*groups, left] if left else groups


def _values(row: Stored, names: Sequence[str]) -> Key:
    return tuple(row[name] for name in names)

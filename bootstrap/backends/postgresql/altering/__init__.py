"""What takes one PostgreSQL database to the schema of another, in the words of `pg_get_…def`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain

from sqlalchemy import Connection

from bootstrap.backends.altering import Key, Made, Part, Statement, way
from bootstrap.backends.postgresql.altering import beside, objects, tables
from bootstrap.backends.postgresql.catalog import queries
from bootstrap.schema.changes import Kind

_ROUTINE = "CREATE OR REPLACE "


class PostgreSQLAlterations:
    """Takes the definitions from the catalogue; the search path is that of the connection."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    def made(self, connection: Connection) -> tuple[Made, ...]:
        """What there is."""
        rows = queries.rows(connection, None)
        return tuple(chain(objects.made(rows), tables.made(rows), beside.made(rows)))

    def keeping(self, _own: Made, other: Made, _parts: Collection[Part]) -> Made:
        """Parts stand for themselves here."""
        return other

    def between(self, before: Sequence[Made], after: Sequence[Made]) -> tuple[Statement, ...]:
        """The statements from one to the other."""
        old, new = _without_inherited(before, after)
        found = way(old, new, _change, anew=frozenset(_anew(old, new)))
        if not any(one.sql.startswith(_ROUTINE) for one in found):
            return found
        # Bodies of functions may name tables that come after them; pg_dump says so too.
        return (Statement(sql="SET check_function_bodies = off", kind=Kind.DATABASE), *found)


def _without_inherited(*sides: Sequence[Made]) -> tuple[list[Made], ...]:
    """What comes to a table by its parent goes with that too."""
    inherited = {
        one.key
        for side in sides
        for one in side
        if one.kind is Kind.COLUMN and one.facts["inherited"] != "0"
    }
    return tuple([one for one in side if one.key not in inherited] for side in sides)


def _change(was: Made, becomes: Made) -> Sequence[Statement] | None:
    if was.kind in _CHANGES:
        found = _CHANGES[was.kind](was, becomes)
        return None if found is None else tuple(found)
    if was.kind is Kind.OTHER and "base" in was.facts:
        same = was.facts["base"] == becomes.facts.get("base")
        return tuple(objects.changed_domain(was, becomes)) if same else None
    if becomes.create and becomes.create[0].startswith(_ROUTINE):  # a routine
        return [becomes.says(sql) for sql in becomes.create]
    return None


_CHANGES: Mapping[Kind, Callable[[Made, Made], Iterable[Statement] | None]] = {
    Kind.TABLE: tables.changed_table,
    Kind.COLUMN: tables.changed_column,
    Kind.ENUM: objects.changed_enum,
    Kind.SEQUENCE: objects.changed_sequence,
    Kind.VIEW: objects.changed_view,
}


def _anew(before: Sequence[Made], after: Sequence[Made]) -> Iterator[Key]:
    """What stays as it is and is in the way of what changes."""
    new = {one.key: one for one in after}
    both = [one for one in before if one.key in new]
    changed = [one for one in before if _differs(one, new)]
    keys = {one.table for one in changed if one.kind in (Kind.PRIMARY_KEY, Kind.UNIQUE)}
    yield from (one.key for one in both if one.facts.get("references") in keys)
    views = [one for one in both if one.kind is Kind.VIEW]
    found = _showing(_reshaped(before, changed, new), views)
    yield from (one.key for one in found)
    replaced = [one for one in views if one in changed and _change(one, new[one.key]) is None]
    remade = {one.table for one in (*found, *replaced)}
    yield from (one.key for one in both if one.kind is Kind.INDEX and one.table in remade)


def _differs(one: Made, others: Mapping[Key, Made]) -> bool:
    other = others.get(one.key)
    return other is None or (one.create, one.facts) != (other.create, other.facts)


def _reshaped(
    before: Sequence[Made], changed: Sequence[Made], new: Mapping[Key, Made]
) -> list[Made]:
    """The columns whose views are in the way: they go, or get another type."""
    enums = {one.facts["path"] for one in changed if one.kind is Kind.ENUM}
    return [
        one
        for one in before
        if one.kind is Kind.COLUMN and (_is_retyped(one, new) or one.facts["type"] in enums)
    ]


def _is_retyped(one: Made, others: Mapping[Key, Made]) -> bool:
    other = others.get(one.key)
    facts = ("type", "collation", "generated")
    return other is None or any(one.facts[fact] != other.facts[fact] for fact in facts)


def _showing(columns: Sequence[Made], views: Sequence[Made]) -> list[Made]:
    """The views that name one of these columns and its table, and those that name such a view."""
    found = [
        one
        for one in views
        if any(_names(one, column.table) and _names(one, column.name) for column in columns)
    ]
    more = found
    while more:
        more = [
            one
            for one in views
            if one not in found and any(_names(one, other.table) for other in more)
        ]
        found += more
    return found


def _names(view: Made, name: str) -> bool:
    bare = name.rpartition(".")[2]
    return re.search(rf"\b{re.escape(bare)}\b", view.create[0]) is not None

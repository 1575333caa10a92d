"""Whether a used copy of a template is as the template is, and what makes it so again.

Each version of a row has the number of the transaction that wrote it, `xmin` (PostgreSQL's manual,
"System Columns"); rows of the catalogue too. A copy is made of files, so its rows have the numbers
of the template, and all that its user wrote has later ones. So a table is as it was where it has as
many rows as it had, and none of a later transaction. Rows of later ones beside all those that were
there are rows that were added: they can be taken away.

What no transaction writes is compared by itself: where sequences are, and what the server keeps in
place in pg_class: sizes, and whether there was ever an index.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection

_MOST_BYTES = 64 << 20  # what is larger takes as long to be looked at as to be copied
_MORE_BYTES = 1 << 20  # what dead rows may take before a new copy is better
_MOST_ROWS = 10_000  # that are taken away
_CATALOGUE = "c.relnamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
_HERE = f"NOT {_CATALOGUE} AND c.relnamespace <> 'pg_toast'::regnamespace"
_NAMED = "quote_ident(n.nspname) || '.' || quote_ident(c.relname)"
_PARTS = f"""
SELECT c.oid::bigint, {_NAMED},
    CASE WHEN {_CATALOGUE} THEN 'c' ELSE c.relkind::text END,
    has_table_privilege(c.oid, 'SELECT')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT c.relisshared AND c.relpersistence <> 't'
    AND (c.relkind = 'r' OR c.relkind IN ('m', 'S') AND {_HERE})
ORDER BY c.oid
"""
# Rules, and triggers that are not those of foreign keys: whether there are any, and whether any
# is at work where session_replication_role is replica.
_PROGRAMS = f"""
SELECT count(*) > 0, coalesce(bool_or(enabled IN ('A', 'R')), false) FROM (
    SELECT tgenabled::text AS enabled FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT ev_enabled::text FROM pg_rewrite JOIN pg_class c ON c.oid = ev_class
    WHERE c.relkind IN ('r', 'p') AND {_HERE}) AS programs
"""
# Small statements one after the other: no time for a compiler. An account that sees some rows only
# is refused.
_SETTINGS = "set_config('jit', 'off', false), set_config('row_security', 'off', false)"
_SIZES = f"""
SELECT {_SETTINGS}, coalesce(sum(size), 0)::bigint,
    coalesce(string_agg(oid::text, ' ') FILTER (WHERE size > 0), '')
FROM (SELECT c.oid::bigint, pg_relation_size(c.oid) AS size FROM pg_class c
    WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND {_HERE}) AS tables
"""
# What VACUUM and ANALYZE write, and the making of an index, in place, whether or not it is undone.
_IN_PLACE = """
SELECT 0::bigint, sum(relpages + relallvisible + reltuples::bigint)::bigint,
    sum(relhasindex::integer)::bigint FROM pg_catalog.pg_class
"""
# What only a superuser may read, and what has no rows as long as none of that matters.
_HIDDEN = frozenset({"pg_catalog.pg_largeobject", "pg_catalog.pg_user_mapping"})
_BEFORE_HIDDEN = frozenset({"pg_catalog.pg_largeobject_metadata", "pg_catalog.pg_foreign_server"})
_ANALYZED = frozenset({"pg_catalog.pg_statistic", "pg_catalog.pg_statistic_ext_data"})


class Analyzed(Exception):
    """What the planner knows has changed, and perhaps rows: autovacuum may have been there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A table, a materialized view, a sequence, or a table of the catalogue."""

    oid: int
    name: str  # quoted, with its schema
    kind: str  # as in pg_class.relkind; c for the catalogue, empty for what is written in place

    @property
    def is_analyzed(self) -> bool:
        """Whether ANALYZE writes it."""
        return not self.kind or self.name in _ANALYZED


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """How many rows a table has, and how many are later; where a sequence is, and if it began."""

    first: int
    second: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a copy is that nobody has used.

    Attributes:
        later: The transaction that no row of the template is later than.
        parts: All that is looked at.
        states: How each was found, by its oid.
        size: Of all tables, in bytes.
        hidden: Tables of the catalogue that the account may not read.
        programs: Whether triggers or rules would be at work when rows are deleted.
        always: Whether some are in any case.
    """

    later: int
    parts: tuple[_Part, ...]
    states: Mapping[int, _State]
    size: int
    hidden: frozenset[str]
    programs: bool
    always: bool

    @property
    def is_fit(self) -> bool:
        """Whether it can be told at all from what it becomes; and sooner than it is copied."""
        if self.size > _MOST_BYTES or not self.hidden <= _HIDDEN | _ANALYZED:
            return False
        counted = (one for one in self.parts if one.kind not in ("S", ""))
        return not any(
            self.states[one.oid].second
            or (self.hidden and one.name in _BEFORE_HIDDEN and self.states[one.oid].first)
            for one in counted
        )


class Watch:
    """A connection to a copy, through which it is looked at.

    Args:
        connection: That one.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def read(self, later: int) -> Content:
        """Reads what a copy is before anybody uses it.

        Args:
            later: A transaction that began after all was in the template.
        """
        found = await self._asked(_PARTS)
        hidden = {row[1] for row in found if row[2] == "c" and not row[3]}
        mattering = {one for one in hidden if not one.startswith("information_schema.")}
        tables = (_Part(oid=row[0], name=row[1], kind=row[2]) for row in found)
        seen = (one for one in tables if one.name not in hidden)
        parts = (_Part(oid=0, name="", kind=""), *seen)
        [programs] = await self._asked(_PROGRAMS)
        size, _ = await self._sizes()
        states = await self._states(parts, later) if size <= _MOST_BYTES else {}
        await self._connection.rollback()
        return Content(
            later=later,
            parts=parts,
            states=states,
            size=size,
            hidden=frozenset(mattering),
            programs=programs[0],
            always=programs[1],
        )

    async def is_renewed(self, original: Content) -> bool:
        """Whether the copy is as it was; rows that were added are taken away, sequences put back.

        Args:
            original: How it was.

        Raises:
            Analyzed: What the planner knows has changed, and perhaps rows.
        """
        size, filled = await self._sizes()
        if size > original.size + _MORE_BYTES:
            return False
        parts = _worth_looking_at(original, filled)
        found = await self._states(parts, original.later)
        changed = [one for one in parts if found.get(one.oid) != original.states[one.oid]]
        if not changed:
            await self._connection.rollback()
            return True
        # Rows that were added beside it are no reason to compare with what is out of date.
        catalogue = [one for one in changed if one.kind in ("c", "")]
        if catalogue and all(one.is_analyzed for one in catalogue):
            raise Analyzed
        undo = _undo(changed, found, original)
        for statement in undo:
            await self._send(statement)
        if not undo or not _same(parts, await self._states(parts, original.later), original):
            return False
        await self._connection.commit()
        return True

    async def close(self) -> None:
        """Closes the connection; never raises."""
        with suppress(Exception):
            await self._connection.close()

    async def _sizes(self) -> tuple[int, frozenset[int]]:
        """How large all tables are together, and which of them have, or had, rows."""
        [row] = await self._asked(_SIZES)
        return row[2], frozenset(map(int, row[3].split()))

    async def _states(self, parts: Iterable[_Part], later: int) -> Mapping[int, _State]:
        sql = " UNION ALL ".join(_question(one, f"age('{later:d}'::xid)") for one in parts)
        rows = await self._asked(sql)
        return {row[0]: _State(first=row[1], second=row[2]) for row in rows}

    async def _asked(self, sql: str) -> Sequence[tuple[Any, ...]]:
        return [tuple(row) for row in await self._send(sql)]

    async def _send(self, statement: str) -> CursorResult[Any]:
        plain = {"no_parameters": True}
        return await self._connection.exec_driver_sql(statement, execution_options=plain)


def _worth_looking_at(original: Content, filled: frozenset[int]) -> tuple[_Part, ...]:
    """All but the tables that have no rows, as they had none: a file of no size says so."""
    return tuple(
        one
        for one in original.parts
        if one.kind not in ("r", "m") or one.oid in filled or original.states[one.oid].first
    )


def _question(part: _Part, age: str) -> str:
    if not part.kind:
        return _IN_PLACE
    if part.kind == "S":
        return (
            f"SELECT {part.oid:d}::bigint, last_value, is_called::integer::bigint FROM {part.name}"
        )
    if part.kind == "c":  # here it is enough to know whether there are any
        later = f"coalesce((min(age(xmin)) <= {age})::integer::bigint, 0)"
        return f"SELECT {part.oid:d}::bigint, count(*), {later} FROM {part.name}"
    later = f"count(*) FILTER (WHERE age(xmin) <= {age})"
    return f"SELECT {part.oid:d}::bigint, count(*), {later} FROM ONLY {part.name}"


def _same(parts: Iterable[_Part], found: Mapping[int, _State], original: Content) -> bool:
    return all(found.get(one.oid) == original.states[one.oid] for one in parts)


def _undo(
    changed: Sequence[_Part], found: Mapping[int, _State], original: Content
) -> tuple[str, ...]:
    """What takes away the rows that were added and puts sequences back; nothing for the rest."""
    tables = [one for one in changed if one.kind != "S"]
    if not all(_is_added_to(one, found, original) for one in tables):
        return ()
    if sum(found[one.oid].second for one in tables) > _MOST_ROWS or (tables and original.always):
        return ()
    later = f"age(xmin) <= age('{original.later:d}'::xid)"
    deletes = [
        f"gone_{number} AS (DELETE FROM ONLY {one.name} WHERE {later})"
        for number, one in enumerate(tables)
    ]
    sets = [_position(one, original.states[one.oid]) for one in changed if one.kind == "S"]
    # One statement for all: which table refers to which does not matter then.
    undo = f"{_with(deletes)}SELECT {', '.join(sets) or '1'}"
    silent = bool(tables) and original.programs
    return ("SET LOCAL session_replication_role = replica", undo) if silent else (undo,)


def _is_added_to(part: _Part, found: Mapping[int, _State], original: Content) -> bool:
    """Whether a table has all that it had, and more."""
    now = found[part.oid]
    return part.kind == "r" and now.first - now.second == original.states[part.oid].first


def _with(parts: Sequence[str]) -> str:
    return f"WITH {', '.join(parts)} " if parts else ""


def _position(sequence: _Part, state: _State) -> str:
    called = "true" if state.second else "false"
    return f"setval({sequence.oid:d}::oid::regclass, {state.first:d}, {called})"

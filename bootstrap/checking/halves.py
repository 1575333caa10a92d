"""Where a revision has stopped that nobody has recorded: found by what a database looks like.

The revision was run on a throwaway database beside it, and read after each statement; it has
stopped after the one where both look alike, as far as the revision has to do with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest
from typing import TypeVar

from bootstrap.backends.guards import Recording
from bootstrap.checking.differences import Difference, from_history
from bootstrap.journal.entries import Entry, Kind
from bootstrap.running.observing import Moment, Rows, Statement
from bootstrap.running.rehearsing import Rehearsal
from bootstrap.schema.changes import Change
from bootstrap.schema.changes import Kind as Part
from bootstrap.schema.model import Schema, Table

D = TypeVar("D", Difference, Change)
_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """The database that is looked into.

    Attributes:
        schema: Without the tables of the tools.
        rows: Those of each table, as far as they are few enough to be compared.
    """

    schema: Schema
    rows: Mapping[str, Rows | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a revision has to do with: tables as a whole, and parts of others."""

    tables: frozenset[str]
    parts: frozenset[_Key]

    @classmethod
    def of(cls, moments: Sequence[Moment]) -> About:
        """What it changes, from one moment to the next."""
        changes = [
            one
            for before, after in pairwise(moments)
            if before.schema is not after.schema
            for one in from_history(before.schema, after.schema)
        ]
        whole = frozenset(one.table for one in changes if _is_whole(one))
        return cls(tables=whole, parts=frozenset(_key(one) for one in changes))

    def relevant(self, differences: Iterable[D]) -> tuple[D, ...]:
        """Those that are about it."""
        changed = {table for _, table, _ in self.parts}
        return tuple(
            one
            for one in differences
            if one.table in self.tables
            or _key(one) in self.parts
            or (_is_whole(one) and one.table in changed)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found out about one revision.

    Attributes:
        rehearsal: How it goes.
        live: What was compared.
        stops: After how many statements it may have stopped; several where nobody can tell.
        nearest: After how many it looks most alike.
        differences: What differs then; nothing where it may have stopped there.
        about: What it has to do with.
    """

    rehearsal: Rehearsal
    live: Live
    stops: tuple[int, ...]
    nearest: int
    differences: tuple[Difference, ...]
    about: About

    @property
    def is_begun(self) -> bool:
        """Whether something of it is there."""
        return 0 not in self.stops and (bool(self.stops) or self.nearest > 0)

    @property
    def is_whole(self) -> bool:
        """Whether all of it may be there."""
        return not self.rehearsal.failed and len(self.rehearsal.statements) in self.stops


def found(rehearsal: Rehearsal, live: Live) -> Found:
    """Compares a database with each place where the revision may have stopped."""
    about = About.of(rehearsal.moments)
    stops = sorted({0, *rehearsal.stops})
    differing = {stop: _differing(rehearsal.moments[stop].schema, live, about) for stop in stops}
    equal = (stop for stop, differences in differing.items() if not differences)
    alike = _without_twins(equal, rehearsal.statements)
    nearest = min(differing, key=lambda stop: (len(differing[stop]), -stop))
    return Found(
        rehearsal=rehearsal,
        live=live,
        stops=_by_rows(alike, rehearsal.moments, live),
        nearest=nearest,
        differences=differing[nearest],
        about=about,
    )


def _differing(then: Schema, live: Live, about: About) -> tuple[Difference, ...]:
    return about.relevant(from_history(then, _without_unfinished(live.schema, then)))


def _without_unfinished(schema: Schema, then: Schema) -> Schema:
    """Without the indexes that are not valid, as a build leaves them that was given up."""
    known = {(table.path, index.name) for table in then.tables for index in table.indexes}

    def finished(one: Table) -> Table:
        kept = (index for index in one.indexes if index.valid or (one.path, index.name) in known)
        return replace(one, indexes=tuple(kept))

    return replace(schema, tables=tuple(finished(one) for one in schema.tables))


def _key(one: Difference | Change) -> _Key:
    return (one.kind, one.table, one.name)


def _is_whole(one: Difference | Change) -> bool:
    return one.kind is Part.TABLE and not one.attribute


def _by_rows(stops: Sequence[int], moments: Sequence[Moment], live: Live) -> tuple[int, ...]:
    """Those where tables that the revision has made hold the same rows; all, where none does.

    Nobody else knows these tables. In others are rows that the throwaway database does not have.
    """
    if len(stops) < 2:
        return tuple(stops)
    old = {one.path for one in moments[0].schema.tables}
    same = [
        stop
        for stop in stops
        if all(
            rows is not None and rows == live.rows.get(path)
            for path, rows in moments[stop].rows.items()
            if path not in old
        )
    ]
    return tuple(same or stops)


def _without_twins(stops: Iterable[int], statements: Sequence[Statement]) -> list[int]:
    """Of places between which nothing is changed, the first."""
    kept: list[int] = []
    for stop in stops:
        if not kept or not all(one.reads for one in statements[kept[-1] : stop]):
            kept.append(stop)
    return kept


def unknowable(one: Found, stop: int, recording: Recording) -> Statement | None:
    """The first statement before a place whose result only the database itself has known.

    A read of rows, and a key that the server has made, steer what the revision does next. On a
    table that holds the same rows as that of the throwaway database it is the same.
    """
    other = _other_tables(one, stop)
    entries = [entry for entry in one.rehearsal.recorded if entry.kind is not Kind.SETTLED]
    for statement, entry in zip_longest(one.rehearsal.statements[:stop], entries[:stop]):
        if statement is None:
            break
        if entry is None or entry.outcome.rows is None or recording.is_its_own(entry.outcome):
            return statement
        gives = statement.reads_rows or statement.keyed or entry.outcome.variables
        gives = gives or (entry.outcome.columns and not statement.reads)
        if (gives and statement.names(other)) or statement.counts:
            return statement
    return None


def recorded(one: Found, stop: int) -> tuple[Entry, ...]:
    """The journal as a run that ended there would have left it, with what is known of its rows."""
    other = _other_tables(one, stop)
    by_number = dict(enumerate(one.rehearsal.statements, 1))
    entries: list[Entry] = []
    number = 0
    for entry in one.rehearsal.recorded:
        number += entry.kind is not Kind.SETTLED
        if number > stop:
            break
        is_other = number in by_number and by_number[number].names(other)
        entries.append(_not_counted(entry) if entry.kind is Kind.WRITE and is_other else entry)
    return (*entries, *_settled(entries))


def _not_counted(entry: Entry) -> Entry:
    """DBAPI (PEP 249): -1 is the number of rows where that is not known."""
    return replace(entry, outcome=replace(entry.outcome, rowcount=-1, lastrowid=None))


def _settled(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The last one was applied: its evidence is about another database."""
    if not entries or entries[-1].kind is not Kind.INTENT:
        return ()
    last = entries[-1]
    return (replace(last, number=last.number + 1, kind=Kind.SETTLED, evidence=None),)


def _other_tables(one: Found, stop: int) -> tuple[str, ...]:
    """The tables that hold, or held, other rows than those of the throwaway database."""
    here = one.rehearsal.moments[stop].rows
    ever = {path for moment in one.rehearsal.moments[: stop + 1] for path in moment.rows}
    return tuple(
        path
        for path in sorted(ever)
        if path not in here or here[path] is None or here[path] != one.live.rows.get(path)
    )

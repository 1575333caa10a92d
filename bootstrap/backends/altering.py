"""What takes a database to the schema of another: each thing in it with the SQL that makes it.

The SQL is the server's own (`pg_get_…def`, `SHOW CREATE`, `sqlite_master`), so that nothing is
lost on the way through a model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bootstrap.schema.changes import Kind

Key = tuple[str, str, str]
Part = tuple[Kind, str]  # of a table: what it is, and its name in small letters


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a way from one schema to another.

    Attributes:
        sql: Without what ends it.
        kind: What it is about.
        table: Of which table or view, as `Change.table`; empty for what stands beside tables.
        name: Its name.
        loses: Whether rows or values can be lost by it.
    """

    sql: str
    kind: Kind
    table: str = ""
    name: str = ""
    loses: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One thing in a database, and what makes it.

    Attributes:
        kind: What it is.
        table: Of which table or view; empty for what stands beside tables.
        name: Its name.
        create: What makes it; two that say the same here are the same.
        drop: What drops it; nothing where it goes with something else.
        stage: What it needs has a lower one.
        facts: What can be changed in its place, and the names needed for that, quoted.
        loses: Whether rows are lost when it is dropped.
        within: The table whose CREATE TABLE makes it and whose DROP TABLE drops it, so that it
            needs statements of its own only where the table stays.
        after: The table with which it is dropped, and after which it is made.
    """

    kind: Kind
    table: str = ""
    name: str = ""
    create: tuple[str, ...]
    drop: tuple[str, ...] = ()
    stage: int = 0
    facts: Mapping[str, str] = field(default_factory=dict)
    loses: bool = False
    within: str = ""
    after: str = ""

    @property
    def key(self) -> Key:
        """What it is, so that it can be found in another database."""
        return (self.kind, self.table, self.name)

    def says(self, sql: str, *, loses: bool = False) -> Statement:
        """A statement about it."""
        return Statement(sql=sql, kind=self.kind, table=self.table, name=self.name, loses=loses)


# From one to another of the same key: what changes it in its place, or None where it must be
# dropped and made anew.
Change = Callable[[Made, Made], Sequence[Statement] | None]


def way(
    before: Sequence[Made],
    after: Sequence[Made],
    change: Change,
    *,
    anew: Collection[Key] = (),
) -> tuple[Statement, ...]:
    """The statements from one schema to another: what goes, what changes, what comes.

    Args:
        before: All of the one.
        after: All of the other.
        change: Changes one thing in its place.
        anew: What must go for a time although it is the same in both.
    """
    old = {one.key: one for one in before}
    new = {one.key: one for one in after}
    gone = {key: one for key, one in old.items() if key not in new}
    come = {key: one for key, one in new.items() if key not in old}
    changed: list[tuple[Made, Sequence[Statement]]] = []
    for key in old.keys() & new.keys():
        was, becomes = old[key], new[key]
        if key not in anew and (was.create, was.facts) == (becomes.create, becomes.facts):
            continue
        found = None if key in anew else change(was, becomes)
        if found is None:
            gone[key], come[key] = was, becomes
        else:
            changed.append((becomes, found))
    changed.sort(key=lambda pair: (pair[0].stage, pair[0].key))
    return (
        *(one for made in reversed(_ordered(gone.values())) for one in _dropped(made, gone)),
        *(one for _, found in changed for one in found),
        *(one for made in _ordered(come.values()) for one in _created(made, come)),
    )


def _dropped(made: Made, gone: Mapping[Key, Made]) -> Iterator[Statement]:
    table = made.within or made.after
    if not (table and _has_table(gone, table)):
        yield from (made.says(sql, loses=made.loses) for sql in made.drop)


def _created(made: Made, come: Mapping[Key, Made]) -> Iterator[Statement]:
    if not (made.within and _has_table(come, made.within)):
        yield from (made.says(sql) for sql in made.create)


def _has_table(some: Mapping[Key, Made], table: str) -> bool:
    return any((kind, table, table) in some for kind in (Kind.TABLE, Kind.VIEW))


def _ordered(some: Iterable[Made]) -> list[Made]:
    """In an order in which they can be made: what one names stands before it."""
    waiting = sorted(some, key=lambda made: (made.stage, made.key))
    done: list[Made] = []
    while waiting:
        ready = next(
            (
                one
                for one in waiting
                if one.stage == waiting[0].stage
                and not any(_needs(one, other) for other in waiting if other is not one)
            ),
            waiting[0],  # they name each other
        )
        waiting.remove(ready)
        done.append(ready)
    return done


def _needs(one: Made, other: Made) -> bool:
    """Whether the text of one names another of its stage."""
    if one.stage != other.stage or not other.name:
        return False
    bare = other.name.rpartition(".")[2].partition("(")[0]
    return any(re.search(rf"\b{re.escape(bare)}\b", sql) for sql in one.create)

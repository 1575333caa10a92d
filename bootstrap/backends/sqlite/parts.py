"""What a table consists of, as far as making it anew can lose it.

Two views that can be compared: what SQLite has, and what Alembic's batch mode saw of it, which is
what SQLAlchemy reflects or a revision states in `copy_from`. What Alembic saw, a revision dropped
on purpose; what it did not see, it could not keep.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import sqlalchemy as sa

from bootstrap.schema.model import Numbering, Table


class Kind(StrEnum):
    """What kind of part."""

    COLUMN = "column"
    COLLATION = "collation of"
    GENERATED = "generated column"
    AUTOINCREMENT = "AUTOINCREMENT"
    CHECK = "CHECK"
    UNIQUE = "UNIQUE"
    FOREIGN_KEY = "foreign key"
    INDEX = "index"
    ORDER = "order or collation of index"
    TRIGGER = "trigger"
    OPTION = "option"


# What goes with the old table; all else stands in the CREATE TABLE of the new one.
BESIDE = frozenset({Kind.INDEX, Kind.TRIGGER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part; names are in lower case, as SQLite compares them.

    Attributes:
        kind: What it is.
        name: What it is called, or what it says where it has no name.
        columns: The columns that are its identity.
    """

    kind: Kind
    name: str = ""
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        columns = f"({', '.join(self.columns)})" if self.kind in (Kind.UNIQUE, Kind.CHECK) else ""
        named = self.name or columns or ", ".join(self.columns)
        return f"{self.kind} {named}".rstrip()

    def renamed(self, names: Mapping[str, str]) -> Part:
        """The same with other names of columns."""
        return replace(self, columns=tuple(names.get(name, name) for name in self.columns))


def of_table(table: Table) -> frozenset[Part]:
    """The parts of a table that SQLite has."""
    return frozenset((*_columns(table), *_constraints(table), *_beside(table)))


def of_alembic(table: sa.Table) -> frozenset[Part]:
    """The parts of a table that Alembic saw or was told of."""
    return frozenset((*_seen_columns(table), *_seen_constraints(table), *_seen_beside(table)))


def _columns(table: Table) -> Iterator[Part]:
    for column in table.columns:
        columns = (column.name.lower(),)
        yield Part(kind=Kind.COLUMN, columns=columns)
        if column.collation:
            yield Part(kind=Kind.COLLATION, columns=columns)
        if column.computed:
            yield Part(kind=Kind.GENERATED, columns=columns)
        if column.identity and column.identity.numbering is Numbering.AUTOINCREMENT:
            yield Part(kind=Kind.AUTOINCREMENT)


def _constraints(table: Table) -> Iterator[Part]:
    for check in table.checks:
        yield Part(kind=Kind.CHECK, name=check.name.lower() or f"({check.expression.text})")
    for unique in table.uniques:
        yield Part(kind=Kind.UNIQUE, columns=_lower(unique.columns))
    for key in table.foreign_keys:
        yield Part(kind=Kind.FOREIGN_KEY, columns=_lower(key.columns))
    for option in table.options:
        yield Part(kind=Kind.OPTION, name=option.name.lower())


def _beside(table: Table) -> Iterator[Part]:
    for index in table.indexes:
        yield Part(kind=Kind.INDEX, name=index.name.lower())
        if any(key.descending or key.collation for key in index.keys):
            yield Part(kind=Kind.ORDER, name=index.name.lower())
    for trigger in table.triggers:
        yield Part(kind=Kind.TRIGGER, name=trigger.name.lower())


def _seen_columns(table: sa.Table) -> Iterator[Part]:
    for column in table.columns:
        columns = (column.name.lower(),)
        yield Part(kind=Kind.COLUMN, columns=columns)
        if getattr(column.type, "collation", None):
            yield Part(kind=Kind.COLLATION, columns=columns)
        if column.computed is not None:
            yield Part(kind=Kind.GENERATED, columns=columns)
    if table.dialect_options["sqlite"]["autoincrement"]:
        yield Part(kind=Kind.AUTOINCREMENT)


def _seen_constraints(table: sa.Table) -> Iterator[Part]:
    for constraint in table.constraints:
        if isinstance(constraint, sa.CheckConstraint) and isinstance(constraint.name, str):
            yield Part(kind=Kind.CHECK, name=constraint.name.lower())
        elif isinstance(constraint, sa.UniqueConstraint):
            yield Part(kind=Kind.UNIQUE, columns=_lower(constraint.columns.keys()))
        elif isinstance(constraint, sa.ForeignKeyConstraint):
            yield Part(kind=Kind.FOREIGN_KEY, columns=_lower(constraint.column_keys))
    if table.dialect_options["sqlite"]["with_rowid"] is False:
        yield Part(kind=Kind.OPTION, name="without rowid")


def _seen_beside(table: sa.Table) -> Iterator[Part]:
    for index in table.indexes:
        if index.name:
            yield Part(kind=Kind.INDEX, name=index.name.lower())


def _lower(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)

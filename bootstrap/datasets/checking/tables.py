"""The tables that are there, as far as data sets need to know them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnClause,
    Connection,
    Dialect,
    Double,
    Float,
    Integer,
    Numeric,
    TableClause,
    column,
    inspect,
    table,
)
from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedForeignKeyConstraint
from sqlalchemy.types import TypeEngine

from bootstrap.backends import of_dialect
from bootstrap.datasets.checking.kinds import Kind, kept_kind_of, kind_of

Key: TypeAlias = tuple[Any, ...]  # the values of the columns of a natural key


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    """A column of a table.

    Attributes:
        name: Its name.
        type: Its type, as values are sent and read.
        kind: How values of a file are read; None where a file cannot have any.
        nullable: Whether it takes NULL.
        required: Whether a new row must have a value for it.
    """

    name: str
    type: TypeEngine[Any]
    kind: Kind | None
    nullable: bool
    required: bool

    def normal_form(self, value: Any) -> Any:
        """The form in which values of the column are compared."""
        return self.kind.normal_form(value) if self.kind else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A foreign key to a table of the same schema: its columns, and those that it refers to."""

    columns: tuple[str, ...]
    table: str
    referred: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedTable:
    """A table that has, or gets, the rows of data sets."""

    clause: TableClause
    columns: Mapping[str, TableColumn]
    primary_key: tuple[str, ...]
    links: tuple[Link, ...]

    @property
    def references(self) -> Mapping[str, tuple[str, str]]:
        """By the column of a foreign key of one column, the table and column it refers to."""
        return {
            link.columns[0]: (link.table, link.referred[0])
            for link in self.links
            if len(link.columns) == 1
        }

    @property
    def name(self) -> str:
        """The name of the table."""
        return self.clause.name

    def column(self, name: str) -> ColumnClause[Any]:
        """A column for statements."""
        return self.clause.c[name]


class Tables:
    """The tables of a database, each looked at when it is first asked for.

    Args:
        connection: Where to look, as long as this is used.
    """

    def __init__(self, connection: Connection) -> None:
        self._inspector = inspect(connection)
        self._found: dict[str, SeedTable] = {}

    def names(self) -> list[str]:
        """The names of all tables."""
        return self._inspector.get_table_names()

    def find(self, name: str) -> SeedTable | None:
        """Finds a table; None when there is none of this name."""
        if name not in self._found:
            if not self._inspector.has_table(name):
                return None
            self._found[name] = self._look_at(name)
        return self._found[name]

    def _look_at(self, name: str) -> SeedTable:
        primary_key = tuple(self._inspector.get_pk_constraint(name)["constrained_columns"])
        dialect = self._inspector.dialect
        columns = [
            _column(found, primary_key, dialect) for found in self._inspector.get_columns(name)
        ]
        return SeedTable(
            clause=table(name, *(column(one.name, one.type) for one in columns)),
            columns={one.name: one for one in columns},
            primary_key=primary_key,
            links=_links(self._inspector.get_foreign_keys(name)),
        )

    def all_links(self) -> dict[str, tuple[Link, ...]]:
        """The foreign keys of all tables."""
        found = self._inspector.get_multi_foreign_keys()
        return {name: _links(keys) for (_, name), keys in found.items()}


def _links(keys: Iterable[ReflectedForeignKeyConstraint]) -> tuple[Link, ...]:
    return tuple(
        Link(
            columns=tuple(key["constrained_columns"]),
            table=key["referred_table"],
            referred=tuple(key["referred_columns"]),
        )
        for key in keys
        if key["referred_schema"] is None
    )


def _column(found: ReflectedColumn, primary_key: tuple[str, ...], dialect: Dialect) -> TableColumn:
    enforces_types = of_dialect(dialect).features.enforces_types
    return TableColumn(
        name=found["name"],
        type=_plain(found["type"], dialect),
        kind=(kept_kind_of if enforces_types else kind_of)(found["type"]),
        nullable=found["nullable"],
        required=not found["nullable"] and not _is_filled(found, primary_key),
    )


def _is_filled(found: ReflectedColumn, primary_key: tuple[str, ...]) -> bool:
    """Tells whether the database has a value of its own for a new row."""
    if found["default"] is not None or found.get("computed") or found.get("identity"):
        return True
    if "autoincrement" in found:
        return found["autoincrement"]
    # Not said on SQLite, where it is so by rule (sqlite.org/lang_createtable.html#rowid).
    return primary_key == (found["name"],) and isinstance(found["type"], Integer)


def _plain(column_type: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    """The type that hands out numbers as the driver has them.

    SQLAlchemy would make decimals of MySQL's doubles, and of SQLite's, with a warning in 2.0.
    """
    if isinstance(column_type, Double):
        return Double()
    if isinstance(column_type, Float):
        return Float()
    if isinstance(column_type, Numeric) and not dialect.supports_native_decimal:
        return Numeric(column_type.precision, column_type.scale, asdecimal=False)
    return column_type

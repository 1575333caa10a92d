"""A table as several servers have it together: what a row for all of them must keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bootstrap.schema.model import Check, Column, ForeignKey, Numbering, Schema, Table
from bootstrap.schema.portable import portable
from bootstrap.schema.types import Family, Type

# Where one server has the first and another one the second, values are those of the first.
_RANK = (
    Family.UUID,
    Family.JSON,
    Family.ARRAY,
    Family.INTERVAL,
    Family.NETWORK,
    Family.BOOLEAN,
    Family.ENUM,
    Family.SET,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedColumn:
    """A column as the servers that have it declare it.

    Attributes:
        declared: By the name of the server.
        family: What kind of values it has on the server that is most exact about it.
        values: Those of an enum.
    """

    name: str
    declared: Mapping[str, Column]
    family: Family
    values: tuple[str, ...] = ()

    @property
    def types(self) -> tuple[Type, ...]:
        """The type on each of them."""
        return tuple(one.type for one in self.declared.values())

    @property
    def is_computed(self) -> bool:
        """Whether nobody can write it."""
        return any(one.computed for one in self.declared.values())

    @property
    def is_numbered(self) -> bool:
        """Whether a server gives its numbers."""
        return any(one.identity for one in self.declared.values())

    @property
    def is_always_numbered(self) -> bool:
        """Whether a server refuses any other number."""
        identities = (one.identity for one in self.declared.values())
        return any(one and one.numbering is Numbering.ALWAYS for one in identities)

    @property
    def is_nullable(self) -> bool:
        """Whether it may be NULL everywhere."""
        return all(one.nullable for one in self.declared.values())

    @property
    def has_default(self) -> bool:
        """Whether it can be left out everywhere."""
        return all(one.default or one.identity for one in self.declared.values())

    def least(self, fact: Callable[[Type], int | None]) -> int | None:
        """The smallest of what the servers say of a fact; None where none says anything."""
        said = [value for one in self.types if (value := fact(one)) is not None]
        return min(said, default=None)

    @property
    def length(self) -> int | None:
        """What fits everywhere."""
        return self.least(lambda one: one.length)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedTable:
    """A table as the servers that have it declare it, all their constraints together.

    Attributes:
        declared: By the name of the server.
        keys: Columns that are unique together, those of the primary key first.
    """

    path: str
    declared: Mapping[str, Table]
    columns: Mapping[str, SharedColumn]
    primary_key: tuple[str, ...]
    keys: tuple[tuple[str, ...], ...]
    foreign_keys: tuple[ForeignKey, ...]
    checks: tuple[Check, ...]

    @property
    def referring(self) -> frozenset[str]:
        """The columns that refer to another row."""
        return frozenset(name for key in self.foreign_keys for name in key.columns)


def shared(schemas: Mapping[str, Schema]) -> Mapping[str, SharedTable]:
    """The tables that at least two servers have, by path.

    Args:
        schemas: By the name of the server.
    """
    folds = any(one.folds_names for one in schemas.values())
    found: dict[str, dict[str, Table]] = {}
    for server, schema in schemas.items():
        for table in portable(schema.folded() if folds else schema).tables:
            if not table.partition_of:
                found.setdefault(table.path, {})[server] = table
    return {path: _table(path, each) for path, each in sorted(found.items()) if len(each) > 1}


def path_of(key: ForeignKey) -> str:
    """The table that it refers to."""
    return f"{key.schema}.{key.table}" if key.schema else key.table


def _table(path: str, declared: Mapping[str, Table]) -> SharedTable:
    tables = tuple(declared.values())
    names = dict.fromkeys(column.name for table in tables for column in table.columns)
    primary = next((one.primary_key.columns for one in tables if one.primary_key), ())
    uniques = dict.fromkeys(unique.columns for one in tables for unique in one.uniques)
    foreign = {(key.columns, path_of(key)): key for one in tables for key in one.foreign_keys}
    return SharedTable(
        path=path,
        declared=declared,
        columns={name: _column(name, declared) for name in names},
        primary_key=primary,
        keys=tuple(dict.fromkeys(filter(None, (primary, *uniques)))),
        foreign_keys=tuple(foreign.values()),
        checks=tuple({one.expression.text: one for t in tables for one in t.checks}.values()),
    )


def _column(name: str, declared: Mapping[str, Table]) -> SharedColumn:
    columns = {
        server: column
        for server, table in declared.items()
        for column in table.columns
        if column.name == name
    }
    kinds = [one.type for one in columns.values()]
    families = [one.family for one in kinds]
    family = next((one for one in _RANK if one in families), families[0])
    return SharedColumn(
        name=name,
        declared=columns,
        family=family,
        values=next((one.values for one in kinds if one.values), ()),
    )

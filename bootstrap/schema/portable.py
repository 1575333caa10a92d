"""A schema in the words that all backends share, so that two of them can be compared.

What one backend writes as an object and another as a property becomes the same here: a unique
index and a unique constraint, an enum and a CHECK with a list, a boolean and 0 or 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from bootstrap.schema.expressions import Expression
from bootstrap.schema.model import (
    Check,
    Collation,
    Column,
    ForeignKey,
    Index,
    Schema,
    Table,
    Unique,
)
from bootstrap.schema.types import Family, Type

_LISTED = re.compile(r'("?)([^\s"]+)\1 IN \((\'(?:[^\']|\'\')*\'(?:, \'(?:[^\']|\'\')*\')*)\)')
_ZERO_OR_ONE = re.compile(r'("?)([^\s"]+)\1 IN \((?:0, 1|1, 0)\)')
_VALID_JSON = re.compile(r'JSON_VALID\(("?)([^\s"]+)\1\)', re.IGNORECASE)
_VALUE = re.compile(r"'((?:[^']|'')*)'")
_BOOLEANS = {"1": "TRUE", "0": "FALSE", "TRUE": "TRUE", "FALSE": "FALSE"}
_NUMERIC = {Family.INTEGER, Family.DECIMAL, Family.FLOAT}
_STRINGS = {Family.STRING, Family.TEXT, Family.ENUM}


# What a string compares by where no collation is named: on PostgreSQL and SQLite, code points.
_EXACT = Collation(name="", case_sensitive=True, accent_sensitive=True, pads=False)
_UNKNOWN = Type(family=Family.OTHER, raw="")
_COLLATED = _STRINGS | {Family.SET}
_SHORT = re.compile(r'LENGTH\(("?)([^\s"]+)\1\) <= (\d+)')
_ROUNDED = re.compile(r'("?)([^\s"]+)\1 = ROUND\(\1\2\1, (\d+)\)')


def portable(schema: Schema) -> Schema:
    """Brings a schema into the shared words."""
    keys = {
        (table.schema, table.name): table.primary_key.columns
        for table in schema.tables
        if table.primary_key
    }
    return replace(schema, tables=tuple(_table(table, keys) for table in schema.tables))


def _table(table: Table, keys: Mapping[tuple[str, str], tuple[str, ...]]) -> Table:
    plain = [index for index in table.indexes if _is_constraint(index)]
    uniques = [Unique(columns=index.columns, name=index.name) for index in plain]
    members = set(table.primary_key.columns) if table.primary_key else set()
    # PostgreSQL and SQLite keep none beside a primary key of the same columns; MySQL does.
    said = [one for one in (*table.uniques, *uniques) if set(one.columns) != members]
    columns = {column.name: _column(column, members) for column in table.columns}
    checks = tuple(_left(table.checks, columns))
    return replace(
        table,
        columns=tuple(columns.values()),
        checks=checks,
        uniques=_once(*said),
        indexes=tuple(_index(index) for index in table.indexes if index not in plain),
        foreign_keys=tuple(_resolved(key, keys) for key in table.foreign_keys),
    )


def _is_constraint(index: Index) -> bool:
    """Whether a unique index says no more than a unique constraint."""
    plain = all(not (key.descending or key.collation or key.operators) for key in index.keys)
    whole = index.unique and bool(index.columns) and index.where is None
    return whole and plain and index.valid and not index.include and index.nulls_distinct


def _index(index: Index) -> Index:
    """An index without the place of NULL, which each backend gives its own and one lets choose."""
    return replace(index, keys=tuple(replace(key, nulls_first=False) for key in index.keys))


def _once(*uniques: Unique) -> tuple[Unique, ...]:
    """One of each, where a constraint and an index say the same."""
    return tuple({unique.columns: unique for unique in reversed(uniques)}.values())


def _resolved(key: ForeignKey, keys: Mapping[tuple[str, str], tuple[str, ...]]) -> ForeignKey:
    """A reference that names no columns means the primary key."""
    if key.references:
        return key
    return replace(key, references=keys.get((key.schema, key.table), ()))


def _column(column: Column, members: Iterable[str]) -> Column:
    """A column whose nullability and default are the same values on every backend."""
    nullable = column.nullable and column.name not in members
    collation = column.collation
    if collation is None and column.type.family in _COLLATED:
        collation = _EXACT
    return replace(
        column, nullable=nullable, default=_default(column), collation=collation, charset=""
    )


def _default(column: Column) -> Expression | None:
    default = column.default
    if default is None or default.text.upper() == "NULL":
        return None
    bare = default.text.removeprefix("'").removesuffix("'")
    if column.type.family is Family.BOOLEAN and bare.upper() in _BOOLEANS:
        return Expression(text=_BOOLEANS[bare.upper()])
    if column.type.family in _NUMERIC:
        return _number(bare) or default
    return default


def _number(text: str) -> Expression | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return Expression(text=format(value.normalize() + 0, "f"))


def _left(checks: Iterable[Check], columns: dict[str, Column]) -> Iterable[Check]:
    """The checks that say more than a type does; the others become the type of their column."""
    for check in checks:
        if not _is_said_by_type(check.expression.text, columns):
            yield check


def _is_said_by_type(text: str, columns: dict[str, Column]) -> bool:
    if found := _ZERO_OR_ONE.fullmatch(text):
        return _family(columns, found[2]) is Family.BOOLEAN
    if found := _VALID_JSON.fullmatch(text):
        return _family(columns, found[2]) is Family.JSON
    if found := _SHORT.fullmatch(text):
        return _type(columns, found[2]).length == int(found[3])
    if found := _ROUNDED.fullmatch(text):
        return _type(columns, found[2]).scale == int(found[3])
    return _is_list(text, columns)


def _is_list(text: str, columns: dict[str, Column]) -> bool:
    """Whether the check lists what an enum would; the column is one from now on."""
    found = _LISTED.fullmatch(text)
    if found is None or _family(columns, found[2]) not in _STRINGS:
        return False
    column = columns[found[2]]
    values = tuple(value.replace("''", "'") for value in _VALUE.findall(found[3]))
    columns[found[2]] = replace(
        column, type=replace(column.type, family=Family.ENUM, values=values, length=None)
    )
    return True


def _type(columns: Mapping[str, Column], name: str) -> Type:
    return columns[name].type if name in columns else _UNKNOWN


def _family(columns: Mapping[str, Column], name: str) -> Family:
    return _type(columns, name).family

"""A schema as a Mermaid diagram (https://mermaid.js.org/syntax/entityRelationshipDiagram.html)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bootstrap.schema.model import Column, ForeignKey, Schema, Table

# What Mermaid's grammar takes for the type and the name of an attribute.
_NOT_A_WORD = re.compile(r"[^\w\-\[\]()]+", re.ASCII)


def entities(schema: Schema) -> str:
    """The tables with their columns and references, as an `erDiagram`."""
    lines = ["erDiagram"]
    for table in schema.tables:
        lines += [f"    {_quoted(table.path)} {{", *_attributes(table), "    }"]
    for table in schema.tables:
        lines += [_relation(table, key) for key in table.foreign_keys]
    return "\n".join((*lines, ""))


def _attributes(table: Table) -> Iterator[str]:
    for column in table.columns:
        keys = ", ".join(_keys(column, table))
        null = "" if column.nullable else ' "not null"'
        kind, name = _word(column.type.raw), _word(column.name)
        yield f"        {kind} {name}{f' {keys}' if keys else ''}{null}"


def _keys(column: Column, table: Table) -> Iterator[str]:
    if table.primary_key and column.name in table.primary_key.columns:
        yield "PK"
    if any(column.name in key.columns for key in table.foreign_keys):
        yield "FK"
    if _is_unique(table, (column.name,)):
        yield "UK"


def _relation(table: Table, key: ForeignKey) -> str:
    """One row there, for any number here; at most one, where the columns are unique."""
    nullable = any(one.nullable for one in table.columns if one.name in key.columns)
    there = "|o" if nullable else "||"
    alone = _is_unique(table, key.columns) or (
        table.primary_key is not None and set(table.primary_key.columns) == set(key.columns)
    )
    here = "o|" if alone else "o{"
    target = f"{key.schema}.{key.table}" if key.schema else key.table
    label = _quoted(", ".join(key.columns))
    return f"    {_quoted(target)} {there}--{here} {_quoted(table.path)} : {label}"


def _is_unique(table: Table, columns: tuple[str, ...]) -> bool:
    indexes = (one.columns for one in table.indexes if one.unique and one.where is None)
    found = [*(one.columns for one in table.uniques), *indexes]
    return any(one and set(one) == set(columns) for one in found)


def _quoted(name: str) -> str:
    """Mermaid has no way to write its quote inside of quotes."""
    return '"' + " ".join(name.replace('"', "'").split()) + '"'


def _word(text: str) -> str:
    word = _NOT_A_WORD.sub("_", text).strip("_")
    return word if word[:1].isalpha() else f"x{word}"

"""Alembic's operations in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from alembic.operations import ops
from sqlalchemy import ClauseElement, Column, Dialect
from sqlalchemy.exc import CompileError

# By Alembic's words: `primary` where one is dropped, `primarykey` where one is made.
_CONSTRAINTS = {
    "check": "check constraint",
    "foreignkey": "foreign key",
    "primary": "primary key",
    "primarykey": "primary key",
    "unique": "unique constraint",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation that is pending.

    Attributes:
        kind: Its name in Alembic's `op`: `add_column`, `create_table`.
        table: The table that it changes, with the schema where that is not the default one.
        text: All of it, in words.
    """

    kind: str
    table: str | None
    text: str


def in_words(
    operations: Iterable[ops.MigrateOperation], *, dialect: Dialect
) -> Iterator[Operation]:
    """Says what operations do, one by one and in order.

    Args:
        operations: As autogenerate gives them; containers are opened.
        dialect: In whose SQL types and defaults are written.
    """
    for operation in operations:
        if isinstance(operation, ops.OpContainer):
            yield from in_words(operation.ops, dialect=dialect)
        else:
            yield Operation(
                kind=_kind(operation), table=_table(operation), text=_text(operation, dialect)
            )


def _kind(operation: ops.MigrateOperation) -> str:
    """`AddColumnOp` is `op.add_column`; operations of extensions are named in the same way."""
    name = type(operation).__name__.removesuffix("Op")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _table(operation: Any) -> str | None:
    is_key = isinstance(operation, ops.CreateForeignKeyOp)
    name = operation.source_table if is_key else getattr(operation, "table_name", None)
    schema = operation.kw.get("source_schema") if is_key else getattr(operation, "schema", None)
    return _qualified(name, schema) if name else None


@singledispatch
def _text(operation: ops.MigrateOperation, _dialect: Dialect) -> str:
    table = _table(operation)
    return _kind(operation).replace("_", " ") + (f" {table}" if table else "")


@_text.register
def _(operation: ops.CreateTableOp, _dialect: Dialect) -> str:
    columns = [one.name for one in operation.columns if isinstance(one, Column)]
    return f"create table {_table(operation)} ({', '.join(columns)})"


@_text.register
def _(operation: ops.AddColumnOp, dialect: Dialect) -> str:
    column = operation.column
    words = [f"add column {_table(operation)}.{column.name}", _type(column.type, dialect)]
    words += [] if column.nullable else ["not null"]
    words += (
        [f"default {_default(column.server_default, dialect)}"] if column.server_default else []
    )
    return " ".join(words)


@_text.register
def _(operation: ops.DropColumnOp, _dialect: Dialect) -> str:
    return f"drop column {_table(operation)}.{operation.column_name}"


@_text.register
def _(operation: ops.AlterColumnOp, dialect: Dialect) -> str:
    changes = ", ".join(_changes(operation, dialect))
    return f"alter column {_table(operation)}.{operation.column_name}: {changes}"


def _changes(operation: ops.AlterColumnOp, dialect: Dialect) -> Iterator[str]:
    if operation.modify_type is not None:
        before, after = operation.existing_type, operation.modify_type
        yield f"type {_type(before, dialect)} to {_type(after, dialect)}"
    if operation.modify_nullable is not None:
        yield "null" if operation.modify_nullable else "not null"
    if operation.modify_server_default is None:
        yield "no default"
    elif operation.modify_server_default is not False:
        yield f"default {_default(operation.modify_server_default, dialect)}"
    if operation.modify_comment is not False:
        yield "no comment" if operation.modify_comment is None else "comment"
    if operation.modify_name:
        yield f"name {operation.modify_name}"


@_text.register
def _(operation: ops.CreateIndexOp, dialect: Dialect) -> str:
    unique = "unique " if operation.unique else ""
    columns = ", ".join(_indexed(column, dialect) for column in operation.columns)
    return f"create {unique}index {operation.index_name} on {_table(operation)} ({columns})"


@_text.register
def _(operation: ops.DropIndexOp, _dialect: Dialect) -> str:
    return f"drop index {operation.index_name} on {_table(operation)}"


@_text.register(ops.CreateUniqueConstraintOp)
@_text.register(ops.CreatePrimaryKeyOp)
def _(operation: Any, _dialect: Dialect) -> str:
    word = _CONSTRAINTS[operation.constraint_type]
    columns = ", ".join(operation.columns)
    return f"create {word} {_name(operation)}on {_table(operation)} ({columns})"


@_text.register
def _(operation: ops.CreateForeignKeyOp, _dialect: Dialect) -> str:
    remote = _qualified(operation.referent_table, operation.kw.get("referent_schema"))
    local = f"{_table(operation)} ({', '.join(operation.local_cols)})"
    return (
        f"create foreign key {_name(operation)}on {local}"
        f" to {remote} ({', '.join(operation.remote_cols)})"
    )


@_text.register
def _(operation: ops.DropConstraintOp, _dialect: Dialect) -> str:
    word = _CONSTRAINTS.get(operation.constraint_type or "", "constraint")
    return f"drop {word} {_name(operation)}on {_table(operation)}"


@_text.register
def _(operation: ops.ExecuteSQLOp, _dialect: Dialect) -> str:
    return f"execute {' '.join(str(operation.sqltext).split())}"


def _name(operation: Any) -> str:
    """The name of a constraint with a blank behind it, or nothing where it has none."""
    name = operation.constraint_name
    return f"{name} " if isinstance(name, str) else ""


def _indexed(column: Any, dialect: Dialect) -> str:
    """A column by its name; an expression as SQL."""
    name = column if isinstance(column, str) else getattr(column, "name", None)
    return name or str(column.compile(dialect=dialect))


def _qualified(name: str, schema: str | None) -> str:
    return f"{schema}.{name}" if schema else name


def _type(type_: Any, dialect: Dialect) -> str:
    try:
        return str(type_.compile(dialect=dialect))
    except CompileError:  # one that SQLAlchemy reflected and does not know
        return repr(type_)


def _default(default: Any, dialect: Dialect) -> str:
    value = getattr(default, "arg", default)
    if isinstance(value, ClauseElement):
        return str(value.compile(dialect=dialect))
    return repr(value) if isinstance(value, str) else "generated"

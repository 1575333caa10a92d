"""Finds out, before a downgrade, which tables with rows in them it will drop."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import Any

from alembic.operations import Operations
from alembic.operations.ops import DropTableOp, ExecuteSQLOp, MigrateOperation, RenameTableOp
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Inspector, func, inspect, literal_column, select, table

from bootstrap import backends
from bootstrap.errors import RowsWouldBeLost
from bootstrap.positions.moves import AlembicStep
from bootstrap.records.names import TOOL_TABLES

_COUNTED = 1000  # rows at most: an exact number is not worth reading a whole table
_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)
_DROPS_A_TABLE = re.compile(r"\bdrop\s+(table|schema|database)\b", re.IGNORECASE)

Name = tuple[str | None, str]  # schema, table


def refuse_loss(context: MigrationContext, steps: Sequence[AlembicStep]) -> None:
    """Refuses a plan that drops tables with rows.

    Raises:
        RowsWouldBeLost: It does, or what it drops cannot be told and there are rows.
    """
    connection = context.connection
    if connection is None or not steps:
        return
    doomed = _doomed(context, steps, inspect(connection))
    rows = {_text(name): _count(connection, name) for name in sorted(doomed, key=_text)}
    full = {name: count for name, count in rows.items() if count}
    if not full:
        return
    listed = ", ".join(f"{name} ({_rows(count)})" for name, count in full.items())
    raise RowsWouldBeLost(
        f"this downgrade drops tables that have rows: {listed}",
        tables=full,
        hint="back them up if they are needed, then add --yes",
    )


def _doomed(
    context: MigrationContext, steps: Sequence[AlembicStep], inspector: Inspector
) -> frozenset[Name]:
    """The tables that the steps drop; every one when that cannot be told without running them."""
    schemas = {None, context.version_table_schema, context.dialect.default_schema_name}
    own = {(schema, name) for schema in schemas for name in (context.version_table, *TOOL_TABLES)}
    try:
        dropped = _dropped(_recorded(context, steps))
    except Exception:  # noqa: BLE001 - a revision may raise anything when it finds no data to read
        return _every_table(context, inspector) - own
    return frozenset(name for name in dropped if inspector.has_table(name[1], schema=name[0])) - own


def _dropped(operations: Sequence[MigrateOperation]) -> frozenset[Name]:
    """The tables that operations drop, by the names that they have before.

    Raises:
        ValueError: SQL text drops something; which names it means only the server can tell.
    """
    before: dict[Name, Name] = {}  # what a table is called while they run -> what it was called
    dropped: set[Name] = set()
    for operation in operations:
        match operation:
            case RenameTableOp():
                old = (operation.schema, operation.table_name)
                before[operation.schema, operation.new_table_name] = before.pop(old, old)
            case DropTableOp():
                name = (operation.schema, operation.table_name)
                dropped.add(before.get(name, name))
            case ExecuteSQLOp():
                if _DROPS_A_TABLE.search(_COMMENT.sub(" ", str(operation.sqltext))):
                    raise ValueError(operation)
    return frozenset(dropped)


def _recorded(
    context: MigrationContext, steps: Sequence[AlembicStep]
) -> tuple[MigrateOperation, ...]:
    """The operations of the steps, as Alembic's offline mode would run them, but not sent."""
    operations: list[MigrateOperation] = []
    with quiet(), Operations.context(_offline(context)) as recorder:
        spy: Any = recorder
        spy.invoke = operations.append
        # What batch mode makes anew it fills again: no table is lost by it.
        spy.batch_alter_table = _no_batch
        for step in steps:
            step.migration_fn()
    return tuple(operations)


def _offline(context: MigrationContext) -> MigrationContext:
    options = {"as_sql": True, "output_buffer": StringIO()}
    return MigrationContext.configure(dialect=context.dialect, opts=options)


@contextmanager
def quiet() -> Iterator[None]:
    """Nobody has asked for the SQL that Alembic says it generates."""
    log = logging.getLogger("alembic.runtime.migration")
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(level)


class _Nothing:
    """Takes any operation of a batch, and does nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_arguments, **_options: None


@contextmanager
def _no_batch(*_arguments: object, **_options: object) -> Iterator[_Nothing]:
    yield _Nothing()


def _every_table(context: MigrationContext, inspector: Inspector) -> frozenset[Name]:
    """The tables of all schemas; those of the server itself are left out."""
    schemas: set[str | None] = {None}
    if backends.of_dialect(context.dialect).features.schemas:
        schemas |= {*inspector.get_schema_names()} - {"information_schema"}
        schemas -= {inspector.default_schema_name}
    return frozenset(
        (schema, name) for schema in schemas for name in inspector.get_table_names(schema)
    )


def _count(connection: Connection, name: Name) -> int:
    schema, table_name = name
    some = (
        select(literal_column("1").label("one"))
        .select_from(table(table_name, schema=schema))
        .limit(_COUNTED + 1)
        .subquery()
    )
    return connection.scalar(select(func.count()).select_from(some)) or 0


def _rows(count: int) -> str:
    if count > _COUNTED:
        return f"more than {_COUNTED} rows"
    return "1 row" if count == 1 else f"{count} rows"


def _text(name: Name) -> str:
    schema, table_name = name
    return f"{schema}.{table_name}" if schema else table_name

"""Finds out, before a downgrade, which tables with rows in them it will drop."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any

from alembic.operations import Operations
from alembic.operations.ops import DropTableOp, ExecuteSQLOp, MigrateOperation
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Inspector, func, inspect, literal_column, select, table

from bootstrap.errors import RowsWouldBeLost
from bootstrap.running.moves import AlembicStep

_COUNTED = 1000  # rows at most: an exact number is not worth reading a whole table
_DROP_TABLE = re.compile(r"\bdrop\s+table\b", re.IGNORECASE)

Name = tuple[str | None, str]  # schema, table


def refuse_loss(context: MigrationContext, steps: Sequence[AlembicStep]) -> None:
    """Refuses a plan that drops tables with rows.

    Raises:
        RowsWouldBeLost: It does, or what it drops cannot be told.
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
    """The tables that the steps drop; all of them when a step cannot be read without running."""
    here = frozenset((None, name) for name in inspector.get_table_names())
    own = {(context.version_table_schema, context.version_table)}
    try:
        operations = _recorded(context, steps)
    except Exception:  # noqa: BLE001 - a revision may raise anything when it finds no data to read
        return here - own
    return frozenset(
        name
        for operation in operations
        for name in _dropped_by(operation, here)
        if inspector.has_table(name[1], schema=name[0])
    )


def _recorded(
    context: MigrationContext, steps: Sequence[AlembicStep]
) -> tuple[MigrateOperation, ...]:
    """The operations of the steps, as Alembic's offline mode would run them, but not sent."""
    offline = MigrationContext.configure(
        dialect=context.dialect, opts={"as_sql": True, "output_buffer": StringIO()}
    )
    operations: list[MigrateOperation] = []
    with Operations.context(offline) as recorder:
        spy: Any = recorder
        spy.invoke = operations.append
        for step in steps:
            step.migration_fn()
    return tuple(operations)


def _dropped_by(operation: MigrateOperation, here: frozenset[Name]) -> Iterable[Name]:
    match operation:
        case DropTableOp():
            return [(operation.schema, operation.table_name)]
        case ExecuteSQLOp():
            sql = str(operation.sqltext)
            if _DROP_TABLE.search(sql):
                return [name for name in here if re.search(rf"\b{re.escape(name[1])}\b", sql)]
    return []


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

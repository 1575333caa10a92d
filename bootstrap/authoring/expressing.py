"""What differs between two databases as operations of Alembic, as far as it has some."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence

from alembic.autogenerate import produce_migrations
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import render_op
from alembic.operations import Operations, ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import SQLAlchemyError

from bootstrap.checking.differences import Difference
from bootstrap.schema.changes import Kind

# What is left to SQL is all that a comparison of SQLAlchemy's reflection sees in part only.
_PLAIN = (
    ops.CreateTableOp,
    ops.DropTableOp,
    ops.AddColumnOp,
    ops.DropColumnOp,
    ops.CreateIndexOp,
    ops.DropIndexOp,
)
_OPTIONS = {
    "sqlalchemy_module_prefix": "sa.",
    "alembic_module_prefix": "op.",
    "user_module_prefix": None,
    "render_item": None,
    "render_as_batch": False,
}


def reflected(connection: Connection, tables: Iterable[str]) -> MetaData:
    """These tables of a database, as SQLAlchemy sees them."""
    metadata = MetaData()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it does not see
        names = frozenset(tables)
        metadata.reflect(connection, only=lambda name, _: name in names, resolve_fks=False)
    return metadata


def operations(
    connection: Connection, wanted: MetaData, differences: Sequence[Difference]
) -> list[ops.MigrateOperation]:
    """Those that add and drop whole tables, columns and indexes that differ.

    Args:
        connection: To the database that shall be changed.
        wanted: What it shall have.
        differences: What is to be done.
    """
    names = {(one.kind, one.table, one.name) for one in differences if not one.attribute}
    tables = {one.table for one in differences}
    context = MigrationContext.configure(
        connection,
        opts={"include_name": lambda name, kind, _: kind != "table" or name in tables},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = produce_migrations(context, wanted).upgrade_ops
    assert found is not None  # noqa: S101 - it is there always
    whole = {table for kind, table, _ in names if kind == Kind.TABLE}
    return [
        one
        for one in _flat(found.ops)
        if isinstance(one, _PLAIN) and (_key(one) in names or _key(one)[1] in whole)
    ]


def _flat(found: Iterable[ops.MigrateOperation]) -> Iterator[ops.MigrateOperation]:
    for one in found:
        if isinstance(one, ops.ModifyTableOps):
            yield from _flat(one.ops)
        else:
            yield one


def _key(one: ops.MigrateOperation) -> tuple[str, str, str]:
    """What it is about, as a difference has it."""
    if isinstance(one, (ops.CreateTableOp, ops.DropTableOp)):
        return (Kind.TABLE, one.table_name, one.table_name)
    if isinstance(one, ops.AddColumnOp):
        return (Kind.COLUMN, one.table_name, str(one.column.name))
    if isinstance(one, ops.DropColumnOp):
        return (Kind.COLUMN, one.table_name, one.column_name)
    assert isinstance(one, (ops.CreateIndexOp, ops.DropIndexOp))  # noqa: S101 - _PLAIN has no more
    return (Kind.INDEX, str(one.table_name), str(one.index_name))


def invoked(
    connection: Connection, found: Iterable[ops.MigrateOperation]
) -> list[ops.MigrateOperation]:
    """Runs them one after the other; gives those that the server did not refuse."""
    invoke = Operations(MigrationContext.configure(connection)).invoke
    done = []
    for one in found:
        try:
            invoke(one)
        except (SQLAlchemyError, NotImplementedError):  # which batch mode alone can do on SQLite
            continue
        done.append(one)
    return done


def reversed_of(found: Sequence[ops.MigrateOperation]) -> list[ops.MigrateOperation]:
    """What undoes them, in the order for that."""
    return [one.reverse() for one in reversed(found)]


def rendered(
    connection: Connection, found: Iterable[ops.MigrateOperation], *, imports: set[str]
) -> list[str]:
    """They as lines of a revision.

    Args:
        connection: To a database of the backend.
        found: The operations.
        imports: Gets the imports that the lines need beyond those of each revision.
    """
    context = AutogenContext(
        MigrationContext.configure(connection), opts=_OPTIONS, autogenerate=False
    )
    lines = [line for one in found for line in render_op(context, one)]
    imports |= context.imports
    return lines

"""Mends what autogenerate writes for one backend and others refuse; only what is safe to mend.

- A named enum is a type of its own on PostgreSQL. Alembic creates it with a table, but not with a
  column, and never drops it, so that a second upgrade fails.
- A default of true or false is written as 1 or 0 when the comparison was made on SQLite.
- An index is dropped before the foreign key that MySQL and MariaDB need it for, which they refuse
  (error 1553).
- An index of a table that is dropped is dropped first, which fails there for the same reason.
- Tables are dropped in the order of a set, another in each run, though one refers to the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal, TypeVar

import sqlalchemy as sa
from alembic.autogenerate import RevisionContext, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import _repr_type
from alembic.operations import ops
from sqlalchemy.sql.elements import False_, True_

_TableOp = TypeVar("_TableOp", ops.CreateTableOp, ops.DropTableOp)


class CreateEnumOp(ops.MigrateOperation):
    """Creates the type of an enum, where the backend has such types and it is not there yet."""

    def __init__(self, enum: sa.Enum) -> None:
        self.enum = enum


class DropEnumOp(CreateEnumOp):
    """Drops the type of an enum, where it is there."""


@renderers.dispatch_for(CreateEnumOp)
def _create(context: AutogenContext, operation: CreateEnumOp) -> str:
    return _called("create", operation.enum, context)


@renderers.dispatch_for(DropEnumOp)
def _drop(context: AutogenContext, operation: DropEnumOp) -> str:
    return _called("drop", operation.enum, context)


def _called(method: str, enum: sa.Enum, context: AutogenContext) -> str:
    prefix = context.opts["alembic_module_prefix"] or ""
    return f"{_repr_type(enum, context)}.{method}({prefix}get_bind(), checkfirst=True)"


def mend(revision: RevisionContext) -> None:
    """Mends a draft that autogenerate has filled, before it is written."""
    context = revision._last_autogen_context  # noqa: SLF001 - Alembic keeps it nowhere else
    context.opts["render_item"] = _with_booleans(context.opts.get("render_item"))
    for script in revision.generated_revisions:
        for up, down in zip(script.upgrade_ops_list, script.downgrade_ops_list, strict=True):
            _tables_in_order(up)
            _tables_in_order(down)
            _mend_enums(up, down, tables=context.sorted_tables)
            _foreign_keys_first(up)
            _foreign_keys_first(down)


def _with_booleans(theirs: Callable[..., Any] | None) -> Callable[..., str | Literal[False]]:
    """A hook for rendering that asks the one of env.py first."""

    def render_item(kind: str, item: Any, context: AutogenContext) -> Any:
        rendered = theirs(kind, item, context) if theirs else False
        if rendered is not False or kind != "server_default":
            return rendered
        prefix = context.opts["sqlalchemy_module_prefix"] or ""
        match getattr(item, "arg", None):
            case False_():
                return f"{prefix}false()"
            case True_():
                return f"{prefix}true()"
        return False

    return render_item


@dataclass(frozen=True, slots=True, kw_only=True)
class _NewEnum:
    """A named enum in a column that a revision adds, alone or with its table."""

    table: str
    column: str
    enum: sa.Enum
    with_table: bool


def _mend_enums(up: ops.UpgradeOps, down: ops.DowngradeOps, *, tables: Iterable[sa.Table]) -> None:
    steps = list(_flat(up.ops))
    if any(type(step).__module__ != ops.__name__ for step in steps):
        return  # an extension has operations of its own, perhaps for enums
    new = [found for step in steps for found in _new_enums(step)]
    enums = {_key(found.enum): found.enum for found in new}
    with_tables = {_key(found.enum) for found in new if found.with_table}
    for key in sorted(enums.keys() - with_tables):
        up.ops.insert(0, CreateEnumOp(enums[key]))
    # What goes with a table or column may be of the same type, and come again with the downgrade.
    if any(isinstance(step, ops.DropTableOp | ops.DropColumnOp) for step in steps):
        return
    added = {(found.table, found.column) for found in new}
    used = {
        _key(enum)
        for table in tables
        for column in table.c
        if (table.name, column.name) not in added and (enum := _enum(column)) is not None
    }
    down.ops.extend(DropEnumOp(enums[key]) for key in sorted(enums.keys() - used))


_OF_TABLES = (
    ops.CreateTableOp,
    ops.DropTableOp,
    ops.ModifyTableOps,
    ops.CreateIndexOp,
    ops.DropIndexOp,
)


def _tables_in_order(container: ops.OpContainer) -> None:
    """Creates tables first and drops them last; those that others refer to earlier, or later.

    Where a hook of env.py has put in something else, such as SQL, its place may matter.
    """
    if not all(isinstance(one, _OF_TABLES) for one in container.ops):
        return
    created = [one for one in container.ops if isinstance(one, ops.CreateTableOp)]
    dropped = [one for one in container.ops if isinstance(one, ops.DropTableOp)]
    rest = [one for one in container.ops if not isinstance(one, _OF_TABLES[:2])]
    rest = [
        one for one in rest if not _goes_with_its_table(one, {_qualified(it) for it in dropped})
    ]
    container.ops[:] = [*_by_reference(created), *rest, *reversed(_by_reference(dropped[::-1]))]


def _goes_with_its_table(operation: ops.MigrateOperation, dropped: set[str]) -> bool:
    """Whether it only drops indexes of a table that is dropped with them."""
    if isinstance(operation, ops.ModifyTableOps):
        return all(_goes_with_its_table(one, dropped) for one in operation.ops)
    return isinstance(operation, ops.DropIndexOp) and _qualified(operation) in dropped


def _by_reference(operations: Sequence[_TableOp]) -> list[_TableOp]:
    """Sorts tables by name, and those that are referred to before those that refer to them."""
    tables = {_qualified(one): one for one in sorted(operations, key=_qualified)}
    graph = {
        name: sorted(
            {key.target_fullname.rpartition(".")[0] for key in one.to_table().foreign_keys}
        )
        for name, one in tables.items()
    }
    among = {
        name: [other for other in others if other in tables and other != name]
        for name, others in graph.items()
    }
    try:
        return [tables[name] for name in TopologicalSorter(among).static_order()]
    except CycleError:
        return list(operations)


def _qualified(operation: ops.CreateTableOp | ops.DropTableOp | ops.DropIndexOp) -> str:
    schema = operation.schema
    return f"{schema}.{operation.table_name}" if schema else str(operation.table_name)


def _foreign_keys_first(container: ops.OpContainer) -> None:
    """What drops a foreign key comes before all else that is done to its table."""
    for operation in container.ops:
        if isinstance(operation, ops.ModifyTableOps):
            operation.ops.sort(key=lambda one: not _drops_foreign_key(one))


def _drops_foreign_key(operation: ops.MigrateOperation) -> bool:
    return isinstance(operation, ops.DropConstraintOp) and operation.constraint_type == "foreignkey"


def _flat(operations: Iterable[ops.MigrateOperation]) -> Iterator[ops.MigrateOperation]:
    for operation in operations:
        if isinstance(operation, ops.OpContainer):
            yield from _flat(operation.ops)
        else:
            yield operation


def _new_enums(step: ops.MigrateOperation) -> Iterator[_NewEnum]:
    if not isinstance(step, ops.CreateTableOp | ops.AddColumnOp):
        return
    with_table = isinstance(step, ops.CreateTableOp)
    items = step.columns if isinstance(step, ops.CreateTableOp) else [step.column]
    for item in items:
        if isinstance(item, sa.Column) and (enum := _enum(item)) is not None:
            yield _NewEnum(
                table=step.table_name, column=item.name, enum=enum, with_table=with_table
            )


def _enum(column: sa.Column[Any]) -> sa.Enum | None:
    """The enum of a column, if the server may keep it under a name, and nobody else sees to it."""
    type_ = column.type
    if not isinstance(type_, sa.Enum) or not (type_.native_enum and type_.name):
        return None
    return type_ if getattr(type_, "create_type", True) else None


def _key(enum: sa.Enum) -> tuple[str, str]:
    return enum.schema or "", str(enum.name)

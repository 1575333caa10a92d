"""Takes away what a half-applied revision has made, where all of it is new and empty."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Select, column, distinct, func, literal_column, select, table

from bootstrap.checking.halves import Found
from bootstrap.errors import HalfApplied, Place
from bootstrap.schema.changes import Action, Change, Kind, named
from bootstrap.schema.compare import compare
from bootstrap.schema.model import Column, Schema, Table

_BY_HAND = "undo it by hand, then look again: bootstrap repair"
_CONSTRAINTS = {
    Kind.FOREIGN_KEY: "foreignkey",
    Kind.UNIQUE: "unique",
    Kind.CHECK: "check",
}
_ORDER = (Kind.FOREIGN_KEY, Kind.VIEW, Kind.INDEX, Kind.UNIQUE, Kind.CHECK, Kind.COLUMN, Kind.TABLE)


def undo(context: MigrationContext, one: Found) -> tuple[str, ...]:
    """Undoes a revision, and says what was done.

    Args:
        context: Alembic's, of the database.
        one: What is there of the revision.

    Raises:
        HalfApplied: Something of it is not new, not empty, or not known how to be undone.
    """
    assert context.connection is not None  # noqa: S101 - online there is one
    changes = planned(one)
    for change in changes:
        _refuse_filled(context.connection, change, one)
    operations: Any = Operations(context)
    for change in changes:
        _undone(operations, change)
    return tuple(named(one.kind, one.name, table=one.table) for one in changes)


def planned(one: Found) -> tuple[Change, ...]:
    """What has to go, in the order in which it can.

    Raises:
        HalfApplied: Rows were written, or something was changed or dropped, which nobody can
            bring back.
    """
    _refuse_written(one)
    before, now = one.rehearsal.moments[0].schema, one.live.schema
    changes = _without_owned(one.about.relevant(compare(before, now)), now)
    for change in changes:
        if change.action is not Action.ADDED or change.kind not in _ORDER:
            raise _refused(one, f"it has changed what was there before: {change}")
    tables = _dependent_first(now)
    return tuple(
        sorted(
            changes,
            key=lambda one: (_ORDER.index(one.kind), tables.get(one.table, 0)),
        )
    )


def _without_owned(changes: Sequence[Change], now: Schema) -> tuple[Change, ...]:
    """Without sequences that go with their column."""
    new = {one.table for one in changes if one.kind is Kind.TABLE}
    columns = {f"{one.table}.{one.name}" for one in changes if one.kind is Kind.COLUMN}
    owned = {
        one.name
        for one in now.sequences
        if one.owned_by in columns or one.owned_by.rpartition(".")[0] in new
    }
    return tuple(one for one in changes if one.kind is not Kind.SEQUENCE or one.name not in owned)


def _refuse_written(one: Found) -> None:
    """Rows that were there before may be other ones by now, and nobody knows which."""
    old = [table.path for table in one.rehearsal.moments[0].schema.tables]
    until = max(one.stops, default=len(one.rehearsal.statements))
    for statement in one.rehearsal.statements[:until]:
        if statement.writes_rows and statement.names(old):
            place = (
                Place(path=one.rehearsal.part.path, line=statement.sent.line)
                if (one.rehearsal.part.path)
                else None
            )
            raise _refused(
                one,
                f"its statement {statement.sent.number} may have written rows"
                f"\n  {place or ''}   {statement.sent.sql}",
                place=place,
            )


def _refuse_filled(connection: Connection, change: Change, one: Found) -> None:
    """What is new, but holds something by now, is not ours to drop."""
    if change.kind not in (Kind.TABLE, Kind.COLUMN):
        return
    found = next(each for each in one.live.schema.tables if each.path == change.table)
    filled = (
        _has_rows(connection, found)
        if change.kind is Kind.TABLE
        else _has_values(connection, found, _column(found, change.name))
    )
    if filled:
        raise _refused(one, f"{change.kind} {change.name} is not empty")


def _has_rows(connection: Connection, found: Table) -> bool:
    some: Select[Any] = select(literal_column("1")).select_from(_from(found)).limit(1)
    return connection.execute(some).first() is not None


def _has_values(connection: Connection, found: Table, new: Column) -> bool:
    """Whether a column holds anything but its default, which is one value if it is one."""
    values = func.count(distinct(column(new.name)))
    number = connection.execute(select(values).select_from(_from(found))).scalar_one()
    return bool(number > (0 if new.default is None and new.nullable else 1))


def _from(found: Table) -> Any:
    return table(found.name, schema=found.schema or None)


def _column(found: Table, name: str) -> Column:
    return next(one for one in found.columns if one.name == name)


def _undone(operations: Any, change: Change) -> None:
    schema, _, name = change.table.rpartition(".")
    given = {"schema": schema or None}
    match change.kind:
        case Kind.TABLE:
            operations.drop_table(name, **given)
        case Kind.VIEW:
            quoted = operations.get_bind().dialect.identifier_preparer.quote_identifier
            operations.execute(f"DROP VIEW {'.'.join(map(quoted, change.table.split('.')))}")
        case Kind.INDEX:
            operations.drop_index(change.name, table_name=name, **given)
        case Kind.COLUMN:
            operations.drop_column(name, change.name, **given)
        case _:
            kind = _CONSTRAINTS[change.kind]
            operations.drop_constraint(change.name, name, type_=kind, **given)


def _dependent_first(schema: Schema) -> Mapping[str, int]:
    """A number for each table: those that refer to others come before them."""
    waiting = {one.path: one for one in schema.tables}
    numbers: dict[str, int] = {}
    while waiting:
        referred = set(_referred(waiting.values()))
        free = [path for path in waiting if path not in referred] or list(waiting)
        for path in free:
            numbers[path] = len(numbers)
            del waiting[path]
    return numbers


def _referred(tables: Iterable[Table]) -> Iterator[str]:
    for one in tables:
        for key in one.foreign_keys:
            path = f"{key.schema}.{key.table}" if key.schema else key.table
            if path != one.path:
                yield path


def _refused(one: Found, why: str, *, place: Place | None = None) -> HalfApplied:
    return HalfApplied(
        f"revision {one.rehearsal.part.revision} cannot be undone: {why}; nothing was changed",
        hint=_BY_HAND,
        place=place,
    )

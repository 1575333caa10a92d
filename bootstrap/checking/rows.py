"""Puts rows into a migrated database and goes down the history, to see where rows are lost."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Enum,
    MetaData,
    Table,
    func,
    inspect,
    select,
)
from sqlalchemy import table as table_named
from sqlalchemy.exc import SQLAlchemyError

from bootstrap.checking.differences import Difference
from bootstrap.checking.snapshots import TOOL_TABLES
from bootstrap.checking.stairway import downs, failure, ordered, undo
from bootstrap.database import Database
from bootstrap.datasets.seeding import seed
from bootstrap.errors import RevisionError, StatementFailed
from bootstrap.project import Project
from bootstrap.running.runner import migrate


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Rows that a downgrade lost.

    Attributes:
        server: Where.
        revision: The revision that was undone.
        table: The table that had them.
        rows: How many.
    """

    server: str
    revision: str
    table: str
    rows: int


@dataclass(slots=True, kw_only=True)
class Descent:
    """The way down on one server, with rows.

    Attributes:
        database: An empty one.
        project: Whose revisions.
        datasets: What to write first; nothing for a made-up row in each table.
        version_table: A table that has no rows of anybody.
        losses: What was lost.
        not_filled: Tables that stayed empty.
        failed: Where the way ended before its end.
        doing: What is being done, in words.
    """

    database: Database
    project: Project
    datasets: Sequence[Path]
    version_table: str
    losses: list[Loss] = field(default_factory=list)
    not_filled: tuple[str, ...] = ()
    failed: list[Difference] = field(default_factory=list)
    doing: str = ""

    async def go(self) -> None:
        """Migrates, fills, and goes down one revision after the other.

        Raises:
            BootstrapError: The database cannot be migrated, or a data set not be written.
        """
        self.doing = "upgrade before rows"
        await migrate(self.database, "heads", project=self.project)
        self.doing = "rows"
        await self._fill()
        before = await self._count()
        self.not_filled = tuple(name for name, rows in before.items() if not rows)
        for one in reversed(await ordered(self.project)):
            try:
                self.doing = f"downgrade of {one.revision} with rows"
                await undo(self.database, one.revision, downs=downs(one), project=self.project)
            except (RevisionError, StatementFailed) as error:
                self.failed.append(failure(one, "downgrade with rows", error))
                return
            after = await self._count()
            self.losses += _lost(one.revision, before, after)
            before = after

    async def _fill(self) -> None:
        if self.datasets:
            await seed(self.database, datasets=self.datasets)
            return
        async with self.database.connect() as connection:
            await connection.run_sync(_make_up, without=self._without)
            await connection.commit()

    async def _count(self) -> dict[str, int]:
        async with self.database.connect() as connection:
            with self.database.translated("cannot count the rows of"):
                return await connection.run_sync(_counted, without=self._without)

    @property
    def _without(self) -> frozenset[str]:
        return frozenset((*TOOL_TABLES, self.version_table))


def on_server(losses: Sequence[Loss], server: str) -> tuple[Loss, ...]:
    """The losses with the name of their server."""
    return tuple(replace(one, server=server) for one in losses)


def _lost(revision: str, before: Mapping[str, int], after: Mapping[str, int]) -> list[Loss]:
    """What is missing afterwards; a table that has got another name has lost nothing."""
    new = sorted(rows for name, rows in after.items() if name not in before)
    found = []
    for name, rows in before.items():
        missing = rows - after.get(name, 0)
        if name not in after and rows in new:
            new.remove(rows)
        elif missing > 0:
            found.append(Loss(server="", revision=revision, table=name, rows=missing))
    return found


def _counted(connection: Connection, *, without: frozenset[str]) -> dict[str, int]:
    names = sorted(set(inspect(connection).get_table_names()) - without)
    counts = (select(func.count()).select_from(table_named(name)) for name in names)
    return {name: connection.scalar(count) or 0 for name, count in zip(names, counts, strict=True)}


def _make_up(connection: Connection, *, without: frozenset[str]) -> None:
    """Writes a row into each table, those first that others refer to; some may refuse it."""
    metadata = MetaData()
    metadata.reflect(connection, only=lambda name, _: name not in without, resolve_fks=False)
    rows: dict[str, Mapping[str, Any]] = {}
    for table in metadata.sorted_tables:
        for columns in (list(table.columns), [one for one in table.columns if _is_needed(one)]):
            try:
                with connection.begin_nested():
                    rows[table.fullname] = _written(connection, table, columns, rows)
                break
            except SQLAlchemyError:  # a CHECK that no made-up row keeps, or a type not known
                continue


def _is_needed(column: Column[Any]) -> bool:
    return not column.nullable and column.server_default is None


def _written(
    connection: Connection,
    table: Table,
    columns: Sequence[Column[Any]],
    rows: Mapping[str, Mapping[str, Any]],
) -> Mapping[str, Any]:
    values = {
        column.name: _value(column, rows) for column in columns if not _is_given(column, table)
    }
    done = connection.execute(table.insert().values(values))
    key = done.inserted_primary_key or ()
    names = [column.name for column in table.primary_key.columns]
    return values | dict(zip(names, key, strict=False))


def _is_given(column: Column[Any], table: Table) -> bool:
    """Whether the database makes the value."""
    alone = len(table.primary_key.columns) == 1 and column.primary_key
    numbered = alone and isinstance(1, _python_type(column)) and not column.foreign_keys
    return numbered or column.identity is not None or column.computed is not None


def _value(column: Column[Any], rows: Mapping[str, Mapping[str, Any]]) -> Any:
    for reference in column.foreign_keys:
        table, _, name = reference.target_fullname.rpartition(".")
        return rows.get(table, {}).get(name)
    if isinstance(column.type, Enum):
        return column.type.enums[0]
    return _VALUES.get(_python_type(column), "a")


def _python_type(column: Column[Any]) -> type:
    try:
        return column.type.python_type
    except NotImplementedError:
        return str


_DAY = dt.datetime(2026, 1, 5, 9, 12)
_VALUES: Mapping[type, Any] = {
    bool: True,
    int: 1,
    float: 1.5,
    decimal.Decimal: decimal.Decimal(1),
    bytes: b"a",
    dict: {},
    list: [],
    uuid.UUID: uuid.UUID(int=1),
    dt.datetime: _DAY,
    dt.date: _DAY.date(),
    dt.time: _DAY.time(),
    dt.timedelta: dt.timedelta(days=1),
}

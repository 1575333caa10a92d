"""Merges the rows of a temporary table into the table that they are for, in a few statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    Integer,
    MetaData,
    ScalarSelect,
    Select,
    Table,
    and_,
    case,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable

from bootstrap.backends.base import Bulk
from bootstrap.backends.moments import alike
from bootstrap.datasets.checking.columns import UNSAID, Columns, Shape, column_of
from bootstrap.datasets.checking.fitting import CheckedDataSet, LargeRows
from bootstrap.datasets.checking.tables import SeedTable
from bootstrap.datasets.reading.batches import Slot
from bootstrap.datasets.writing.comparing import Counts, altered, several_rows
from bootstrap.datasets.writing.references import unresolved

_NAME = "bootstrap_staged"
_LINE, _SHAPE = "line", "shape"


class Staged:
    """A large data set in a temporary table.

    Args:
        data_set: Which one.
        large: Its rows.
        slots: What they say something about.
        bulk: How the backend takes them.
    """

    def __init__(
        self, data_set: CheckedDataSet, large: LargeRows, slots: Sequence[Slot], bulk: Bulk
    ) -> None:
        self._data_set = data_set
        self._target: SeedTable = data_set.table
        self._referred = large.referred
        self._slots = slots
        self._bulk = bulk
        self._rows = 0
        self._shapes: dict[Shape, int] = {}  # those that were met, with their numbers
        self._refers = {slot.column for slot in slots if slot.inner}
        # Numbered, because a name and more is longer than what a server takes.
        self._columns: dict[str, Column[Any]] = {
            name: Column(f"v{number}", bulk.staged(self._target.columns[name].type))
            for number, name in enumerate(self._names())
        }
        self._parts: dict[Slot, Column[Any]] = {
            slot: Column(f"r{number}", bulk.staged(column.type))
            for number, slot in enumerate(slots)
            if slot.inner and (column := column_of(slot, self._target, self._referred))
        }
        self.table = Table(
            _NAME,
            MetaData(),
            Column(_LINE, Integer, primary_key=True, autoincrement=False),
            Column(_SHAPE, Integer, nullable=False),
            *self._columns.values(),
            *self._parts.values(),
            prefixes=["TEMPORARY"],
        )

    def _names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(slot.column for slot in self._slots))

    async def create(self, connection: AsyncConnection) -> None:
        """Makes the temporary table."""
        await connection.execute(CreateTable(self.table))

    def values(self, batch: Columns) -> list[Sequence[Any]]:
        """The columns of the temporary table for a batch of the file."""
        size = len(batch.lines)
        empty = [None] * size
        numbers = [self._shapes.setdefault(one, len(self._shapes)) for one in batch.shape_of_each()]
        self._rows += size
        columns: list[Sequence[Any]] = [batch.lines, numbers]
        slots = [*map(Slot, self._columns), *self._parts]
        columns.extend(_without_gaps(batch, slot) or empty for slot in slots)
        return columns

    async def merge(self, connection: AsyncConnection) -> Counts:
        """Writes what is missing or differs.

        Raises:
            SeedError: A reference leads to no row or to several, a key is that of several rows,
                or the database keeps another value.
        """
        for column in sorted(self._refers):
            await self._resolve(connection, column)
        if self._refers & set(self._data_set.key):
            await self._refuse_repeated(connection)
        counts = await self._counted(connection)
        if counts.updated:
            await connection.execute(self._update())
        if counts.inserted:
            for statement in self._inserts(into_empty=counts.inserted == self._rows):
                await connection.execute(statement)
        if counts.updated or counts.inserted:
            await self._refuse_altered(connection)
        return counts

    async def _resolve(self, connection: AsyncConnection, column: str) -> None:
        """Looks up what a column refers to."""
        table = self._referred[column]
        wanted = table.column(self._target.references[column][1])
        parts = {slot.inner: part for slot, part in self._parts.items() if slot.column == column}
        other = table.clause.alias("referred")
        same = and_(*(self._same(other.c[name], part) for name, part in parts.items()))
        found = func.count(other.c[wanted.name])
        line = self.table.c[_LINE]
        wrong = (
            select(line, found)
            .select_from(self.table.outerjoin(other, same))
            .where(next(iter(parts.values())).is_not(None))
            .group_by(line)
            .having(found != 1)
            .order_by(line)
            .limit(1)
        )
        for number, rows in await connection.execute(wrong):
            raise unresolved(
                self._data_set.file, number, rows, table=table.name, columns=list(parts)
            )
        values = {self._columns[column]: other.c[wanted.name]}
        await connection.execute(update(self.table).values(values).where(same))

    async def _refuse_repeated(self, connection: AsyncConnection) -> None:
        key = [self._bulk.exactly(self._columns[name]) for name in self._data_set.key]
        line = self.table.c[_LINE]
        repeated = (
            select(func.min(line), func.max(line))
            .group_by(*key)
            .having(func.count() > 1)
            .order_by(func.max(line))
            .limit(1)
        )
        for earlier, later in await connection.execute(repeated):
            raise self._data_set.repeated(later, earlier=earlier)

    async def _counted(self, connection: AsyncConnection) -> Counts:
        """What is to be done, and that no key is the one of several rows."""
        rows = self._rows
        target = self._target.clause
        if (
            await connection.execute(select(literal(1)).select_from(target).limit(1))
        ).first() is None:
            return Counts(inserted=rows)
        found, lines, differing = (await connection.execute(self._met())).one()
        if found != lines:
            await self._refuse_several(connection)
        return Counts(
            inserted=rows - lines, updated=int(differing), unchanged=lines - int(differing)
        )

    def _met(self) -> Select[Any]:
        """How many rows are there, for how many lines, and how many of them differ."""
        target = self._target.clause
        return select(
            func.count(),
            func.count(self.table.c[_LINE].distinct()),
            func.coalesce(func.sum(case((self._differs(target), 1), else_=0)), 0),
        ).select_from(self.table.join(target, self._match(target)))

    async def state(
        self, connection: AsyncConnection, fingerprint: ScalarSelect[Any]
    ) -> str | None:
        """The fingerprint of the table, where all rows are there and right in the same moment.

        One statement sees one moment: what others commit meanwhile is in all of it, or in none.
        """
        asked = self._met().add_columns(fingerprint)
        found, lines, differing, state = (await connection.execute(asked)).one()
        is_right = found == lines == self._rows and not differing
        return state if is_right else None

    async def _refuse_several(self, connection: AsyncConnection) -> None:
        target = self._target.clause
        line = self.table.c[_LINE]
        several = (
            select(line, func.count())
            .select_from(self.table.join(target, self._match(target)))
            .group_by(line)
            .having(func.count() > 1)
            .order_by(line)
            .limit(1)
        )
        for number, rows in await connection.execute(several):
            raise several_rows(self._data_set, number, rows)

    def _same(self, there: ColumnElement[Any], here: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether two values are the same; an index can be used for the first condition."""
        exact = self._bulk.exactly(there) == self._bulk.exactly(here)
        return and_(there == here, exact)

    def _match(self, target: FromClause) -> ColumnElement[bool]:
        return and_(
            *(self._same(target.c[name], self._columns[name]) for name in self._data_set.key)
        )

    def _others(self) -> Iterator[str]:
        return (name for name in self._names() if name not in self._data_set.key)

    def _differs(self, target: FromClause) -> ColumnElement[bool]:
        each = [self._column_differs(target, name) for name in self._others()]
        return or_(*each) if each else false()

    def _column_differs(self, target: FromClause, name: str) -> ColumnElement[bool]:
        exactly = self._bulk.exactly
        differs = exactly(target.c[name]).is_distinct_from(exactly(self._columns[name]))
        said = self._said(name)
        return differs if said is None else and_(said, differs)

    def _said(self, name: str) -> ColumnElement[bool] | None:
        """Whether a row names a column; None where all do."""
        shapes = self._shapes
        numbers = [number for number, shape in enumerate(shapes) if name in _names_of(shape)]
        return None if len(numbers) == len(shapes) else self.table.c[_SHAPE].in_(numbers)

    def _update(self) -> Any:
        target = self._target.clause
        values = {}
        for name in self._others():
            said = self._said(name)
            new = self._columns[name]
            values[name] = new if said is None else case((said, new), else_=target.c[name])
        return update(target).values(values).where(self._match(target), self._differs(target))

    def _inserts(self, *, into_empty: bool) -> Iterator[Any]:
        target = self._target.clause
        there = target.alias("there")
        first = there.c[self._data_set.key[0]]
        for number, shape in enumerate(self._shapes):
            names = [name for name in self._names() if name in _names_of(shape)]
            rows = select(*(self._columns[name] for name in names)).order_by(self.table.c[_LINE])
            if not into_empty:
                joined = self.table.outerjoin(there, self._match(there))
                rows = rows.select_from(joined).where(first.is_(None))
            if len(self._shapes) > 1:
                rows = rows.where(self.table.c[_SHAPE] == number)
            yield insert(target).from_select(names, rows)

    async def _refuse_altered(self, connection: AsyncConnection) -> None:
        """Refuses a row that is not in the database as it was written."""
        target = self._target.clause
        line = self.table.c[_LINE]
        first = target.c[self._data_set.key[0]]
        joined = self.table.outerjoin(target, self._match(target))
        wrong = select(func.min(line)).select_from(joined)
        number = await connection.scalar(wrong.where(or_(first.is_(None), self._differs(target))))
        if number is None:
            return
        which = [self._column_differs(target, name) for name in self._others()]
        found = (
            await connection.execute(
                select(first.is_(None), *which).select_from(joined).where(line == number)
            )
        ).one()
        names = [self._data_set.key[0], *self._others()]
        raise altered(
            self._data_set, number, next(n for n, is_so in zip(names, found, strict=True) if is_so)
        )


def _names_of(shape: Shape) -> frozenset[str]:
    return frozenset(slot.column for slot in shape)


def _without_gaps(batch: Columns, slot: Slot) -> Sequence[Any] | None:
    values = batch.values.get(slot)
    if values is None or not values.gaps:
        return values.of if values else None
    return alike(values.of, (None if one is UNSAID else one for one in values.of))

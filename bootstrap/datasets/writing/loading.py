"""Loads a large file: it is read in a thread while the database takes what was read before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Dialect, literal, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap.backends.base import Bulk, Reason
from bootstrap.backends.moments import alike
from bootstrap.database import Database
from bootstrap.datasets.checking.columns import Columns, column_of
from bootstrap.datasets.checking.fitting import CheckedDataSet, LargeRows
from bootstrap.datasets.writing.comparing import Counts
from bootstrap.datasets.writing.data_set import Before, Refused, compared, transaction, write_rows
from bootstrap.datasets.writing.large import LargeSet, NotPlainError
from bootstrap.datasets.writing.merging import Staged
from bootstrap.datasets.writing.references import resolve
from bootstrap.datasets.writing.remembering import Memory
from bootstrap.datasets.writing.rows import Change, refused_of

_GO_ON = (Reason.STATEMENT, Reason.NO_RIGHT)  # what the way in parts may do, or say better
_PART = 1_000  # rows that are compared in memory, where they cannot be merged on the server
_BATCHES = 80  # that are sent at once: so a round trip takes little of the time
_PAUSE = 1e-6  # seconds; the shortest one, which is 50 times as long
_T = TypeVar("_T")


class NoRoomError(Exception):
    """The database does not make a temporary table; the transaction is as it was before."""


class Load:
    """A large data set on its way into the database.

    Attributes:
        memory: What is remembered of it.

    Args:
        data_set: Which one.
        large: Its rows.
    """

    def __init__(self, data_set: CheckedDataSet, large: LargeRows) -> None:
        self.data_set = data_set
        self.memory: Memory | None = None
        self._large = large
        self._set = LargeSet(data_set, large)
        self._slots = large.batches.slots
        self._plain = True
        self._checked = False

    async def check(self) -> None:
        """Reads all of it, and checks each row; not a second time.

        Raises:
            SeedError: A row does not fit.
        """
        if self._checked:
            return
        contents = await asyncio.to_thread(self._set.check)
        self._slots, self._plain = contents.slots, contents.are_plain
        self._checked = True

    @property
    def must_be_checked(self) -> bool:
        """Whether it has to be read before it is known what its columns are."""
        return self._slots is None

    @property
    def may_be_known(self) -> bool:
        """Whether what its rows mean follows from no other table, as far as it is known."""
        return not any(slot.inner for slot in self._slots or ())

    @property
    def is_known(self) -> bool:
        """Whether all of it has been checked by an earlier run."""
        return self.memory is not None and self.memory.knows

    def fits(self, bulk: Bulk) -> bool:
        """Tells whether all of it can be written as columns, as far as it is known."""
        slots = self._slots or ()
        columns = [column_of(slot, self.data_set.table, self._large.referred) for slot in slots]
        columns += (self.data_set.table.columns[slot.column] for slot in slots)
        return self._plain and all(one and bulk.staged(one.type) is not None for one in columns)

    async def at_once(self, connection: AsyncConnection, bulk: Bulk) -> Counts:
        """Writes it in the transaction that is there.

        Raises:
            SeedError: A row does not fit, or not the rows that are there.
            NotPlainError: Some rows have to be looked at one by one.
            NoRoomError: They need a temporary table, which cannot be made.
        """
        if await self._is_direct(connection, bulk):
            counts = await self._copied(connection, bulk)
            await self._keep_copied(connection, counts.inserted)
            return counts
        staged = Staged(self.data_set, self._large, self._slots or (), bulk)
        try:
            async with connection.begin_nested():
                await staged.create(connection)
        except DBAPIError as error:
            raise NoRoomError from error
        try:
            counts = await self._merged(connection, staged, bulk)
        except Exception:
            with suppress(DBAPIError):  # in a transaction that has failed the table is gone too
                await bulk.drop(connection, staged.table)
            raise
        await bulk.drop(connection, staged.table)
        return counts

    async def _merged(self, connection: AsyncConnection, staged: Staged, bulk: Bulk) -> Counts:
        """Writes it through a temporary table."""
        types = [column.type for column in staged.table.columns]
        names = [column.name for column in staged.table.columns]

        def packed() -> Iterator[list[Any]]:
            for some in _several(self._set.columns()):
                yield [bulk.packed(types, staged.values(one), connection.dialect) for one in some]

        async with aclosing(_ahead(packed())) as following:
            async for some in following:
                await bulk.fill(connection, staged.table.name, names, some)
        await bulk.filled(connection, staged.table)
        counts = await staged.merge(connection)
        if self.memory and self.may_be_known:
            state = partial(self._state_of_merged, connection, staged, self.memory)
            await self.memory.keep(connection, counts.rows, state)
        return counts

    @staticmethod
    async def _state_of_merged(
        connection: AsyncConnection, staged: Staged, memory: Memory
    ) -> str | None:
        return await staged.state(connection, await memory.fingerprint(connection))

    async def _keep_copied(self, connection: AsyncConnection, rows: int) -> None:
        if self.memory:
            await self.memory.keep(
                connection, rows, partial(_state_of_copied, connection, self.memory, rows)
            )

    async def _is_direct(self, connection: AsyncConnection, bulk: Bulk) -> bool:
        """Whether all rows are new, and the table keeps them as they are."""
        if any(slot.inner for slot in self._slots or ()):
            return False
        table = self.data_set.table
        some = select(literal(1)).select_from(table.clause).limit(1)
        if (await connection.execute(some)).first() is not None:
            return False
        types = {slot.column: table.columns[slot.column].type for slot in self._slots or ()}
        return await bulk.keeps(connection, table.name, types)

    async def _copied(self, connection: AsyncConnection, bulk: Bulk) -> Counts:
        """Writes all rows into the empty table."""
        inserted = 0
        source = self._by_shape(bulk, connection.dialect)
        async with aclosing(_ahead(source)) as following:
            async for rows, some in following:
                inserted += rows
                for names, packed in some.items():
                    await bulk.fill(connection, self.data_set.table.name, names, packed)
        return Counts(inserted=inserted)

    def _by_shape(
        self, bulk: Bulk, dialect: Dialect
    ) -> Iterator[tuple[int, dict[tuple[str, ...], list[Any]]]]:
        """The rows that name the same columns, together, as many of them as are sent at once."""
        known = self.data_set.table.columns
        for some in _several(self._set.columns()):
            found: dict[tuple[str, ...], list[Any]] = {}
            for batch in some:
                for names, columns in _alike(batch):
                    types = [known[name].type for name in names]
                    found.setdefault(names, []).append(bulk.packed(types, columns, dialect))
            yield sum(len(batch.lines) for batch in some), found

    async def parts(self) -> AsyncIterator[CheckedDataSet]:
        """The same in parts that fit into memory."""
        async with aclosing(_ahead(self._set.parts(_PART))) as following:
            async for part in following:
                yield part


async def _state_of_copied(connection: AsyncConnection, memory: Memory, rows: int) -> str | None:
    """The fingerprint of a table that has the rows of a file, and no others."""
    found = await memory.state(connection)
    return found if found and found.startswith(f"{rows}:") else None


def _alike(batch: Columns) -> Iterator[tuple[tuple[str, ...], list[Sequence[Any]]]]:
    """The rows that say something about the same columns: their names, and what they say."""
    shapes = batch.shapes()
    each = batch.shape_of_each() if len(shapes) > 1 else []
    for shape in shapes:
        slots = [slot for slot in batch.values if slot in shape]
        columns = [batch.values[slot].of for slot in slots]
        if each:
            columns = [
                alike(column, (one for one, its in zip(column, each, strict=True) if its == shape))
                for column in columns
            ]
        yield tuple(slot.column for slot in slots), columns


def _several(batches: Iterator[Columns]) -> Iterator[list[Columns]]:
    batches = _giving_way(batches)
    while some := list(islice(batches, _BATCHES)):
        yield some


def _giving_way(batches: Iterator[_T]) -> Iterator[_T]:
    """The same; between two of them the thread that talks to the database can go on.

    Else it gets Python's lock after 5 ms only, each time that the database has answered. The best
    rounds are shorter with it, on SQLite and PostgreSQL; on a busy machine there is no difference.
    """
    for batch in batches:
        yield batch
        time.sleep(_PAUSE)


async def write_large(connection: AsyncConnection, load: Load, database: Database) -> Counts:
    """Writes a large data set at once; where that cannot be, in parts.

    Raises:
        Refused: The database refused rows.
        SeedError: A reference leads nowhere, or a value came back as another one.
        DatabaseError: The database cannot be used.
    """
    bulk = database.present(connection.dialect).bulk
    if load.memory:
        rows = await load.memory.unchanged(connection)
        if rows is not None:
            return Counts(unchanged=rows)
    if load.must_be_checked:
        await load.check()
    if load.fits(bulk):
        counts = await _write_at_once(connection, load, database)
        if counts is not None:
            return counts
    await load.check()
    return await _write_parts(connection, load, database)


async def _write_at_once(
    connection: AsyncConnection, load: Load, database: Database
) -> Counts | None:
    """Writes all of it as columns; None where that cannot be, and nothing of it was written."""
    bulk = database.present(connection.dialect).bulk
    lacks_room = False
    try:
        async with transaction(connection):
            return await load.at_once(connection, bulk)
    except NotPlainError:
        return None
    except Exception as error:
        lacks_room = isinstance(error, NoRoomError)
        failure = database.backend.errors.translate((lacks_room and error.__cause__) or error)
        if failure is None:
            raise
    # Not inside the `except`: the driver's exception can have the whole row in its text.
    lacks_right = failure.reason is Reason.NO_RIGHT
    if lacks_room and lacks_right:
        return None  # it is a right of its own, which the way in parts does not need
    all_has_failed = connection.in_transaction()  # that of all data sets
    if failure.reason not in _GO_ON or (lacks_right and all_has_failed):
        raise database.error(failure, tried="cannot seed")
    if all_has_failed:
        raise Refused(load.data_set, failure, find=partial(_find, load))
    return None


async def _write_parts(connection: AsyncConnection, load: Load, database: Database) -> Counts:
    counts = Counts()
    try:
        async with transaction(connection):
            async for part in load.parts():
                counts += (await write_rows(connection, part)).counts
    except Exception as error:
        failure = database.backend.errors.translate(error)
        if failure is None:
            raise
    else:
        return counts
    if failure.reason is not Reason.STATEMENT:
        raise database.error(failure, tried="cannot seed")
    raise Refused(load.data_set, failure, find=partial(_find, load))


async def _find(load: Load, connection: AsyncConnection, before: Before) -> Change | None:
    """Finds the row that the database refuses, in the part after those that it takes."""
    taken, number = await _parts_taken(load, connection, before), 0
    with suppress(DBAPIError):  # it refused to look for the rows of that part
        async with connection.begin() as everything:
            await before()
            async for part in load.parts():
                if number == taken:
                    changes = await compared(connection, await resolve(connection, part))
                    return await refused_of(connection, part.table, changes.in_order, everything)
                await write_rows(connection, part)
                number += 1
            await everything.rollback()
    return None


async def _parts_taken(load: Load, connection: AsyncConnection, before: Before) -> int:
    """How many parts the database takes, which are undone."""
    taken = 0
    async with connection.begin() as everything:
        await before()
        with suppress(DBAPIError):
            async for part in load.parts():
                await write_rows(connection, part)
                taken += 1
        await everything.rollback()
    return taken


async def _ahead(source: Iterator[_T]) -> AsyncGenerator[_T, None]:
    """What an iterator gives, one further item being made meanwhile in a thread.

    It is one thread for all of them: each has memory of its own, which it keeps.
    """
    loop, nothing = asyncio.get_running_loop(), object()
    with ThreadPoolExecutor(1) as thread:
        following = loop.run_in_executor(thread, next, source, nothing)
        try:
            while (item := await following) is not nothing:
                following = loop.run_in_executor(thread, next, source, nothing)
                yield item  # type: ignore[misc]  # it is not `nothing`
        finally:
            # An iterator cannot be left in the middle of a step.
            await asyncio.gather(following, return_exceptions=True)

"""Loads a large file: it is read in a thread while the database takes what was read before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap.backends.base import Bulk, Reason
from bootstrap.database import Database
from bootstrap.datasets.checking import CheckedDataSet, LargeRows
from bootstrap.datasets.comparing import Counts
from bootstrap.datasets.large import Contents, LargeSet
from bootstrap.datasets.merging import Staged
from bootstrap.datasets.references import resolve
from bootstrap.datasets.rows import Change, refused_of
from bootstrap.datasets.writing import Before, Refused, compared, transaction, write_rows

_PART = 1_000  # rows that are compared in memory, where they cannot be merged on the server
_BATCHES = 10  # that are sent at once: so a round trip takes little of the time
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A large data set that was checked."""

    data_set: CheckedDataSet
    large: LargeRows
    contents: Contents

    @property
    def rows(self) -> int:
        """How many the file has."""
        return self.contents.rows

    def fits(self, bulk: Bulk) -> bool:
        """Tells whether all of it can be merged on the server."""
        return Staged.fits(self.data_set, self.large, self.contents, bulk)

    async def at_once(self, connection: AsyncConnection, bulk: Bulk) -> Counts:
        """Writes it through a temporary table, in the transaction that is there.

        Raises:
            SeedError: A row does not fit the rows that are there.
        """
        staged = Staged(self.data_set, self.large, self.contents, bulk)
        await staged.create(connection)
        packed = self._packed(staged, bulk, connection.dialect)
        async with aclosing(_ahead(packed)) as following:
            async for some in following:
                await bulk.fill(connection, staged.table, some)
        counts = await staged.merge(connection)
        await bulk.drop(connection, staged.table)
        return counts

    def _packed(self, staged: Staged, bulk: Bulk, dialect: Dialect) -> Iterator[list[Any]]:
        batches = LargeSet(self.data_set, self.large).columns()
        while several := list(islice(batches, _BATCHES)):
            yield [bulk.packed(staged.table, staged.values(one), dialect) for one in several]

    async def parts(self) -> AsyncIterator[CheckedDataSet]:
        """The same in parts that fit into memory."""
        parts = LargeSet(self.data_set, self.large).parts(_PART)
        async with aclosing(_ahead(parts)) as following:
            async for part in following:
                yield part


async def checked_load(data_set: CheckedDataSet) -> Load | None:
    """Checks the rows of a large data set; None for those that are in memory.

    Raises:
        SeedError: A row does not fit.
    """
    if data_set.large is None:
        return None
    contents = await asyncio.to_thread(LargeSet(data_set, data_set.large).check)
    return Load(data_set=data_set, large=data_set.large, contents=contents)


async def write_large(connection: AsyncConnection, load: Load, database: Database) -> Counts:
    """Writes a large data set at once; where that cannot be, in parts.

    Raises:
        Refused: The database refused rows.
        SeedError: A reference leads nowhere, or a value came back as another one.
        DatabaseError: The database cannot be used.
    """
    bulk = database.present(connection.dialect).bulk
    if load.fits(bulk):
        try:
            async with transaction(connection):
                return await load.at_once(connection, bulk)
        except Exception as error:
            failure = database.backend.errors.translate(error)
            if failure is None:
                raise
        # Not inside the `except`: the driver's exception can have the whole row in its text.
        if failure.reason is not Reason.STATEMENT:
            raise database.error(failure, tried="cannot seed")
        if connection.in_transaction():  # that of all data sets, which has failed with it
            raise Refused(load.data_set, failure, find=partial(_find, load))
    return await _write_parts(connection, load, database)


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
    taken = await _parts_taken(load, connection, before)
    async with connection.begin() as everything:
        await before()
        number = 0
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
    """What an iterator gives, one further item being made meanwhile in a thread."""
    nothing = object()
    following = asyncio.create_task(asyncio.to_thread(next, source, nothing))
    try:
        while (item := await following) is not nothing:
            following = asyncio.create_task(asyncio.to_thread(next, source, nothing))
            yield item  # type: ignore[misc]  # it is not `nothing`
    finally:
        await asyncio.wait([following])  # an iterator cannot be left in the middle of a step

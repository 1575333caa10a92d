"""Remembers large files that were written, so that an unchanged one is not read again.

What is trusted: SHA-256 of the file, and a fingerprint of the whole table that the server makes at
the moment in which all rows of the file are known to be in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import ScalarSelect, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncTransaction

from bootstrap.backends.base import Reason
from bootstrap.database import Database
from bootstrap.datasets.checking.fitting import CheckedDataSet
from bootstrap.datasets.reading.opening import digest, plain_name
from bootstrap.errors import SeedError
from bootstrap.records import seeds
from bootstrap.version import __version__

# It is a hint only: without the rights for it all goes as it would without a memory.
_WITHOUT = (Reason.STATEMENT, Reason.NO_RIGHT, Reason.READ_ONLY, Reason.ALREADY_THERE)


class Memory:
    """What is remembered of one large data set, and what is to be.

    Args:
        data_set: Which one.
        database: Behind its connection.
        meaning: What its rows mean, see `_meaning_of`.
        is_kept: Whether something may be written.
    """

    def __init__(
        self, data_set: CheckedDataSet, database: Database, *, meaning: str, is_kept: bool
    ) -> None:
        self._data_set = data_set
        self._database = database
        self._meaning = meaning
        self._is_kept = is_kept
        self._seeded: seeds.Seeded | None = None

    @property
    def knows(self) -> bool:
        """Whether this file was written before: then all of it fits the table."""
        return self._seeded is not None

    async def look(self, connection: AsyncConnection) -> None:
        """Looks for what was kept."""
        name = self._data_set.table.name
        self._seeded = await connection.run_sync(seeds.find, name, self._meaning)

    async def unchanged(self, connection: AsyncConnection) -> int | None:
        """How many rows the file has, where the table is as it was; else None."""
        if self._seeded is None:
            return None
        found = None
        try:
            async with _begun(connection):
                found = await self.state(connection)
        except DBAPIError as error:
            _raise_unless_harmless(error, self._database)
        return self._seeded.rows if found == self._seeded.fingerprint else None

    async def state(self, connection: AsyncConnection) -> str | None:
        """The fingerprint of the table; None where it cannot be told."""
        found: str | None = await connection.scalar(select(await self.fingerprint(connection)))
        return found

    async def fingerprint(self, connection: AsyncConnection) -> ScalarSelect[Any]:
        """The expression for it."""
        of = self._database.present(connection.dialect).fingerprints
        return await of.of_rows(connection, self._data_set.table.clause)

    async def keep(
        self, connection: AsyncConnection, rows: int, state: Callable[[], Awaitable[str | None]]
    ) -> None:
        """Keeps how the table is, in the transaction that writes the rows.

        Args:
            connection: Where they are written.
            rows: How many the file has.
            state: Gives the fingerprint of the table in a moment in which all of them are there;
                None where that cannot be said.
        """
        if not self._is_kept:
            return
        try:
            async with connection.begin_nested():
                # The file is read meanwhile; an error is told when both have ended.
                found, meaning = await asyncio.gather(
                    state(), _meaning_of(self._data_set), return_exceptions=True
                )
                await self._keep(connection, rows, _told(found), _told(meaning))
        except SeedError:
            return  # the file is gone, now that all of it was read
        except DBAPIError as error:
            _raise_unless_harmless(error, self._database)

    async def _keep(
        self, connection: AsyncConnection, rows: int, fingerprint: str | None, meaning: str | None
    ) -> None:
        # The file may have been written anew meanwhile.
        if fingerprint is None or meaning != self._meaning:
            return
        seeded = seeds.Seeded(
            table=self._data_set.table.name,
            meaning=self._meaning,
            fingerprint=fingerprint,
            rows=rows,
        )
        await connection.run_sync(seeds.keep, seeded)


async def memories(
    connection: AsyncConnection,
    database: Database,
    data_sets: Mapping[int, CheckedDataSet],
    *,
    is_kept: bool,
) -> dict[int, Memory]:
    """What is remembered of large data sets, by their place; nothing where that cannot be.

    Args:
        connection: Of the run. The table is made where no transaction is begun on it.
        database: Behind it.
        data_sets: Which ones.
        is_kept: Whether what is written now is to be remembered.

    Raises:
        SeedError: A file cannot be read.
    """
    if not data_sets:
        return {}
    try:
        if not await _is_there(connection, makes=is_kept and not connection.in_transaction()):
            return {}
        found = {
            at: Memory(one, database, meaning=await _meaning_of(one), is_kept=is_kept)
            for at, one in data_sets.items()
        }
        async with _begun(connection):
            for memory in found.values():
                await memory.look(connection)
    except DBAPIError as error:
        _raise_unless_harmless(error, database)
        return {}
    return found


async def _is_there(connection: AsyncConnection, *, makes: bool) -> bool:
    async with _begun(connection):
        if await connection.run_sync(seeds.is_there):
            return True
        if makes:
            await connection.run_sync(seeds.make)
    return makes


def _begun(connection: AsyncConnection) -> AsyncTransaction:
    """A transaction, or a savepoint where there is one: what fails in it does no harm."""
    return connection.begin_nested() if connection.in_transaction() else connection.begin()


def _raise_unless_harmless(error: DBAPIError, database: Database) -> None:
    failure = database.backend.errors.translate(error)
    if failure is None or failure.reason not in _WITHOUT:
        raise error


def _told(found: str | BaseException | None) -> str | None:
    if isinstance(found, BaseException):
        raise found
    return found


async def _meaning_of(data_set: CheckedDataSet) -> str:
    """SHA-256 of all that the rows of a file follow from, where they refer to no other table."""
    table = data_set.table
    columns = [
        (one.name, repr(one.type), one.nullable, one.required) for one in table.columns.values()
    ]
    said = (
        __version__,
        table.name,
        data_set.key,
        Path(plain_name(data_set.file)).suffix,
        columns,
        table.primary_key,
        await asyncio.to_thread(digest, data_set.file),
    )
    return sha256(repr(said).encode()).hexdigest()

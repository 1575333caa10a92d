"""Writes one data set: compares it with what is there, and writes what differs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from operator import itemgetter
from typing import TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap.backends.base import Failure, Reason
from bootstrap.database import Database
from bootstrap.datasets.checking.fitting import CheckedDataSet, without_secrets
from bootstrap.datasets.checking.tables import Key, SeedTable
from bootstrap.datasets.writing.comparing import Changes, compare, refuse_altered
from bootstrap.datasets.writing.references import resolve
from bootstrap.datasets.writing.rows import Change, Stored, find, first_refused, write
from bootstrap.errors import Place, SeedError

Before: TypeAlias = Callable[[], Awaitable[None]]  # writes what rows need, in a transaction
Find: TypeAlias = Callable[[AsyncConnection, Before], Awaitable[Change | None]]


class Refused(Exception):
    """The database refused rows of a data set.

    Args:
        data_set: Which.
        failure: What the database said.
        find: Finds the row, on a connection without a transaction; what it writes is undone.
    """

    def __init__(self, data_set: CheckedDataSet, failure: Failure, *, find: Find) -> None:
        super().__init__()
        self.data_set = data_set
        self.failure = failure
        self.find = find


@asynccontextmanager
async def transaction(connection: AsyncConnection) -> AsyncIterator[None]:
    """One for the block, unless the program began one that is its own to end."""
    if connection.in_transaction():
        yield
        return
    async with connection.begin():
        yield


class Taken:
    """The rows of a run whose references are resolved: only now two can turn out to be one."""

    def __init__(self) -> None:
        self._places: dict[tuple[object, ...], Place] = {}

    def take(self, data_set: CheckedDataSet) -> None:
        """Takes the rows of a data set.

        Raises:
            SeedError: One of them was taken before.
        """
        for row in data_set.rows:
            named = zip(data_set.key, data_set.key_of(row.values), strict=True)
            key = (data_set.table.name, *sorted(named, key=itemgetter(0)))
            if earlier := self._places.get(key):
                raise data_set.taken(row.line, earlier=earlier)
            self._places[key] = Place(path=data_set.file.path, line=row.line)


async def write_data_set(
    connection: AsyncConnection,
    data_set: CheckedDataSet,
    database: Database,
    *,
    taken: Taken | None = None,
) -> Changes:
    """Writes what a data set has and the database has not, in one transaction.

    Args:
        connection: Where.
        data_set: What, its references unresolved.
        database: Behind the connection.
        taken: The rows that the run has written; None where these are among them.

    Raises:
        Refused: The database refused rows.
        SeedError: A reference leads nowhere, a row is there twice, or a value came back as another.
        DatabaseError: The database cannot be used.
    """
    changes, latest = Changes(), Changes()
    done: list[CheckedDataSet] = []
    try:
        async with transaction(connection):
            for level in data_set.levels():
                resolved = await resolve(connection, level)
                if taken:
                    taken.take(resolved)
                latest = await compared(connection, resolved)
                await _send(connection, resolved, latest)
                changes += latest
                done.append(level)
                latest = Changes()  # what fails at the commit is no fault of the last group
    except Exception as error:
        failure = database.backend.errors.translate(error)
        if failure is None:
            raise
    else:
        return changes
    # Not inside the `except`: the driver's exception can have the whole row in its text.
    if failure.reason is not Reason.STATEMENT:
        raise database.error(failure, tried="cannot seed")
    raise Refused(data_set, failure, find=partial(_find, latest, data_set.table, done))


async def write_rows(connection: AsyncConnection, data_set: CheckedDataSet) -> Changes:
    """Writes rows of which none needs another, in the transaction that is there.

    Raises:
        SeedError: A reference leads nowhere, or a value came back as another one.
        DBAPIError: The database refused them.
    """
    resolved = await resolve(connection, data_set)
    changes = await compared(connection, resolved)
    await _send(connection, resolved, changes)
    return changes


async def _find(
    changes: Changes,
    table: SeedTable,
    done: Sequence[CheckedDataSet],
    connection: AsyncConnection,
    before: Before,
) -> Change | None:
    async def all_before() -> None:
        await before()
        for level in done:
            await write_rows(connection, level)

    return await first_refused(connection, table, changes.in_order, before=all_before)


async def _send(connection: AsyncConnection, data_set: CheckedDataSet, changes: Changes) -> None:
    await write(connection, data_set.table, changes.in_order)
    keys = [change.key for change in changes.in_order]
    refuse_altered(data_set, changes, await _stored(connection, data_set, keys))


async def compared(connection: AsyncConnection, data_set: CheckedDataSet) -> Changes:
    """Compares rows whose references are resolved with those that are there."""
    keys = [data_set.key_of(row.values) for row in data_set.rows]
    stored = await _stored(connection, data_set, keys)
    return await asyncio.to_thread(compare, data_set, stored)


async def _stored(
    connection: AsyncConnection, data_set: CheckedDataSet, keys: Sequence[Key]
) -> Mapping[Key, Sequence[Stored]]:
    named = dict.fromkeys(name for row in data_set.rows for name in row.values)
    return await find(connection, data_set.table, by=data_set.key, keys=keys, columns=named)


def refusal(data_set: CheckedDataSet, refused: Change | None, failure: Failure) -> SeedError:
    """Makes the error for a row that the database refused; None where it is not known which."""
    what = "this row" if refused else "these rows"
    code = f"{failure.code}: " if failure.code else ""
    text = without_secrets(failure.text, data_set)
    return data_set.file.fault(
        refused.line if refused else None,
        f"the database refused {what} of {data_set.table.name} ({code}{text})",
        hint="nothing of this data set was written; correct it and run the command again",
    )

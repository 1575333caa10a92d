"""Seeds a database: writes what the data sets have and the database has not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap.backends.base import Failure, Reason
from bootstrap.database import Database
from bootstrap.datasets.checking import CheckedDataSet, check_all
from bootstrap.datasets.comparing import Changes, compare, refuse_altered
from bootstrap.datasets.files import read_all
from bootstrap.datasets.form import DataSet
from bootstrap.datasets.loading import Load, checked
from bootstrap.datasets.merging import Counts
from bootstrap.datasets.references import resolve
from bootstrap.datasets.rows import Change, Stored, find, first_refused, refused_of, write
from bootstrap.datasets.tables import Key
from bootstrap.errors import SeedError
from bootstrap.events import DataSetFinished, DataSetStarted, Emit, silent
from bootstrap.records.lock import WAIT, run_lock
from bootstrap.targets import Target, opened

_LOCK = "data sets"  # beside the version tables: seeding does not wait for a migration


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSetReport:
    """What became of the rows of one data set; `seconds` is what it took."""

    data_set: str
    table: str
    inserted: int
    updated: int
    unchanged: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedReport:
    """What a run did, data set by data set in the order in which they were applied."""

    database: str
    backend: str
    data_sets: tuple[DataSetReport, ...]

    @property
    def inserted(self) -> int:
        """Rows that were not there."""
        return sum(one.inserted for one in self.data_sets)

    @property
    def updated(self) -> int:
        """Rows that were there and differed."""
        return sum(one.updated for one in self.data_sets)

    @property
    def unchanged(self) -> int:
        """Rows that were right already and were not written."""
        return sum(one.unchanged for one in self.data_sets)


async def seed(
    database: Target,
    *,
    datasets: Path | Sequence[Path],
    wait_lock: float = WAIT,
    emit: Emit = silent,
) -> SeedReport:
    """Writes what data sets have and a database has not; docs/seeds.md describes their form.

    All are read and checked before the first is written. Each is one transaction: when one fails,
    those before it stay, and running it again goes on from there.

    Args:
        database: What to seed; its tables must be there. On a connection all runs on that one,
            and a transaction that is begun there is the caller's to commit.
        datasets: Files and folders, applied in this order; in a folder in the order of the names.
        wait_lock: Seconds to wait for another run on the same database.
        emit: Told about each data set.

    Raises:
        LockNotObtained: Another run took longer.
        LockLost: The run lock was lost; the data set that was being written is the last one.
        SeedError: A data set cannot be read, does not fit its table, or was refused.
        DatabaseError: The database is missing or cannot be used.
    """
    paths = [datasets] if isinstance(datasets, Path) else datasets
    async with (
        opened(database) as place,
        place.connect() as connection,
        run_lock(place, wait=wait_lock, emit=emit) as lock,
    ):
        found = place.database
        read = await asyncio.to_thread(read_all, paths)
        await _refuse_read_only(connection, found)
        await lock.take(_LOCK)
        data_sets = await _checked(connection, found, read)
        loads = [await checked(one) for one in data_sets]
        lock.settled()
        reports = []
        for one, load in zip(data_sets, loads, strict=True):
            await lock.prove()
            reports.append(await _apply(connection, one, load, database=found, emit=emit))
        await lock.prove()
    return SeedReport(database=str(found), backend=found.backend.name, data_sets=tuple(reports))


async def _refuse_read_only(connection: AsyncConnection, database: Database) -> None:
    """Refuses a database that takes no writes, such as a standby.

    Raises:
        DatabaseRefused: It takes none.
    """
    present = database.present(connection.dialect)
    with database.translated("cannot read the state of"):
        async with _transaction(connection):
            database.refuse_read_only(await connection.run_sync(present.health.read_only))


@asynccontextmanager
async def _transaction(connection: AsyncConnection) -> AsyncIterator[None]:
    """One for the block, unless the program began one that is its own to end."""
    if connection.in_transaction():
        yield
        return
    async with connection.begin():
        yield


async def _checked(
    connection: AsyncConnection, database: Database, data_sets: Sequence[DataSet]
) -> tuple[CheckedDataSet, ...]:
    with database.translated("cannot read the schema of"):
        async with _transaction(connection):
            return await connection.run_sync(lambda plain: check_all(data_sets, plain))


async def _apply(
    connection: AsyncConnection,
    data_set: CheckedDataSet,
    load: Load | None,
    *,
    database: Database,
    emit: Emit,
) -> DataSetReport:
    name, table = data_set.file.path.name, data_set.table.name
    emit(DataSetStarted(data_set=name, table=table, rows=load.rows if load else len(data_set.rows)))
    started = time.monotonic()
    if load:
        counts = await _write_large(connection, load, database)
    else:
        counts = _counts(await _write(connection, data_set, database))
    report = DataSetReport(
        data_set=name,
        table=table,
        inserted=counts.inserted,
        updated=counts.updated,
        unchanged=counts.unchanged,
        seconds=time.monotonic() - started,
    )
    emit(
        DataSetFinished(
            data_set=name,
            table=table,
            inserted=report.inserted,
            updated=report.updated,
            unchanged=report.unchanged,
            seconds=report.seconds,
        )
    )
    return report


def _counts(changes: Changes) -> Counts:
    return Counts(
        inserted=len(changes.inserts), updated=len(changes.updates), unchanged=changes.unchanged
    )


async def _write_large(connection: AsyncConnection, load: Load, database: Database) -> Counts:
    """Writes a large data set at once; where that is refused, in parts, to find the row."""
    bulk = database.present(connection.dialect).bulk
    theirs = connection.in_transaction()
    if load.fits(bulk):
        try:
            async with _transaction(connection):
                return await load.at_once(connection, bulk)
        except Exception as error:
            failure = database.backend.errors.translate(error)
            if failure is None:
                raise
        if failure.reason is not Reason.STATEMENT:
            raise database.error(failure, tried="cannot seed")
        if theirs:
            raise _refusal(load.data_set, None, failure)
    return await _write_parts(connection, load, database)


async def _write_parts(connection: AsyncConnection, load: Load, database: Database) -> Counts:
    counts, done = Counts(), 0
    theirs = connection.in_transaction()
    try:
        async with _transaction(connection):
            async for part in load.parts():
                counts += _counts(await _written(connection, part))
                done += 1
    except Exception as error:
        failure = database.backend.errors.translate(error)
        if failure is None:
            raise
    else:
        return counts
    if failure.reason is not Reason.STATEMENT:
        raise database.error(failure, tried="cannot seed")
    refused = None if theirs else await _refused_in_parts(connection, load, done)
    raise _refusal(load.data_set, refused, failure)


async def _refused_in_parts(connection: AsyncConnection, load: Load, done: int) -> Change | None:
    """Finds the row that the database refuses in the part after those that it takes."""
    number = 0
    async with connection.begin() as transaction:
        async for part in load.parts():
            if number == done:
                changes = await _compared(connection, await resolve(connection, part))
                return await refused_of(connection, part.table, changes.in_order, transaction)
            await _written(connection, part)
            number += 1
        await transaction.rollback()
    return None


async def _written(connection: AsyncConnection, data_set: CheckedDataSet) -> Changes:
    """Writes a data set, or a part of one, in the transaction that is there."""
    resolved = await resolve(connection, data_set)
    changes = await _compared(connection, resolved)
    await write(connection, data_set.table, changes.in_order)
    keys = [change.key for change in changes.in_order]
    refuse_altered(resolved, changes, await _stored(connection, resolved, keys))
    return changes


async def _write(
    connection: AsyncConnection, data_set: CheckedDataSet, database: Database
) -> Changes:
    changes = Changes()
    theirs = connection.in_transaction()
    try:
        async with _transaction(connection):
            resolved = await resolve(connection, data_set)
            changes = await _compared(connection, resolved)
            await write(connection, data_set.table, changes.in_order)
            keys = [change.key for change in changes.in_order]
            refuse_altered(resolved, changes, await _stored(connection, resolved, keys))
    except Exception as error:
        failure = database.backend.errors.translate(error)
        if failure is None:
            raise
    else:
        return changes
    # Not inside the `except`: the driver's exception can have the whole row in its text.
    if failure.reason is not Reason.STATEMENT:
        raise database.error(failure, tried="cannot seed")
    # Writing the rows one by one needs a transaction that may be rolled back.
    refused = None if theirs else await first_refused(connection, data_set.table, changes.in_order)
    raise _refusal(data_set, refused, failure)


async def _compared(connection: AsyncConnection, data_set: CheckedDataSet) -> Changes:
    keys = [data_set.key_of(row.values) for row in data_set.rows]
    stored = await _stored(connection, data_set, keys)
    return await asyncio.to_thread(compare, data_set, stored)


async def _stored(
    connection: AsyncConnection, data_set: CheckedDataSet, keys: Sequence[Key]
) -> Mapping[Key, Sequence[Stored]]:
    named = dict.fromkeys(name for row in data_set.rows for name in row.values)
    return await find(connection, data_set.table, by=data_set.key, keys=keys, columns=named)


def _refusal(data_set: CheckedDataSet, refused: Change | None, failure: Failure) -> SeedError:
    what = "this row" if refused else "these rows"
    code = f"{failure.code}: " if failure.code else ""
    return data_set.file.fault(
        refused.line if refused else None,
        f"the database refused {what} of {data_set.table.name} ({code}{failure.text})",
        hint="nothing of this data set was written; correct it and run the command again",
    )

"""Seeds a database: writes what the data sets have and the database has not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap.database import Database
from bootstrap.datasets.checking.companions import with_companions
from bootstrap.datasets.checking.fitting import check_all
from bootstrap.datasets.checking.layers import merged
from bootstrap.datasets.checking.order import Step, ordered
from bootstrap.datasets.reading.choosing import choose
from bootstrap.datasets.reading.files import read_all
from bootstrap.datasets.reading.form import DataSet, nearest
from bootstrap.datasets.reading.manifest import NAME as MANIFEST
from bootstrap.datasets.reports import PrunedReport, SeedReport
from bootstrap.datasets.writing.applying import Plan, Run, loads_of, report
from bootstrap.datasets.writing.data_set import transaction
from bootstrap.datasets.writing.references import refuse_lost
from bootstrap.errors import SeedError
from bootstrap.events import Emit, silent
from bootstrap.records.lock import WAIT, run_lock
from bootstrap.targets import Target, opened

_LOCK = "data sets"  # beside the version tables: seeding does not wait for a migration
_MOST_DIFFERENCES = 1000


async def seed(
    database: Target,
    *,
    datasets: Path | Sequence[Path],
    environment: str | None = None,
    prune: bool | Sequence[str] = False,
    dry_run: bool = False,
    wait_lock: float = WAIT,
    emit: Emit = silent,
) -> SeedReport:
    """Writes what data sets have and a database has not; docs/seeds.md describes their form.

    All are read and checked before the first is written; they are sorted by foreign keys. Each is
    one transaction: when one fails, those before it stay, and running it again goes on from there.
    A run with checks, with rows to be deleted, or that opens a circle of foreign keys, is one
    transaction altogether.

    Args:
        database: What to seed; its tables must be there. On a connection all runs on that one,
            and a transaction that is begun there is the caller's to commit.
        datasets: Files and folders, applied in this order where foreign keys do not ask for
            another one; in a folder in the order of the names.
        environment: Whose rows are added to those that all environments have, or go over them.
        prune: Delete the rows that no data set has: of the tables for which a manifest allows it,
            or of these tables.
        dry_run: Undo all of it, and report the rows that differ.
        wait_lock: Seconds to wait for another run on the same database.
        emit: Told about each data set.

    Raises:
        SettingsError: No data sets are for this environment.
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
        chosen = await asyncio.to_thread(choose, paths, environment=environment)
        read = await asyncio.to_thread(read_all, chosen.files)
        await _refuse_read_only(connection, found)
        await lock.take(_LOCK)
        pruned = _pruned(read, chosen.pruned, asked=prune)
        steps = await _steps(connection, found, read, pruned=pruned)
        plan = Plan(steps=steps, loads=loads_of(steps), pruned=pruned, checks=chosen.checks)
        with found.translated("cannot seed"):
            await plan.remember(connection, found, is_kept=not dry_run)
        await plan.check(undoes=not dry_run and not connection.in_transaction())
        lock.settled()
        run = Run(connection, found, lock=lock, emit=silent if dry_run else emit)
        await run.work(plan, dry_run=dry_run)
        await lock.prove()
    return SeedReport(
        database=str(found),
        backend=found.backend.name,
        environment=environment,
        dry_run=dry_run,
        data_sets=tuple(report(one) for one in run.applied.values()),
        pruned=tuple(PrunedReport(table=one.table, deleted=len(one.rows)) for one in run.pruned),
        differences=tuple(islice(run.differences(), _MOST_DIFFERENCES)) if dry_run else (),
    )


def _pruned(
    data_sets: Sequence[DataSet], allowed: frozenset[str], *, asked: bool | Sequence[str]
) -> frozenset[str]:
    """The tables to be pruned, each of which has a data set.

    Raises:
        SeedError: One has none, or none may be pruned.
    """
    if not asked:
        return frozenset()
    known = {one.table for one in data_sets}
    if isinstance(asked, bool):
        if not known & allowed:
            raise SeedError(
                "no manifest says of which tables rows may be deleted",
                hint=f"write prune = true into [tables.NAME] of {MANIFEST}, or name the tables",
            )
        return frozenset(known & allowed)
    for name in asked:
        if name not in known:
            raise SeedError(
                f"no data set has rows of {name!r}, so none of its rows can be told to stay",
                hint=nearest(name, known),
            )
    return frozenset(asked)


async def _refuse_read_only(connection: AsyncConnection, database: Database) -> None:
    """Refuses a database that takes no writes, such as a standby.

    Raises:
        DatabaseRefused: It takes none.
    """
    present = database.present(connection.dialect)
    with database.translated("cannot read the state of"):
        async with transaction(connection):
            database.refuse_read_only(await connection.run_sync(present.health.read_only))


async def _steps(
    connection: AsyncConnection,
    database: Database,
    data_sets: Sequence[DataSet],
    *,
    pruned: frozenset[str],
) -> tuple[Step, ...]:
    with database.translated("cannot read the schema of"):
        async with transaction(connection):
            checked = await connection.run_sync(lambda plain: check_all(data_sets, plain))
            complete = await asyncio.to_thread(with_companions, checked, pruned=pruned)
            rows = await asyncio.to_thread(merged, complete)
            await refuse_lost(connection, rows)
    return await asyncio.to_thread(ordered, rows)

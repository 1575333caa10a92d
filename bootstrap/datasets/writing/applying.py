"""Applies data sets in their order, deletes what none has, and undoes it in a dry run."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap.backends.base import Failure, Reason
from bootstrap.database import Database
from bootstrap.datasets.checking.fitting import CheckedDataSet, without_secrets
from bootstrap.datasets.checking.order import Step
from bootstrap.datasets.checking.tables import Key
from bootstrap.datasets.reading.manifest import Check
from bootstrap.datasets.reports import Action, DataSetReport, RowDifference
from bootstrap.datasets.writing.comparing import Changes, Counts
from bootstrap.datasets.writing.data_set import (
    Refused,
    Taken,
    refusal,
    transaction,
    write_data_set,
)
from bootstrap.datasets.writing.expectations import refuse_unmet
from bootstrap.datasets.writing.loading import Load, write_large
from bootstrap.datasets.writing.pruning import Kept, Pruned, prune
from bootstrap.datasets.writing.remembering import memories
from bootstrap.datasets.writing.rows import Change
from bootstrap.errors import BootstrapError, SeedError
from bootstrap.events import DataSetFinished, DataSetStarted, Emit
from bootstrap.records.lock import RunLock


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is applied.

    Attributes:
        steps: Data sets in their order.
        loads: The large ones among them, by their place.
        pruned: Tables of which rows are deleted that no data set has.
        checks: What must hold in the end.
    """

    steps: tuple[Step, ...]
    loads: Mapping[int, Load]
    pruned: frozenset[str]
    checks: tuple[Check, ...]

    async def check(self, *, undoes: bool) -> None:
        """Reads all large data sets before anything is written, but those read by earlier runs.

        Args:
            undoes: Whether all of one is undone where a row does not fit; so one alone can be
                checked on its way.

        Raises:
            SeedError: A row does not fit.
        """
        alone = undoes and len(self.steps) == 1 and not self.is_whole
        for load in self.loads.values():
            if not load.is_known and (load.must_be_checked or not alone):
                await load.check()

    async def remember(
        self, connection: AsyncConnection, database: Database, *, is_kept: bool
    ) -> None:
        """Looks up what earlier runs have left of large data sets.

        Args:
            connection: What it runs on.
            database: Behind it.
            is_kept: Whether something is left for later runs.

        Raises:
            SeedError: A file cannot be read.
        """
        some = {at: load.data_set for at, load in self.loads.items() if load.may_be_known}
        found = await memories(connection, database, some, is_kept=is_kept)
        for at, memory in found.items():
            self.loads[at].memory = memory

    @property
    def is_whole(self) -> bool:
        """Whether it is one transaction: what is found in the end can be about all of it."""
        return bool(self.pruned or self.checks or any(step.late for step in self.steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A data set with what was written of it.

    Attributes:
        data_set: Which.
        changes: Its rows; none of a large one.
        load: What wrote a large one.
        loaded: How many rows that were.
        seconds: How long it took.
    """

    data_set: CheckedDataSet
    changes: Changes
    load: Load | None
    loaded: Counts
    seconds: float

    @property
    def counts(self) -> Counts:
        """What became of the rows."""
        return self.loaded if self.load else self.changes.counts


def loads_of(steps: Sequence[Step]) -> dict[int, Load]:
    """What writes the large data sets, by their place."""
    return {
        at: Load(step.data_set, step.data_set.large)
        for at, step in enumerate(steps)
        if step.data_set.large
    }


class Run:
    """The application of a plan.

    Args:
        connection: What it runs on.
        database: Behind it.
        lock: The run lock, proved before each data set.
        emit: Told about each data set.
    """

    def __init__(
        self, connection: AsyncConnection, database: Database, *, lock: RunLock, emit: Emit
    ) -> None:
        self.applied: dict[int, Applied] = {}
        self.pruned: tuple[Pruned, ...] = ()
        self._connection = connection
        self._database = database
        self._lock = lock
        self._emit = emit
        self._taken = Taken()
        self._theirs = connection.in_transaction()

    async def work(self, plan: Plan, *, dry_run: bool) -> None:
        """Applies it.

        Raises:
            SeedError: The database refused something, or a check does not hold.
        """
        try:
            async with self._whole(needed=plan.is_whole, undone=dry_run):
                await self._all(plan)
        except Refused as refused:
            # The transaction in which it was written is gone, with what it had written before.
            whole = plan.is_whole or dry_run
            error = await self._blamed(refused, list(self.applied.values()) if whole else [])
            raise error from None
        except DBAPIError as error:
            failure = self._database.backend.errors.translate(error)
            if failure is None:
                raise
        else:
            return
        raise self._failed(failure, "the database refused what was written, at its end")

    def _failed(self, failure: Failure, what: str) -> BootstrapError:
        """The error for all of it."""
        if failure.reason is not Reason.STATEMENT:
            return self._database.error(failure, tried="cannot seed")
        text = failure.text
        for one in self.applied.values():
            text = without_secrets(text, one.data_set)
        return SeedError(f"{what} ({failure.code}: {text})", hint="nothing was written")

    async def _all(self, plan: Plan) -> None:
        for at, step in enumerate(plan.steps):
            await self._lock.prove()
            self.applied[at] = await self._apply(step.data_set, plan.loads.get(at))
        for at, step in enumerate(plan.steps):
            if step.late:
                changes = await write_data_set(self._connection, step.late, self._database)
                self.applied[at] = _completed(self.applied[at], changes)
        await self._end(plan)

    async def _end(self, plan: Plan) -> None:
        kept = _kept(self.applied.values(), plan.pruned)
        errors = self._database.backend.errors
        try:
            self.pruned = await prune(self._connection, kept)
            await refuse_unmet(self._connection, plan.checks, errors=errors)
        except DBAPIError as error:
            failure = errors.translate(error)
            if failure is None:
                raise
        else:
            return
        tables = " and ".join(sorted(plan.pruned))
        what = f"the database refused to delete rows of {tables} that no data set has"
        raise self._failed(failure, what)

    @asynccontextmanager
    async def _whole(self, *, needed: bool, undone: bool) -> AsyncIterator[None]:
        """One transaction for the block where it is needed, kept or undone in the end."""
        if not undone:
            async with transaction(self._connection) if needed else nullcontext():
                yield
            return
        begun = self._connection.begin_nested() if self._theirs else self._connection.begin()
        async with begun as everything:
            yield
            await everything.rollback()

    async def _blamed(self, refused: Refused, before: Sequence[Applied]) -> SeedError:
        """The error for rows that the database refused, with the row where it can be found."""

        async def again() -> None:
            for one in before:
                await self._write(one.data_set, one.load)

        # Writing the rows one by one needs a transaction that may be rolled back.
        row = None if self._theirs else await refused.find(self._connection, again)
        return refusal(refused.data_set, row, refused.failure)

    async def _apply(self, data_set: CheckedDataSet, load: Load | None) -> Applied:
        name, table = data_set.file.name, data_set.table.name
        rows = None if load else len(data_set.rows)
        self._emit(DataSetStarted(data_set=name, table=table, rows=rows))
        started = time.monotonic()
        changes, loaded = await self._write(data_set, load, taken=self._taken)
        applied = Applied(
            data_set=data_set,
            changes=changes,
            load=load,
            loaded=loaded,
            seconds=time.monotonic() - started,
        )
        counts = applied.counts
        self._emit(
            DataSetFinished(
                data_set=name,
                table=table,
                inserted=counts.inserted,
                updated=counts.updated,
                unchanged=counts.unchanged,
                seconds=applied.seconds,
            )
        )
        return applied

    async def _write(
        self, data_set: CheckedDataSet, load: Load | None, *, taken: Taken | None = None
    ) -> tuple[Changes, Counts]:
        if load:  # no other file has rows of its table
            return Changes(), await write_large(self._connection, load, self._database)
        changes = await write_data_set(self._connection, data_set, self._database, taken=taken)
        return changes, Counts()

    def differences(self) -> Iterator[RowDifference]:
        """The rows that were written or deleted."""
        for one in self.applied.values():
            yield from _differences(one, Action.INSERT, one.changes.inserts)
            yield from _differences(one, Action.UPDATE, one.changes.updates)
        for table in self.pruned:
            for key in table.rows:
                yield RowDifference(
                    action=Action.DELETE,
                    table=table.table,
                    key=key,
                    columns=(),
                    data_set="",
                    line=None,
                )


def _differences(
    applied: Applied, action: Action, changes: Sequence[Change]
) -> Iterator[RowDifference]:
    for change in changes:
        yield RowDifference(
            action=action,
            table=applied.data_set.table.name,
            key=change.named,
            columns=tuple(change.values),
            data_set=applied.data_set.file.name,
            line=change.line,
        )


def _kept(applied: Iterable[Applied], tables: frozenset[str]) -> list[Kept]:
    """The rows of data sets, table by table."""
    keys: dict[str, dict[tuple[str, ...], set[Key]]] = {}
    hidden: dict[str, set[str]] = {}
    found = {}
    for one in applied:
        table = one.data_set.table
        if table.name in tables:
            found[table.name] = table
            by = keys.setdefault(table.name, {}).setdefault(one.data_set.key, set())
            by.update(one.changes.keys)
            secrets = {name for row in one.data_set.rows for name in row.secrets}
            hidden.setdefault(table.name, set()).update(secrets)
    return [Kept(table=found[name], keys=keys[name], hidden=hidden[name]) for name in found]


def _completed(applied: Applied, late: Changes) -> Applied:
    """A data set with what its circle left for later: a row counts once."""
    changes = applied.changes
    inserted = {change.key for change in changes.inserts}
    updated = {change.key: change for change in changes.updates}
    for change in late.updates:
        if change.key in updated:
            first = updated[change.key]
            updated[change.key] = replace(first, values={**first.values, **change.values})
        elif change.key not in inserted:
            updated[change.key] = change
    return replace(applied, changes=replace(changes, updates=tuple(updated.values())))


def report(applied: Applied) -> DataSetReport:
    """What became of the rows of a data set."""
    return DataSetReport(
        data_set=applied.data_set.file.name,
        table=applied.data_set.table.name,
        inserted=applied.counts.inserted,
        updated=applied.counts.updated,
        unchanged=applied.counts.unchanged,
        seconds=applied.seconds,
    )

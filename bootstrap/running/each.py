"""The same for each of several databases that one env.py works on: migrate, downgrade."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from bootstrap.database import Database
from bootstrap.events import Emit, silent
from bootstrap.positions.moves import Direction, Move, check_target
from bootstrap.positions.planned import Before, unasked
from bootstrap.project import Project, loaded
from bootstrap.records.lock import WAIT, run_lock
from bootstrap.revisions.environment import in_thread
from bootstrap.running import losses
from bootstrap.running.forwarding import Forward
from bootstrap.running.gentle import LOCK_RETRIES, Limits
from bootstrap.running.inside import is_sync
from bootstrap.running.looking import Look
from bootstrap.running.retrying import RETRY_FOR, Retries, gently
from bootstrap.running.runner import Asked, MigrationReport, report, verified
from bootstrap.running.several import (
    Databases,
    Several,
    configured_for,
    looked,
    of_names,
    run_inside_several,
)
from bootstrap.running.stopping import what_stays
from bootstrap.running.terms import Terms, approve_all
from bootstrap.running.turn import LockedTurn
from bootstrap.running.work import Apply
from bootstrap.targets import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrateEachReport:
    """What a run did with each of several databases, in the order in which they were listed."""

    databases: tuple[MigrationReport, ...]


async def migrate_each(
    databases: Databases,
    revision: str = "head",
    *,
    project: Project,
    per_revision: bool = False,
    allow_loss: bool = False,
    allow_ahead: bool = False,
    strict: bool = False,
    wait_lock: float = WAIT,
    lock_timeout: float | None = None,
    lock_retries: int = LOCK_RETRIES,
    statement_timeout: float | None = None,
    retry_for: float = RETRY_FOR,
    tag: str | None = None,
    before: Before = unasked,
    emit: Emit = silent,
) -> MigrateEachReport:
    """Upgrades several databases that one env.py works on, as Alembic's template `multidb` does.

    env.py runs twice: first nothing is written, to see that it connects to all of these databases
    and to no other. Then each has a run lock of its own, held until all are done and verified.

    Args:
        databases: By the names that they have in env.py; the section of that name in Alembic's
            Config gets the URL. They must exist.
        revision: As for `migrate`, and so are the others.
        project: Whose revisions.
        per_revision: See there.
        allow_loss: See there.
        allow_ahead: See there.
        strict: See there.
        wait_lock: Seconds to wait for another run, on each database.
        lock_timeout: See there.
        lock_retries: See there; env.py begins anew with all databases then, and so it does after
            what `retry_for` is for: those that are done have nothing left to do.
        statement_timeout: See there.
        retry_for: See there.
        tag: See there.
        before: See there; called for each database.
        emit: See there.

    Raises:
        SettingsError: env.py connects to another database, or leaves one out; nothing was run.
        LockNotObtained, LockLost, DatabaseError, RevisionError, StatementFailed,
            PartsWouldBeLost: As for `migrate`.
    """
    move = Move(direction=Direction.UPGRADE, targets=(revision,))
    limits = Limits(
        lock_timeout=lock_timeout, lock_retries=lock_retries, statement_timeout=statement_timeout
    )
    terms = Terms(
        before=before,
        limits=limits,
        per_revision=per_revision,
        allow_loss=allow_loss,
        allow_ahead=allow_ahead,
        strict=strict,
        wait=wait_lock,
        retry_for=retry_for,
    )
    asked = Asked(project=project, move=move, terms=terms, tag=tag, emit=emit)
    return await _run(databases, asked)


async def downgrade_each(
    databases: Databases,
    revision: str,
    *,
    project: Project,
    drop_rows: bool = False,
    per_revision: bool = False,
    allow_loss: bool = False,
    wait_lock: float = WAIT,
    lock_timeout: float | None = None,
    lock_retries: int = LOCK_RETRIES,
    statement_timeout: float | None = None,
    retry_for: float = RETRY_FOR,
    tag: str | None = None,
    before: Before = unasked,
    emit: Emit = silent,
) -> MigrateEachReport:
    """Downgrades several databases that one env.py works on.

    Args:
        databases: As for `migrate_each`.
        revision: As for `downgrade`, and so are the others.
        project: Whose revisions.
        drop_rows: See there.
        per_revision: See there.
        allow_loss: See there.
        wait_lock: Seconds to wait for another run, on each database.
        lock_timeout: See there.
        lock_retries: See there; env.py begins anew with all databases then, and so it does after
            what `retry_for` is for: those that are done have nothing left to do.
        statement_timeout: See there.
        retry_for: See there.
        tag: See there.
        before: See there; called for each database.
        emit: See there.

    Raises:
        RowsWouldBeLost: Tables with rows would be dropped; that database was not changed.
        SettingsError, LockNotObtained, LockLost, DatabaseError, RevisionError, StatementFailed,
            PartsWouldBeLost: As for `migrate_each`.
    """
    move = Move(direction=Direction.DOWNGRADE, targets=(revision,))
    approve = approve_all if drop_rows else losses.refuse_loss
    limits = Limits(
        lock_timeout=lock_timeout, lock_retries=lock_retries, statement_timeout=statement_timeout
    )
    terms = Terms(
        approve=approve,
        before=before,
        limits=limits,
        per_revision=per_revision,
        allow_loss=allow_loss,
        wait=wait_lock,
        retry_for=retry_for,
    )
    asked = Asked(project=project, move=move, terms=terms, tag=tag, emit=emit)
    return await _run(databases, asked)


async def _run(databases: Databases, asked: Asked) -> MigrateEachReport:
    started = time.perf_counter()
    listed = of_names(databases)
    config, scripts = await in_thread(lambda: loaded(asked.project))
    check_target(asked.move, scripts)
    looks = [Look(scripts=scripts, database=one) for one in listed.values()]
    await looked(listed, looks, config, allow_ahead=asked.terms.allow_ahead)
    with Forward(asked.emit) as forward:
        works = [asked.work(scripts, one, forward.send) for one in listed.values()]
        for work in works:
            work.reached = True
        places = [Place(database=database) for database in listed.values()]
        retries = Retries(
            seconds=asked.terms.retry_for, works=works, places=places, emit=forward.emit
        )
        async with AsyncExitStack() as written:
            for work, place in zip(works, places, strict=True):
                await written.enter_async_context(work.logbook.until_the_end(place))
            try:
                found = await retries.until_done(lambda: _tried(works, listed, asked, forward))
            except asyncio.CancelledError:
                work = next((work for work in works if work.running), works[0])
                forward.emit(await what_stays(work, Place(database=work.database)))
                raise
    seconds = time.perf_counter() - started
    return MigrateEachReport(
        databases=tuple(
            report(work, after, seconds=seconds, tries=retries.count)
            for work, after in zip(works, found, strict=True)
        )
    )


async def _tried(
    works: Sequence[Apply], listed: Mapping[str, Database], asked: Asked, forward: Forward
) -> list[tuple[str, ...]]:
    """A run under run locks of its own; where the databases are then."""
    places = [Place(database=work.database) for work in works]
    async with AsyncExitStack() as held:
        locks = [
            await held.enter_async_context(run_lock(one, wait=asked.terms.wait, emit=forward.emit))
            for one in places
        ]
        for work, place, lock in zip(works, places, locks, strict=True):
            work.begin(LockedTurn(lock, *(other for other in locks if other is not lock)))
            await held.enter_async_context(work.watched(place))
        await gently(partial(_ran, works, listed, asked), works)
        forward.check()
        found = [await verified(work, place) for work, place in zip(works, places, strict=True)]
        for lock in locks:
            await lock.prove()
    return found


async def _ran(works: Sequence[Apply], listed: Mapping[str, Database], asked: Asked) -> None:
    """Runs env.py once, with the works in it."""
    fresh = asked.project.configuration()  # env.py may have changed the other one
    told = configured_for(fresh, listed, is_sync=is_sync(works[0].scripts))
    await run_inside_several(
        Several(works), config=told, destination_rev=asked.move.destination, tag=asked.tag
    )

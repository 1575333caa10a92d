"""Moves a database along its history, and looks afterwards that it is where it should be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from alembic.script import ScriptDirectory

from bootstrap.database import Database
from bootstrap.errors import RevisionError
from bootstrap.events import Emit, silent
from bootstrap.positions.moves import AppliedStep, Direction, Move, check_target
from bootstrap.positions.planned import Before, unasked
from bootstrap.positions.position import Position, unknown
from bootstrap.project import Project, loaded
from bootstrap.records.lock import WAIT, run_lock
from bootstrap.records.versions import read_heads
from bootstrap.revisions.environment import in_thread
from bootstrap.running import losses
from bootstrap.running.forwarding import Forward
from bootstrap.running.gentle import LOCK_RETRIES, Limits
from bootstrap.running.inside import run_inside
from bootstrap.running.logbook import logbook_of
from bootstrap.running.retrying import RETRY_FOR, Retries, gently
from bootstrap.running.stopping import what_stays
from bootstrap.running.terms import Terms, approve_all
from bootstrap.running.turn import LockedTurn, Turn
from bootstrap.running.work import Apply
from bootstrap.targets import Place, Target, opened


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationReport:
    """What a run did; `before` and `after` are the revisions in the version table.

    Attributes:
        ahead: Those of them that no file of the project has: newer code applied them. Nothing was
            done then.
        tries: How often the run was begun; more than once after what passes by itself.
    """

    database: str
    backend: str
    server_version: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    steps: tuple[AppliedStep, ...]
    seconds: float
    ahead: tuple[str, ...] = ()
    tries: int = 1


async def migrate(
    database: Target,
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
) -> MigrationReport:
    """Upgrades a database to a revision.

    Args:
        database: What to migrate; it must exist. On a connection all runs on that one, and a
            transaction that is begun there is the caller's to commit.
        revision: As `alembic upgrade` takes it: an id, `head`, `heads`, `+1`, `label@head`.
        project: Whose revisions.
        per_revision: Each revision is a transaction, whatever env.py says.
        allow_loss: Commit although a revision that makes a table anew loses rows or parts of it.
        allow_ahead: Do nothing, instead of refusing, when the database is at a revision that the
            project does not have: newer code has been deployed beside this one.
        strict: Refuse when the file of an applied revision was changed after that, as the log
            tells.
        wait_lock: Seconds to wait for another run on the same database.
        lock_timeout: Seconds that a statement waits for a lock; 0 for no limit, None for 3 where
            neither env.py nor the server's configuration has chosen one.
        lock_retries: How often what got no lock is tried again, after growing pauses.
        statement_timeout: Seconds that a statement may run; None or 0 for no limit.
        retry_for: Seconds to try again for after what may pass by itself: a connection that is
            lost, a server that is restarted, a deadlock. On a connection of yours nothing is tried
            again: it is lost, and what was open there with it.
        tag: What env.py reads with `context.get_tag_argument()`.
        before: Called with what is planned when there is something to do, under the run lock, when
            nothing is written yet, in the thread of env.py. What it raises ends the run.
        emit: Told about each step.

    Raises:
        LockNotObtained: Another run took longer.
        LockLost: The run lock was lost while revisions ran.
        DatabaseError: The database is missing or cannot be used.
        RevisionError: The revision is unknown, or a file of the project cannot be used or, with
            `strict`, was changed.
        StatementFailed: The server refused a statement.
        PartsWouldBeLost: A revision lost something by accident, and was rolled back.
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
    return await _run(database, asked)


async def downgrade(
    database: Target,
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
) -> MigrationReport:
    """Downgrades a database to a revision.

    Args:
        database: What to downgrade.
        revision: As `alembic downgrade` takes it: an id, `base`, `-1`, `label@base`.
        project: Whose revisions.
        drop_rows: Go on although tables with rows in them will be dropped.
        per_revision: As for `migrate`, and so are the others.
        allow_loss: As for `migrate`.
        wait_lock: Seconds to wait for another run on the same database.
        lock_timeout: As for `migrate`, and so are the next two.
        lock_retries: See there.
        statement_timeout: See there.
        retry_for: See there.
        tag: As for `migrate`.
        before: See there.
        emit: Told about each step.

    Raises:
        RowsWouldBeLost: Tables with rows would be dropped; nothing was changed.
        LockNotObtained, LockLost, DatabaseError, RevisionError, StatementFailed,
            PartsWouldBeLost: As for `migrate`.
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
    return await _run(database, asked)


async def stamp(
    database: Target,
    revisions: str | Sequence[str],
    *,
    project: Project,
    purge: bool = False,
    wait_lock: float = WAIT,
    tag: str | None = None,
    emit: Emit = silent,
) -> MigrationReport:
    """Writes a revision, or one of each branch, into the version table without running it.

    Args:
        database: Whose version table.
        revisions: As `alembic stamp` takes them: an id, `head`, `heads`, `base`, several ids.
        project: Whose revisions.
        purge: Empty the version table first, even of revisions that the project does not have.
        wait_lock: Seconds to wait for another run on the same database.
        tag: As for `migrate`.
        emit: Told about each step.

    Raises:
        LockNotObtained, LockLost, DatabaseError, RevisionError: As for `migrate`.
    """
    targets = (revisions,) if isinstance(revisions, str) else tuple(revisions)
    move = Move(direction=Direction.STAMP, targets=targets, purge=purge)
    terms = Terms(wait=wait_lock)
    asked = Asked(project=project, move=move, terms=terms, tag=tag, emit=emit)
    return await _run(database, asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a caller has asked for, apart from the database; see `migrate` for each of them."""

    project: Project
    move: Move
    terms: Terms
    tag: str | None
    emit: Emit

    def work(self, scripts: ScriptDirectory, database: Database, emit: Emit) -> Apply:
        """What is to be done on a database; its events go to `emit`."""
        return Apply(
            scripts=scripts,
            database=database,
            first=self.project.first,
            move=self.move,
            turn=Turn(),  # each try has its own
            emit=emit,
            terms=self.terms,
            logbook=logbook_of(self.project, scripts),
        )


async def _run(target: Target, asked: Asked) -> MigrationReport:
    started = time.perf_counter()
    _, scripts = await in_thread(lambda: loaded(asked.project))
    check_target(asked.move, scripts)
    with Forward(asked.emit) as forward:
        async with opened(target) as place:
            work = asked.work(scripts, place.database, forward.send)
            work.connection = place.connection
            retries = Retries(
                seconds=asked.terms.retry_for, works=(work,), places=(place,), emit=forward.emit
            )
            async with work.logbook.until_the_end(place):
                try:
                    after = await retries.until_done(lambda: _tried(work, place, asked, forward))
                except asyncio.CancelledError:
                    forward.emit(await what_stays(work, place))
                    raise
    return report(work, after, seconds=time.perf_counter() - started, tries=retries.count)


async def _tried(work: Apply, place: Place, asked: Asked, forward: Forward) -> tuple[str, ...]:
    """A run under a run lock of its own; where the database is then."""
    config = asked.project.configuration()  # env.py may have changed that of the last try
    run = partial(
        run_inside,
        work,
        config=config,
        purge=asked.move.purge,
        destination_rev=asked.move.destination,
        tag=asked.tag,
    )
    async with run_lock(place, wait=asked.terms.wait, emit=forward.emit) as lock:
        work.begin(LockedTurn(lock))
        async with work.watched(place):
            await gently(run, (work,))
        forward.check()
        after = await verified(work, place)
        await lock.prove()
    return after


async def verified(work: Apply, place: Place) -> tuple[str, ...]:
    """Reads on a fresh connection where the database is; env.py's word is not enough.

    On the program's own connection if it gave one: others see nothing before it commits.

    Raises:
        RevisionError: It is not where it should be, or env.py has not used it at all.
    """
    if not work.calls:
        raise RevisionError(
            "env.py ended without calling context.configure(), so nothing was applied",
            hint="compare it with the env.py that `alembic init -t async` writes",
        )
    found: tuple[str, ...] = ()
    for call in work.calls.values():
        position = call.position
        found = await read_heads(
            place, version_table=position.version_table, schema=position.version_table_schema
        )
        if found != call.heads:
            raise RevisionError(
                f"env.py ended without an error, but {_where(work, position)} is at "
                f"{_named(found)} instead of {_named(call.heads)}",
                hint="look in env.py for a swallowed exception, another database, or a statement "
                "before context.configure(), which makes Alembic apply nothing",
            )
    return found


def _where(work: Apply, position: Position) -> str:
    return "the database" if len(work.calls) == 1 else f"{position.lock_name} of the database"


def report(
    work: Apply, after: tuple[str, ...], *, seconds: float, tries: int = 1
) -> MigrationReport:
    """What work has done; of several version tables in one database, the last one's place.

    Args:
        work: It is done, and verified.
        after: Where the database was found to be.
        seconds: What it took.
        tries: How often it was begun.
    """
    call = list(work.calls.values())[-1]
    position = call.position
    return MigrationReport(
        database=str(work.database),
        backend=position.backend,
        server_version=position.server_version,
        before=call.before,
        after=after,
        steps=tuple(work.applied),
        seconds=seconds,
        ahead=unknown(work.scripts, position) if work.terms.allow_ahead else (),
        tries=tries,
    )


def _named(heads: Sequence[str]) -> str:
    return ", ".join(heads) or "no revision"

"""Accepts files of applied revisions as they are now, where a change of them means nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from alembic.runtime.migration import MigrationContext

from bootstrap.events import Emit, silent
from bootstrap.inspecting.inspection import Inspect, look_by
from bootstrap.positions.changed import ChangedFile
from bootstrap.positions.position import qualified, reason_not_to_write
from bootstrap.project import Project, loaded
from bootstrap.records.lock import WAIT, run_lock
from bootstrap.revisions.environment import in_thread
from bootstrap.running.logbook import Logbook, logbook_of
from bootstrap.running.turn import LockedTurn, Turn
from bootstrap.targets import Target, opened


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptReport:
    """Which changed files were accepted.

    Attributes:
        database: Where.
        backend: Its backend.
        accepted: Those files; none when none had changed.
    """

    database: str
    backend: str
    accepted: tuple[ChangedFile, ...]


@dataclass(slots=True, kw_only=True)
class _Accept(Inspect):
    """Looks which files were changed, and writes down that they are accepted."""

    turn: Turn
    logbook: Logbook
    accepted: list[ChangedFile] = field(default_factory=list)

    def look(self, context: MigrationContext) -> None:
        """Waits for other runs, reads, and writes."""
        self.turn.take(qualified(context.version_table, context.version_table_schema))
        Inspect.look(self, context)
        self.turn.settled()
        if self.changed:
            self.database.refuse_read_only(reason_not_to_write(context))
        self.logbook.accepted(context, self.database, self.changed)
        self.accepted += self.changed
        if context.connection is not None:
            context.connection.commit()


async def accept_changed(
    database: Target, *, project: Project, wait_lock: float = WAIT, emit: Emit = silent
) -> AcceptReport:
    """Accepts the files of applied revisions that were changed since, as they are now.

    From then on `status` does not name them, and `migrate(strict=True)` goes on beside them, until
    they are changed again.

    Args:
        database: Where they were applied; what else is in it stays as it is.
        project: Whose files.
        wait_lock: Seconds to wait for another run.
        emit: Told about waiting.

    Raises:
        LockNotObtained, LockLost, DatabaseError, RevisionError: As for `migrate`.
        SettingsError: The log is off, so nobody knows what was applied.
    """
    config, scripts = await in_thread(lambda: loaded(project))
    async with opened(database) as place, run_lock(place, wait=wait_lock, emit=emit) as lock:
        work = _Accept(
            scripts=scripts,
            database=place.database,
            connection=place.connection,
            log=project.log,
            log_schema=project.log_schema,
            turn=LockedTurn(lock),
            logbook=logbook_of(project, scripts),
        )
        position = await look_by(work, config=config)
        await lock.prove()
    return AcceptReport(
        database=str(place.database),
        backend=position.backend,
        accepted=tuple(work.accepted),
    )

"""A half-applied revision: what is recorded of it, and what a person decides about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.migration import HeadMaintainer, MigrationContext, RevisionStep
from alembic.script import ScriptDirectory

from bootstrap import backends
from bootstrap.errors import RevisionError, SettingsError
from bootstrap.events import Emit, silent
from bootstrap.journal.half import Half, Repair
from bootstrap.project import Project, loaded
from bootstrap.records.lock import WAIT, run_lock
from bootstrap.revisions.environment import in_thread
from bootstrap.running.half import is_over
from bootstrap.running.inside import run_inside
from bootstrap.running.moves import Direction
from bootstrap.running.turn import LockedTurn, Turn
from bootstrap.running.work import Look
from bootstrap.targets import Target, opened


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfAppliedStep:
    """A revision that an earlier run has begun and not ended.

    Attributes:
        revision: Its id.
        direction: `upgrade` or `downgrade`.
        applied: How many of its statements are applied; the next run goes on after them.
        statement: The number of the last one that is recorded.
        sql: That one, without the values in it.
        path: The revision's file.
        line: Where it stands there.
        state: Whether it was applied: `applied`, `not applied`, `in doubt`, or `again` when it does
            the same if it is sent once more.
    """

    revision: str
    direction: str
    applied: int
    statement: int
    sql: str
    path: str | None
    line: int | None
    state: str

    @property
    def is_in_doubt(self) -> bool:
        """Whether a person has to say what became of that statement."""
        return self.state == "in doubt"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairReport:
    """What was half-applied, and what was decided about it.

    Attributes:
        database: Where.
        backend: Its backend.
        half_applied: As it was found; None when nothing was half-applied, and nothing was done.
        decision: What was asked for.
    """

    database: str
    backend: str
    half_applied: HalfAppliedStep | None
    decision: Repair


async def repair(
    database: Target,
    decision: Repair | str,
    *,
    project: Project,
    wait_lock: float = WAIT,
    emit: Emit = silent,
) -> RepairReport:
    """Writes down what a person has decided about a half-applied revision.

    Args:
        database: Where it is.
        decision: `applied` or `not applied` for the last statement, when nobody can tell whether it
            was; `done` when all of the revision is applied, by hand where need be, which writes
            the version table; `forget` when nothing of it is left, so that it begins anew.
        project: Whose revisions.
        wait_lock: Seconds to wait for another run.
        emit: Told about waiting.

    Raises:
        LockNotObtained, LockLost, DatabaseError, RevisionError: As for `migrate`.
        SettingsError: The last statement is not in doubt.
    """
    config, scripts = await in_thread(lambda: loaded(project))
    async with (
        opened(database) as place,
        run_lock(place, wait=wait_lock, emit=emit) as lock,
    ):
        work = Mend(
            scripts=scripts,
            database=place.database,
            connection=place.connection,
            turn=LockedTurn(lock),
            decision=Repair(decision),
        )
        await _inside(work, config)
        await lock.prove()
    assert work.position is not None  # noqa: S101 - env.py has connected
    return RepairReport(
        database=str(place.database),
        backend=work.position.backend,
        half_applied=work.found,
        decision=work.decision,
    )


async def _inside(work: Look, config: Config) -> None:
    await run_inside(work, config=config, dont_mutate=True)
    if work.position is None:
        raise RevisionError("env.py ended without calling context.configure()")


@dataclass(slots=True, kw_only=True)
class Find(Look):
    """Looks where the database is, and what is half-applied.

    Attributes:
        found: The half-applied revision, if there is one.
    """

    found: HalfAppliedStep | None = None
    _half: Half | None = None

    def find(self, context: MigrationContext) -> None:
        """Reads the journal."""
        assert self.position is not None  # noqa: S101 - it was read just before
        atomicity = backends.of_dialect(context.dialect).atomicity
        for half in atomicity.half_applied(context):
            if not is_over((half.revision, half.direction), self.scripts, self.position.heads):
                self._half, self.found = half, _step(half, self.scripts)
                return

    def look(self, context: MigrationContext) -> None:
        """Reads the position, and the journal."""
        Look.look(self, context)
        self.find(context)


@dataclass(slots=True, kw_only=True)
class Mend(Find):
    """Settles a half-applied revision.

    Attributes:
        turn: Keeps other runs out.
        decision: What a person says about it.
    """

    turn: Turn
    decision: Repair = field(default=Repair.FORGET)

    def look(self, context: MigrationContext) -> None:
        """Waits for other runs, reads, and writes."""
        name = context.version_table
        schema = context.version_table_schema
        self.turn.take(f"{schema}.{name}" if schema else name)
        Find.look(self, context)
        self.turn.settled()
        if self._half is None:
            return
        of_statement = self.decision in (Repair.APPLIED, Repair.NOT_APPLIED)
        if of_statement and not self._half.is_in_doubt:
            raise SettingsError(
                f"the last statement of revision {self._half.revision} is not in doubt: it is "
                f"{self._half.state}",
                hint="bootstrap migrate goes on after it; bootstrap status shows it",
            )
        if self.decision is Repair.DONE:
            _write_version(context, self._half, self.scripts)
        backends.of_dialect(context.dialect).atomicity.repair(context, self._half, self.decision)


def _write_version(context: Any, half: Half, scripts: ScriptDirectory) -> None:
    """Writes the version table as the revision would have done at its end."""
    up = half.direction == Direction.UPGRADE
    script = scripts.get_revision(half.revision)
    heads = context.get_current_heads()
    context._ensure_version_table()  # noqa: SLF001 - as Alembic's own stamp does
    HeadMaintainer(context, heads).update_to_step(RevisionStep(scripts.revision_map, script, up))
    context.connection.commit()


def _step(half: Half, scripts: ScriptDirectory) -> HalfAppliedStep:
    known = {one.revision: one for one in scripts.walk_revisions()}
    script = known.get(half.revision)
    return HalfAppliedStep(
        revision=half.revision,
        direction=half.direction,
        applied=half.applied,
        statement=half.applied + (half.state != "applied"),
        sql=half.last.statement,
        path=str(Path(script.path)) if script else None,
        line=half.last.line,
        state=half.state.value,
    )

"""A half-applied revision: what is recorded of it, and what a person decides about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.runtime.migration import HeadMaintainer, MigrationContext, RevisionStep
from alembic.script import ScriptDirectory

from bootstrap import backends
from bootstrap.errors import SettingsError
from bootstrap.journal.entries import Part
from bootstrap.journal.half import Half, Repair
from bootstrap.positions.half import is_over
from bootstrap.positions.moves import Direction
from bootstrap.running.logbook import Logbook
from bootstrap.running.looking import Look
from bootstrap.running.turn import Turn


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
        logbook: Writes that down.
    """

    turn: Turn
    logbook: Logbook
    decision: Repair

    def look(self, context: MigrationContext) -> None:
        """Waits for other runs, reads, and writes."""
        name = context.version_table
        schema = context.version_table_schema
        self.turn.take(f"{schema}.{name}" if schema else name)
        Find.look(self, context)
        self.turn.settled()
        if self._half is None:
            return
        if self.decision in (Repair.RECORD, Repair.UNDO):
            raise SettingsError(
                f"what revision {self._half.revision} has done is recorded already",
                hint="bootstrap migrate goes on with it; bootstrap status shows it",
            )
        of_statement = self.decision in (Repair.APPLIED, Repair.NOT_APPLIED)
        if of_statement and not self._half.is_in_doubt:
            raise SettingsError(
                f"the last statement of revision {self._half.revision} is not in doubt: it is "
                f"{self._half.state}",
                hint="bootstrap migrate goes on after it; bootstrap status shows it",
            )
        part = Part(revision=self._half.revision, direction=self._half.direction)
        self.logbook.decided(context, self.database, part, self.decision)
        if self.decision is Repair.DONE:
            write_version(context, part, self.scripts)
        backends.of_dialect(context.dialect).atomicity.repair(context, self._half, self.decision)
        if context.connection is not None:
            context.connection.commit()


@dataclass(slots=True, kw_only=True)
class Settle(Look):
    """Does something on env.py's connection, while other runs are kept out.

    Attributes:
        deed: What.
    """

    deed: Callable[[MigrationContext], None]

    def look(self, context: MigrationContext) -> None:
        """Reads the position, and does it."""
        Look.look(self, context)
        self.deed(context)


def write_version(context: Any, part: Part, scripts: ScriptDirectory) -> None:
    """Writes the version table as the revision would have done at its end."""
    up = part.direction == Direction.UPGRADE
    script = scripts.get_revision(part.revision)
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

"""What happens inside an env.py: look where the database is, plan, let Alembic apply."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL

from bootstrap import backends
from bootstrap.database import Database
from bootstrap.errors import RevisionError, SettingsError
from bootstrap.events import Emit, StepFinished, StepStarted
from bootstrap.running.heads import heads_after
from bootstrap.running.moves import AlembicStep, AppliedStep, Move, Step, as_step

Approve: TypeAlias = Callable[[MigrationContext, Sequence[AlembicStep]], None]


class Undone(StrEnum):
    """What the database undoes by itself when a statement of a revision fails."""

    RUN = "all revisions of this run"
    REVISION = "the revision"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a database was found to be, in which table that stands, and how env.py works on it."""

    heads: tuple[str, ...]
    version_table: str
    version_table_schema: str | None
    backend: str  # the one that really answers: a `mysql` URL may lead to MariaDB
    server_version: str
    undone: Undone


@dataclass(slots=True, kw_only=True)
class Look:
    """Looks where the database is, and changes nothing.

    Attributes:
        scripts: The revisions of the project.
        database: The one that was asked for.
        stop: Set from another thread to end the work before its next step.
        position: Where it was found to be; None until env.py has connected.
    """

    scripts: ScriptDirectory
    database: Database
    stop: threading.Event = field(default_factory=threading.Event)
    position: Position | None = None

    def look(self, context: MigrationContext) -> None:
        """Reads the position as soon as env.py has connected."""
        self.check(context)
        with only_reading(context):
            self.position = read_position(context)

    def steps(self, heads: Sequence[str], context: MigrationContext) -> Iterator[AlembicStep]:
        """Yields nothing."""
        return iter(())

    def check(self, context: MigrationContext) -> None:
        """Refuses another database than the one that was asked for, and stops when it should.

        Raises:
            SettingsError: env.py has connected somewhere else.
        """
        self.go_on()
        if context.connection is not None:
            refuse_another(self.database, context.connection.engine.url)

    def go_on(self) -> None:
        """Raises when the work was stopped."""
        if self.stop.is_set():
            raise StoppedError


class StoppedError(Exception):
    """The caller was cancelled; nobody reads this, it unwinds env.py and rolls back."""


@dataclass(slots=True, kw_only=True)
class Apply(Look):
    """Plans a move from where the database is, and has it applied.

    Attributes:
        move: What was asked for.
        emit: Told before and after each step.
        approve: Called with the planned steps before the first write; raises to stop the run.
        running: The step that is being applied; it stays set when that fails.
        applied: The steps that are done; not yet committed where one transaction holds all.
    """

    move: Move
    emit: Emit
    approve: Approve
    running: Step | None = None
    applied: list[AppliedStep] = field(default_factory=list)
    _planned: tuple[AlembicStep, ...] = ()
    _begin: tuple[str, ...] = ()

    def look(self, context: MigrationContext) -> None:
        """Reads the position and plans, while nothing is written yet."""
        self.check(context)
        with only_reading(context):
            self.position = read_position(context)
            if not self.move.purge:
                refuse_unknown(self.scripts, self.position)
                self._begin = self.position.heads
            self._planned = self.move.alembic_steps(self.scripts, self._begin)
            self.approve(context, self._planned)

    def steps(self, heads: Sequence[str], context: MigrationContext) -> Iterator[AlembicStep]:
        """Yields the planned steps; what follows a `yield` runs when that step is done."""
        total = len(self._planned)
        for number, planned in enumerate(self._planned, start=1):
            self.go_on()
            step = self.running = as_step(planned, self.scripts)
            self.emit(StepStarted(**_about(step), number=number, total=total))
            started = time.perf_counter()
            yield planned
            seconds = time.perf_counter() - started
            self.running = None
            self.applied.append(AppliedStep(**_about(step), seconds=seconds))
            self.emit(StepFinished(**_about(step), number=number, total=total, seconds=seconds))

    def heads(self) -> tuple[str, ...]:
        """Where the database must be when all planned steps are applied."""
        return heads_after(self._begin, self._planned)


def refuse_another(database: Database, url: URL) -> None:
    """Refuses the connection of an env.py that has its database from somewhere else.

    Raises:
        SettingsError: It is another database than the one that was asked for.
    """
    found = Database(url=url, backend=backends.of_url(url))
    if url.database and found.identity != database.identity:
        raise SettingsError(
            f"env.py connects to {found}, but {database} was asked for; nothing was run",
            hint="let env.py take the URL from sqlalchemy.url, or ask for the database it names",
        )


def _about(step: Step) -> dict[str, Any]:
    return {"revision": step.revision, "title": step.title, "direction": step.direction}


def read_position(context: MigrationContext) -> Position:
    """Reads where the database is, on env.py's own connection."""
    return Position(
        heads=tuple(sorted(context.get_current_heads())),
        version_table=context.version_table,
        version_table_schema=context.version_table_schema,
        backend=backends.of_dialect(context.dialect).name,
        server_version=_version_text(context),
        undone=_undone(context),
    )


@contextmanager
def only_reading(context: MigrationContext) -> Iterator[None]:
    """Ends the transaction that reading began, unless env.py began one itself.

    Were it still open, Alembic would take it for env.py's own and never commit.
    """
    connection = context.connection
    theirs = connection is not None and connection.in_transaction()
    try:
        yield
    finally:
        if connection is not None and not theirs:
            connection.rollback()


def _undone(context: MigrationContext) -> Undone:
    if not context.impl.transactional_ddl:
        return Undone.NOTHING
    return Undone.REVISION if context.opts.get("transaction_per_migration") else Undone.RUN


def _version_text(context: MigrationContext) -> str:
    numbers = getattr(context.dialect, "server_version_info", None) or ()
    return ".".join(str(number) for number in numbers[:3])  # MySQL has a fourth on Debian


def refuse_unknown(scripts: ScriptDirectory, position: Position) -> None:
    """Refuses a database whose revision is in no file of this project.

    Raises:
        RevisionError: It was migrated by newer or other code.
    """
    known = {revision.revision for revision in scripts.walk_revisions()}
    foreign = [head for head in position.heads if head not in known]
    if foreign:
        raise RevisionError(
            f"the database is at revision {', '.join(foreign)}, which this project does not have",
            hint="deploy the code that has it, or name the right database",
        )

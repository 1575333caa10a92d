"""Writes down what a run does, step by step, in the transaction that stamps the version."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Insert
from sqlalchemy.exc import DBAPIError

from bootstrap import backends
from bootstrap.backends.base import Reason
from bootstrap.backends.guards import Guard
from bootstrap.database import Database
from bootstrap.errors import SettingsError
from bootstrap.journal.entries import Part
from bootstrap.journal.half import Repair
from bootstrap.positions.beginning import First
from bootstrap.positions.changed import ChangedFile, changed_files, entries_of, refusal
from bootstrap.positions.moves import AlembicStep, Direction, Step, as_step
from bootstrap.positions.position import only_reading, qualified
from bootstrap.project import Project
from bootstrap.records import log
from bootstrap.records.log import Outcome
from bootstrap.records.origin import Origin
from bootstrap.revisions.files import checksum
from bootstrap.running.listening import listen
from bootstrap.targets import Place

_ANSWER = 10.0  # seconds for a server to take a row about what failed
_NO_RIGHT = (
    "grant CREATE, SELECT and INSERT there, name another schema (log_schema in "
    "[tool.bootstrap]), or do without a log (log = false, or BOOTSTRAP_LOG=false)"
)


class Logbook:
    """What is written down of the steps of a run; this one keeps nothing."""

    def refuse_changed(self, context: MigrationContext, heads: Sequence[str]) -> None:
        """Refuses a database whose applied revisions have other files now.

        Raises:
            RevisionError: One of them was changed after it was applied.
            SettingsError: Nothing is written down, so nobody can tell.
        """
        raise _off("leave --strict out")

    def decided(
        self, context: MigrationContext, database: Database, part: Part, decision: Repair
    ) -> None:
        """Writes down what a person said of a revision, in the transaction that is open then."""

    def accepted(
        self, context: MigrationContext, database: Database, files: Sequence[ChangedFile]
    ) -> None:
        """Writes down that changed files are accepted as they are now.

        Raises:
            SettingsError: Nothing is written down.
        """
        raise _off("leave --accept-changed out")

    def attached(
        self, context: MigrationContext, database: Database
    ) -> AbstractContextManager[Any]:
        """Writes what is stamped during the block; raises before anything is, where it cannot."""
        return nullcontext()

    def begin(self, planned: AlembicStep, step: Step, *, resumed: bool, guard: Guard) -> None:
        """Called before each step, with what Alembic is about to run, and what watches over it."""

    def until_the_end(self, place: Place) -> AbstractAsyncContextManager[None]:
        """Writes down the step that was running when the block raised."""
        return nullcontext()


@dataclass(slots=True, kw_only=True)
class _Running:
    """The step that is being run."""

    planned: AlembicStep
    step: Step
    resumed: bool
    guard: Guard
    started: datetime
    clock: float
    statements: int = 0


@dataclass(slots=True, kw_only=True)
class KeptLogbook(Logbook):
    """The log of a run, in the database that it works on.

    Attributes:
        scripts: The revisions of the project.
        origin: Where the run comes from.
        log_schema: Where the table is; None for the schema of the version table.
    """

    scripts: ScriptDirectory
    origin: Origin
    log_schema: str | None = None
    _schema: str | None = None
    _version_table: str = ""
    _session_user: str = "NULL"
    _running: _Running | None = None
    _counts: bool = False
    # How many statements run: guards and the journal have some of their own inside of one.
    _depth: int = field(default=0)

    def refuse_changed(self, context: MigrationContext, heads: Sequence[str]) -> None:
        """Compares each file with what was recorded of it."""
        entries = entries_of(context, self.log_schema)
        changed = changed_files(entries, self.scripts, heads)
        if changed:
            raise refusal(changed)

    @contextmanager
    def attached(self, context: Any, database: Database) -> Iterator[None]:
        """Makes the table where it is missing, and listens on the connection of env.py.

        Raises:
            DatabaseError: The table cannot be written, or is one of a newer bootstrap.
        """
        self._is_about(context)
        context.on_version_apply_callbacks += (self._stamped,)
        if context.as_sql:
            context.impl.execute(log.creation(self._schema))
            yield
            return
        self._open(context, database)
        detach = listen(
            context.connection, sent=self._sent, done=self._answered, refused=self._answered
        )
        try:
            yield
        finally:
            detach()

    def begin(self, planned: AlembicStep, step: Step, *, resumed: bool, guard: Guard) -> None:
        """Starts the clock, and counts the statements that the revision's function sends."""
        self._running = _Running(
            planned=planned,
            step=step,
            resumed=resumed,
            guard=guard,
            started=datetime.now(UTC),
            clock=time.perf_counter(),
        )
        self._depth = 0
        work = planned.migration_fn

        def counted(*args: Any, **options: Any) -> None:
            self._counts = True
            try:
                work(*args, **options)
            finally:
                self._counts = False

        planned.migration_fn = counted

    def decided(self, context: Any, database: Database, part: Part, decision: Repair) -> None:
        """Makes the table first where it is missing."""
        self._is_about(context)
        self._open(context, database)
        row = self._row(
            revision=part.revision,
            direction=part.direction,
            outcome=Outcome(f"said {decision}"),
            started=datetime.now(UTC),
            **self._process(),
        )
        context.connection.execute(row)

    def accepted(self, context: Any, database: Database, files: Sequence[ChangedFile]) -> None:
        """One row for each, with what the file is now."""
        if not files:
            return
        self._is_about(context)
        self._open(context, database)
        for one in files:
            row = self._row(
                revision=one.revision,
                direction=Direction.UPGRADE,
                outcome=Outcome.SAID_ACCEPTED,
                checksum=checksum(Path(one.path)),
                started=datetime.now(UTC),
                **self._process(),
            )
            context.connection.execute(row)

    @asynccontextmanager
    async def until_the_end(self, place: Place) -> AsyncIterator[None]:
        """Writes on a connection of its own; where that fails, the first error is the one."""
        try:
            yield
        except BaseException as error:
            there = place.connection
            # A program's own transaction: what becomes of the step is the program's to decide.
            if self._running is not None and not (there and there.in_transaction()):
                with suppress(Exception):
                    async with asyncio.timeout(_ANSWER), place.connect() as connection:
                        await connection.execute(self._ended(error, place.database))
                        await connection.commit()
            raise

    # -- the table

    def _open(self, context: MigrationContext, database: Database) -> None:
        connection = context.connection
        assert connection is not None  # noqa: S101 - online there is one
        with _explained(database):
            if self._is_ready(context, connection):
                return
            try:
                with nullcontext() if connection.in_transaction() else connection.begin():
                    log.table(self._schema).create(connection)
            except DBAPIError as error:
                # A run on another version table may have made it since. Where the connection is
                # lost, the next question would open another one.
                if error.connection_invalidated or not self._is_ready(context, connection):
                    raise

    def _is_ready(self, context: MigrationContext, connection: Connection) -> bool:
        with only_reading(context):
            if not log.is_there(connection, self._schema):
                return False
            log.refuse_newer(connection, self._schema)
            log.prove_writable(connection, self._schema)
            return True

    # -- what is written

    def _stamped(self, *, ctx: Any, **_about: object) -> None:
        """Alembic has written the version, and commits after this."""
        running, self._running = self._running, None
        if running is None:
            return
        step = running.step
        if isinstance(running.planned, First):  # what it stamps is known now
            step = as_step(running.planned, self.scripts)
        outcome = Outcome.RESUMED if running.resumed else Outcome.APPLIED
        about = {**_about_step(step), "outcome": outcome}
        if ctx.as_sql:  # who will run it, and when, nobody knows yet
            ctx.impl.execute(self._row(**about))
            return
        values = self._values(**about, **_measured(running), **self._process())
        log.write(ctx.connection, self._schema, values)

    def _ended(self, error: BaseException, database: Database) -> Insert:
        running = self._running
        assert running is not None  # noqa: S101 - the caller has looked
        stopped = not isinstance(error, Exception)
        return self._row(
            **_about_step(running.step),
            outcome=Outcome.INTERRUPTED if stopped else Outcome.FAILED,
            error=None if stopped else _code(error, database),
            **_measured(running),
            **self._process(),
        )

    def _row(self, **known: object) -> Insert:
        return log.insertion(self._schema, self._session_user, **self._values(**known))

    def _values(self, **known: object) -> dict[str, object]:
        return {
            "run": self.origin.run,
            "version_table": self._version_table,
            "tool": self.origin.tool,
            "git_commit": self.origin.git_commit,
            **known,
        }

    def _process(self) -> dict[str, object]:
        return {"os_user": self.origin.os_user, "host": self.origin.host}

    def _is_about(self, context: MigrationContext) -> None:
        self._schema = self.log_schema or context.version_table_schema
        self._version_table = qualified(context.version_table, context.version_table_schema)
        self._session_user = backends.of_dialect(context.dialect).session_user

    # -- how many statements

    def _sent(self) -> None:
        running = self._running
        if self._counts and not self._depth and running and not running.guard.is_at_work:
            running.statements += 1
        self._depth += 1

    def _answered(self) -> None:
        self._depth = max(self._depth - 1, 0)


def logbook_of(project: Project, scripts: ScriptDirectory) -> Logbook:
    """The log of one run, unless the project does without."""
    if not project.log:
        return Logbook()
    return KeptLogbook(
        scripts=scripts,
        origin=Origin.of(project.config_file.parent, run=project.run_id),
        log_schema=project.log_schema,
    )


def _off(otherwise: str) -> SettingsError:
    return SettingsError(
        "whether a file was changed after it was applied stands in the log, which is off",
        hint=f"switch it on (log = true), or {otherwise}",
    )


@contextmanager
def _explained(database: Database) -> Iterator[None]:
    """Says what is missing where the table cannot be read or written."""
    try:
        yield
    except DBAPIError as error:
        failure = database.backend.errors.translate(error)
        if failure is None:
            raise
        # On SQLite it is where a run writes first; the log has nothing to do with it.
        busy = failure.reason is Reason.BUSY
        tried = "cannot write to" if busy else "cannot keep the log (bootstrap_log) in"
        said = database.error(failure, tried=tried)
        if failure.reason is Reason.NO_RIGHT:
            said.hint = _NO_RIGHT
        raise said from error


def _about_step(step: Step) -> dict[str, object]:
    is_run = step.direction is not Direction.STAMP
    return {
        "revision": step.revision,
        "direction": step.direction,
        "checksum": checksum(step.path) if is_run and step.path else None,
    }


def _measured(running: _Running) -> dict[str, object]:
    return {
        "started": running.started,
        "seconds": time.perf_counter() - running.clock,
        "statements": running.statements,
    }


def _code(error: BaseException, database: Database) -> str:
    """The server's code, or the kind of what was raised; never a text, which may hold a secret."""
    cause = error.__cause__ or error
    failure = database.backend.errors.translate(cause) if isinstance(cause, Exception) else None
    if failure is not None and failure.code:
        return f"{database.backend.name} {failure.code}"
    return type(cause).__name__

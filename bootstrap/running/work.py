"""What happens inside an env.py: look where the database is, plan, let Alembic apply."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    ExitStack,
    contextmanager,
    nullcontext,
)
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeAlias

from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy import URL, event
from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap import backends
from bootstrap.backends import guards
from bootstrap.backends.guards import Guard
from bootstrap.backends.sessions import Cancellable
from bootstrap.database import Database
from bootstrap.errors import SettingsError
from bootstrap.events import Emit, StepFinished, StepStarted
from bootstrap.journal.entries import Part, Progress
from bootstrap.records.lock import WAIT
from bootstrap.records.names import JOURNAL, LOG
from bootstrap.running import half
from bootstrap.running.beginning import First, is_first_time, refuse_less, refuse_tables
from bootstrap.running.gentle import Gentle, Limits
from bootstrap.running.heads import heads_after
from bootstrap.running.logbook import Logbook
from bootstrap.running.moves import (
    AlembicStep,
    AppliedStep,
    Direction,
    Move,
    Step,
    as_step,
)
from bootstrap.running.planned import Before, Planned, PlannedStep, unasked
from bootstrap.running.position import (
    Call,
    Position,
    Undone,
    only_reading,
    qualified,
    read_position,
    reason_not_to_write,
    refuse_unknown,
    unknown,
)
from bootstrap.running.turn import StoppedError, Turn
from bootstrap.targets import Place

Approve: TypeAlias = Callable[[MigrationContext, Sequence[AlembicStep]], None]


def approve_all(_context: MigrationContext, _steps: Sequence[AlembicStep]) -> None:
    """Lets every plan pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On which terms revisions are applied.

    Attributes:
        approve: Called with the planned steps before the first write; raises to stop the run.
        before: The same for callers of the library, who know nothing of Alembic's steps; once for
            each version table, after the transaction in which it was read.
        limits: How long statements may wait and run.
        per_revision: Whether each revision is a transaction, whatever env.py says.
        allow_loss: Commit although a revision loses what it did not mean to.
        allow_ahead: Apply nothing, instead of refusing, where newer code has been.
        strict: Refuse where the file of an applied revision was changed.
        wait: Seconds to wait for another run, and for a statement that a killed one has left.
    """

    approve: Approve = approve_all
    before: Before = unasked
    limits: Limits = field(default_factory=Limits)
    per_revision: bool = False
    allow_loss: bool = False
    allow_ahead: bool = False
    strict: bool = False
    wait: float = WAIT


@dataclass(slots=True, kw_only=True)
class Look:
    """Looks where the database is, and changes nothing.

    Attributes:
        scripts: The revisions of the project.
        database: The one that was asked for.
        connection: What env.py must use, if a program has handed that over.
        first: The project's function for a database that is empty; see `Project`.
        stop: Set from another thread to end the work before its next step.
        position: Where it was found to be; None until env.py has connected.
        begins: Whether it is empty, and that function is to be called.
        failed: What went wrong inside env.py, which may swallow it.
        cancellable: How its statement is cancelled; None where nobody can.
        watching: What is to be undone at the end, on a connection that may outlive the work.
    """

    scripts: ScriptDirectory
    database: Database
    connection: AsyncConnection | None = None
    first: str | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    position: Position | None = None
    begins: bool = False
    failed: BaseException | None = None
    cancellable: Cancellable | None = None
    watching: ExitStack = field(default_factory=ExitStack)

    @property
    def options(self) -> Mapping[str, object]:
        """Options of `context.configure()` that go before those of env.py."""
        return {}

    def look(self, context: MigrationContext) -> None:
        """Reads the position as soon as env.py has connected."""
        with only_reading(context):
            self.watch(context)
            self.position = read_position(context)
            self.begins = self.is_first_time(context)

    def is_first_time(self, context: MigrationContext) -> bool:
        """Whether the project's function is to make the schema."""
        at_none = self.position is not None and not self.position.heads
        return self.first is not None and at_none and is_first_time(context)

    @contextmanager
    def around(self, context: MigrationContext) -> Iterator[None]:
        """Nothing surrounds what only looks."""
        yield

    def during(self) -> AbstractContextManager[None]:
        """Nothing surrounds what only looks."""
        return nullcontext()

    def steps(self, heads: Sequence[str], context: MigrationContext) -> Iterator[AlembicStep]:
        """Yields nothing."""
        return iter(())

    def check(self, context: MigrationContext) -> None:
        """Refuses another database than the one that was asked for, and stops when it should.

        Raises:
            SettingsError: env.py has connected somewhere else.
        """
        self.go_on()
        if self.connection is not None:
            if context.connection is not self.connection.sync_connection:
                raise not_handed()
        elif context.connection is not None:
            refuse_another(self.database, context.connection.engine.url)

    def again(self) -> None:
        """Forgets what failed."""
        self.failed = None

    def watch(self, context: MigrationContext) -> None:
        """Finds out how a statement is cancelled, and lets none begin after `leave`.

        But those that record a revision, or what is done of it: that is done.
        """
        connection, table = context.connection, context.version_table
        if connection is None:
            return
        self.cancellable = self.database.backend.cancelling.of(connection, spare=table)

        def refuse(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            if not any(name in statement for name in (table, JOURNAL, LOG)):
                self.go_on()

        event.listen(connection, "before_cursor_execute", refuse)
        self.watching.callback(event.remove, connection, "before_cursor_execute", refuse)

    def leave(self) -> None:
        """Ends the work early; called when the caller is cancelled."""
        self.stop.set()

    def go_on(self) -> None:
        """Raises when the work was stopped."""
        if self.stop.is_set():
            raise StoppedError


@dataclass(slots=True, kw_only=True)
class Apply(Look):
    """Plans a move from where the database is, and has it applied.

    Attributes:
        move: What was asked for.
        turn: Keeps other runs out.
        emit: Told before and after each step.
        terms: What the caller allows.
        gentle: Keeps it from standing in the way of others; None for what only writes a script.
        logbook: Writes down what is run.
        running: The step that is being applied; it stays set when that fails.
        applied: The steps that are done; not yet committed where one transaction holds all.
        calls: What each `context.configure()` has led to, by its version table; an env.py may have
            one in each schema. Of two for the same one the last counts.
        refused: What the caller has raised when it was told what is planned.
        only_written: Whether there is no database behind it, and what is done is text.
    """

    only_written: ClassVar[bool] = False

    move: Move
    turn: Turn
    emit: Emit
    terms: Terms = field(default_factory=Terms)
    gentle: Gentle | None = None
    logbook: Logbook = field(default_factory=Logbook)
    running: Step | None = None
    applied: list[AppliedStep] = field(default_factory=list)
    calls: dict[str, Call] = field(default_factory=dict)
    refused: Exception | None = None
    _planned: tuple[AlembicStep, ...] = ()
    _begin: tuple[str, ...] = ()
    _guard: Guard = field(default_factory=Guard)
    _told: set[str] = field(default_factory=set)

    @property
    def options(self) -> Mapping[str, object]:
        """How transactions are made, where that was asked for."""
        return {"transaction_per_migration": True} if self.terms.per_revision else {}

    def look(self, context: MigrationContext) -> None:
        """Waits for other runs, reads the position and plans, while nothing is written yet."""
        name = qualified(context.version_table, context.version_table_schema)
        if not (read_only := reason_not_to_write(context)):
            self.turn.take(name)
        with only_reading(context):
            self.watch(context)
            self.position = read_position(context)
            self.turn.settled()
            self._begin, self._planned = self._plan(self.position, context)
            if self._planned or self.move.purge or not self.position.heads:
                self.database.refuse_read_only(read_only)
            self.calls[name] = Call(
                position=self.position,
                before=self.calls[name].before if name in self.calls else self.position.heads,
                begin=self._begin,
                planned=self._planned,
            )
            if self.terms.strict:
                self.logbook.refuse_changed(context, self.position.heads)
            self.terms.approve(context, self._planned)
        if self._planned and name not in self._told:
            self._told.add(name)
            self._ask(self.position)

    def _ask(self, position: Position) -> None:
        steps = [as_step(step, self.scripts) for step in self._planned]
        planned = Planned(
            database=str(self.database),
            backend=position.backend,
            server_version=position.server_version,
            before=self._begin,
            steps=tuple(PlannedStep(**_about(step)) for step in steps),
        )
        try:
            self.terms.before(planned)
        except Exception as error:
            self.refused = error
            raise

    def _plan(
        self, position: Position, context: MigrationContext
    ) -> tuple[tuple[str, ...], tuple[AlembicStep, ...]]:
        """Where the steps begin, and the steps."""
        self.begins = self.is_first_time(context)
        upgrades = self.move.direction is Direction.UPGRADE
        if self.first is not None and upgrades and not position.heads:
            return (), (self._first(self.first, context),)
        begin = () if self.move.purge else position.heads
        if not self.move.purge:
            if self.terms.allow_ahead and unknown(self.scripts, position):
                return begin, ()
            refuse_unknown(self.scripts, position)
        return begin, self.move.alembic_steps(self.scripts, begin)

    def _first(self, named: str, context: MigrationContext) -> First:
        """The step that the project's function makes the schema in; what follows is known later."""
        refuse_tables(context, named)
        refuse_less(self.scripts, self.move.targets[0], named)
        steps = self.move.alembic_steps(self.scripts, ())
        return First(
            named,
            context=context,
            scripts=self.scripts,
            following_base=next((one for one in steps if isinstance(one, RevisionStep)), None),
        )

    @contextmanager
    def around(self, context: MigrationContext) -> Iterator[None]:
        """Bounds what others wait for, and has each revision take effect as a whole."""
        if not self._planned:
            yield
            return
        if context.as_sql:
            with self.logbook.attached(context, self.database):
                yield
            return
        atomicity = backends.of_dialect(context.dialect).atomicity
        allowed = guards.Terms(
            allow_loss=self.terms.allow_loss,
            wait=self.terms.wait,
            emit=self.emit,
            again=self.gentle.again if self.gentle else lambda: False,
        )
        with (
            self._gently(context),
            # Before the guard, which has statements of its own inside of one that it sees, and
            # takes what is written after its last look for a revision's.
            self.logbook.attached(context, self.database),
            atomicity.around(context, allowed) as self._guard,
        ):
            yield

    def during(self) -> AbstractContextManager[None]:
        """What the backend has to do on open connections."""
        return self._guard.during()

    def steps(self, heads: Sequence[str], context: MigrationContext) -> Iterator[AlembicStep]:
        """Yields the planned steps; what follows a `yield` runs when that step is done."""
        if self._planned:
            half.check(self._guard, self._planned, self.scripts, heads)
            self.turn.announce()
        waiting = deque(self._planned)
        number = len(self.applied)
        while waiting:
            planned = waiting.popleft()
            number, total = number + 1, number + 1 + len(waiting)
            self.go_on()
            self.turn.prove()
            step = self.running = as_step(planned, self.scripts)
            self._limit(planned, step, context)
            self.emit(StepStarted(**_about(step), number=number, total=total))
            part = Part(revision=step.revision, direction=step.direction, path=step.path)
            resumed = part.key in self._guard.half_applied
            self._guard.begin(part)
            planned.migration_fn = self._guard.surrounded(planned.migration_fn)
            self.logbook.begin(planned, resumed=resumed)
            started = time.perf_counter()
            yield planned
            self._guard.finished()
            seconds = time.perf_counter() - started
            self.running = None
            if isinstance(planned, First):
                step = as_step(planned, self.scripts)
                waiting.extend(self._after(planned, context))
            self.applied.append(AppliedStep(**_about(step), seconds=seconds))
            self.emit(StepFinished(**_about(step), number=number, total=total, seconds=seconds))

    def _after(self, first: First, context: MigrationContext) -> tuple[AlembicStep, ...]:
        """The steps that follow what the project's function has made."""
        steps = self.move.alembic_steps(self.scripts, first.to_)
        self._planned = (first, *steps)
        name = qualified(context.version_table, context.version_table_schema)
        self.calls[name] = replace(self.calls[name], planned=self._planned)
        return steps

    def again(self) -> None:
        """Forgets the step that failed, and those before it that were undone with it."""
        self.failed = self.running = None
        if self.position is None or self.position.undone in {Undone.RUN, Undone.PROGRAM}:
            self.applied.clear()

    def watched(self, place: Place) -> AbstractAsyncContextManager[None]:
        """Looks at its statements from outside during the block, in the caller's event loop."""
        if self.gentle is None:
            return nullcontext()
        return self.gentle.watching(place, lambda: self.cancellable)

    @contextmanager
    def _gently(self, context: MigrationContext) -> Iterator[None]:
        if self.gentle is None or context.connection is None:
            yield
            return
        with only_reading(context):
            detach = self.gentle.attach(context.connection, self.database.backend.waits)
        try:
            first = self._planned[0]
            self._limit(first, as_step(first, self.scripts), context)
            yield
        finally:
            detach()

    def _limit(self, planned: AlembicStep, step: Step, context: MigrationContext) -> None:
        if self.gentle is not None and self.position is not None:
            alone = self.position.undone is Undone.REVISION
            with only_reading(context):  # Alembic begins the transaction of a revision itself
                self.gentle.begin(planned, step, alone=alone)

    def leave(self) -> None:
        """Ends the waiting, and the work before its next step."""
        self.stop.set()
        self.turn.leave()

    @property
    def progress(self) -> Progress | None:
        """How far the revision that is running came, where it is not applied as a whole."""
        return self._guard.progress if self.running else None

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


def not_handed() -> SettingsError:
    """The error for an env.py that has no use for a program's connection."""
    return SettingsError(
        "env.py does not use the connection that it was given; nothing was run",
        hint="begin the function in env.py that connects with these two lines, where "
        "do_run_migrations is what calls context.configure(connection=connection, ...):\n"
        '    if (connection := config.attributes.get("connection")) is not None:\n'
        "        return do_run_migrations(connection)",
    )


def _about(step: Step) -> dict[str, Any]:
    return {"revision": step.revision, "title": step.title, "direction": step.direction}

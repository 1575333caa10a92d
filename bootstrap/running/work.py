"""What happens inside an env.py that applies revisions: plan, and let Alembic apply."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    contextmanager,
    nullcontext,
)
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from alembic.runtime.migration import MigrationContext, RevisionStep
from sqlalchemy import select

from bootstrap import backends
from bootstrap.backends import guards
from bootstrap.backends.guards import Guard
from bootstrap.errors import Fault, LockLost
from bootstrap.events import Emit, StepFinished, StepStarted
from bootstrap.journal.entries import Part, Progress
from bootstrap.positions import half
from bootstrap.positions.beginning import First, refuse_less, refuse_tables
from bootstrap.positions.done import Done, applied
from bootstrap.positions.heads import heads_after
from bootstrap.positions.moves import (
    AlembicStep,
    AppliedStep,
    Direction,
    Move,
    Step,
    as_step,
)
from bootstrap.positions.planned import Planned, PlannedStep
from bootstrap.positions.position import (
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
from bootstrap.running.gentle import Gentle
from bootstrap.running.logbook import Logbook
from bootstrap.running.looking import Look
from bootstrap.running.terms import Terms
from bootstrap.running.turn import Turn
from bootstrap.targets import Place


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
    calls: dict[str, Call] = field(default_factory=dict)
    refused: Exception | None = None
    _done: Done = field(default_factory=Done)
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
        if not (read_only := reason_not_to_write(context)):
            self.turn.take(_table(context))
        with only_reading(context):
            self.watch(context)
            self.position = read_position(context)
            self.turn.settled()
            self._decide(self.position, context, read_only=read_only)
        if not (self._planned or read_only) and context.connection is not None:
            backends.of_dialect(context.dialect).atomicity.tidy(context)
        if self._planned and _table(context) not in self._told:
            self._told.add(_table(context))
            self._ask(self.position)

    def _decide(
        self, position: Position, context: MigrationContext, *, read_only: str = ""
    ) -> None:
        """Plans from a position, and asks whether that may be done."""
        self._begin, self._planned = self._plan(position, context)
        if self._planned or self.move.purge or not position.heads:
            self.database.refuse_read_only(read_only)
        name = _table(context)
        self.calls[name] = Call(
            position=position,
            before=self.calls[name].before if name in self.calls else position.heads,
            begin=self._begin,
            planned=self._planned,
        )
        if self.terms.strict:
            self.logbook.refuse_changed(context, position.heads)
        self.terms.approve(context, self._planned)

    def _ask(self, position: Position) -> None:
        """Asks the caller, who may say no in an exception of their own."""
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
        self._look_again(heads, context)
        if self._planned:
            half.check(self._guard, self._planned, self.scripts, heads)
            self.turn.announce()
        waiting = deque(self._planned)
        number = len(self.applied)
        while waiting:
            planned = waiting.popleft()
            number, total = number + 1, number + 1 + len(waiting)
            self.go_on()
            self._prove(context)
            step = self.running = as_step(planned, self.scripts)
            self._limit(planned, step, context)
            self.emit(StepStarted(**_about(step), number=number, total=total))
            part = Part(revision=step.revision, direction=step.direction, path=step.path)
            resumed = part.key in self._guard.half_applied
            self._guard.begin(part)
            planned.migration_fn = self._guard.surrounded(planned.migration_fn)
            self.logbook.begin(planned, step, resumed=resumed, guard=self._guard)
            started = time.perf_counter()
            with self._done.unanswered(step, _table(context), context):
                yield planned
                self._guard.finished()
            seconds = time.perf_counter() - started
            self.running = None
            if isinstance(planned, First):
                step = as_step(planned, self.scripts)
                waiting.extend(self._after(planned, context))
            self._done.add(_table(context), applied(step, seconds=seconds))
            self.emit(StepFinished(**_about(step), number=number, total=total, seconds=seconds))

    def _after(self, first: First, context: MigrationContext) -> tuple[AlembicStep, ...]:
        """The steps that follow what the project's function has made."""
        steps = self.move.alembic_steps(self.scripts, first.to_)
        self._planned = (first, *steps)
        name = _table(context)
        self.calls[name] = replace(self.calls[name], planned=self._planned)
        return steps

    def _look_again(self, heads: Sequence[str], context: MigrationContext) -> None:
        """Looks what became of earlier tries, and of what another run had left on the server.

        The backend has waited for that since the position was read.
        """
        if context.as_sql or self.move.purge or self.position is None:
            return
        found = tuple(sorted(heads))
        if found != self.position.heads:
            self.position = replace(self.position, heads=found)
            self._decide(self.position, context)
        self._done.settle(_table(context), found, self.scripts)

    def _prove(self, context: MigrationContext) -> None:
        """Looks that the run lock is ours.

        Raises:
            LockLost: It is not. Where the connection of the revisions is lost as well, both were
                lost together; else somebody has taken the lock away, and waits for its end.
        """
        try:
            self.turn.prove()
        except LockLost as error:
            error.fault = None if _answers(context) else Fault.LOST
            raise

    @property
    def applied(self) -> list[AppliedStep]:
        """The steps that are done; not yet committed where one transaction holds all."""
        return self._done.steps

    def begin(self, turn: Turn) -> None:
        """Begins a try under a run lock of its own, with all patience for the locks of others."""
        self.turn = turn
        self.gentle = Gentle(limits=self.terms.limits, turn=turn, emit=self.emit)

    def again(self) -> None:
        """Forgets what failed; what is done is seen when it begins again."""
        self.failed = self.running = None
        self._guard = Guard()  # that of a connection which is gone

    @property
    def mark(self) -> tuple[str, int] | None:
        """How far the run came: the revision, and how many statements of it stay."""
        if self.running is None:
            return None
        return self.running.revision, self.progress.applied if self.progress else 0

    @property
    def is_undone(self) -> bool:
        """Whether what failed was undone, so that env.py may run again under the same run lock."""
        undone = self.position.undone if self.position is not None else Undone.NOTHING
        own = undone is Undone.PROGRAM and self.connection is None  # it is env.py's that is left
        return own or undone in {Undone.RUN, Undone.REVISION}

    @property
    def repeatable(self) -> bool:
        """Whether the run may begin again when its connection was lost.

        What a try has done is undone then, or recorded.
        """
        return self.reached and self.connection is None

    async def gentle_rest(self) -> bool:
        """Pauses before env.py runs again for want of a lock; false when it should not."""
        return self.gentle is not None and await self.gentle.rested()

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
        if self.gentle is not None:
            with only_reading(context):  # Alembic begins the transaction of a revision itself
                self.gentle.begin(planned, step)

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


def _table(context: MigrationContext) -> str:
    return qualified(context.version_table, context.version_table_schema)


def _answers(context: MigrationContext) -> bool:
    """Whether the connection of the revisions is still there."""
    try:
        assert context.connection is not None  # noqa: S101 - steps of a script need no lock
        context.connection.scalar(select(1))
    except Exception:  # noqa: BLE001 - whatever the driver says: it is of no more use
        return False
    return True


def _about(step: Step) -> dict[str, Any]:
    return {"revision": step.revision, "title": step.title, "direction": step.direction}

"""Keeps a run from standing in the way of others: it waits for locks briefly, and often.

An ALTER TABLE that waits for a lock makes every query wait that comes after it, however long the
transaction lasts that it waits for. So it gives up after seconds, lets the others go on, and tries
again later.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection

from bootstrap.backends.sessions import Blocker, Cancellable, Patience, Waits
from bootstrap.errors import Place as Where
from bootstrap.errors import RevisionError, SettingsError, StatementFailed
from bootstrap.events import Emit, LockRetried, StatementBlocked
from bootstrap.positions.moves import AlembicStep, Step
from bootstrap.running.listening import listen
from bootstrap.running.turn import Turn
from bootstrap.targets import Place

T = TypeVar("T")

LOCK_TIMEOUT = 3.0  # seconds
_OWN = "bootstrap_"  # so that no name of a revision that nobody wrote for this means anything
LOCK_RETRIES = 10
_FIRST_PAUSE = 1.0  # seconds
_LONGEST_PAUSE = 30.0
_LOOK_AFTER = 0.8  # seconds of one statement; sooner nobody wants to know who is in the way
_TICK = 0.2
_ANSWER = 5.0  # seconds for the server to say who that is


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long statements may wait and run, and how often a lock is tried for.

    Attributes:
        lock_timeout: Seconds to wait for a lock; 0 for no limit, None for `LOCK_TIMEOUT` where
            nobody has configured another one.
        lock_retries: How often a statement, or the revision that was rolled back with it, is tried
            again when it got no lock.
        statement_timeout: Seconds that a statement may run; None or 0 for no limit.
    """

    lock_timeout: float | None = None
    lock_retries: int = LOCK_RETRIES
    statement_timeout: float | None = None

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not _is_number(getattr(self, name), of=name):
                raise SettingsError(
                    f"{name} is {getattr(self, name)!r}, which is no number from 0 on",
                    hint="give seconds, such as 3, and a whole number of retries",
                )

    def of(self, step: AlembicStep, known: Step) -> Limits:
        """Those for one step: `bootstrap_lock_timeout` … in its file go before all others.

        Raises:
            RevisionError: One of them is no number.
        """
        module = vars(getattr(getattr(step, "revision", None), "module", object))
        own = {name: module[_OWN + name] for name in self.__slots__ if _OWN + name in module}
        try:
            return Limits(**{name: getattr(self, name) for name in self.__slots__} | own)
        except SettingsError as error:
            where = Where(path=known.path) if known.path else None
            raise RevisionError(
                f"in revision {known.revision}, {error.message}", hint=error.hint, place=where
            ) from None


def _is_number(value: object, *, of: str) -> bool:
    if of == "lock_retries":
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if value is None:
        return True
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 <= value < math.inf  # type: ignore[operator]  # it is a number here


@dataclass(slots=True, kw_only=True)
class Gentle:
    """The limits of one run, and what it has met with.

    Attributes:
        limits: For steps without their own.
        turn: Where pauses are made.
        emit: Told about waiting.
        overdue: The limit in seconds that the running statement was cancelled for; 0 for none.
        blockers: Who was last seen in the way, in words.
    """

    limits: Limits
    turn: Turn
    emit: Emit
    overdue: float = 0.0
    blockers: tuple[str, ...] = ()
    _now: Limits = field(default_factory=Limits)
    _revision: str = ""
    _left: int = 0
    _patience: Patience | None = None
    # When the statements that run were sent: the journal has some of its own inside of one.
    _sent_at: list[float] = field(default_factory=list)

    def attach(self, connection: Connection, waits: Waits) -> Callable[[], None]:
        """Begins to watch the connection of env.py; returns what undoes that."""
        self._patience = patience = waits.of(connection)
        deafen = listen(connection, sent=self._sent, done=self._done, refused=self._answered)

        def detach() -> None:
            deafen()
            self._sent_at.clear()
            patience.close()

        return detach

    def begin(self, step: AlembicStep, known: Step) -> None:
        """Sets the limits for a step.

        Args:
            step: Alembic's.
            known: The same, as a value.
        """
        self._now = self.limits.of(step, known)
        self._sent_at.clear()
        if known.revision != self._revision:
            self._revision, self._left = known.revision, self._now.lock_retries
        if self._patience is None:
            return
        given = self._now.lock_timeout
        if given is None and not self._patience.configured:
            given = LOCK_TIMEOUT
        self._patience.limit(given)

    async def rested(self) -> bool:
        """Pauses before what was rolled back is tried again; false when it should not be.

        What stays all the same, of an autocommit block, is recorded.
        """
        pause = self._pause()
        if pause is None:
            return False
        await asyncio.sleep(pause)
        return True

    @asynccontextmanager
    async def watching(
        self, place: Place, cancellable: Callable[[], Cancellable | None]
    ) -> AsyncIterator[None]:
        """Says who is in the way of statements in the block, and cancels what takes too long.

        Args:
            place: Where to ask from.
            cancellable: Gives the connection that is looked at, or None.
        """
        watch = asyncio.create_task(self._watch(place, cancellable))
        try:
            yield
        finally:
            watch.cancel()
            await asyncio.wait({watch})

    async def _watch(self, place: Place, cancellable: Callable[[], Cancellable | None]) -> None:
        asked_for: float | None = None
        while True:
            await asyncio.sleep(_TICK)
            since, there = self._since, cancellable()
            if since is None or there is None or not self._revision:
                continue
            took = time.monotonic() - since
            if took >= _LOOK_AFTER and asked_for != since:
                asked_for = since
                await self._look(place, there, took)
            limit = self._now.statement_timeout
            if limit and took >= limit and self._since == since:
                self.overdue = limit
                await _quietly(there.cancel(place.engines(), place.connecting()))

    async def _look(self, place: Place, there: Cancellable, took: float) -> None:
        found = await _quietly(there.blockers(place.engines(), place.connecting()))
        if found:
            self.blockers = tuple(in_words(blocker) for blocker in found)
            self.emit(
                StatementBlocked(revision=self._revision, blockers=self.blockers, seconds=took)
            )

    def again(self) -> bool:
        """Pauses in env.py's thread; false when a refused statement should not be sent again."""
        pause = self._pause()
        if pause is None:
            return False
        waiting, self._sent_at = self._sent_at, []
        self.turn.rest(pause)
        self._sent_at = [time.monotonic() for _ in waiting]
        return True

    def _pause(self) -> float | None:
        """Takes one of the tries that are left."""
        if not self._left:
            return None
        pause = min(_FIRST_PAUSE * 2.0 ** (self._now.lock_retries - self._left), _LONGEST_PAUSE)
        # Others that wait for the same lock must not come back at the same time.
        pause *= random.uniform(0.5, 1.5)  # noqa: S311 - not for a secret
        self._left -= 1
        self.emit(
            LockRetried(
                revision=self._revision, blockers=self.blockers, pause=pause, left=self._left
            )
        )
        return pause

    @property
    def _since(self) -> float | None:
        return self._sent_at[0] if self._sent_at else None

    def _sent(self) -> None:
        self._sent_at.append(time.monotonic())

    def _answered(self) -> None:
        if self._sent_at:
            self._sent_at.pop()

    def _done(self) -> None:
        self._answered()
        if self.overdue:  # there are statements that end without an error, such as SLEEP()
            raise StatementFailed(
                f"a statement of revision {self._revision} was cancelled after {self.overdue:g} s",
                hint="--statement-timeout gives it more; so does bootstrap_statement_timeout there",
            )


def in_words(blocker: Blocker) -> str:
    """Who is in the way, for a sentence."""
    name = f"session {blocker.session}" + (f" of {blocker.user}" if blocker.user else "")
    application = f", {blocker.application}" if blocker.application else ""
    age = "" if blocker.age is None else f", for {blocker.age:.0f} s"
    said = f"{name} ({(application + age)[2:]})" if application or age else name
    return said if blocker.certain else f"perhaps {said}"


async def _quietly(asked: Awaitable[T]) -> T | None:
    """What the server says, or None; the statement that waits matters more than who is why."""
    with suppress(Exception):
        async with asyncio.timeout(_ANSWER):
            return await asked
    return None

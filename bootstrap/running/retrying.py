"""Tries a run again that was ended by what passes by itself, such as a lost connection.

A connection that is lost takes the run lock with it, so each try is a run of its own: it takes the
lock, reads where the database is, and plans. What the try before has done is in the version table
then, or in the journal; there it is seen as well whether a COMMIT was carried out that nobody
answered.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from bootstrap.backends.sessions import Cancellable
from bootstrap.errors import (
    BootstrapError,
    DatabaseInUse,
    Fault,
    SettingsError,
    StatementFailed,
)
from bootstrap.events import Emit, RunRetried
from bootstrap.running.work import Apply
from bootstrap.targets import Place

T = TypeVar("T")
Mark: TypeAlias = tuple[str, int]

# Seconds. Amazon says of RDS that a failover typically takes 60 to 120 ("Failing over a Multi-AZ DB
# instance", User Guide); a server that is restarted, or recovers from a crash, mostly takes less.
RETRY_FOR = 120.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0
_PAUSE = 0.1  # between two looks at what is left of a connection


@dataclass(slots=True, kw_only=True)
class Retries:
    """The tries of one run.

    Attributes:
        seconds: How long after a fault it is tried again; the time begins anew when the run has got
            further since.
        works: What is done, one for each database.
        places: Where.
        emit: Told why and when it is tried again.
        count: The tries until now.
    """

    seconds: float
    works: Sequence[Apply]
    places: Sequence[Place]
    emit: Emit
    count: int = 1
    _end: float = -math.inf
    _pause: float = _FIRST_PAUSE
    _marks: set[tuple[Mark | None, ...]] = field(default_factory=set)
    _now: Callable[[], float] = field(
        default_factory=lambda: asyncio.get_running_loop().time, init=False
    )

    def __post_init__(self) -> None:
        if not 0 <= self.seconds < math.inf:
            raise SettingsError(
                f"{self.seconds} is no time to try again for", hint="give seconds, such as 120"
            )

    async def until_done(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Makes tries until one succeeds, or fails for good.

        Args:
            attempt: A whole run, with a run lock of its own.

        Raises:
            BootstrapError: What the last try has raised.
        """
        while True:
            try:
                if self.count > 1:
                    await self._nothing_is_left()
                return await attempt()
            except BootstrapError as error:
                _say_whose(error, self.works)
                fault = self._passing(error)
                if fault is None or not await self._rested(fault):
                    raise
            self.count += 1
            for work in self.works:
                work.again()

    def _passing(self, error: BootstrapError) -> Fault | None:
        if not all(work.repeatable for work in self.works):
            return None
        if error.fault is Fault.READ_ONLY and self.count == 1 and not self._got_on():
            return None  # nobody knows that the server was ever anything else
        return error.fault

    def _got_on(self) -> bool:
        return any(work.applied or (work.mark or ("", 0))[1] for work in self.works)

    async def _rested(self, fault: Fault) -> bool:
        """Pauses before the next try; false when the time is over."""
        now, mark = self._now(), tuple(work.mark for work in self.works)
        # A try that did not even connect says nothing about how far it would have come.
        if self.count == 1 or (any(mark) and mark not in self._marks):
            self._end, self._pause = now + self.seconds, _FIRST_PAUSE
        self._marks.add(mark)
        left = self._end - now
        if left <= 0:
            return False
        # Others that lost theirs with the same server must not come back at the same time.
        pause = min(self._pause * random.uniform(0.5, 1.5), left)  # noqa: S311 - not for a secret
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        revision = next((work.running.revision for work in self.works if work.running), None)
        self.emit(
            RunRetried(
                revision=revision, fault=fault.value, attempt=self.count, pause=pause, left=left
            )
        )
        await asyncio.sleep(pause)
        return True

    async def _nothing_is_left(self) -> None:
        """Waits until the server has given up what the lost connections did there.

        Before that, a COMMIT that was sent may still be carried out, after we have looked.
        """
        for work, place in zip(self.works, self.places, strict=True):
            lost = work.cancellable
            if lost is not None:
                with work.database.translated("cannot connect to"):
                    await _ended(lost, place)


def _say_whose(error: BootstrapError, works: Sequence[Apply]) -> None:
    """Says why nothing is tried again on a program's own connection."""
    if error.fault is not None and any(work.connection is not None for work in works):
        why = "the connection is your program's, so nothing was tried again: call it on a new one"
        error.hint = f"{error.hint}; {why}" if error.hint else why


async def _ended(lost: Cancellable, place: Place) -> None:
    while True:
        if not await lost.end(place.engines(), place.connecting()):
            return
        await asyncio.sleep(_PAUSE)


async def gently(run: Callable[[], Awaitable[None]], works: Sequence[Apply]) -> None:
    """Runs env.py, again where it got no lock and nothing of it is left; the run lock stays.

    Args:
        run: Runs env.py once.
        works: What is done in it.
    """
    while not await _came_through(run, works):
        for work in works:
            work.again()


async def _came_through(run: Callable[[], Awaitable[None]], works: Sequence[Apply]) -> bool:
    try:
        await run()
    except (StatementFailed, DatabaseInUse) as error:
        work = next((work for work in works if work.failed), works[0])
        busy = isinstance(error, DatabaseInUse) or error.busy
        if not busy or not work.is_undone or not await work.gentle_rest():
            raise
        return False
    return True

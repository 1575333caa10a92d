"""A run's turn on a database, as the work inside env.py sees it from its thread."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

from sqlalchemy.util import await_only

from bootstrap.records.lock import FRESH, RunLock

T = TypeVar("T")


class StoppedError(Exception):
    """The caller was cancelled; nobody reads this, it unwinds env.py and rolls back."""


class Turn:
    """The turn of work that nobody can disturb: it need not wait."""

    def take(self, name: str) -> None:
        """Waits until no other run works on a version table.

        Raises:
            LockNotObtained: Another run took too long.
            StoppedError: The caller was cancelled meanwhile.
        """

    def settled(self) -> None:
        """Says that the migration's own connection has answered."""

    def announce(self) -> None:
        """Lets others read who works here; called before the first step."""

    def prove(self) -> None:
        """Looks that it is still ours, or was a moment ago; called before each step.

        Raises:
            LockLost: It is not.
        """

    def rest(self, seconds: float) -> None:
        """Does nothing for a while.

        Raises:
            StoppedError: The caller was cancelled meanwhile.
        """

    def leave(self) -> None:
        """Ends all waiting for good; called in the caller's event loop when it is cancelled."""


class LockedTurn(Turn):
    """The turn of a run that has to take a lock, which lives in the caller's event loop.

    Args:
        lock: The lock to take.
        others: Locks of the same run on other databases, which must be held too once taken.
    """

    def __init__(self, lock: RunLock, *others: RunLock) -> None:
        self._lock = lock
        self._all = (lock, *others)
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._awaited: Future[Any] | None = None
        self._left = False
        self._proved = -math.inf  # when, by a clock that never jumps

    def take(self, name: str) -> None:
        """Waits for the lock of a version table."""
        self._wait(self._lock.take(name))

    def settled(self) -> None:
        """Tells the lock."""
        self._lock.settled()

    def announce(self) -> None:
        """Has the lock say who holds it."""
        self._wait(self._lock.announce())

    def prove(self) -> None:
        """Asks the servers for the locks, unless they have just said so.

        A thousand small revisions take half as long again where each asks. A connection that
        was closed meanwhile is noticed all the same, and who breaks a lock waits for that time.
        """
        now = time.monotonic()
        if now - self._proved < FRESH and not any(lock.has_gone() for lock in self._all):
            return
        for lock in self._all:
            self._wait(lock.prove())
        self._proved = now

    def rest(self, seconds: float) -> None:
        """Lets the lock be kept alive meanwhile."""
        self._wait(asyncio.sleep(seconds))

    def leave(self) -> None:
        """Ends the waiting for the lock."""
        self._left = True
        if self._awaited is not None:
            self._awaited.cancel()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        if threading.get_ident() == self._thread:  # env.py runs on a connection of this loop
            return await_only(work)
        awaited = asyncio.run_coroutine_threadsafe(work, self._loop)
        self._awaited = awaited
        if self._left:
            awaited.cancel()
        try:
            return awaited.result()
        except CancelledError as error:
            raise StoppedError from error
        except BaseException:  # Ctrl-C, where env.py has the main thread
            awaited.cancel()
            raise

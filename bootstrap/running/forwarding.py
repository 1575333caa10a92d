"""Events of a run, which come from two threads, told in one order."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import AbstractContextManager
from typing import Self

from bootstrap.events import Emit, Event

# Seconds that events of env.py's thread wait for others. To wake the caller's event loop for each
# of them takes a tenth of the time of a small revision: both threads want Python's lock.
_GATHERED = 0.02


class Forward(AbstractContextManager["Forward"]):
    """Hands events to the caller, in the caller's event loop; all that is left at its end.

    Args:
        emit: The caller's.
    """

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._waiting: deque[Event] = deque()
        self._is_called = False
        self._error: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._deliver()

    def send(self, event: Event) -> None:
        """Called in env.py's thread: the loop's own where it runs on a program's connection."""
        self._waiting.append(event)
        if self._is_called:
            return
        self._is_called = True
        if threading.get_ident() == self._thread:
            self._loop.call_soon(self._deliver)  # before the next step: the program may stop it
        else:
            self._loop.call_soon_threadsafe(self._loop.call_later, _GATHERED, self._deliver)

    def emit(self, event: Event) -> None:
        """Called in the event loop; what was sent before is told before."""
        self._deliver()
        self._emit(event)

    def check(self) -> None:
        """Raises what the caller raised first of what was sent; the run went on all the same."""
        self._deliver()
        if self._error is not None:
            raise self._error

    def _deliver(self) -> None:
        self._is_called = False  # first: what comes from now on calls again
        while self._waiting:
            try:
                self._emit(self._waiting.popleft())
            except Exception as error:  # noqa: BLE001 - it is kept for `check`
                self._error = self._error or error

"""Keeps the main thread for env.py, and runs our own event loop in another.

Only the main thread may call `signal.signal`, and has an event loop by default: some env.py need
that. Python runs handlers of signals there too, and not before a driver that waits in C for its
server comes back. So the loop reads of a signal by itself, from a file descriptor to which Python
writes at once (`signal.set_wakeup_fd`), and has the server end the statement.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, NoReturn

from bootstrap.revisions.environment import HOST

_OURS = (signal.SIGINT, signal.SIGTERM)
_CURSOR = b"\x1b[?25h"  # the spinner hides it
_AT_ONCE = b"stopped at once; a statement may still run on the server\n"


class Terminated(KeyboardInterrupt):
    """SIGTERM, as a container's runtime sends it: it ends the run as Ctrl-C does."""


class MainThread:
    """Does the blocking work of one coroutine, which runs in another thread."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._outcome: Future[object] = Future()
        self._task: asyncio.Task[object] | None = None
        self._signalled: signal.Signals | None = None
        self._working = self._interrupting = False
        self._own = 0  # signals of `interrupt` that the loop has not heard yet
        self._heard, self._hears = socket.socketpair()
        self._thread = threading.get_ident()

    def run(self, coroutine: Coroutine[Any, Any, object]) -> object:
        """Runs the coroutine to its end and gives its result.

        The second signal ends the process, whatever it does.

        Raises:
            KeyboardInterrupt: Somebody pressed Ctrl-C; the coroutine was cancelled and has ended.
            Terminated: As before, for SIGTERM.
        """
        with self._signals():
            thread = Thread(target=self._run_loop, args=(coroutine,), name="bootstrap")
            thread.start()
            while not self._served():
                self._loop_hears(signal.SIGINT)
            thread.join()
        if self._signalled is not None:
            raise _raised(self._signalled)
        return self._outcome.result()

    def _served(self) -> bool:
        """Works off the jobs; False where an env.py has left Ctrl-C as Python has it."""
        try:
            while job := self._jobs.get():
                job()
        except KeyboardInterrupt:
            return False
        return True

    def _loop_hears(self, number: signal.Signals) -> None:
        with suppress(RuntimeError):  # the loop is closed already
            if self._task is not None:
                self._task.get_loop().call_soon_threadsafe(self._stop, number)

    def submit(self, work: Callable[[], Any], /) -> Future[Any]:
        """Does work in the main thread; called from the loop."""
        done: Future[Any] = Future()

        def job() -> None:
            if self._signalled:  # nobody would ever interrupt what begins now
                done.cancel()
                return
            try:
                self._working = True
                result = work()
                self._working = False
            except KeyboardInterrupt:
                done.set_exception(CancelledError())
            except BaseException as error:  # noqa: BLE001 - who awaits the work raises it
                done.set_exception(error)
            else:
                done.set_result(result)
            finally:
                self._working = False

        self._jobs.put(job)
        return done

    def interrupt(self) -> None:
        """Raises KeyboardInterrupt in the work of the main thread; called from the loop."""
        self._interrupting = True
        self._own += 1
        # It wakes from waiting too. The one that came is not ignored.
        signal.pthread_kill(self._thread, self._signalled or signal.SIGINT)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Has the loop hear of signals, but of those that the caller of the process ignores."""
        ours = [number for number in _OURS if signal.getsignal(number) is not signal.SIG_IGN]
        for end in (self._heard, self._hears):
            end.settimeout(0)
        before = {number: signal.signal(number, self._on_signal) for number in ours}
        signal.set_wakeup_fd(self._hears.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)
            before[signal.SIGTERM] = _terminate
            for number in ours:
                signal.signal(number, before[number])
            self._heard.close()
            self._hears.close()

    def _on_signal(self, _number: int, _frame: object) -> None:
        """Runs in the main thread, when Python gets a word in; most often there is nothing to do.

        An exception of its own accord could come between a revision and its record.
        """
        interrupting, self._interrupting = self._interrupting, False
        if interrupting and self._working:
            self._working = False
            raise KeyboardInterrupt

    def _run_loop(self, coroutine: Coroutine[Any, Any, object]) -> None:
        try:
            self._outcome.set_result(asyncio.run(self._hosted(coroutine)))
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            self._outcome.set_exception(error)
        finally:
            self._jobs.put(None)

    async def _hosted(self, coroutine: Coroutine[Any, Any, object]) -> object:
        HOST.set(self)
        self._task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._heard, self._hear)
        try:
            return await coroutine
        finally:
            loop.remove_reader(self._heard)

    def _hear(self) -> None:
        """Runs in the loop when signals have come; one for each byte."""
        with suppress(BlockingIOError):
            for number in self._heard.recv(64):
                if number not in _OURS:
                    continue
                if self._own:
                    self._own -= 1
                else:
                    self._stop(signal.Signals(number))

    def _stop(self, number: signal.Signals) -> None:
        if self._signalled is not None:
            _end_at_once(number)
        self._signalled = number
        if self._task is not None:
            self._task.cancel()


def _end_at_once(number: signal.Signals) -> NoReturn:
    """Ends the process, though its main thread may wait in C for ever."""
    with suppress(OSError):
        os.write(2, _CURSOR + _AT_ONCE if os.isatty(2) else _AT_ONCE)
    os._exit(128 + number)


def _raised(number: signal.Signals) -> KeyboardInterrupt:
    return Terminated() if number is signal.SIGTERM else KeyboardInterrupt()


def _terminate(_number: int, _frame: object) -> NoReturn:
    raise Terminated

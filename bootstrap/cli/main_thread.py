"""Keeps the main thread for env.py, and runs our own event loop in another.

Only the main thread may call `signal.signal`, has an event loop by default, and is where Python
raises KeyboardInterrupt: some env.py need the first two, and Ctrl-C must reach the migration.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, NoReturn

from bootstrap.revisions.environment import HOST


class Terminated(KeyboardInterrupt):
    """SIGTERM, as a container's runtime sends it: it ends the run as Ctrl-C does."""


class MainThread:
    """Does the blocking work of one coroutine, which runs in another thread."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._promised: list[Future[Any]] = []
        self._outcome: Future[object] = Future()
        self._stop: Callable[[], object] | None = None
        self._interrupted: KeyboardInterrupt | None = None

    def run(self, coroutine: Coroutine[Any, Any, object]) -> object:
        """Runs the coroutine to its end and gives its result.

        Raises:
            KeyboardInterrupt: Somebody pressed Ctrl-C; the coroutine was cancelled and has ended.
            Terminated: As before, for SIGTERM.
        """
        signal.signal(signal.SIGTERM, _terminate)
        thread = Thread(target=self._run_loop, args=(coroutine,), name="bootstrap")
        thread.start()
        while not self._served():
            self._interrupt()
        thread.join()
        if self._interrupted is not None:
            raise self._interrupted
        return self._outcome.result()

    def _served(self) -> bool:
        """Works off the jobs until there will be no more; False when somebody pressed Ctrl-C."""
        try:
            while job := self._jobs.get():
                job()
        except KeyboardInterrupt as interrupted:
            self._interrupted = self._interrupted or interrupted
            return False
        return True

    def _interrupt(self) -> None:
        # A job may have been taken from the queue and not begun: nobody would ever end it.
        for done in self._promised:
            done.cancel()
        with suppress(RuntimeError):  # the loop is closed already
            if self._stop is not None:
                self._stop()

    def _run_loop(self, coroutine: Coroutine[Any, Any, object]) -> None:
        try:
            self._outcome.set_result(asyncio.run(self._hosted(coroutine)))
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            self._outcome.set_exception(error)
        finally:
            self._jobs.put(None)

    async def _hosted(self, coroutine: Coroutine[Any, Any, object]) -> object:
        HOST.set(self._host)
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio.run made one
        self._stop = partial(loop.call_soon_threadsafe, task.cancel)
        return await coroutine

    def _host(self, work: Callable[[], Any]) -> Future[Any]:
        done: Future[Any] = Future()
        self._promised.append(done)

        def job() -> None:
            if not done.set_running_or_notify_cancel():
                return
            try:
                done.set_result(work())
            except KeyboardInterrupt:
                done.set_exception(CancelledError())
                raise
            except BaseException as error:  # noqa: BLE001 - who awaits the work raises it
                done.set_exception(error)

        self._jobs.put(job)
        return done


def _terminate(_number: int, _frame: object) -> NoReturn:
    raise Terminated

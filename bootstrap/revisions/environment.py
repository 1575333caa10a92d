"""Runs a project's own env.py with our work in the place of Alembic's command.

Alembic's `context` and `op` are global to the process, so one env.py runs at a time; and env.py
may call `asyncio.run`, so it gets a thread in which no event loop runs, unless a program hands over
the connection to use: that belongs to the program's own loop.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Awaitable, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    nullcontext,
    suppress,
)
from contextvars import ContextVar
from typing import Any, Protocol, TypeAlias, TypeVar

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap.errors import RevisionError
from bootstrap.revisions.attached import Work, attached

T = TypeVar("T")
Around: TypeAlias = Callable[[], AbstractContextManager[None]]
Stop: TypeAlias = Callable[
    [asyncio.Future[Any], Callable[[], None] | None], Awaitable[None]
]  # called when cancelled, with the work and, where there is one, a way to interrupt it


class Host(Protocol):
    """A thread that does work for others."""

    def submit(self, work: Callable[[], Any], /) -> concurrent.futures.Future[Any]:
        """Does the work as soon as it can."""

    def interrupt(self) -> None:
        """Raises an exception in the work that is being done, if any."""


# Set by a program that has a better thread for env.py than a new one, such as its main thread.
HOST: ContextVar[Host | None] = ContextVar("HOST", default=None)

# The one mutable module state: it guards Alembic's own, which is global to the process.
_ALEMBIC = threading.Lock()
_PAUSE = 0.01  # seconds between two looks whether it is free


async def _interrupted(running: asyncio.Future[Any], interrupt: Callable[[], None] | None) -> None:
    """Ends plain Python code."""
    if interrupt is not None:
        interrupt()
    await asyncio.wait({running})


def run_env(
    config: Config,
    scripts: ScriptDirectory,
    work: Work,
    *,
    around: Around = nullcontext,
    **options: object,
) -> None:
    """Runs env.py once; blocks until it is done, and until no other env.py runs.

    Args:
        config: What env.py sees as `context.config`.
        scripts: The revisions; its folder holds env.py.
        work: What to do inside.
        around: Makes what is entered before env.py, and left after it.
        options: Alembic's: `dont_mutate` does not even create the version table, `purge` empties
            it first, `template_args` is what env.py may add to for the template of a revision,
            `as_sql` is Alembic's offline mode.
    """
    with _ALEMBIC, around():
        _run_env(config, scripts, work, **options)


async def run_env_on(
    connection: AsyncConnection,
    config: Config,
    scripts: ScriptDirectory,
    work: Work,
    *,
    around: Around = nullcontext,
    stop: Stop,
    **options: object,
) -> None:
    """Runs env.py once, in this event loop and on a connection of it.

    It waits for other env.py without blocking the loop, for the one that runs may be another task
    of this loop. When cancelled, see `in_thread`.

    Args:
        connection: What env.py gets as `config.attributes["connection"]`, as a sync Connection.
        config: As for `run_env`, and so are the others.
        scripts: See there.
        work: See there.
        around: See there.
        stop: See `in_thread`.
        options: See there.
    """

    def run(handed: Connection) -> None:
        with around():
            _run_env_with(handed, config, scripts, work, **options)

    while not _ALEMBIC.acquire(blocking=False):  # noqa: ASYNC110 - threads of other loops wait too
        await asyncio.sleep(_PAUSE)
    # A task of its own: a cancelled statement would leave a connection that nobody can use.
    running = asyncio.ensure_future(connection.run_sync(run))
    running.add_done_callback(lambda _: _ALEMBIC.release())
    await _finished(running, stop, None)


def run_env_with(
    open_connection: Callable[[], AbstractAsyncContextManager[AsyncConnection]],
    config: Config,
    scripts: ScriptDirectory,
    work: Work,
    *,
    around: Around = nullcontext,
    **options: object,
) -> None:
    """Runs env.py once, on a connection that is opened for it in this thread, which has no loop.

    Args:
        open_connection: Opens what env.py gets as `config.attributes["connection"]`, a sync one.
        config: As for `run_env`, and so are the others.
        scripts: See there.
        work: See there.
        around: See there.
        options: See there.
    """

    async def run() -> None:
        async with open_connection() as connection:
            await connection.run_sync(
                lambda handed: _run_env_with(handed, config, scripts, work, **options)
            )

    with _ALEMBIC, around():
        asyncio.run(run())


def _run_env_with(
    handed: Connection, config: Config, scripts: ScriptDirectory, work: Work, **options: object
) -> None:
    theirs = handed.in_transaction()
    config.attributes["connection"] = handed
    try:
        _run_env(config, scripts, work, **options)
    finally:
        # What only read, Alembic leaves open; the next run would take it for the program's.
        if not theirs and handed.in_transaction():
            handed.rollback()


def _run_env(config: Config, scripts: ScriptDirectory, work: Work, **options: object) -> None:
    environment = EnvironmentContext(config, scripts, fn=work.steps, **options)
    left: BaseException | None = None
    with attached(environment, work), environment:
        try:
            scripts.run_env()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it is raised below
            left = error
    # Raised out here: what env.py makes of a failure of the work does not explain that.
    if work.failed is not None:
        raise work.failed
    if isinstance(left, SystemExit):
        _refuse_exit(left)
    elif left is not None:
        raise left


def _refuse_exit(left: SystemExit) -> None:
    if left.code:
        raise RevisionError(
            f"env.py ended with sys.exit({left.code!r})",
            hint="let it raise what went wrong, then that is shown here",
        )


async def in_thread(work: Callable[[], T], *, stop: Stop = _interrupted) -> T:
    """Runs blocking work in the thread of the host, or one of its own without a host.

    When cancelled it waits for the end of the work before saying so: nothing goes on unseen.

    Args:
        work: What to do.
        stop: Called when cancelled, so that the work ends early.
    """
    host = HOST.get()
    if host is None:
        future = asyncio.get_running_loop().run_in_executor(None, _with_a_loop, work)
        return await _finished(future, stop, None)
    return await _finished(asyncio.wrap_future(host.submit(work)), stop, host.interrupt)


async def _finished(
    future: asyncio.Future[T], stop: Stop, interrupt: Callable[[], None] | None
) -> T:
    """Waits for the end of work, also when cancelled, and however often."""
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        stopping = asyncio.ensure_future(stop(future, interrupt))
        while not stopping.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({stopping})
        stopping.result()
        if not future.cancelled():
            future.exception()  # it is known, and not to be warned about
        raise


def _with_a_loop(work: Callable[[], T]) -> T:
    """Gives the thread an event loop: some env.py ask for it with `asyncio.get_event_loop()`."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return work()
    finally:
        asyncio.set_event_loop(None)
        loop.close()

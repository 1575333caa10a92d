"""The connections of an application: its own in each process, and always closed to the end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakSet

from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import greenlet_spawn

from bootstrap.backends.base import Pool
from bootstrap.database import Database
from bootstrap.errors import Fault

_AWAY = {Fault.LOST, Fault.UNREACHABLE}


@asynccontextmanager
async def connections(database: Database, pool: Pool) -> AsyncIterator[AsyncEngine]:
    """Gives an engine for the time of the block; a process that is forked there gets its own pool.

    Args:
        database: What it connects to.
        pool: How many connections are kept, and how long.
    """
    engine = database.pooled(pool)
    _say_who_is_away(engine, database)
    closing = _Closing(engine)
    _RUNNING.add(engine)
    try:
        yield engine
    finally:
        await asyncio.shield(engine.dispose())
        await closing.end()


def _say_who_is_away(engine: AsyncEngine, database: Database) -> None:
    """Raises our errors where there is no connection, and where one is lost."""

    def connect(dialect: Any, _record: object, arguments: Any, keywords: Any) -> Any:
        with database.translated("cannot connect to"):
            return dialect.connect(*arguments, **keywords)

    def lost(context: ExceptionContext) -> BaseException | None:
        # The ping before use is answered with a new connection, not with an error.
        if context.is_pre_ping or not isinstance(context.original_exception, Exception):
            return None
        error = context.sqlalchemy_exception or context.original_exception
        failure = database.backend.errors.translate(error)
        if failure is None or failure.fault not in _AWAY:
            return None
        if failure.fault is Fault.LOST:
            context.is_disconnect = True
        return database.error(failure, tried="cannot use")

    event.listen(engine.sync_engine, "do_connect", connect)
    event.listen(engine.sync_engine, "handle_error", lost)


class _Closing:
    """Closes connections of cancelled tasks in tasks of its own.

    In a scope of anyio's that is cancelled, whatever is awaited is cancelled too: SQLAlchemy then
    cuts the connection in the middle of the driver's request to end the statement.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        dialect: Any = engine.dialect
        self._terminate: Callable[[Any], None] = dialect.do_terminate
        dialect.do_terminate = self._begin

    async def end(self) -> None:
        """Waits for those that have begun."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, connection: Any) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # it was collected, or the loop has ended
            self._terminate(connection)
            return
        task = loop.create_task(greenlet_spawn(self._terminate, connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


_RUNNING: WeakSet[AsyncEngine] = WeakSet()
_INHERITED: list[object] = []


def _leave_to_the_parent() -> None:
    """Gives engines in a forked process a pool of their own.

    The connections of the old one belong to the parent; they must neither be used nor closed here,
    and to be collected would close them.
    """
    for engine in _RUNNING:
        _INHERITED.append(engine.sync_engine.pool)
        engine.sync_engine.dispose(close=False)


os.register_at_fork(after_in_child=_leave_to_the_parent)

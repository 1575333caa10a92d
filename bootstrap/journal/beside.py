"""Notices what a revision does on connections that it opens by itself.

The listeners are added once and stay: a list of SQLAlchemy's must not change while another thread
of the program walks through it. Whether they tell anybody goes with the context in which a revision
runs, so that other tasks and threads of the program do not count.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, Pool, event

# With a statement, before it is sent; with none for a connection that goes past SQLAlchemy.
Told: TypeAlias = Callable[[str | None], None]

_TOLD: ContextVar[Told | None] = ContextVar("_TOLD", default=None)
_OPENING = {
    Connection.__init__.__code__,
    Connection._revalidate_connection.__code__,  # noqa: SLF001 - one that was lost, opened again
}


@contextmanager
def watched(told: Told) -> Iterator[None]:
    """Tells of other connections that are opened in the block, and in this thread."""
    if not event.contains(Engine, "engine_connect", _connected):
        event.listen(Engine, "engine_connect", _connected)
        event.listen(Pool, "checkout", _lent)
    thread = threading.get_ident()

    def here(sql: str | None) -> None:
        if threading.get_ident() == thread:
            told(sql)

    with _telling(here):
        yield


@contextmanager
def unwatched() -> Iterator[None]:
    """Tells of none that is opened in the block."""
    with _telling(None):
        yield


@contextmanager
def _telling(told: Told | None) -> Iterator[None]:
    token = _TOLD.set(told)
    try:
        yield
    finally:
        _TOLD.reset(token)


def _connected(connection: Connection) -> None:
    """Some engine of the program has made a connection."""
    told = _TOLD.get()
    if told is not None:
        event.listen(connection, "before_cursor_execute", lambda _c, _cursor, sql, *_: told(sql))


def _lent(*_about: Any) -> None:
    """Some pool of the program has lent one of the driver."""
    told = _TOLD.get()
    if told is not None and not _is_for_sqlalchemy(sys._getframe(1)):  # noqa: SLF001 - its documented name
        told(None)


def _is_for_sqlalchemy(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_globals.get("__name__", "").startswith("sqlalchemy."):
        if frame.f_code in _OPENING:
            return True
        frame = frame.f_back
    return False

"""Notices when a revision goes past SQLAlchemy, with a cursor of the driver."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

_ATTRIBUTE = "_dbapi_connection"  # what `Connection.connection` gives; it has no public setter


class Watched:
    """The pool's connection, which tells who asks it for a cursor.

    Args:
        behind: The pool's.
        told: Called before somebody else than SQLAlchemy gets a cursor.
    """

    def __init__(self, behind: Any, told: Callable[[], None]) -> None:
        self._behind = behind
        self._told = told

    def cursor(self, *args: Any, **options: Any) -> Any:
        """The driver's cursor."""
        caller = sys._getframe(1).f_globals.get("__name__", "")  # noqa: SLF001 - its documented name
        if not caller.startswith("sqlalchemy."):
            self._told()
        return self._behind.cursor(*args, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)


class Watch:
    """Watches the cursors of one connection.

    Args:
        connection: The one of env.py.
        told: See `Watched`.
    """

    def __init__(self, connection: Connection, told: Callable[[], None]) -> None:
        self._connection: Any = connection
        self._told = told
        self._watched: Watched | None = None

    def attach(self) -> None:
        """Begins to watch."""
        self._watched = Watched(self._connection.connection, self._told)
        setattr(self._connection, _ATTRIBUTE, self._watched)

    def detach(self) -> None:
        """Ends watching; a connection that broke has another one by now, or none."""
        if self._watched is None:
            return
        if vars(self._connection).get(_ATTRIBUTE) is self._watched:
            setattr(self._connection, _ATTRIBUTE, self._watched._behind)  # noqa: SLF001 - ours
        self._watched = None

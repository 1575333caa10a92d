"""How long statements wait for locks on MySQL and MariaDB.

lock_wait_timeout is for tables (metadata locks), innodb_lock_wait_timeout for rows; both count
whole seconds.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError

from bootstrap.backends.sessions import Patience

_OWN = text("SELECT @@lock_wait_timeout AS tables, @@innodb_lock_wait_timeout AS row_locks")
_UNLIMITED = {86_400, 31_536_000}  # seconds: a day and a year, what the servers are delivered with
_FOR_EVER = 31_536_000
# Statements that leave the session's settings alone, unless they name one.
_PLAIN = ("CREATE ", "ALTER ", "DROP ", "RENAME ", "INSERT ", "UPDATE ", "DELETE ", "SELECT ")
_NAME = "wait_timeout"


class MySQLWaits:
    """Sets the limit of the session; the journal sends a statement again that was refused by it."""

    def of(self, connection: Connection) -> Patience:
        """The limit of a connection."""
        return _Limit(connection)


class _Limit:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        own = connection.execute(_OWN).one()
        self._before = (int(own.tables), int(own.row_locks))
        self._changed = False
        self._now: tuple[int, int] | None = self._before  # None when a statement may have set it
        self.configured = own.tables not in _UNLIMITED
        event.listen(connection, "before_cursor_execute", self._seen)

    def limit(self, seconds: float | None) -> None:
        """Sets it; half a second is one."""
        if seconds is not None:
            whole = math.ceil(seconds) or _FOR_EVER
            self._set(whole, whole)
            self._changed = True

    def close(self) -> None:
        """Puts the old ones back."""
        event.remove(self._connection, "before_cursor_execute", self._seen)
        if self._changed and not self._connection.closed:
            with suppress(DBAPIError):
                self._set(*self._before)

    def _set(self, tables: int, rows: int) -> None:
        if self._now == (tables, rows):  # a round trip less for each revision of a long history
            return
        self._connection.exec_driver_sql(
            f"SET SESSION lock_wait_timeout = {tables:d}, innodb_lock_wait_timeout = {rows:d}"
        )
        self._now = (tables, rows)

    def _seen(self, _connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
        """Looks whether a statement may set something; one that runs a procedure may."""
        is_plain = sql.lstrip()[:7].upper().startswith(_PLAIN) and _NAME not in sql.lower()
        self._now = self._now if is_plain else None

"""How long statements wait for locks on MySQL and MariaDB.

lock_wait_timeout is for tables (metadata locks), innodb_lock_wait_timeout for rows; both count
whole seconds.
"""

from __future__ import annotations

import math
from contextlib import suppress

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from bootstrap.backends.sessions import Patience

_OWN = text("SELECT @@lock_wait_timeout AS tables, @@innodb_lock_wait_timeout AS row_locks")
_UNLIMITED = {86_400, 31_536_000}  # seconds: a day and a year, what the servers are delivered with
_FOR_EVER = 31_536_000


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
        self.configured = own.tables not in _UNLIMITED

    def limit(self, seconds: float | None) -> None:
        """Sets it; half a second is one."""
        if seconds is not None:
            whole = math.ceil(seconds) or _FOR_EVER
            self._set(whole, whole)
            self._changed = True

    def close(self) -> None:
        """Puts the old ones back."""
        if self._changed and not self._connection.closed:
            with suppress(DBAPIError):
                self._set(*self._before)

    def _set(self, tables: int, rows: int) -> None:
        self._connection.exec_driver_sql(
            f"SET SESSION lock_wait_timeout = {tables:d}, innodb_lock_wait_timeout = {rows:d}"
        )

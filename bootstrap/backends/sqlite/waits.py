"""How long statements wait for locks on SQLite: busy_timeout."""

from __future__ import annotations

import math
from contextlib import suppress

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from bootstrap.backends.sessions import Patience

_MILLISECONDS = 1000
_DRIVERS_OWN = 5000  # milliseconds: what sqlite3.connect() sets when nobody chooses
_LONGEST = 2**31 - 1  # milliseconds: SQLite has no word for ever


class SQLiteWaits:
    """Sets the limit of a connection; it asks again by itself until then."""

    def of(self, connection: Connection) -> Patience:
        """The limit of a connection."""
        return _Limit(connection)


class _Limit:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._before = int(connection.exec_driver_sql("PRAGMA busy_timeout").scalar() or 0)
        self._changed = False
        self.configured = self._before != _DRIVERS_OWN

    def limit(self, seconds: float | None) -> None:
        """Sets it; 0 waits as long as there is something to wait for."""
        if seconds is not None:
            self._set(math.ceil(seconds * _MILLISECONDS) or _LONGEST)
            self._changed = True

    def close(self) -> None:
        """Puts the old one back."""
        if self._changed and not self._connection.closed:
            with suppress(DBAPIError):
                self._set(self._before)

    def _set(self, milliseconds: int) -> None:
        self._connection.exec_driver_sql(f"PRAGMA busy_timeout = {milliseconds:d}")

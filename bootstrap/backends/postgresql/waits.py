"""How long statements wait for locks on PostgreSQL: lock_timeout, for each transaction.

`SET LOCAL` alone: a plain SET would go with the server's connection to the next client of a pooler.
Outside of transactions nothing is limited: CREATE INDEX CONCURRENTLY, which belongs there, keeps
nobody waiting while it waits, and would leave an invalid index behind.
"""

from __future__ import annotations

import math
from contextlib import suppress

from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError

from bootstrap.backends.postgresql.journal import sessions
from bootstrap.backends.sessions import Patience

_MILLISECONDS = 1000
_OWN = text("SELECT current_setting('lock_timeout')")


class PostgreSQLWaits:
    """Sets the limit at the beginning of each transaction."""

    def of(self, connection: Connection) -> Patience:
        """The limit of a connection."""
        return _Limit(connection)


class _Limit:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._before = str(connection.scalar(_OWN))
        self._wanted: int | None = None
        self.configured = self._before != "0"
        event.listen(connection, "begin", self._begun)

    def limit(self, seconds: float | None) -> None:
        """Sets it, also in the transaction that is open."""
        self._wanted = None if seconds is None else math.ceil(seconds * _MILLISECONDS)
        if self._connection.in_transaction() and not self._autocommits():
            self._write()

    def close(self) -> None:
        """Puts the old one back into a transaction that a program goes on with."""
        event.remove(self._connection, "begin", self._begun)
        if self._wanted is None or self._connection.closed or self._autocommits():
            return
        if self._connection.in_transaction():
            with suppress(DBAPIError):  # it has failed: its end puts back what was there
                self._set(self._before)

    def _begun(self, _connection: Connection) -> None:
        if not self._autocommits():
            self._write()

    def _write(self) -> None:
        if self._wanted is not None:
            self._set(f"{self._wanted}ms")

    def _set(self, value: str) -> None:
        # Not set_config(): under REPEATABLE READ a query fixes what the transaction will see.
        sessions.send(self._connection, f"SET LOCAL lock_timeout = '{value}'")

    def _autocommits(self) -> bool:
        return bool(getattr(self._connection.connection.dbapi_connection, "autocommit", False))

"""How long statements wait for locks on MySQL and MariaDB.

lock_wait_timeout is for tables (metadata locks), innodb_lock_wait_timeout for rows; both count
whole seconds. What a time-out undoes is the statement alone (MySQL manual, "InnoDB Error
Handling"), unless innodb_rollback_on_timeout is on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError

from bootstrap.backends.base import Patience, Reason
from bootstrap.backends.mysql.errors import MySQLErrors

_OWN = text(
    "SELECT @@lock_wait_timeout AS tables, @@innodb_lock_wait_timeout AS row_locks,"
    " @@innodb_rollback_on_timeout AS undoes_all"
)
_UNLIMITED = {86_400, 31_536_000}  # seconds: a day and a year, what the servers are delivered with
_FOR_EVER = 31_536_000


class MySQLWaits:
    """Sets the limit of the session."""

    def of(self, connection: Connection, *, again: Callable[[], bool]) -> Patience:
        """The limit of a connection, which sends a statement again that was refused by it."""
        return _Limit(connection, again)


class _Limit:
    def __init__(self, connection: Connection, again: Callable[[], bool]) -> None:
        self._connection = connection
        self._engine = connection.engine
        self._again = again
        own = connection.execute(_OWN).one()
        self._before = (int(own.tables), int(own.row_locks))
        self._changed = False
        self.configured = own.tables not in _UNLIMITED
        self.outside = False
        self._alone = not own.undoes_all
        for name, send in self._senders().items():
            event.listen(self._engine, name, send)

    def limit(self, seconds: float | None) -> None:
        """Sets it; half a second is one."""
        if seconds is not None:
            whole = math.ceil(seconds) or _FOR_EVER
            self._set(whole, whole)
            self._changed = True

    def close(self) -> None:
        """Puts the old ones back."""
        for name, send in self._senders().items():
            event.remove(self._engine, name, send)
        if self._changed and not self._connection.closed:
            with suppress(DBAPIError):
                self._set(*self._before)

    def _set(self, tables: int, rows: int) -> None:
        self._connection.exec_driver_sql(
            f"SET SESSION lock_wait_timeout = {tables:d}, innodb_lock_wait_timeout = {rows:d}"
        )

    def _senders(self) -> dict[str, Callable[..., bool]]:
        return {"do_execute": self._execute, "do_executemany": self._executemany}

    def _execute(self, cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
        send = self._connection.dialect.do_execute
        return self._sent(context, lambda: send(cursor, statement, parameters, context))

    def _executemany(self, cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
        if len(parameters) > 1:
            return False  # the driver sends one after the other: some of them may be done
        send = self._connection.dialect.do_executemany
        return self._sent(context, lambda: send(cursor, statement, parameters, context))

    def _sent(self, context: Any, send: Callable[[], None]) -> bool:
        """Sends a statement of ours, again if need be; tells whether it was ours."""
        if context.root_connection is not self._connection or not self._alone:
            return False
        while True:
            try:
                send()
            except Exception as error:
                if not _is_busy(error) or not self._again():
                    raise
            else:
                return True


def _is_busy(error: Exception) -> bool:
    failure = MySQLErrors().translate(error)
    return failure is not None and failure.reason is Reason.BUSY

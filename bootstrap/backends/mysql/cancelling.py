"""Ends a statement on MySQL and MariaDB: KILL QUERY.

A client that has closed its connection leaves its ALTER TABLE running, and its id in the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, column, select, table, text
from sqlalchemy.exc import DBAPIError

from bootstrap.backends.base import Connecting, Engines
from bootstrap.backends.engine import look
from bootstrap.backends.mysql.blocking import blockers
from bootstrap.backends.mysql.errors import MySQLErrors
from bootstrap.backends.sessions import Blocker, Cancellable

_NO_SUCH_THREAD = "1094"
_NAMES = ("thread_id", "connection_id")  # PyMySQL, aiomysql, asyncmy, mysqlclient; the others
_TOLD = 2**32  # the greeting of a server has four bytes for an id that may have eight
_OWN = text("SELECT CONNECTION_ID(), USER(), DATABASE()")
_RESTS = ("Sleep", "Daemon")


class MySQLCancelling:
    """Finds out whether the connection leads straight to its server."""

    def of(self, connection: Connection, *, spare: str) -> Cancellable | None:
        """The connection's id; None behind a proxy, where the server has another one for it."""
        own, user, database = connection.execute(_OWN).one()
        if told_at_login(connection.connection.driver_connection) != own % _TOLD:
            return None
        return _Session(own=own, user=user.rpartition("@")[0], database=database, spare=spare)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    own: int
    user: str  # a server that was started anew counts from one again
    database: str | None
    spare: str

    async def cancel(self, engines: Engines, connecting: Connecting) -> bool:
        """Kills the statement, if one is running."""
        try:
            async with look(engines, connecting) as connection:
                mariadb = getattr(connection.dialect, "is_mariadb", False)
                row = (await connection.execute(self._look(mariadb=mariadb))).first()
                if row is None or row.command in _RESTS:
                    return False
                if self.spare not in (row.info or ""):
                    await connection.exec_driver_sql(f"KILL QUERY {self.own:d}")
                return True
        except DBAPIError as error:
            failure = MySQLErrors().translate(error)
            if failure is None or failure.code != _NO_SUCH_THREAD:
                raise
            return False

    async def end(self, engines: Engines, connecting: Connecting) -> bool:
        """Lets its statement go on: the journal waits for that, and knows then what was done."""
        return False

    async def blockers(self, engines: Engines, connecting: Connecting) -> tuple[Blocker, ...]:
        """Asks the server."""
        async with look(engines, connecting) as connection:
            return await blockers(connection, own=self.own)

    def _look(self, *, mariadb: bool) -> Any:
        # MySQL 9 warns about the old table; MariaDB may run without the performance schema.
        names = ("id", "user", "db", "command", "info")
        there = table(
            "processlist",
            *(column(name) for name in names),
            schema="information_schema" if mariadb else "performance_schema",
        )
        mine = (there.c.id == self.own) & (there.c.user == self.user)
        return select(there).where(mine, there.c.db == self.database)


def told_at_login(raw: Any) -> int | None:
    """The id that the driver knows; None for a driver that keeps it to itself."""
    for name in _NAMES:
        if (found := getattr(raw, name, None)) is not None:
            return int(found() if callable(found) else found) % _TOLD
    return None

"""Ends a statement on PostgreSQL: by the server's process, or behind a pooler by the driver.

A process id that is used again belongs to somebody else, and so does the process behind a pooler
as soon as the transaction is over. A pooler shows itself by the process id that the driver was told
at its login, which is not the one that answers.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from bootstrap.backends.base import Connecting, Engines
from bootstrap.backends.engine import look
from bootstrap.backends.postgresql.blocking import blockers
from bootstrap.backends.postgresql.journal.statements import MARKED
from bootstrap.backends.sessions import Blocker, Cancellable

# As text, for every driver has its own idea of a timestamp.
_OWN = text(
    "SELECT pid, extract(epoch FROM backend_start)::text AS begun"
    " FROM pg_stat_activity WHERE pid = pg_backend_pid()"
)
_CANCEL = text(
    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
    " WHERE pid = :pid AND extract(epoch FROM backend_start)::text = :begun"
    " AND state = 'active' AND position(:spare IN query) = 0"
    # What was cancelled is undone by this one; it needs no hurry.
    " AND query NOT ILIKE 'rollback%'"
)
_END = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE pid = :pid AND extract(epoch FROM backend_start)::text = :begun"
    " AND NOT (state = 'active' AND position(:marked IN query) = 1)"
)


class PostgreSQLCancelling:
    """Finds out whether the connection leads straight to its server."""

    def of(self, connection: Connection, *, spare: str) -> Cancellable | None:
        """The server's process; the driver itself where that belongs to a pooler."""
        raw = connection.connection.driver_connection
        told = told_at_login(raw)
        if told is None:
            return None
        row = connection.execute(_OWN).first()
        if row is not None and row.pid == told:
            return _Process(pid=row.pid, begun=row.begun, spare=spare)
        return _BehindPooler(raw=raw) if hasattr(raw, "cancel") else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Process:
    pid: int
    begun: str
    spare: str

    async def cancel(self, engines: Engines, connecting: Connecting) -> bool:
        """Asks the server (pg_cancel_backend)."""
        values = {"pid": self.pid, "begun": self.begun, "spare": self.spare}
        async with look(engines, connecting) as connection:
            return (await connection.execute(_CANCEL, values)).first() is not None

    async def end(self, engines: Engines, connecting: Connecting) -> bool:
        """Ends the process, and with it its transaction and locks (pg_terminate_backend).

        What cannot run in a transaction may come to its end: the journal waits for that, and
        knows then what was done.
        """
        async with look(engines, connecting) as connection:
            values = {"pid": self.pid, "begun": self.begun, "marked": MARKED}
            return (await connection.execute(_END, values)).first() is not None

    async def blockers(self, engines: Engines, connecting: Connecting) -> tuple[Blocker, ...]:
        """Asks the server (pg_blocking_pids)."""
        async with look(engines, connecting) as connection:
            return await blockers(connection, pid=self.pid)


@dataclass(frozen=True, slots=True, kw_only=True)
class _BehindPooler:
    raw: Any  # a connection of psycopg or psycopg2

    async def cancel(self, engines: Engines, connecting: Connecting) -> bool:
        """Sends the driver's own request, which the pooler passes on if there is a statement."""
        await asyncio.to_thread(self.raw.cancel)
        return False

    async def end(self, engines: Engines, connecting: Connecting) -> bool:
        """Leaves it to the pooler, which closes the connection of a client that is gone."""
        return False

    async def blockers(self, engines: Engines, connecting: Connecting) -> tuple[Blocker, ...]:
        """Nobody knows which of the pooler's connections it is."""
        return ()


def told_at_login(raw: Any) -> int | None:
    """The process id that the driver knows; None for a driver that keeps it to itself."""
    if hasattr(raw, "get_server_pid"):  # asyncpg
        return int(raw.get_server_pid())
    pid = getattr(getattr(raw, "info", None), "backend_pid", None)  # psycopg, psycopg2
    return None if pid is None else int(pid)

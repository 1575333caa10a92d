"""The run lock on PostgreSQL: an advisory lock in a transaction that stays open.

A transaction and not a session holds it, so that it keeps its server connection behind PgBouncer
in transaction mode too; there a session's lock would stay on a pooled connection.

Everything on this connection goes by the simple query protocol and reads no table. Through a
prepared statement the open portal keeps a snapshot, and `CREATE INDEX CONCURRENTLY` in the
migration would wait for its own tool's lock for ever; so it would at REPEATABLE READ.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap.backends.base import Connecting, Engines
from bootstrap.backends.engine import CLOSING, close
from bootstrap.backends.sessions import Holder, Owner

_MARK = "bootstrap run"  # begins the application_name of a holder
_OWNER = re.compile(rf"{_MARK} (?P<pid>\d+) (?P<user>[^@]*)@(?P<host>.*)")
_LIMIT = 63  # bytes of an application_name (NAMEDATALEN - 1)
_TRANSACTION_TIMEOUT = (17,)  # the first version that has it
# A bigint key: its halves are classid and objid, and objsubid is 1 (pg_locks in the manual).
_HOLDER = text(
    "SELECT l.pid, a.application_name, a.xact_start"
    " FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND l.classid::bigint = :high AND l.objid::bigint = :low"
)
_END = text("SELECT pg_terminate_backend(:pid)")


class PostgreSQLLocks:
    """Locks inside of one database; another one has its own."""

    async def open(
        self, engines: Engines, connecting: Connecting, *, name: str, owner: Owner
    ) -> PostgreSQLLockSession:
        """Opens the connection for a lock; nothing is taken yet."""
        connection = await engines.create(connecting).connect()
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        return PostgreSQLLockSession(connection, name=name, owner=owner)


class PostgreSQLLockSession:
    """One connection, and the transaction in which it holds the lock."""

    def __init__(self, connection: AsyncConnection, *, name: str, owner: Owner) -> None:
        self._connection = connection
        self._owner = owner
        self._key = int.from_bytes(_digest(name)[:8], "big", signed=True)
        self._held = False
        self._raw: Any = None

    async def acquire(self) -> bool:
        """Tries once; a transaction is left open only when the lock was to be had."""
        await self._run(f"BEGIN ISOLATION LEVEL READ COMMITTED; {self._settings()}")
        rows = await self._run(f"SELECT 1 WHERE pg_try_advisory_xact_lock({self._key})")
        self._held = rows == 1
        if not self._held:
            await self._run("ROLLBACK")
        return self._held

    async def announce(self) -> None:
        """The connection's application_name says it already."""

    async def is_held(self) -> bool:
        """A transaction that answers still has its locks."""
        if not self._held:
            return False
        try:
            await self._run("SELECT 1")
        except Exception:  # noqa: BLE001 - whatever the driver says: the lock is not proved
            self._held = False
        return self._held

    def has_gone(self) -> bool:
        """Whether the server has closed the connection: asyncpg hears of it at once.

        psycopg hears of it when it asks next.
        """
        if not self._held:
            return True
        is_closed = getattr(self._raw, "is_closed", None)
        return is_closed is not None and bool(is_closed())

    async def holder(self) -> Holder | None:
        """Who holds it; a login without rights on the other's sees the backend's pid only."""
        unsigned = self._key % 2**64
        halves = {"high": unsigned >> 32, "low": unsigned & 0xFFFFFFFF}
        async with self._transaction():
            row = (await self._connection.execute(_HOLDER, halves)).first()
        if row is None:
            return None
        return Holder(
            session=str(row.pid), owner=_owner(row.application_name or ""), since=row.xact_start
        )

    async def end_holder(self) -> bool:
        """Ends the connection that holds it (pg_terminate_backend)."""
        holder = await self.holder()
        if holder is None:
            return False
        async with self._transaction():
            return bool(await self._connection.scalar(_END, {"pid": int(holder.session)}))

    async def close(self) -> None:
        """Ends the transaction with the connection; never raises."""
        if self._held:
            with suppress(Exception):  # the server ends it with the connection as well
                async with asyncio.timeout(CLOSING):
                    await self._run("ROLLBACK")
        self._held = False
        await close(self._connection)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        """Keeps one server connection behind a pooler: a prepared statement needs it twice."""
        await self._run("BEGIN")
        try:
            yield
        finally:
            await self._run("ROLLBACK")

    def _settings(self) -> str:
        """SET LOCAL: a plain SET would stay on a pooler's connection for whoever comes next."""
        settings = {
            "application_name": _application_name(self._owner),
            "idle_in_transaction_session_timeout": "0",
        }
        if (self._connection.dialect.server_version_info or ()) >= _TRANSACTION_TIMEOUT:
            settings["transaction_timeout"] = "0"
        return "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in settings.items())

    async def _run(self, sql: str) -> int:
        """Runs SQL without parameters by the simple protocol, and counts the rows it gives.

        asyncpg answers with the command's tag, such as `SELECT 1`, psycopg with a cursor.
        """
        self._raw = (await self._connection.get_raw_connection()).driver_connection
        answer = await self._raw.execute(sql)
        if isinstance(answer, str):
            count = answer.rpartition(" ")[2]
            return int(count) if count.isdigit() else 0
        return int(answer.rowcount)


def _digest(name: str) -> bytes:
    return hashlib.sha256(f"bootstrap run lock {name}".encode()).digest()


def _application_name(owner: Owner) -> str:
    """As much as fits; only letters that need no quoting, and that every encoding has."""
    said = f"{_MARK} {owner.pid} {owner.user}@{owner.host}"
    return re.sub(r"[^\w .@-]", "_", said, flags=re.ASCII)[:_LIMIT]


def _owner(application_name: str) -> Owner | None:
    found = _OWNER.fullmatch(application_name)
    return found and Owner(pid=int(found["pid"]), user=found["user"], host=found["host"])

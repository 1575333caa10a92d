"""The run lock on MySQL and MariaDB: a user-level lock, and a table that says whose it is.

GET_LOCK's names are the server's and not a database's, and 64 characters long at most (MySQL
manual, "Locking Functions"; MariaDB has no such limit stated, and refuses longer ones too). The
server tells which connection holds one, and no more: host, process and time stand in a table, for
as long as a run has something to do.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from datetime import UTC
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap.backends.base import Connecting, Engines
from bootstrap.backends.engine import CLOSING, close
from bootstrap.backends.mysql.errors import MySQLErrors
from bootstrap.backends.sessions import Holder, Owner

_LONG = 28_800  # seconds: the server's own default for wait_timeout
_NO_SUCH_THREAD = "1094"
# no such table; not under this definition any more; MariaDB: being dropped while it is opened; a
# connection without a database, where no table is
_NO_TABLE_NOW = {"1146", "1412", "1684", "1046"}
_TABLE = Table(
    "bootstrap_lock",
    MetaData(),
    Column("name", String(64), primary_key=True),
    Column("session", BigInteger, nullable=False),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("os_user", String(255), nullable=False),
    Column("since", DateTime().with_variant(DATETIME(fsp=6), "mysql", "mariadb"), nullable=False),
    mysql_charset="utf8mb4",
    mysql_engine="InnoDB",
)
_NOW = text("SELECT UTC_TIMESTAMP(6)")
_WAIT_TIMEOUT = text("SET SESSION wait_timeout = :seconds")
_IS_MINE = "SELECT IS_USED_LOCK(%s) = CONNECTION_ID()"


class MySQLLocks:
    """Locks of a server, whose names are derived from the database."""

    async def open(
        self, engines: Engines, connecting: Connecting, *, name: str, owner: Owner
    ) -> MySQLLockSession:
        """Opens the connection for a lock; nothing is taken yet."""
        connection = await engines.create(connecting).connect()
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(_WAIT_TIMEOUT, {"seconds": _LONG})
        database = await connection.scalar(select(func.database()))
        return MySQLLockSession(connection, name=_name(str(database), name), owner=owner)


class MySQLLockSession:
    """One connection in autocommit mode: an open transaction would hold a metadata lock."""

    def __init__(self, connection: AsyncConnection, *, name: str, owner: Owner) -> None:
        self._connection = connection
        self._name = name
        self._owner = owner
        self._announced = False
        self._raw: Any = None

    async def acquire(self) -> bool:
        """Tries once, without waiting, and tells whether the lock is held now."""
        return await self._connection.scalar(select(func.get_lock(self._name, 0))) == 1

    async def announce(self) -> None:
        """Writes down whose it is; without the right to make a table nobody will know."""
        own = {
            "name": self._name,
            "session": await self._connection.scalar(select(func.connection_id())),
            "host": self._owner.host,
            "pid": self._owner.pid,
            "os_user": self._owner.user,
            "since": await self._connection.scalar(_NOW),
        }
        try:
            await self._connection.run_sync(_TABLE.create, checkfirst=True)
            await self._connection.execute(delete(_TABLE).where(_TABLE.c.name == self._name))
            await self._connection.execute(insert(_TABLE), own)
        except DBAPIError:
            return
        self._announced = True

    async def is_held(self) -> bool:
        """Asks the server; false when there is no answer.

        Asked before each revision, and so by the driver itself, which takes a third of the time.
        """
        try:
            self._raw = (await self._connection.get_raw_connection()).driver_connection
            async with self._raw.cursor() as cursor:
                await cursor.execute(_IS_MINE, (self._name,))
                return bool(await cursor.fetchone() == (1,))
        except Exception:  # noqa: BLE001 - whatever the driver says: the lock is not proved
            return False

    def has_gone(self) -> bool:
        """Whether the server has closed the connection since it was last asked."""
        reader = getattr(self._raw, "_reader", None)  # aiomysql's and asyncmy's
        return reader is not None and bool(reader.at_eof())

    async def holder(self) -> Holder | None:
        """Who holds it: the connection, and the process when that has been written down."""
        session = await self._connection.scalar(select(func.is_used_lock(self._name)))
        if session is None:
            return None
        row = await self._written(session)
        if row is None:
            return Holder(session=str(session))
        owner = Owner(host=row.host, pid=row.pid, user=row.os_user)
        return Holder(session=str(session), owner=owner, since=row.since.replace(tzinfo=UTC))

    async def end_holder(self) -> bool:
        """Ends the connection that holds it (KILL)."""
        holder = await self.holder()
        if holder is None:
            return False
        try:
            await self._connection.exec_driver_sql(f"KILL {int(holder.session):d}")
        except DBAPIError as error:
            failure = MySQLErrors().translate(error)
            if failure is None or failure.code != _NO_SUCH_THREAD:
                raise
        return True

    async def close(self) -> None:
        """The server gives the lock back with the connection; never raises."""
        with suppress(DBAPIError, TimeoutError):
            async with asyncio.timeout(CLOSING):
                if await self.is_held() and (self._announced or await self._is_written()):
                    await self._connection.run_sync(_TABLE.drop, checkfirst=True)
        await close(self._connection)

    async def _is_written(self) -> bool:
        """Whether a killed run has left its row, where this one had nothing to announce."""
        mine = select(_TABLE.c.session).where(_TABLE.c.name == self._name)
        return (await self._connection.execute(mine)).first() is not None

    async def _written(self, session: int) -> Row[tuple[object, ...]] | None:
        """The row of the connection that holds the lock; another's was left by a killed run."""
        theirs = (_TABLE.c.name == self._name) & (_TABLE.c.session == session)
        try:
            return (await self._connection.execute(select(_TABLE).where(theirs))).first()
        except DBAPIError as error:
            # Asking first whether it is there would not do: a run that ends drops it meanwhile.
            failure = MySQLErrors().translate(error)
            if failure is None or failure.code not in _NO_TABLE_NOW:
                raise
            return None


def _name(database: str, name: str) -> str:
    """Short enough for both servers, and one name for all spellings of the database.

    With lower_case_table_names = 2, DATABASE() answers as the client wrote it; two databases that
    differ by case alone wait for each other, which harms nobody.
    """
    return "bootstrap_" + hashlib.sha256(f"{database.lower()}\0{name}".encode()).hexdigest()[:40]

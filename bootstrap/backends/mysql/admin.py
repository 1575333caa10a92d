"""Creates and drops databases of MySQL and MariaDB."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from sqlalchemy import column, func, literal_column, select, table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap.backends.base import Connecting, CreateOptions, Engines, Session
from bootstrap.backends.mysql.errors import MySQLErrors
from bootstrap.backends.server_admin import ServerAdmin

_NO_SUCH_THREAD = "1094"  # the session has ended by itself
_NODES = "SHOW GLOBAL STATUS LIKE 'wsrep_cluster_size'"


class MySQLAdmin(ServerAdmin):
    """Works through a connection that has no database selected."""

    port = 3306
    errors = MySQLErrors()

    async def create(
        self, engines: Engines, connecting: Connecting, options: CreateOptions
    ) -> None:
        """Creates the database with utf8mb4, the only character set that holds all of Unicode."""
        async with nowhere(engines, connecting) as connection:
            await create(connection, connecting.url.database or "", options)

    async def drop(self, engines: Engines, connecting: Connecting, *, force: bool) -> None:
        """Drops the database; `force` ends the sessions of others first."""
        async with nowhere(engines, connecting) as connection:
            await drop(connection, connecting.url.database or "", force=force)

    async def sessions(self, engines: Engines, connecting: Connecting) -> tuple[Session, ...]:
        """The sessions of others on the database, as far as the PROCESS right shows them."""
        async with nowhere(engines, connecting) as connection:
            return await _sessions(connection, connecting.url.database or "")

    def lobby(self, connecting: Connecting) -> Connecting:
        """No database at all."""
        return replace(connecting, url=connecting.url.set(database=""))

    async def names(self, engines: Engines, connecting: Connecting) -> tuple[str, ...]:
        """The databases on which the account has rights; none in a cluster of several nodes.

        There the locks and sessions of another node are not seen (Galera, "Known Limitations").
        """
        async with nowhere(engines, connecting) as connection:
            nodes = (await connection.exec_driver_sql(_NODES)).scalars(1).first()
            if int(nodes or 1) > 1:
                return ()
            found = await connection.exec_driver_sql("SHOW DATABASES")
            return tuple(sorted(found.scalars()))

    def grant(self, account: str) -> str:
        """The statement that lets an account create throwaway databases; its host is not known."""
        named = account.replace("'", "''")
        return rf"GRANT ALL ON `throwaway\_%`.* TO '{named}'"


async def create(connection: AsyncConnection, name: str, options: CreateOptions) -> None:
    """Creates a database, with utf8mb4 where nothing else is asked for.

    Args:
        connection: To anywhere on the server.
        name: Of the database.
        options: How it is made.
    """
    encoding, collation = options.encoding or "utf8mb4", options.collation
    quote = connection.dialect.identifier_preparer.quote_identifier
    await connection.exec_driver_sql(
        f"CREATE DATABASE {quote(name)} CHARACTER SET {quote(encoding)}"
        + (f" COLLATE {quote(collation)}" if collation else "")
    )


async def drop(connection: AsyncConnection, name: str, *, force: bool) -> None:
    """Drops a database.

    Args:
        connection: To anywhere else on the server.
        name: Of the database.
        force: Whether to end the sessions of others first.
    """
    for session in await _sessions(connection, name) if force else ():
        await _kill(connection, session)
    quote = connection.dialect.identifier_preparer.quote_identifier
    await connection.exec_driver_sql(f"DROP DATABASE {quote(name)}")


async def _sessions(connection: AsyncConnection, name: str) -> tuple[Session, ...]:
    # MySQL 9 warns about the old table; MariaDB may run without the performance schema.
    mariadb = getattr(connection.dialect, "is_mariadb", False)
    schema = "information_schema" if mariadb else "performance_schema"
    processes = table("processlist", column("id"), column("user"), schema=schema)
    mine = processes.c.id == func.connection_id()
    here = select(processes).where(literal_column("db") == name, ~mine)
    rows = await connection.execute(here)
    return tuple(Session(pid=row.id, user=row.user, application="") for row in rows)


async def _kill(connection: AsyncConnection, session: Session) -> None:
    try:
        await connection.exec_driver_sql(f"KILL {session.pid:d}")
    except DBAPIError as error:
        failure = MySQLErrors().translate(error)
        if failure is None or failure.code != _NO_SUCH_THREAD:
            raise


@asynccontextmanager
async def nowhere(engines: Engines, connecting: Connecting) -> AsyncIterator[AsyncConnection]:
    """A connection without a database."""
    engine = engines.create(MySQLAdmin().lobby(connecting))
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()

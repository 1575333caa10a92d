"""Creates and drops PostgreSQL databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from sqlalchemy import Dialect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap.backends.base import Connecting, CreateOptions, Engines, Reason, Session
from bootstrap.backends.postgresql.errors import PostgreSQLErrors
from bootstrap.backends.server_admin import ServerAdmin

_MAINTENANCE = ("postgres", "template1")  # the databases that every cluster has
_TOO_FEW_RIGHTS_TO_LOOK = "<hidden>"
_NAMES = text("SELECT datname FROM pg_database ORDER BY 1")
_SESSIONS = text(
    "SELECT pid, coalesce(usename, :hidden), coalesce(application_name, '')"
    " FROM pg_stat_activity WHERE datname = :name AND pid <> pg_backend_pid()"
    # An autovacuum worker is no hindrance: DROP DATABASE ends it.
    " AND backend_type IS DISTINCT FROM 'autovacuum worker' ORDER BY pid"
)


class PostgreSQLAdmin(ServerAdmin):
    """Works through the cluster's maintenance database."""

    port = 5432
    errors = PostgreSQLErrors()

    async def create(
        self, engines: Engines, connecting: Connecting, options: CreateOptions
    ) -> None:
        """Creates the database. The driver's own exception when it is there already."""
        async with maintenance(engines, connecting) as connection:
            sql = creating(connecting.url.database or "", options, dialect=connection.dialect)
            await connection.exec_driver_sql(sql)

    def lobby(self, connecting: Connecting) -> Connecting:
        """The database that every cluster should have; not that which new ones are copied from."""
        return replace(connecting, url=connecting.url.set(database=_MAINTENANCE[0]))

    async def names(self, engines: Engines, connecting: Connecting) -> tuple[str, ...]:
        """All databases of the cluster."""
        async with maintenance(engines, connecting) as connection:
            return tuple((await connection.execute(_NAMES)).scalars())

    def grant(self, account: str) -> str:
        """The statement that lets an account create throwaway databases."""
        named = account.replace('"', '""')
        return f'ALTER ROLE "{named}" CREATEDB'

    async def drop(self, engines: Engines, connecting: Connecting, *, force: bool) -> None:
        """Drops the database; `force` ends the sessions of others first."""
        async with maintenance(engines, connecting) as connection:
            quote = connection.dialect.identifier_preparer.quote_identifier
            ending = " WITH (FORCE)" if force else ""
            name = quote(connecting.url.database or "")
            await connection.exec_driver_sql(f"DROP DATABASE {name}{ending}")

    async def sessions(self, engines: Engines, connecting: Connecting) -> tuple[Session, ...]:
        """The sessions of others on the database, as far as rights show them."""
        values = {"name": connecting.url.database, "hidden": _TOO_FEW_RIGHTS_TO_LOOK}
        async with maintenance(engines, connecting) as connection:
            rows = await connection.execute(_SESSIONS, values)
            return tuple(Session(pid=row[0], user=row[1], application=row[2]) for row in rows)


def creating(name: str, options: CreateOptions, *, dialect: Dialect) -> str:
    """The statement that creates a database."""
    quote = dialect.identifier_preparer.quote_identifier
    sql = f"CREATE DATABASE {quote(name)}"
    if options.owner:
        sql += f" OWNER {quote(options.owner)}"
    if options.encoding:
        sql += f" ENCODING {quote(options.encoding)}"
    # Only template0 may be copied with another encoding than its own (CREATE DATABASE, Notes).
    template = options.template or ("template0" if options.encoding else None)
    return f"{sql} TEMPLATE {quote(template)}" if template else sql


@asynccontextmanager
async def maintenance(engines: Engines, connecting: Connecting) -> AsyncIterator[AsyncConnection]:
    """A connection in autocommit mode to the first maintenance database that is there."""
    for name in (name for name in _MAINTENANCE if name != connecting.url.database):
        elsewhere = Connecting(
            url=connecting.url.set(database=name), arguments=connecting.arguments
        )
        engine = engines.create(elsewhere)
        try:
            connection = await engine.connect()
        except DBAPIError as error:
            await engine.dispose()
            if name == _MAINTENANCE[0] and PostgreSQLAdmin().reason(error) is Reason.NO_DATABASE:
                continue
            raise
        try:
            yield await connection.execution_options(isolation_level="AUTOCOMMIT")
        finally:
            await connection.close()
            await engine.dispose()
        return

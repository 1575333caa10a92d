"""Copies PostgreSQL databases by CREATE DATABASE ... TEMPLATE."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bootstrap.backends.base import Connecting, Engines, PooledEngines
from bootstrap.backends.postgresql.admin import PostgreSQLAdmin, maintenance
from bootstrap.backends.postgresql.copying import PostgreSQLCopier, copier

_STATE = text("SELECT datistemplate AND NOT datallowconn FROM pg_database WHERE datname = :name")


class PostgreSQLTemplates:
    """A complete template is one that nobody can connect to: only then can it be copied.

    The server copies it file by file or block by block, whichever is faster for its size. What is
    set by ALTER DATABASE ... SET, and the rights on the database itself, are not copied with it.
    """

    async def version(self, engines: Engines, connecting: Connecting) -> str:
        """What the server says of itself."""
        async with maintenance(engines, connecting) as connection:
            return str((await connection.exec_driver_sql("SHOW server_version")).scalar_one())

    async def is_complete(self, engines: Engines, template: Connecting) -> bool:
        """Whether it is there, with all that belongs into it."""
        async with maintenance(engines, template) as connection:
            found = await connection.execute(_STATE, {"name": template.url.database})
            return bool(found.scalar())

    async def complete(self, engines: Engines, template: Connecting) -> None:
        """Says that all is in it; from now on it is copied only."""
        await self._alter(engines, template, "IS_TEMPLATE true ALLOW_CONNECTIONS false")

    async def remove(self, engines: Engines, template: Connecting) -> None:
        """Drops it."""
        await self._alter(engines, template, "IS_TEMPLATE false")
        await PostgreSQLAdmin().drop(engines, template, force=True)

    async def copier(self, engines: PooledEngines, template: Connecting) -> PostgreSQLCopier:
        """What copies it, as often as wanted."""
        return await copier(engines, template)

    async def _alter(self, engines: Engines, template: Connecting, what: str) -> None:
        async with maintenance(engines, template) as connection:
            name = connection.dialect.identifier_preparer.quote_identifier(
                template.url.database or ""
            )
            await connection.exec_driver_sql(f"ALTER DATABASE {name} WITH {what}")

    def allow_savepoints(self, engine: AsyncEngine) -> None:
        """The server does."""

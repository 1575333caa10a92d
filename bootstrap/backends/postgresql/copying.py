"""Copies a template, and hands a used copy out again where it is as the template is.

A copy that is used again takes another name: who has kept the old one, such as a thread that a test
has left behind, finds nothing there, as if the copy were dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bootstrap.backends.base import Connecting, CreateOptions, Pool, PooledEngines
from bootstrap.backends.engine import Elsewhere
from bootstrap.backends.postgresql.admin import creating, maintenance
from bootstrap.backends.postgresql.renewing import Analyzed, Content, Watch

_WHERE = text("SELECT current_database()")
_LATER = text("SELECT mod(txid_snapshot_xmax(txid_current_snapshot()), 4294967296)")
# What is not in the database and belongs to it; not what it is called, and what VACUUM writes.
_SETTINGS = text(
    """
SELECT concat_ws(' ',
        to_jsonb(d) - CAST('{oid,datname,datfrozenxid,datminmxid}' AS text[]),
        (SELECT count(*) FROM pg_db_role_setting WHERE setdatabase = d.oid),
        (SELECT count(*) FROM pg_shdescription
            WHERE objoid = d.oid AND classoid = CAST('pg_database' AS regclass)),
        (SELECT count(*) FROM pg_shseclabel
            WHERE objoid = d.oid AND classoid = CAST('pg_database' AS regclass)),
        (SELECT count(*) FROM pg_subscription WHERE subdbid = d.oid),
        (SELECT count(*) FROM pg_get_replication_slots() AS slot WHERE slot.datoid = d.oid),
        (SELECT count(*) FROM pg_prepared_xact() AS prepared WHERE prepared.dbid = d.oid)
    ) FROM pg_database d WHERE datname = :name
"""
)
# Who is about to connect has a lock on the database first, and is in pg_stat_activity then: so that
# is asked second. The functions are what the views of these names consist of.
_USERS = text(
    """
SELECT (SELECT count(*) FROM pg_lock_status() AS lock
        WHERE lock.locktype = 'object' AND lock.objid = d.oid
            AND lock.classid = CAST('pg_database' AS regclass))
    + (SELECT count(*) FROM pg_stat_get_activity(NULL) AS activity
        WHERE activity.datid = d.oid)
FROM pg_database d WHERE datname = :name
"""
)
# Who has closed a connection does not wait until the server knows.
_PAUSES = (0.0, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032)


async def copier(engines: PooledEngines, template: Connecting) -> PostgreSQLCopier:
    """Makes what copies a complete template.

    Args:
        engines: What connects.
        template: Which.
    """
    async with maintenance(engines, template) as connection:
        lobby = (await connection.execute(_WHERE)).scalar_one()
    server = replace(template, url=template.url.set(database=lobby))
    # A connection that is kept in template1 would be in the way of CREATE DATABASE.
    kept = lobby != "template1"
    return PostgreSQLCopier(
        template,
        server=engines.pooled(server, Pool(size=1)) if kept else engines.create(server),
        copies=Elsewhere(engines, template),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Original:
    """A copy that nobody has used: what is in it, and what the server knows of it."""

    content: Content
    settings: str


class PostgreSQLCopier:
    """Copies one template.

    Args:
        template: Which.
        server: What connects to the server beside all copies.
        copies: What connects to copies.
    """

    def __init__(
        self,
        template: Connecting,
        *,
        server: AsyncEngine,
        copies: Elsewhere,
    ) -> None:
        self._options = CreateOptions(template=_name(template))
        self._server = server.execution_options(isolation_level="AUTOCOMMIT")
        self._copies = copies
        self._made = 0
        self._original: _Original | None = None
        self._comparable: set[str] = set()  # copies that nobody had when that was read

    async def copy(self, to: Connecting) -> None:
        """Makes a database as the template is."""
        async with self._server.connect() as server:
            sql = creating(_name(to), self._options, dialect=server.dialect)
            await server.exec_driver_sql(sql)
            self._made += 1
            if self._made > 1 and self._original is None:
                with suppress(Exception):  # what cannot be told is never used again
                    self._original = await self._looked_at(server, to)
                    self._comparable.clear()
            if self._original is not None:
                self._comparable.add(_name(to))

    async def renew(self, used: Connecting, to: Connecting) -> bool:
        """Makes of a used copy one of another name that is as the template is, or drops it."""
        try:
            if await self._is_renewed(used, to):
                return True
        except Analyzed:  # perhaps the template was too: what is compared with is read anew
            self._original = None
        except Exception:  # noqa: BLE001, S110 - it cannot be told, and a new copy is as good
            pass
        async with self._server.connect() as server:
            for one in (used, to):
                name = _quoted(server, one)
                await server.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        return False

    async def close(self) -> None:
        """Closes the connections."""
        await self._copies.close()
        await self._server.dispose()

    async def _looked_at(self, server: AsyncConnection, copy: Connecting) -> _Original:
        settings = await _settings(server, copy)
        later = (await server.execute(_LATER)).scalar_one()  # than all that is in a new copy
        async with self._watch(copy) as watch:
            return _Original(content=await watch.read(later), settings=settings)

    async def _is_renewed(self, used: Connecting, to: Connecting) -> bool:
        original = self._original
        comparable = _name(used) in self._comparable
        self._comparable.discard(_name(used))
        if original is None or not comparable or not original.content.is_fit:
            return False
        async with self._server.connect() as server:
            if not await _is_free(server, used):
                return False
            await _rename(server, used, to)
            if original.settings != await _settings(server, to):
                return False
        async with self._watch(to) as watch:
            if not await watch.is_renewed(original.content):
                return False
        if original is not self._original:  # it was read anew meanwhile
            return False
        self._comparable.add(_name(to))
        return True

    @asynccontextmanager
    async def _watch(self, copy: Connecting) -> AsyncIterator[Watch]:
        watch = Watch(await self._copies.connect(copy))
        try:
            yield watch
        finally:
            await watch.close()


async def _rename(server: AsyncConnection, used: Connecting, to: Connecting) -> None:
    """Renames a database; refused while anybody is connected to it."""
    old, new = _quoted(server, used), _quoted(server, to)
    await server.exec_driver_sql(f"ALTER DATABASE {old} RENAME TO {new}")


async def _settings(server: AsyncConnection, copy: Connecting) -> str:
    return str((await server.execute(_SETTINGS, {"name": _name(copy)})).scalar_one())


async def _is_free(server: AsyncConnection, copy: Connecting) -> bool:
    """Whether nobody is connected to a database any more."""
    for seconds in _PAUSES:
        await asyncio.sleep(seconds)
        users = await server.execute(_USERS, {"name": _name(copy)})
        if users.scalar_one() == 0:
            return True
    return False


def _name(connecting: Connecting) -> str:
    return connecting.url.database or ""


def _quoted(server: AsyncConnection, connecting: Connecting) -> str:
    return server.dialect.identifier_preparer.quote_identifier(_name(connecting))

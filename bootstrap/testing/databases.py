"""Throwaway databases: empty ones on a server, or in a folder, that is gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from bootstrap.backends.base import Backend, CreateOptions
from bootstrap.database import Database
from bootstrap.errors import DatabaseError
from bootstrap.testing.leftovers import in_use, new_name, sweep
from bootstrap.testing.servers import known, throwaway_server

_PLAIN = CreateOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrowawayDatabases:
    """A place where empty databases are made, as many as are needed, also at the same time.

    Attributes:
        backend: What they are.
        place: Where: a URL on a server, whose account may create databases, or in a folder.
    """

    backend: Backend
    place: URL

    @asynccontextmanager
    async def empty(self, options: CreateOptions = _PLAIN) -> AsyncIterator[Database]:
        """Gives a new, empty database for the time of the block.

        What killed runs have left on a server is dropped before.

        Args:
            options: How it is made.

        Raises:
            DatabaseError: The server refused to create or drop it.
        """
        database = Database.of(self._somewhere())
        async with AsyncExitStack() as until:
            if self.backend.server is not None:
                await sweep(Database.of(self.place))
                await until.enter_async_context(in_use(database))
            async with self._made(database, options):
                yield database

    @asynccontextmanager
    async def _made(self, database: Database, options: CreateOptions) -> AsyncIterator[None]:
        admin, engines = self.backend.admin, self.backend.engines
        with database.translated("cannot create"):
            await admin.create(engines, database.connecting(), options)
        try:
            yield
        except BaseException:
            with suppress(DatabaseError):  # what the block raised says more
                await self._drop(database)
            raise
        await self._drop(database)

    async def _drop(self, database: Database) -> None:
        with database.translated("cannot drop"):
            await self.backend.admin.drop(self.backend.engines, database.connecting(), force=True)

    def _somewhere(self) -> URL:
        name = new_name()
        if not self.backend.features.is_file:
            return self.place.set(database=name)
        return self.place.set(database=str(Path(self.place.database or "") / f"{name}.db"))


@asynccontextmanager
async def throwaway_databases(
    backend: str | Backend, *, programs: Path | None = None
) -> AsyncIterator[ThrowawayDatabases]:
    """Runs a server for the time of the block; where the backend has none, makes a folder.

    Args:
        backend: By name or as it is.
        programs: The folder of the server's programs; None to look for them.

    Raises:
        SettingsError: There is no such backend, or its programs are not found.
        DatabaseError: The server did not start.
    """
    backend = known(backend)
    if backend.server is None:
        with tempfile.TemporaryDirectory(prefix="bootstrap-") as folder:
            url = URL.create(backend.schemes[0], database=folder)
            yield ThrowawayDatabases(backend=backend, place=url)
        return
    async with throwaway_server(backend, programs=programs) as server:
        yield ThrowawayDatabases(backend=backend, place=server.url)


@asynccontextmanager
async def throwaway_database(
    backend: str | Backend, *, programs: Path | None = None
) -> AsyncIterator[Database]:
    """Gives an empty database for the time of the block, on a server of its own.

    Args:
        backend: By name or as it is.
        programs: The folder of the server's programs; None to look for them.

    Raises:
        SettingsError: There is no such backend, or its programs are not found.
        DatabaseError: The server did not start.
    """
    async with (
        throwaway_databases(backend, programs=programs) as databases,
        databases.empty() as database,
    ):
        yield database

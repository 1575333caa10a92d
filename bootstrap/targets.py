"""What the public functions take for a database, and what of it the work runs on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import URL, Engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bootstrap import backends
from bootstrap.backends.base import Connecting, Engines
from bootstrap.database import Database
from bootstrap.errors import (
    BootstrapError,
    DatabaseRefused,
    DatabaseUnreachable,
    SettingsError,
)

Target: TypeAlias = Database | str | URL | AsyncEngine | AsyncConnection

_HAND_OVER = (
    "an engine is reached by its URL; where its login needs more (connect_args, a creator, "
    "listeners), hand over a connection of it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the work on a database is done.

    Attributes:
        database: Which one.
        connection: What all of it runs on; None to connect by the URL.
    """

    database: Database
    connection: AsyncConnection | None = None

    def engines(self) -> Engines:
        """What makes further connections to it: as the program's engine does, where it has one."""
        if self.connection is None:
            return self.database.backend.engines
        return _Like(self.connection.engine)

    def connecting(self) -> Connecting:
        """What to give to these engines."""
        if self.connection is None:
            return self.database.connecting()
        return Connecting(url=self.database.url)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        """Gives the connection, or opens one for the time of the block.

        A transaction that the program began stays open; one that the block began is rolled back.

        Raises:
            DatabaseError: There is no connection to be had.
        """
        if self.connection is None:
            async with self.database.connect() as connection:
                yield connection
            return
        theirs = self.connection.in_transaction()
        try:
            yield self.connection
        finally:
            if not theirs and self.connection.in_transaction():
                await self.connection.rollback()


@dataclass(frozen=True, slots=True)
class _Like:
    """Makes engines that log in as a program's engine does, with a pool of their own."""

    engine: AsyncEngine

    def create(self, _connecting: Connecting) -> AsyncEngine:
        """Makes one; its pool is new, so that the program's, however small, is not waited for."""
        theirs = self.engine.sync_engine
        return AsyncEngine(
            Engine(theirs.pool.recreate(), theirs.dialect, theirs.url, hide_parameters=True)
        )


@asynccontextmanager
async def opened(target: Target) -> AsyncIterator[Place]:
    """Finds out where the work is done: on this connection, on one of this engine, or by a URL.

    By its URL an engine is reached wherever others can reach its database too: then any env.py
    works, also one that takes no connection from a program.

    Raises:
        SettingsError: The URL, or that of the engine, cannot be used; the connection is not open.
        DatabaseError: The engine cannot connect.
    """
    match target:
        case AsyncConnection():
            if target.sync_connection is None or target.closed:
                raise SettingsError(
                    "the connection is not open",
                    hint="async with engine.connect() as connection: hand it over inside the block",
                )
            yield Place(database=_behind(target.engine), connection=target)
        case AsyncEngine() if not (database := _behind(target)).identity:
            async with target.connect() as connection:
                yield Place(database=database, connection=connection)
        case AsyncEngine():
            with _login_explained(SettingsError):
                database = Database.of(target.url)
            with _login_explained(DatabaseRefused, DatabaseUnreachable):
                yield Place(database=database)
        case _:
            yield Place(database=Database.of(target))


def _behind(engine: AsyncEngine) -> Database:
    try:
        return Database(url=engine.url, backend=backends.of_dialect(engine.dialect))
    except KeyError:
        raise SettingsError(f"there is no backend for {engine.dialect.name}") from None


@contextmanager
def _login_explained(*kinds: type[BootstrapError]) -> Iterator[None]:
    try:
        yield
    except kinds as error:
        hint = f"{error.hint}; {_HAND_OVER}" if error.hint else _HAND_OVER
        raise type(error)(error.message, hint=hint) from error

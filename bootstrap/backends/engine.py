"""How an async engine is made, the same on every backend."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import Any

from sqlalchemy import URL, AsyncAdaptedQueuePool, Dialect, NullPool, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bootstrap.backends.base import Connecting, Engines, Pool

_WHERE: ContextVar[URL] = ContextVar("where")  # the task that connects wants to be
CLOSING = 5.0  # seconds to say goodbye to a server that may not be there any more


class PlainEngines:
    """Engines as SQLAlchemy makes them."""

    def create(self, connecting: Connecting) -> AsyncEngine:
        """Makes an engine that opens a connection when one is needed, and closes it after use."""
        return self.made(connecting, poolclass=NullPool)

    def pooled(self, connecting: Connecting, pool: Pool) -> AsyncEngine:
        """Makes an engine that keeps connections."""
        return self.made(
            connecting,
            poolclass=AsyncAdaptedQueuePool,
            pool_size=pool.size,
            max_overflow=pool.max_overflow,
            pool_timeout=pool.timeout,
            pool_recycle=pool.recycle or -1,
            pool_pre_ping=pool.pre_ping,
        )

    def made(self, connecting: Connecting, **options: Any) -> AsyncEngine:
        """Makes an engine; parameters stay out of logs and exceptions, they may be secrets."""
        return create_async_engine(
            connecting.url,
            connect_args=dict(connecting.arguments),
            hide_parameters=True,
            **options,
        )


class Elsewhere:
    """Connections to databases of one server, one after the other, through a single engine.

    What SQLAlchemy asks a server when an engine first connects is asked once then.

    Args:
        engines: What makes the engine.
        connecting: How to connect; to which database is said each time.
    """

    def __init__(self, engines: Engines, connecting: Connecting) -> None:
        self._engine = engines.create(connecting)
        self._usual = self._named(connecting.url)
        event.listen(self._engine.sync_engine, "do_connect", self._lead)

    async def connect(self, connecting: Connecting) -> AsyncConnection:
        """Connects to the database that a URL names.

        Args:
            connecting: As the one that the engine was made for, but for the database.
        """
        token = _WHERE.set(connecting.url)
        try:
            return await self._engine.connect()
        finally:
            _WHERE.reset(token)

    async def close(self) -> None:
        """Gives the engine back."""
        await self._engine.dispose()

    def _lead(self, _dialect: Dialect, _record: Any, _arguments: Any, named: Any) -> None:
        wanted = self._named(_WHERE.get())
        named.update({k: v for k, v in wanted.items() if self._usual.get(k) != v})

    def _named(self, url: URL) -> dict[str, Any]:
        return dict(self._engine.dialect.create_connect_args(url)[1])


@asynccontextmanager
async def look(engines: Engines, connecting: Connecting) -> AsyncIterator[AsyncConnection]:
    """A connection for one question, closed with its engine after the block."""
    engine = engines.create(connecting)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


async def close(connection: AsyncConnection) -> None:
    """Closes a connection and its engine, politely where there is still somebody; never raises."""
    try:
        async with asyncio.timeout(CLOSING):
            await connection.close()
    except Exception:  # noqa: BLE001 - the connection is broken, and so no more than closed
        with suppress(Exception):
            await connection.invalidate()
    with suppress(Exception):
        await connection.engine.dispose()

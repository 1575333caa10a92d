"""Throwaway databases that killed runs have left on a server that goes on.

Whoever makes one holds a lock of its name until it is dropped, from before it is made. The server
gives the lock back when the process has gone, however that ended: a database whose lock is free,
and that nobody is connected to, belongs to nobody.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from bootstrap.backends.base import Connecting, Reason
from bootstrap.backends.sessions import LockSession
from bootstrap.database import Database
from bootstrap.errors import DatabaseError
from bootstrap.records.lock import this_process

_NAME = re.compile(r"throwaway_[0-9a-f]{16}")
_SHOWN_EVERY = 20.0  # seconds; what keeps connections apart ends idle ones after a minute or more
_SWEPT_WITHIN = 15.0  # seconds


def new_name() -> str:
    """A name that no other throwaway database has."""
    return f"throwaway_{secrets.token_hex(8)}"


@asynccontextmanager
async def in_use(database: Database) -> AsyncIterator[None]:
    """Shows during the block that a throwaway database belongs to this process.

    Args:
        database: By its URL; it need not be there.

    Raises:
        DatabaseError: The server cannot be asked.
    """
    sign = _Sign(database)
    with database.translated("cannot create"):
        await sign.show()
    showing = asyncio.create_task(sign.keep())
    try:
        yield
    finally:
        showing.cancel()
        await asyncio.wait({showing})
        await sign.end()


async def left_behind(place: Database) -> tuple[str, ...]:
    """The throwaway databases on a server that belong to nobody; nothing is changed.

    Args:
        place: Any database there.

    Raises:
        DatabaseError: The server cannot be asked.
    """
    found = []
    with place.translated("cannot look for throwaway databases beside"):
        for one in await _throwaways(place):
            async with _belongs_to_nobody(one) as free:
                if free:
                    found.append(one.name)
    return tuple(found)


async def sweep(place: Database) -> None:
    """Drops those that belong to nobody, and leaves what it may not drop."""
    with suppress(DatabaseError, TimeoutError):
        async with asyncio.timeout(_SWEPT_WITHIN):
            with place.translated("cannot look for throwaway databases beside"):
                for one in await _throwaways(place):
                    await _dropped(one)


async def _dropped(one: Database) -> None:
    admin, engines = one.backend.admin, one.backend.engines
    with suppress(DatabaseError):  # it is another account's, or was dropped a moment ago
        async with _belongs_to_nobody(one) as free:
            if free:
                with one.translated("cannot drop"):
                    await admin.drop(engines, one.connecting(), force=False)


async def _throwaways(place: Database) -> tuple[Database, ...]:
    names = await place.backend.admin.names(place.backend.engines, place.connecting())
    return tuple(
        Database.of(place.url.set(database=name))
        for name in names
        if _NAME.fullmatch(name) and name != place.name
    )


@asynccontextmanager
async def _belongs_to_nobody(database: Database) -> AsyncIterator[bool]:
    """Whether one does, which stays so during the block: whoever looks too gets no lock then."""
    session = await _opened(database)
    if session is None:
        yield False
        return
    try:
        admin, engines = database.backend.admin, database.backend.engines
        free = await session.acquire()
        yield free and not await admin.sessions(engines, database.connecting())
    finally:
        await session.close()


async def _opened(database: Database) -> LockSession | None:
    """A connection for the lock; None where the server has no place for such: nobody looks then."""
    backend = database.backend
    lobby: Connecting = backend.admin.lobby(database.connecting())
    try:
        return await backend.locks.open(
            backend.engines, lobby, name=database.name, owner=this_process()
        )
    except Exception as error:
        failure = backend.errors.translate(error)
        if failure is not None and failure.reason is Reason.NO_DATABASE:
            return None
        raise


@dataclass(slots=True)
class _Sign:
    """The lock that is held while a throwaway database is in use."""

    database: Database
    session: LockSession | None = None

    async def show(self) -> None:
        """Takes the lock; the driver's own exception where the server does not answer."""
        self.session = await _opened(self.database)
        if self.session is not None:
            await self.session.acquire()

    async def keep(self) -> None:
        """Keeps the connection from being idle, and takes the lock anew where it was lost."""
        while True:
            await asyncio.sleep(_SHOWN_EVERY)
            if self.session is not None and not await self.session.is_held():
                await self.session.close()
                with suppress(Exception):  # the work with the database finds out by itself
                    await self.show()

    async def end(self) -> None:
        """Gives the lock back; never raises."""
        if self.session is not None:
            await self.session.close()

"""The run lock: of several runs on one database one works, and the others wait.

It lives in the caller's event loop, where it is kept alive while revisions run in another thread.
"""

from __future__ import annotations

import asyncio
import getpass
import math
import os
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from bootstrap.backends.sessions import Holder, LockSession, Owner
from bootstrap.database import Database
from bootstrap.errors import LockLost, LockNotObtained, SettingsError
from bootstrap.events import Emit, LockAwaited
from bootstrap.targets import Place

WAIT = 300.0  # seconds
STUCK = 90.0  # seconds; a machine with twenty runs at once is slow, and must not be taken for stuck
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0
_SAID_EVERY = 10.0  # seconds between two events about waiting
_KEPT_ALIVE_EVERY = 5.0
FRESH = 0.1  # seconds that a proof holds, as long as nothing is heard of a loss
_ANSWER = 15.0  # seconds after which a server that does not answer has lost the lock


class RunLock:
    """The lock of one run, or none as long as nothing was taken.

    Args:
        place: What is locked.
        wait: Seconds to wait for another run.
        emit: Told about waiting.
        stuck: Seconds after which a first read beside the lock will not come back.
    """

    def __init__(self, place: Place, *, wait: float, emit: Emit, stuck: float = STUCK) -> None:
        self._place = place
        self._database = place.database
        self._wait = wait
        self._emit = emit
        self._stuck = stuck
        self._loop = asyncio.get_running_loop()
        self._sessions: dict[str, LockSession] = {}
        self._turn = asyncio.Lock()  # a connection answers one question at a time
        self._taken = asyncio.Event()
        self._settled = asyncio.Event()
        self._lost: LockLost | None = None

    async def take(self, name: str) -> None:
        """Waits until no other run works; does nothing when this one has the lock already.

        Args:
            name: The version table: two in one database do not wait for each other.

        Raises:
            LockNotObtained: Another run held it for too long.
            DatabaseError: The server could not be asked.
        """
        if name in self._sessions:
            return
        with self._database.translated("cannot lock"):
            session = await lock_session(self._place, name)
            self._sessions[name] = session
            await self._acquired(session)

    def settled(self) -> None:
        """Says that the migration's own connection answers beside the lock's; any thread's."""
        self._loop.call_soon_threadsafe(self._settled.set)

    async def announce(self) -> None:
        """Lets others read who works here; called when there is something to do."""
        async with self._turn:
            for session in self._sessions.values():
                await session.announce()

    async def prove(self) -> None:
        """Asks the server whether the lock is still held.

        Raises:
            LockLost: It is not.
        """
        async with self._turn:
            for session in self._sessions.values():
                if self._lost is None and not await _is_held(session):
                    self._lost = _lost(self._database)
        if self._lost is not None:
            raise self._lost

    def has_gone(self) -> bool:
        """Whether the lock is known to be lost, without asking; any thread's."""
        return self._lost is not None or any(
            session.has_gone() for session in tuple(self._sessions.values())
        )

    async def keep(self) -> None:
        """Keeps the lock alive, and notices when it is lost or in the way; runs until cancelled."""
        await self._give_way()
        with suppress(LockLost):  # the run hears of it when it asks
            while True:
                await asyncio.sleep(_KEPT_ALIVE_EVERY)
                await self.prove()

    async def close(self) -> None:
        """Gives the lock back; never raises."""
        async with self._turn:
            while self._sessions:
                _, session = self._sessions.popitem()
                await session.close()

    async def _acquired(self, session: LockSession) -> None:
        now = self._loop.time()
        end, say, pause = now + self._wait, now, _FIRST_PAUSE
        while not await session.acquire():
            now = self._loop.time()
            if now >= end:
                raise _not_obtained(self._database, await session.holder(), waited=self._wait)
            if now >= say:
                say = now + _SAID_EVERY
                self._emit(LockAwaited(holder=in_words(await session.holder()), left=end - now))
            # Twenty that wait for one must not ask at the same time again and again.
            jitter = random.uniform(0.5, 1.5)  # noqa: S311 - not for a secret
            await asyncio.sleep(min(end - now, pause * jitter))
            pause = min(pause * 2, _LONGEST_PAUSE)
        self._taken.set()

    async def _give_way(self) -> None:
        """Lets go when the migration's own connection never gets its turn beside the lock's."""
        await self._taken.wait()
        try:
            async with asyncio.timeout(self._stuck):
                await self._settled.wait()
        except TimeoutError:
            self._lost = _in_the_way(self._database, waited=self._stuck)
            await self.close()


@asynccontextmanager
async def run_lock(place: Place, *, wait: float, emit: Emit) -> AsyncIterator[RunLock]:
    """A run lock for the time of the block; it is taken in it, and given back at its end.

    Args:
        place: What is locked, from another connection than the one that is used there.
        wait: Seconds to wait for another run.
        emit: Told about waiting.

    Raises:
        SettingsError: `wait` is no time.
    """
    if not 0 <= wait < math.inf:
        raise SettingsError(f"{wait} is no time to wait", hint="give seconds, such as 300")
    lock = RunLock(place, wait=wait, emit=emit)
    keeping = asyncio.create_task(lock.keep())
    try:
        yield lock
    finally:
        keeping.cancel()
        await asyncio.wait({keeping})
        await lock.close()


async def lock_session(place: Place, name: str) -> LockSession:
    """Opens the connection for a lock of this process; nothing is taken yet.

    Raises the driver's own exception.
    """
    return await place.database.backend.locks.open(
        place.engines(), place.connecting(), name=name, owner=this_process()
    )


def in_words(holder: Holder | None) -> str:
    """Who holds a lock, for a sentence."""
    if holder is None:
        return "nobody"
    owner = holder.owner
    session = f"connection {holder.session}" if holder.session else ""
    process = f"pid {owner.pid} of {owner.user}@{owner.host}" if owner else ""
    since = f"since {holder.since:%Y-%m-%d %H:%M:%S} UTC" if holder.since else ""
    return ", ".join(word for word in (process, session, since) if word) or "somebody"


def this_process() -> Owner:
    """The owner of the locks that are taken here."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number that has no name
        user = str(os.getuid())
    return Owner(host=socket.gethostname(), pid=os.getpid(), user=user)


async def _is_held(session: LockSession) -> bool:
    try:
        async with asyncio.timeout(_ANSWER):
            return await session.is_held()
    except TimeoutError:
        return False


def _not_obtained(database: Database, holder: Holder | None, *, waited: float) -> LockNotObtained:
    return LockNotObtained(
        f"another run holds the run lock of {database.label} ({in_words(holder)}); "
        f"gave up after {waited:g} s",
        hint="bootstrap lock status shows it; --wait-lock SECONDS waits longer",
    )


def _lost(database: Database) -> LockLost:
    return LockLost(
        f"the run lock of {database.label} was lost while this run worked, so it stopped",
        hint="another run may have begun; bootstrap status shows where the database is",
    )


def _in_the_way(database: Database, *, waited: float) -> LockLost:
    return LockLost(
        f"beside the connection that holds the run lock, a second one to {database.label} did "
        f"not answer for {waited:g} s, so this run stopped",
        hint="a pooler needs at least two server connections for this user and database; or "
        "name the server itself in the URL",
    )

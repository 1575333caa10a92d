"""Shows who holds the run lock of a database, and takes it away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import URL

from bootstrap.backends.sessions import Holder, LockSession
from bootstrap.database import Database
from bootstrap.inspecting.inspection import look
from bootstrap.project import Project, loaded
from bootstrap.records.lock import FRESH, lock_session
from bootstrap.revisions.environment import in_thread
from bootstrap.targets import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class LockReport:
    """Who holds a run lock, as far as it can be told.

    Attributes:
        database: What is locked.
        backend: Its backend.
        held: Whether anybody holds it.
        session: What the server calls the holder's connection.
        host: The holder's machine.
        pid: The holder's process there.
        user: Whose process that is.
        since: When it was taken, in UTC.
        broken: Whether it was taken away just now.
    """

    database: str
    backend: str
    held: bool
    session: str | None
    host: str | None
    pid: int | None
    user: str | None
    since: datetime | None
    broken: bool = False


async def lock_status(database: Database | str | URL, *, project: Project) -> LockReport:
    """Shows who holds the run lock; takes and changes nothing.

    Args:
        database: Whose lock.
        project: Its env.py says which version table is locked.

    Raises:
        DatabaseError: The database is missing or cannot be used.
        RevisionError: The database is at a revision that the project does not have.
    """
    database = Database.of(database)
    async with _session(database, project) as session:
        with database.translated("cannot read the lock of"):
            return _report(database, await session.holder())


async def lock_break(database: Database | str | URL, *, project: Project) -> LockReport:
    """Takes the run lock away from whoever holds it.

    The run that held it notices, and stops before its next revision; what it does at this moment
    goes on.

    Args:
        database: Whose lock.
        project: Its env.py says which version table is locked.

    Returns:
        Who held it.

    Raises:
        DatabaseError: The database cannot be used, or the right to end others' sessions is missing.
        RevisionError: As for `lock_status`.
    """
    database = Database.of(database)
    async with _session(database, project) as session:
        with database.translated("cannot break the lock of"):
            holder = await session.holder()
            broken = holder is not None and await session.end_holder()
    if broken:
        await asyncio.sleep(FRESH)  # from here on its holder's last proof is too old
    return _report(database, holder, broken=broken)


@asynccontextmanager
async def _session(database: Database, project: Project) -> AsyncIterator[LockSession]:
    config, scripts = await in_thread(lambda: loaded(project))
    place = Place(database=database)
    position = await look(place, config=config, scripts=scripts)
    with database.translated("cannot read the lock of"):
        session = await lock_session(place, position.lock_name)
    try:
        yield session
    finally:
        await session.close()


def _report(database: Database, holder: Holder | None, *, broken: bool = False) -> LockReport:
    owner = holder.owner if holder else None
    return LockReport(
        database=str(database),
        backend=database.backend.name,
        held=holder is not None,
        session=(holder.session or None) if holder else None,
        host=owner.host if owner else None,
        pid=owner.pid if owner else None,
        user=owner.user if owner else None,
        since=holder.since if holder else None,
        broken=broken,
    )

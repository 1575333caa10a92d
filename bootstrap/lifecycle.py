"""A database from nothing to ready, and back: wait, create, up, drop."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from sqlalchemy import URL

from bootstrap.backends.base import CreateOptions, Failure, Reason, Session
from bootstrap.database import Database
from bootstrap.datasets.reports import SeedReport
from bootstrap.datasets.seeding import seed
from bootstrap.errors import DatabaseError, DatabaseInUse, DatabaseMissing, SettingsError
from bootstrap.events import (
    ConnectionTried,
    DatabaseCreated,
    DatabaseDropped,
    Emit,
    HeadsAwaited,
    silent,
)
from bootstrap.inspecting import browsing, inspection
from bootstrap.positions.planned import Before, unasked
from bootstrap.project import Project
from bootstrap.records.lock import WAIT
from bootstrap.running.gentle import LOCK_RETRIES
from bootstrap.running.retrying import RETRY_FOR
from bootstrap.running.runner import MigrationReport, migrate

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_WORTH_WAITING = {
    Reason.UNKNOWN_HOST,  # the name of a container appears when it starts
    Reason.CLOSED_PORT,
    Reason.TIMED_OUT,
    Reason.STARTING,
    Reason.TOO_MANY_CONNECTIONS,
    Reason.CONNECTION_LOST,
}
_SESSIONS_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateReport:
    """Whether a database was created, or was there already."""

    database: str
    backend: str
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DropReport:
    """Whether a database was dropped, or was not there."""

    database: str
    backend: str
    dropped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitReport:
    """How long it took until the server accepted a connection, in seconds and attempts."""

    database: str
    backend: str
    database_exists: bool
    attempts: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitHeadsReport:
    """Whether a database came to the heads in time; `seconds` is how long that was waited for.

    Attributes:
        current: The revisions that it was at in the end; empty where it does not exist.
        ahead: Those of them that no file of the project has.
        heads: Where it should be.
        at_heads: Whether it is there, or beyond.
    """

    database: str
    backend: str
    current: tuple[str, ...]
    heads: tuple[str, ...]
    ahead: tuple[str, ...]
    at_heads: bool
    attempts: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UpReport:
    """What `up` did; `seeds` is None where the project has no data sets."""

    database: str
    backend: str
    created: bool
    migration: MigrationReport
    seeds: SeedReport | None

    @property
    def changed(self) -> bool:
        """Whether anything was left to do."""
        wrote = self.seeds is not None and self.seeds.changed > 0
        return self.created or bool(self.migration.steps) or wrote


async def create(
    database: Database | str | URL,
    *,
    owner: str | None = None,
    encoding: str | None = None,
    template: str | None = None,
    emit: Emit = silent,
) -> CreateReport:
    """Creates an empty database, unless it is there.

    Args:
        database: What to create; for SQLite the file, its folders, and WAL mode.
        owner: The role that owns it (PostgreSQL).
        encoding: The character set; on MySQL and MariaDB utf8mb4 unless given.
        template: The database to copy (PostgreSQL).
        emit: Told when it was created.

    Raises:
        SettingsError: An option means nothing on this backend.
        DatabaseError: The server refused.
    """
    database = Database.of(database)
    options = CreateOptions(owner=owner, encoding=encoding, template=template)
    _refuse_meaningless(options, database)
    created = False
    if not await database.exists():
        try:
            with database.translated("cannot create"):
                await database.backend.admin.create(
                    database.backend.engines, database.connecting(), options
                )
            created = True
            emit(DatabaseCreated(database=database.label))
        except DatabaseError:
            # Another run may have created it between our look and our CREATE.
            if not await database.exists():
                raise
    return CreateReport(database=str(database), backend=database.backend.name, created=created)


async def drop(
    database: Database | str | URL, *, force: bool = False, emit: Emit = silent
) -> DropReport:
    """Drops a database with all that is in it, unless it is not there.

    Args:
        database: What to drop.
        force: End the sessions of others instead of refusing.
        emit: Told when it was dropped.

    Raises:
        DatabaseInUse: Others are connected.
        DatabaseError: The server refused.
    """
    database = Database.of(database)
    dropped = await database.exists()
    if dropped:
        await _drop(database, force=force)
        emit(DatabaseDropped(database=database.label))
    return DropReport(database=str(database), backend=database.backend.name, dropped=dropped)


async def wait(
    database: Database | str | URL, *, timeout: float = 60.0, emit: Emit = silent
) -> WaitReport:
    """Waits until the server accepts a connection, with growing pauses.

    A wrong password or a missing right is not waited for: it will not mend itself.

    Args:
        database: Where to connect; a database that is missing counts as accepted.
        timeout: Seconds after which the last refusal is raised.
        emit: Told about each try that failed.

    Raises:
        DatabaseUnreachable: Nobody answered in time.
        DatabaseRefused: The server answers and says no.
    """
    database = Database.of(database)
    if not 0 <= timeout < math.inf:
        raise SettingsError(f"{timeout} is no time to wait", hint="give seconds, such as 60")
    started = time.monotonic()
    attempt, pause = 0, _FIRST_PAUSE
    while True:
        attempt += 1
        left = timeout - (time.monotonic() - started)
        failure, exists = await _try(database, seconds=max(left, _FIRST_PAUSE))
        if failure is None:
            return WaitReport(
                database=str(database),
                backend=database.backend.name,
                database_exists=exists,
                attempts=attempt,
                seconds=time.monotonic() - started,
            )
        left = timeout - (time.monotonic() - started)
        if failure.reason not in _WORTH_WAITING or left <= 0:
            raise database.error(failure, tried=f"after {_tries(attempt)} cannot connect to")
        pause = min(pause, left)
        emit(ConnectionTried(attempt=attempt, reason=failure.reason.value, pause=pause))
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


async def wait_heads(
    database: Database | str | URL,
    *,
    project: Project,
    timeout: float = 60.0,
    allow_ahead: bool = False,
    emit: Emit = silent,
) -> WaitHeadsReport:
    """Waits until somebody else has migrated a database to the heads; changes nothing.

    A server that does not answer yet, and a database that does not exist yet, are waited for too.

    Args:
        database: What is migrated elsewhere, such as by a job of the same deploy.
        project: Whose heads.
        timeout: Seconds after which it is reported where the database is then.
        allow_ahead: Revisions that the project does not have are newer code's, and good enough.
        emit: Told about each look that found it elsewhere.

    Raises:
        DatabaseUnreachable, DatabaseRefused: As for `wait`.
        RevisionError: The database is at a revision that the project does not have.
    """
    database = Database.of(database)
    started = time.monotonic()
    heads = (await browsing.heads(project=project)).revisions
    await wait(database, timeout=timeout, emit=emit)
    attempt, pause = 0, _FIRST_PAUSE
    while True:
        attempt += 1
        found = await _current(database, project, allow_ahead=allow_ahead)
        left = timeout - (time.monotonic() - started)
        if left <= 0 or (found and found.at_heads):
            break
        pause = min(pause, left)
        emit(HeadsAwaited(current=_named(found), pause=pause))
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
    return WaitHeadsReport(
        database=str(database),
        backend=database.backend.name,
        current=_named(found),
        heads=tuple(one.revision for one in heads),
        ahead=found.ahead if found else (),
        at_heads=bool(found and found.at_heads),
        attempts=attempt,
        seconds=time.monotonic() - started,
    )


async def up(
    database: Database | str | URL,
    *,
    project: Project,
    datasets: Path | Sequence[Path] = (),
    environment: str | None = None,
    allow_loss: bool = False,
    wait_lock: float = WAIT,
    lock_timeout: float | None = None,
    lock_retries: int = LOCK_RETRIES,
    statement_timeout: float | None = None,
    before: Before = unasked,
    retry_for: float = RETRY_FOR,
    emit: Emit = silent,
) -> UpReport:
    """Creates a database where it is missing, migrates it to the head and seeds it.

    Args:
        database: What to set up.
        project: Whose revisions.
        datasets: Files and folders of data sets; empty for none.
        environment: As for `seed`.
        allow_loss: As for `migrate`.
        wait_lock: Seconds to wait for another run on the same database.
        lock_timeout: As for `migrate`, and so are the next two.
        lock_retries: See there.
        statement_timeout: See there.
        before: As for `migrate`.
        retry_for: See there.
        emit: Told about all that happens.

    Raises:
        BootstrapError: As `create`, `migrate` and `seed`; what was done before stays, and running
            it again goes on from there.
    """
    database = Database.of(database)
    made = await create(database, emit=emit)
    migration = await migrate(
        database,
        project=project,
        allow_loss=allow_loss,
        wait_lock=wait_lock,
        lock_timeout=lock_timeout,
        lock_retries=lock_retries,
        statement_timeout=statement_timeout,
        before=before,
        retry_for=retry_for,
        emit=emit,
    )
    seeds = (
        await seed(
            database, datasets=datasets, environment=environment, wait_lock=wait_lock, emit=emit
        )
        if datasets
        else None
    )
    return UpReport(
        database=made.database,
        backend=migration.backend,
        created=made.created,
        migration=migration,
        seeds=seeds,
    )


async def _current(
    database: Database, project: Project, *, allow_ahead: bool
) -> inspection.CurrentReport | None:
    """Where it is; None while it does not exist."""
    try:
        return await inspection.current(database, project=project, allow_ahead=allow_ahead)
    except DatabaseMissing:
        return None


def _named(found: inspection.CurrentReport | None) -> tuple[str, ...]:
    return (*(one.revision for one in found.revisions), *found.ahead) if found else ()


async def _drop(database: Database, *, force: bool) -> None:
    admin, engines = database.backend.admin, database.backend.engines
    connecting = database.connecting()
    with database.translated("cannot drop"):
        others = () if force else await admin.sessions(engines, connecting)
        if not others:
            await admin.drop(engines, connecting, force=force)
            return
    named = ", ".join(_session(one) for one in others[:_SESSIONS_NAMED])
    more = " and others" if len(others) > _SESSIONS_NAMED else ""
    raise DatabaseInUse(
        f"cannot drop {database.label}: connected are {named}{more}",
        hint="end these sessions, or use --force",
    )


def _session(session: Session) -> str:
    application = f", {session.application}" if session.application else ""
    return f"{session.user} (pid {session.pid}{application})"


async def _try(database: Database, *, seconds: float) -> tuple[Failure | None, bool]:
    try:
        async with asyncio.timeout(seconds):
            admin = database.backend.admin
            return None, await admin.exists(database.backend.engines, database.connecting())
    except Exception as error:
        failure = database.backend.errors.translate(error)
        if failure is None:
            raise
        return failure, False


def _refuse_meaningless(options: CreateOptions, database: Database) -> None:
    given = {field.name for field in fields(options) if getattr(options, field.name) is not None}
    meaningless = sorted(given - database.backend.features.create_options)
    if meaningless:
        raise SettingsError(
            f"{', '.join(meaningless)} cannot be chosen for a {database.backend.title} database",
            hint="leave it out",
        )


def _tries(count: int) -> str:
    return "1 try" if count == 1 else f"{count} tries"

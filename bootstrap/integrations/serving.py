"""Whether a database has what the code of an application was written for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from bootstrap.database import Database
from bootstrap.errors import (
    DatabaseError,
    DatabaseMissing,
    DatabaseRefused,
    DatabaseUnreachable,
    HalfApplied,
    RevisionError,
    SettingsError,
)
from bootstrap.events import Emit, silent
from bootstrap.inspecting.inspection import Inspect, StatusReport, look_by, status_of
from bootstrap.lifecycle import wait_heads
from bootstrap.project import Project, loaded
from bootstrap.records.versions import read_heads
from bootstrap.revisions.environment import in_thread
from bootstrap.running.runner import migrate
from bootstrap.targets import Place

_NAMED = 3  # pending revisions in a sentence
_WHY: dict[type[DatabaseError], str] = {
    DatabaseUnreachable: "the database does not answer",
    DatabaseMissing: "the database does not exist",
    DatabaseRefused: "the database refuses the application",
}


class Behind(StrEnum):
    """What an application does that finds its database behind the code."""

    REFUSE = "refuse"
    WAIT = "wait"
    MIGRATE = "migrate"


WhenBehind: TypeAlias = Behind | Literal["refuse", "wait", "migrate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a database was found that may be served, and how it is looked at again.

    Attributes:
        revisions: What its version table had.
        heads: Those of the code.
        known: All revisions of the code; others are newer code's.
        version_table: Alembic's.
        schema: Of that table; None for the default one.
        allow_ahead: Whether newer code may have migrated it.
    """

    revisions: tuple[str, ...]
    heads: tuple[str, ...]
    known: frozenset[str]
    version_table: str
    schema: str | None
    allow_ahead: bool

    def refusal(self, found: tuple[str, ...]) -> str:
        """Why a database at these revisions is not served; empty where it is."""
        if set(found) in (set(self.revisions), set(self.heads)):
            return ""
        ahead = [one for one in found if one not in self.known]
        if ahead and self.allow_ahead:
            return ""
        where = "ahead" if ahead else "behind"
        at, wanted = ", ".join(found) or "no revision", ", ".join(self.heads)
        return f"the database is {where}: it is at {at}, and the code is at {wanted}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether an application can do its work.

    Attributes:
        connected: Whether the database has answered.
        at_head: Whether it has the schema that the code needs.
        reasons: Why it is not ready, in words for everybody: no host, no name, no secret.
        error: What the database said; it may name host and database.
    """

    connected: bool
    at_head: bool
    reasons: tuple[str, ...] = ()
    error: DatabaseError | None = field(default=None, repr=False)

    @property
    def ready(self) -> bool:
        """Connected, and at head."""
        return self.connected and self.at_head


async def require_head(
    database: Database | str,
    *,
    project: Project,
    behind: WhenBehind = Behind.REFUSE,
    timeout: float = 60.0,
    allow_ahead: bool = False,
    emit: Emit = silent,
) -> Standing:
    """Lets nobody go on before a database has the schema that the code was written for.

    Args:
        database: What will be served; it must exist, unless it is waited for.
        project: The revisions of the code.
        behind: `refuse`; `wait` until somebody else has migrated it; or `migrate` it here, under
            the run lock: of several that start at once one migrates, and the others wait for it.
        timeout: Seconds to wait for somebody else, in both cases.
        allow_ahead: Newer code may have migrated it already.
        emit: Told what happens.

    Raises:
        RevisionError: The database is not at the heads.
        HalfApplied: A revision is half-applied.
        BootstrapError: As `wait_heads` and `migrate`.
    """
    database = Database.of(database)
    match _asked(behind):
        case Behind.WAIT:
            await wait_heads(
                database, project=project, timeout=timeout, allow_ahead=allow_ahead, emit=emit
            )
        case Behind.MIGRATE:
            await migrate(
                database,
                "heads",
                project=project,
                allow_ahead=allow_ahead,
                wait_lock=timeout,
                emit=emit,
            )
    report, standing = await _looked(database, project, allow_ahead=allow_ahead)
    _refuse(database, report)
    return standing


async def readiness(
    engine: AsyncEngine, database: Database, standing: Standing, *, timeout: float
) -> Readiness:
    """Looks whether a database can be served, on a connection of the application's pool.

    Args:
        engine: That of the application.
        database: Which.
        standing: How it was found when the application started.
        timeout: Seconds after which there is no answer.
    """
    try:
        async with asyncio.timeout(timeout), engine.connect() as connection:
            found = await read_heads(
                Place(database=database, connection=connection),
                version_table=standing.version_table,
                schema=standing.schema,
            )
    except DatabaseError as error:
        why = next((said for kind, said in _WHY.items() if isinstance(error, kind)), "")
        reasons = (why or "the database cannot be used",)
        return Readiness(connected=False, at_head=False, reasons=reasons, error=error)
    except (TimeoutError, PoolTimeout):
        reasons = (f"there was no answer within {timeout:g} seconds",)
        return Readiness(connected=False, at_head=False, reasons=reasons)
    refusal = standing.refusal(found)
    return Readiness(connected=True, at_head=not refusal, reasons=(refusal,) if refusal else ())


def _asked(behind: WhenBehind) -> Behind:
    try:
        return Behind(behind)
    except ValueError:
        names = ", ".join(Behind)
        raise SettingsError(f"behind cannot be {behind!r}", hint=f"use one of: {names}") from None


async def _looked(
    database: Database, project: Project, *, allow_ahead: bool
) -> tuple[StatusReport, Standing]:
    config, scripts = await in_thread(lambda: loaded(project))
    work = Inspect(scripts=scripts, database=database, first=project.first, log=False)
    position = await look_by(work, config=config, allow_ahead=allow_ahead)
    report = status_of(work)
    standing = Standing(
        revisions=position.heads,
        heads=report.heads,
        known=frozenset(one.revision for one in scripts.walk_revisions()),
        version_table=position.version_table,
        schema=position.version_table_schema,
        allow_ahead=allow_ahead,
    )
    return report, standing


def _refuse(database: Database, report: StatusReport) -> None:
    hint = 'bootstrap migrate; or let the application wait for it: behind="wait"'
    if half := report.half_applied:
        raise HalfApplied(
            f"revision {half.revision} is half-applied to {database.label}", hint="bootstrap status"
        )
    if report.pending:
        named = [one.revision for one in report.pending[:_NAMED]]
        more = len(report.pending) - len(named)
        others = f" and {more} more" if more else ""
        raise RevisionError(
            f"{database.label} is behind the code: pending are {', '.join(named)}{others}",
            hint=hint,
        )

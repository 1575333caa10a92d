"""Tells where a database is and what is pending, and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL

from bootstrap.database import Database
from bootstrap.errors import RevisionError
from bootstrap.project import Project, loaded
from bootstrap.revisions import listing
from bootstrap.revisions.environment import in_thread, run_env
from bootstrap.revisions.listing import Revision
from bootstrap.running import failures
from bootstrap.running.moves import Direction, Move, as_step, check_target
from bootstrap.running.runner import configured, refuse_missing
from bootstrap.running.work import Look, Position, refuse_unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingStep:
    """A revision that `bootstrap migrate` would apply."""

    revision: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """Where a database is; `current` and `heads` are revisions."""

    database: str
    backend: str
    server_version: str
    current: tuple[str, ...]
    heads: tuple[str, ...]
    pending: tuple[PendingStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentReport:
    """The newest applied revision of each branch, and all heads of the history."""

    database: str
    backend: str
    server_version: str
    revisions: tuple[Revision, ...]
    heads: tuple[str, ...]

    @property
    def at_heads(self) -> bool:
        """Whether all heads are applied."""
        return {one.revision for one in self.revisions} == set(self.heads)


async def status(database: Database | str | URL, *, project: Project) -> StatusReport:
    """Looks where a database is on its way to the heads of a project.

    Args:
        database: What to look at; nothing in it is changed.
        project: Whose revisions.

    Raises:
        DatabaseError: The database is missing or cannot be used.
        RevisionError: The database is at a revision that the project does not have.
    """
    database = Database.of(database)
    config, scripts = await in_thread(lambda: loaded(project))
    to_heads = Move(direction=Direction.UPGRADE, targets=("heads",))
    check_target(to_heads, scripts)
    position = await look(database, config=config, scripts=scripts)
    steps = [as_step(step, scripts) for step in to_heads.alembic_steps(scripts, position.heads)]
    return StatusReport(
        database=str(database),
        backend=position.backend,
        server_version=position.server_version,
        current=position.heads,
        heads=tuple(sorted(scripts.get_heads())),
        pending=tuple(PendingStep(revision=step.revision, title=step.title) for step in steps),
    )


async def current(database: Database | str | URL, *, project: Project) -> CurrentReport:
    """Looks which revisions a database is at.

    A revision that an applied one depends on counts as applied, though the version table, as
    Alembic keeps it, does not have it.

    Args:
        database: What to look at; nothing in it is changed.
        project: Whose revisions.

    Raises:
        DatabaseError, RevisionError: As for `status`.
    """
    database = Database.of(database)
    config, scripts = await in_thread(lambda: loaded(project))
    position = await look(database, config=config, scripts=scripts)
    found = sorted(scripts.get_all_current(position.heads), key=lambda one: one.revision)
    names = tuple(one.revision for one in found)
    return CurrentReport(
        database=str(database),
        backend=position.backend,
        server_version=position.server_version,
        revisions=listing.described(scripts, found, current=names),
        heads=tuple(sorted(scripts.get_heads())),
    )


async def look(database: Database, *, config: Config, scripts: ScriptDirectory) -> Position:
    """Looks where a database is.

    Raises:
        DatabaseError: The database is missing or cannot be used.
        RevisionError: The database is at a revision that the project does not have.
    """
    return await look_by(Look(scripts=scripts, database=database), config=config)


async def look_by(work: Look, *, config: Config, **options: object) -> Position:
    """Does work that only reads, inside env.py, and gives where the database is.

    Args:
        work: What to do.
        config: The project's.
        options: For `run_env`.

    Raises:
        DatabaseError, RevisionError: As for `look`.
    """
    database = work.database
    await refuse_missing(database)
    with failures.explained(work, database):
        await in_thread(
            lambda: run_env(
                configured(config, database), work.scripts, work, dont_mutate=True, **options
            ),
            on_cancel=work.stop.set,
        )
    if work.position is None:
        raise RevisionError("env.py ended without calling context.configure()")
    refuse_unknown(work.scripts, work.position)
    return work.position

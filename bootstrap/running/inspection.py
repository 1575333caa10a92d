"""Tells where a database is and what is pending, and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import URL

from bootstrap.database import Database
from bootstrap.errors import RevisionError
from bootstrap.project import Project, loaded
from bootstrap.revisions.environment import in_thread, run_env
from bootstrap.running import failures
from bootstrap.running.moves import Direction, Move, as_step, check_target
from bootstrap.running.runner import configured, refuse_missing
from bootstrap.running.work import Look, refuse_unknown


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
    to_heads = Move(direction=Direction.UPGRADE, target="heads")
    check_target(to_heads, scripts)
    await refuse_missing(database)
    work = Look(scripts=scripts)
    with failures.explained(work, database):
        await in_thread(
            lambda: run_env(configured(config, database), scripts, work, dont_mutate=True)
        )
    if work.position is None:
        raise RevisionError("env.py ended without calling context.configure()")
    refuse_unknown(scripts, work.position)
    steps = [
        as_step(step, scripts) for step in to_heads.alembic_steps(scripts, work.position.heads)
    ]
    return StatusReport(
        database=str(database),
        backend=work.position.backend,
        server_version=work.position.server_version,
        current=work.position.heads,
        heads=tuple(sorted(scripts.get_heads())),
        pending=tuple(PendingStep(revision=step.revision, title=step.title) for step in steps),
    )

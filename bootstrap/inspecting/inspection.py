"""Tells where a database is and what is pending, and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from bootstrap.errors import RevisionError
from bootstrap.positions.changed import ChangedFile, changed_files, entries_of
from bootstrap.positions.moves import Direction, Move, as_step, check_target
from bootstrap.positions.position import Position, refuse_unknown, unknown
from bootstrap.project import Project, loaded
from bootstrap.revisions import listing
from bootstrap.revisions.environment import in_thread
from bootstrap.revisions.listing import Revision
from bootstrap.running.inside import run_inside
from bootstrap.running.looking import Look
from bootstrap.running.repairing import Find, HalfAppliedStep
from bootstrap.targets import Place, Target, opened


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingStep:
    """A revision that `bootstrap migrate` would apply."""

    revision: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """Where a database is; `current` and `heads` are revisions.

    Attributes:
        ahead: What of `current` no file of the project has: newer code applied it.
        first: The project's function that `bootstrap migrate` will call, because the database is
            empty; those of `pending` whose schema it makes are stamped then, not run.
        half_applied: A revision that an earlier run has begun and not ended.
        changed: The applied revisions whose files are not those that were applied here, as far as
            the log tells.
    """

    database: str
    backend: str
    server_version: str
    current: tuple[str, ...]
    heads: tuple[str, ...]
    pending: tuple[PendingStep, ...]
    ahead: tuple[str, ...] = ()
    first: str | None = None
    half_applied: HalfAppliedStep | None = None
    changed: tuple[ChangedFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentReport:
    """The newest applied revision of each branch, and all heads of the history.

    Attributes:
        ahead: Applied revisions that no file of the project has, of newer code.
    """

    database: str
    backend: str
    server_version: str
    revisions: tuple[Revision, ...]
    heads: tuple[str, ...]
    ahead: tuple[str, ...] = ()

    @property
    def at_heads(self) -> bool:
        """Whether all heads are applied; newer code has applied them too."""
        return bool(self.ahead) or {one.revision for one in self.revisions} == set(self.heads)


@dataclass(slots=True, kw_only=True)
class Inspect(Find):
    """Looks where the database is, what is half-applied, and which files were changed since.

    Attributes:
        log: As a project has it; without one there is nothing to compare with.
        log_schema: As a project has it.
        changed: Those files.
    """

    log: bool = True
    log_schema: str | None = None
    changed: tuple[ChangedFile, ...] = ()

    def look(self, context: MigrationContext) -> None:
        """Reads all of it."""
        Find.look(self, context)
        if self.log:
            entries = entries_of(context, self.log_schema)
            self.changed = changed_files(entries, self.scripts, position_of(self).heads)


async def status(database: Target, *, project: Project, allow_ahead: bool = False) -> StatusReport:
    """Looks where a database is on its way to the heads of a project.

    Args:
        database: What to look at; nothing in it is changed.
        project: Whose revisions.
        allow_ahead: Report it, instead of refusing, when the database is at a revision that the
            project does not have.

    Raises:
        DatabaseError: The database is missing or cannot be used.
        RevisionError: The database is at a revision that the project does not have.
    """
    config, scripts = await in_thread(lambda: loaded(project))
    async with opened(database) as place:
        work = Inspect(
            scripts=scripts,
            database=place.database,
            connection=place.connection,
            first=project.first,
            log=project.log,
            log_schema=project.log_schema,
        )
        await look_by(work, config=config, allow_ahead=allow_ahead)
    return status_of(work)


async def current(
    database: Target, *, project: Project, allow_ahead: bool = False
) -> CurrentReport:
    """Looks which revisions a database is at.

    A revision that an applied one depends on counts as applied, though the version table, as
    Alembic keeps it, does not have it.

    Args:
        database: What to look at; nothing in it is changed.
        project: Whose revisions.
        allow_ahead: As for `status`.

    Raises:
        DatabaseError, RevisionError: As for `status`.
    """
    config, scripts = await in_thread(lambda: loaded(project))
    async with opened(database) as place:
        work = Look(scripts=scripts, database=place.database, connection=place.connection)
        await look_by(work, config=config, allow_ahead=allow_ahead)
    return current_of(work)


def status_of(work: Inspect) -> StatusReport:
    """What `status` reports, from work that has looked.

    Raises:
        RevisionError: It has not: env.py did not connect.
    """
    scripts, position = work.scripts, position_of(work)
    to_heads = Move(direction=Direction.UPGRADE, targets=("heads",))
    check_target(to_heads, scripts)
    ahead = unknown(scripts, position)
    planned = () if ahead else to_heads.alembic_steps(scripts, position.heads)
    steps = [as_step(step, scripts) for step in planned]
    return StatusReport(
        database=str(work.database),
        backend=position.backend,
        server_version=position.server_version,
        current=position.heads,
        heads=tuple(sorted(scripts.get_heads())),
        pending=tuple(PendingStep(revision=step.revision, title=step.title) for step in steps),
        ahead=ahead,
        first=work.first if work.begins else None,
        half_applied=work.found,
        changed=work.changed,
    )


def current_of(work: Look) -> CurrentReport:
    """What `current` reports, from work that has looked.

    Raises:
        RevisionError: It has not: env.py did not connect.
    """
    scripts, position = work.scripts, position_of(work)
    ahead = unknown(scripts, position)
    known = [head for head in position.heads if head not in ahead]
    found = sorted(scripts.get_all_current(tuple(known)), key=lambda one: one.revision)
    names = tuple(one.revision for one in found)
    return CurrentReport(
        database=str(work.database),
        backend=position.backend,
        server_version=position.server_version,
        revisions=listing.described(scripts, found, current=names),
        heads=tuple(sorted(scripts.get_heads())),
        ahead=ahead,
    )


async def look(
    place: Place, *, config: Config, scripts: ScriptDirectory, allow_ahead: bool = False
) -> Position:
    """Looks where a database is.

    Raises:
        DatabaseError: The database is missing or cannot be used.
        RevisionError: The database is at a revision that the project does not have.
    """
    work = Look(scripts=scripts, database=place.database, connection=place.connection)
    return await look_by(work, config=config, allow_ahead=allow_ahead)


async def look_by(
    work: Look, *, config: Config, allow_ahead: bool = False, **options: object
) -> Position:
    """Does work that only reads, inside env.py, and gives where the database is.

    Args:
        work: What to do.
        config: The project's.
        allow_ahead: Let a database be at revisions that the project does not have.
        options: For `run_env`.

    Raises:
        DatabaseError, RevisionError: As for `look`.
    """
    await run_inside(work, config=config, dont_mutate=True, **options)
    position = position_of(work)
    if not allow_ahead:
        refuse_unknown(work.scripts, position)
    return position


def position_of(work: Look) -> Position:
    """Where work has found its database to be.

    Raises:
        RevisionError: It has found nothing: env.py did not connect.
    """
    if work.position is None:
        raise RevisionError("env.py ended without calling context.configure()")
    return work.position

"""Moves a database along its history, and looks afterwards that it is where it should be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import URL

from bootstrap import urls
from bootstrap.database import Database
from bootstrap.errors import RevisionError
from bootstrap.events import Emit, Event, silent
from bootstrap.project import Project, loaded
from bootstrap.records.versions import read_heads
from bootstrap.revisions.environment import in_thread, run_env
from bootstrap.running import failures, losses
from bootstrap.running.moves import AlembicStep, AppliedStep, Direction, Move, check_target
from bootstrap.running.work import Apply, Approve, Position


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationReport:
    """What a run did; `before` and `after` are the revisions in the version table."""

    database: str
    backend: str
    server_version: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    steps: tuple[AppliedStep, ...]
    seconds: float


async def migrate(
    database: Database | str | URL,
    revision: str = "head",
    *,
    project: Project,
    emit: Emit = silent,
) -> MigrationReport:
    """Upgrades a database to a revision.

    Args:
        database: What to migrate; it must exist.
        revision: As `alembic upgrade` takes it: an id, `head`, `heads`, `+1`, `label@head`.
        project: Whose revisions.
        emit: Told about each step.

    Raises:
        DatabaseError: The database is missing or cannot be used.
        RevisionError: The revision is unknown, or a file of the project cannot be used.
        StatementFailed: The server refused a statement.
    """
    move = Move(direction=Direction.UPGRADE, targets=(revision,))
    return await _run(Database.of(database), move, project=project, emit=emit)


async def downgrade(
    database: Database | str | URL,
    revision: str,
    *,
    project: Project,
    accept_loss: bool = False,
    emit: Emit = silent,
) -> MigrationReport:
    """Downgrades a database to a revision.

    Args:
        database: What to downgrade.
        revision: As `alembic downgrade` takes it: an id, `base`, `-1`, `label@base`.
        project: Whose revisions.
        accept_loss: Go on although tables with rows in them will be dropped.
        emit: Told about each step.

    Raises:
        RowsWouldBeLost: Tables with rows would be dropped; nothing was changed.
        DatabaseError, RevisionError, StatementFailed: As for `migrate`.
    """
    move = Move(direction=Direction.DOWNGRADE, targets=(revision,))
    approve = _approve_all if accept_loss else losses.refuse_loss
    return await _run(Database.of(database), move, project=project, emit=emit, approve=approve)


async def stamp(
    database: Database | str | URL,
    revisions: str | Sequence[str],
    *,
    project: Project,
    purge: bool = False,
    emit: Emit = silent,
) -> MigrationReport:
    """Writes a revision, or one of each branch, into the version table without running it.

    Args:
        database: Whose version table.
        revisions: As `alembic stamp` takes them: an id, `head`, `heads`, `base`, several ids.
        project: Whose revisions.
        purge: Empty the version table first, even of revisions that the project does not have.
        emit: Told about each step.

    Raises:
        DatabaseError, RevisionError: As for `migrate`.
    """
    targets = (revisions,) if isinstance(revisions, str) else tuple(revisions)
    move = Move(direction=Direction.STAMP, targets=targets, purge=purge)
    return await _run(Database.of(database), move, project=project, emit=emit)


def configured(project_config: Config, database: Database) -> Config:
    """Tells env.py which database was asked for, in Alembic's own way."""
    own = project_config.get_main_option("sqlalchemy.url")
    url = urls.driven_like(database.url, own) if own else database.url
    project_config.set_main_option("sqlalchemy.url", urls.alembic_option(url))
    # Alembic's cookbook name for "a program calls: leave its logging as it is".
    project_config.attributes["configure_logger"] = False
    return project_config


async def refuse_missing(database: Database) -> None:
    """Refuses a database that is not there, before env.py would create an empty SQLite file.

    Raises:
        DatabaseMissing: It is not there.
        DatabaseError: The server could not be asked.
    """
    if not await database.exists():
        raise database.error(Database.missing(), tried="cannot use")


def _approve_all(_context: MigrationContext, _steps: Sequence[AlembicStep]) -> None:
    """Lets every plan pass."""


async def _run(
    database: Database,
    move: Move,
    *,
    project: Project,
    emit: Emit,
    approve: Approve = _approve_all,
) -> MigrationReport:
    started = time.perf_counter()
    config, scripts = await in_thread(lambda: loaded(project))
    check_target(move, scripts)
    await refuse_missing(database)
    forward = _Forward(emit)
    work = Apply(scripts=scripts, database=database, move=move, emit=forward.send, approve=approve)
    with failures.explained(work, database):
        await in_thread(
            lambda: run_env(configured(config, database), scripts, work, purge=move.purge),
            on_cancel=work.stop.set,
        )
    forward.check()
    position = _position(work)
    after = await _verified(work, position, database)
    return MigrationReport(
        database=str(database),
        backend=position.backend,
        server_version=position.server_version,
        before=position.heads,
        after=after,
        steps=tuple(work.applied),
        seconds=time.perf_counter() - started,
    )


def _position(work: Apply) -> Position:
    if work.position is None:
        raise RevisionError(
            "env.py ended without calling context.configure(), so nothing was applied",
            hint="compare it with the env.py that `alembic init -t async` writes",
        )
    return work.position


async def _verified(work: Apply, position: Position, database: Database) -> tuple[str, ...]:
    """Reads on a fresh connection where the database is; env.py's word is not enough."""
    found = await read_heads(
        database, version_table=position.version_table, schema=position.version_table_schema
    )
    expected = work.heads()
    if found != expected:
        raise RevisionError(
            f"env.py ended without an error, but the database is at {_named(found)} "
            f"instead of {_named(expected)}",
            hint="look in env.py for a swallowed exception, another database, or a statement "
            "before context.configure(), which makes Alembic apply nothing",
        )
    return found


def _named(heads: Sequence[str]) -> str:
    return ", ".join(heads) or "no revision"


class _Forward:
    """Hands events from env.py's thread to the caller's event loop, in order."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._loop = asyncio.get_running_loop()
        self._error: Exception | None = None

    def send(self, event: Event) -> None:
        """Called in env.py's thread."""
        self._loop.call_soon_threadsafe(self._call, event)

    def check(self) -> None:
        """Raises what `emit` raised first; what was asked for is done all the same."""
        if self._error is not None:
            raise self._error

    def _call(self, event: Event) -> None:
        try:
            self._emit(event)
        except Exception as error:  # noqa: BLE001 - it is kept for `check`
            self._error = self._error or error

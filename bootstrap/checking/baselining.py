"""Finds the revision whose schema an existing database has, and stamps it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from sqlalchemy import URL

from bootstrap.checking.course import first_look, own
from bootstrap.checking.differences import Difference, from_history
from bootstrap.checking.shadows import shadow_of
from bootstrap.checking.snapshots import read
from bootstrap.checking.stairway import ordered
from bootstrap.database import Database
from bootstrap.errors import RevisionError
from bootstrap.inspecting.inspection import look
from bootstrap.project import Project, loaded
from bootstrap.revisions.environment import in_thread
from bootstrap.running.runner import migrate, stamp
from bootstrap.schema.model import Schema
from bootstrap.targets import Place

_Heads = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineReport:
    """Where in its history a database is, by its schema.

    Attributes:
        database: The existing one.
        backend: The name of the backend that is really there.
        server_version: The server's.
        shadow: Where the history was replayed, in words.
        matches: The revisions after which the history has this schema; of several branches one of
            each. Several where revisions between them change rows alone.
        nearest: Those after which it differs least.
        differences: What differs then; nothing where a revision matches.
        stamped: What was written into the version table; nothing unless there is one match.
        seconds: What it took.
    """

    database: str
    backend: str
    server_version: str
    shadow: str
    matches: tuple[_Heads, ...]
    nearest: _Heads
    differences: tuple[Difference, ...]
    stamped: _Heads
    seconds: float

    @property
    def is_found(self) -> bool:
        """Whether it is one revision, and no other."""
        return len(self.matches) == 1


async def baseline(
    database: Database | str | URL,
    *,
    project: Project,
    leave_out: Sequence[str] = (),
    stamping: bool = True,
) -> BaselineReport:
    """Replays the history step by step on a shadow database, until it has the same schema.

    Args:
        database: An existing one, whose version table is missing or empty; nothing else in it is
            changed.
        project: Whose revisions.
        leave_out: Names of tables that are no part of the schema.
        stamping: Write the revision into the version table, where one matches and no other.

    Raises:
        DatabaseError: The database cannot be read, or no shadow can be made.
        RevisionError: The version table has a revision already, the project has none, or the
            history cannot be run from the beginning.
        StatementFailed: The server refused a statement of the history.
        SettingsError: env.py connects elsewhere.
    """
    begun = time.perf_counter()
    live = Database.of(database)
    config, scripts = await in_thread(lambda: loaded(project))
    position = await look(Place(database=live), config=config, scripts=scripts)
    _refuse_known(live, position.heads)
    here = own(await read(live), position, leave_out=leave_out)
    stages: list[tuple[_Heads, tuple[Difference, ...]]] = []
    async with shadow_of(live, here, server_version=position.server_version) as (shadow, where):
        async for heads, schema in _climbed(shadow, project):
            there = own(schema, position, leave_out=leave_out)
            stages.append((heads, from_history(there, here)))
    if not stages:
        raise RevisionError("this project has no revision", hint="bootstrap revision writes one")
    matches = tuple(heads for heads, differences in stages if not differences)
    nearest, differences = min(stages, key=lambda stage: len(stage[1]))
    stamped = matches[0] if stamping and len(matches) == 1 else ()
    if stamped:
        await stamp(live, stamped, project=project)
    return BaselineReport(
        database=str(live),
        backend=position.backend,
        server_version=position.server_version,
        shadow=where,
        matches=matches,
        nearest=nearest,
        differences=differences,
        stamped=stamped,
        seconds=time.perf_counter() - begun,
    )


def _refuse_known(live: Database, heads: _Heads) -> None:
    if heads:
        raise RevisionError(
            f"{live.label} is at {', '.join(heads)} already, says its version table",
            hint="bootstrap drift compares it with that revision",
        )


async def _climbed(shadow: Database, project: Project) -> AsyncIterator[tuple[_Heads, Schema]]:
    """Where the version table is after each revision, and what there is then."""
    await first_look(shadow, project=project)
    for revision in await _targets(project):
        report = await migrate(shadow, revision, project=project)
        yield report.after, await read(shadow)


async def _targets(project: Project) -> Sequence[str]:
    """Each revision in turn; a function for the first time makes the heads only."""
    revisions = [one.revision for one in await ordered(project)]
    return ("heads",) if project.first and revisions else revisions

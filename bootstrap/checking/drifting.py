"""Compares a live database with what its history makes on a shadow database beside it.

Both went through the same server, which writes defaults, checks and types in words of its own, so
that they compare word by word. The live database is only read.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import URL

from bootstrap import backends
from bootstrap.checking.acceptances import (
    Acceptance,
    accept_known,
    read_accepted,
    unused,
    write_accepted,
)
from bootstrap.checking.differences import Difference, from_history
from bootstrap.checking.knowing import (
    Known,
    accept_baseline,
    gone,
    read_baseline,
    write_baseline,
)
from bootstrap.checking.restoring import Restoration, Restoring, stand
from bootstrap.checking.shadows import replay, shadow_of
from bootstrap.checking.snapshots import TOOL_TABLES
from bootstrap.database import Database
from bootstrap.errors import RevisionError
from bootstrap.inspecting.inspection import look
from bootstrap.positions.position import Position
from bootstrap.project import Project, loaded
from bootstrap.revisions.environment import in_thread
from bootstrap.schema.model import Schema
from bootstrap.targets import Place

TABLE = "drift"  # of acceptances: [tool.bootstrap.drift]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """Whether a database has the schema that its history makes.

    Attributes:
        database: The live one.
        backend: The name of the backend that is really there.
        server_version: The server's.
        revisions: Where the version table says that it is; so far the history was replayed.
        tables: Those of the live database and of the history.
        shadow: Where the history was replayed, in words.
        live: What is there; JSON has neither this schema nor the other one.
        history: What the revisions make.
        differences: What differs, accepted or not.
        restoration: The SQL that would take the database back; None where nothing is to be done.
        unused: Acceptances that are about nothing that differs here.
        baseline: The file with the differences that were there before.
        gone: Those of that file that do not differ any longer, or not so.
        seconds: What it took in all.
        written: The file that acceptances were written to.
        added: How many.
    """

    database: str
    backend: str
    server_version: str
    revisions: tuple[str, ...]
    tables: tuple[str, ...]
    shadow: str
    live: Schema = field(repr=False, metadata={"json": False})
    history: Schema = field(repr=False, metadata={"json": False})
    differences: tuple[Difference, ...]
    restoration: Restoration | None
    unused: tuple[Acceptance, ...]
    baseline: Path | None
    gone: tuple[Known, ...]
    seconds: float
    written: Path | None = None
    added: int = 0

    @property
    def open(self) -> tuple[Difference, ...]:
        """What nobody has accepted."""
        return tuple(one for one in self.differences if not one.accepted)

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing that nobody has accepted."""
        return not self.open


async def drift(
    database: Database | str | URL,
    *,
    project: Project,
    leave_out: Sequence[str] = (),
    accepted: Sequence[Acceptance] | None = None,
    accept: bool = False,
    baseline: Path | None = None,
    update_baseline: bool = False,
) -> DriftReport:
    """Replays the history on a shadow database, and compares the live one with it.

    The history is replayed to where the version table says that the live database is: what is
    pending is no drift. The shadow is an empty database on the same server; where the account must
    not create one, it is on a throwaway server of the same version. It is dropped in the end.

    Args:
        database: The live one; nothing in it is changed.
        project: Whose revisions.
        leave_out: Names of tables that are no part of the schema, beside the version table.
        accepted: What may differ; None for what pyproject.toml says.
        accept: Write what differs there, each with a reason to be edited.
        baseline: A file with the differences that were there before; others alone count.
        update_baseline: Write what differs now into that file, in place of what it has.

    Raises:
        DatabaseError: The database cannot be read, or no shadow can be made.
        RevisionError: The database is at a revision that the project does not have, or the history
            cannot be run from the beginning.
        StatementFailed: The server refused a statement of the history.
        SettingsError: The acceptances are not understood, or env.py connects elsewhere.
    """
    begun = time.perf_counter()
    given = read_accepted(project.pyproject, of=TABLE) if accepted is None else accepted
    known = read_baseline(baseline) if baseline and not update_baseline else ()
    asked = beside(database, project=project, leave_out=leave_out, accepted=given)
    async with asked as found:
        if baseline and update_baseline:
            write_baseline(found.differences, baseline)
            known = read_baseline(baseline)
        one = found.knowing(known, baseline) if baseline else found
        restoration = await one.restoring.found() if one.is_open and not accept else None
    added = write_accepted(one.differences, project.pyproject, of=TABLE) if accept else 0
    again = read_accepted(project.pyproject, of=TABLE) if added else given
    return DriftReport(
        database=str(one.live),
        backend=one.position.backend,
        server_version=one.position.server_version,
        revisions=one.position.heads,
        tables=one.tables,
        shadow=one.where,
        live=one.restoring.live.schema,
        history=one.restoring.history.schema,
        differences=accept_known(one.differences, again) if added else one.differences,
        restoration=restoration,
        unused=unused(one.differences, given),
        gone=gone(one.differences, known),
        seconds=time.perf_counter() - begun,
        baseline=baseline,
        written=project.pyproject if added else None,
        added=added,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A live database, and its history replayed on a shadow that is there for a while.

    Attributes:
        live: The live one.
        position: Where its version table says that it is.
        where: Where the shadow is, in words.
        differences: Between the two, accepted or not.
        restoring: Both sides, and the shadow.
    """

    live: Database
    position: Position
    where: str
    differences: tuple[Difference, ...]
    restoring: Restoring

    def knowing(self, known: Sequence[Known], path: Path) -> Beside:
        """The same, with the differences that a file has as accepted."""
        found = accept_baseline(self.differences, known, path)
        return replace(
            self, differences=found, restoring=replace(self.restoring, differences=found)
        )

    @property
    def is_open(self) -> bool:
        """Whether there is something that nobody has accepted."""
        return any(not one.accepted for one in self.differences)

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of those of both sides."""
        sides = (self.restoring.live.schema, self.restoring.history.schema)
        return tuple(sorted({table.path for side in sides for table in side.tables}))


@asynccontextmanager
async def beside(
    database: Database | str | URL,
    *,
    project: Project,
    leave_out: Sequence[str],
    accepted: Sequence[Acceptance],
) -> AsyncIterator[Beside]:
    """Replays the history for the time of the block; arguments and errors are those of `drift`."""
    live = Database.of(database)
    config, scripts = await in_thread(lambda: loaded(project))
    position = await look(Place(database=live), config=config, scripts=scripts)
    left_out = (*TOOL_TABLES, position.version_table, *leave_out)
    here = await stand(live, left_out=left_out)
    version = position.server_version
    async with shadow_of(live, here.schema, server_version=version) as (shadow, where):
        heads = _replayed(position, project, heads=scripts.get_heads())
        await replay(shadow, heads, project=project)
        there = await stand(shadow, left_out=left_out)
        found = accept_known(from_history(there.schema, here.schema), accepted)
        restoring = Restoring(
            shadow=shadow,
            backend=backends.named(position.backend),
            history=there,
            live=here,
            differences=found,
            left_out=left_out,
        )
        yield Beside(
            live=live, position=position, where=where, differences=found, restoring=restoring
        )


def _replayed(position: Position, project: Project, *, heads: Sequence[str]) -> Sequence[str]:
    """What the shadow is migrated to; a function for the first time makes the heads only."""
    if not project.first:
        return position.heads
    if set(position.heads) != set(heads):
        raise RevisionError(
            f"an empty database begins with {project.first} and goes to the heads, so the history "
            f"cannot be replayed to {', '.join(position.heads) or 'base'}",
            hint="bootstrap migrate brings the database to the heads; then it can be compared",
        )
    return ("heads",)

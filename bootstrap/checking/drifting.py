"""Compares a live database with what its history makes on a shadow database beside it.

Both went through the same server, which writes defaults, checks and types in words of its own, so
that they compare word by word. The live database is only read.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from bootstrap.checking.acceptances import (
    Acceptance,
    accept_known,
    read_accepted,
    unused,
    write_accepted,
)
from bootstrap.checking.course import own
from bootstrap.checking.differences import Difference, from_history
from bootstrap.checking.shadows import replayed, shadow_of
from bootstrap.checking.snapshots import read
from bootstrap.database import Database
from bootstrap.project import Project, loaded
from bootstrap.revisions.environment import in_thread
from bootstrap.running.inspection import look
from bootstrap.targets import Place

_TABLE = "drift"  # of acceptances: [tool.bootstrap.drift]


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
        differences: What differs, accepted or not.
        unused: Acceptances that are about nothing that differs here.
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
    differences: tuple[Difference, ...]
    unused: tuple[Acceptance, ...]
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

    Raises:
        DatabaseError: The database cannot be read, or no shadow can be made.
        RevisionError: The database is at a revision that the project does not have, or the history
            cannot be run from the beginning.
        StatementFailed: The server refused a statement of the history.
        SettingsError: The acceptances are not understood, or env.py connects elsewhere.
    """
    begun = time.perf_counter()
    given = read_accepted(project.pyproject, of=_TABLE) if accepted is None else accepted
    live = Database.of(database)
    config, scripts = await in_thread(lambda: loaded(project))
    position = await look(Place(database=live), config=config, scripts=scripts)
    here = own(await read(live), position, leave_out=leave_out)
    async with shadow_of(live, here, server_version=position.server_version) as (shadow, where):
        there = own(
            await replayed(shadow, position.heads, project=project), position, leave_out=leave_out
        )
    found = accept_known(from_history(there, here), given)
    added = write_accepted(found, project.pyproject, of=_TABLE) if accept else 0
    again = read_accepted(project.pyproject, of=_TABLE) if added else given
    return DriftReport(
        database=str(live),
        backend=position.backend,
        server_version=position.server_version,
        revisions=position.heads,
        tables=tuple(sorted({table.path for table in (*here.tables, *there.tables)})),
        shadow=where,
        differences=accept_known(found, again),
        unused=unused(found, given),
        seconds=time.perf_counter() - begun,
        written=project.pyproject if added else None,
        added=added,
    )

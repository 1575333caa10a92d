"""Revision files that were changed after they were applied here, as the log tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from bootstrap.errors import Place, RevisionError
from bootstrap.positions.half import is_over
from bootstrap.positions.moves import Direction
from bootstrap.positions.position import only_reading, qualified
from bootstrap.records import log
from bootstrap.records.log import LogEntry, Outcome
from bootstrap.revisions.files import checksum

_RUN = (Outcome.APPLIED, Outcome.RESUMED)
_KNOWN = (*_RUN, Outcome.SAID_ACCEPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFile:
    """A revision whose file is not the one that was applied, nor one that was accepted since.

    Attributes:
        revision: Its id.
        path: The file.
        applied: When it was applied here, in UTC.
    """

    revision: str
    path: str
    applied: datetime


def entries_of(context: MigrationContext, log_schema: str | None) -> tuple[LogEntry, ...]:
    """What the log has of the version table that env.py has configured, the latest first."""
    connection = context.connection
    if connection is None:
        return ()
    schema = context.version_table_schema
    name = qualified(context.version_table, schema)
    with only_reading(context):
        entries = log.read(connection, log_schema or schema)
    return tuple(entry for entry in entries if entry.version_table == name)


def changed_files(
    entries: Sequence[LogEntry], scripts: ScriptDirectory, heads: Sequence[str]
) -> tuple[ChangedFile, ...]:
    """The applied revisions whose files differ from what was applied, or accepted since.

    Args:
        entries: Of one version table, the latest first.
        scripts: The revisions of the project.
        heads: Where the database is.
    """
    known: dict[str, LogEntry] = {}
    applied: dict[str, LogEntry] = {}
    for entry in entries:
        if entry.outcome in _KNOWN and entry.direction == Direction.UPGRADE and entry.checksum:
            known.setdefault(entry.revision, entry)
            if entry.outcome in _RUN:
                applied.setdefault(entry.revision, entry)
    paths = {one.revision: Path(one.path) for one in scripts.walk_revisions()}
    changed = [
        ChangedFile(revision=name, path=str(paths[name]), applied=entry.started)
        for name, entry in applied.items()
        if name in paths and checksum(paths[name]) not in (None, known[name].checksum)
    ]
    # Looked at last: it walks through the history for each.
    return tuple(
        one for one in changed if is_over((one.revision, Direction.UPGRADE), scripts, heads)
    )


def refusal(changed: Sequence[ChangedFile]) -> RevisionError:
    """The error for a run that must not go on beside such files."""
    lines = "".join(f"\n  {Place(path=Path(one.path))}" for one in changed)
    names = ", ".join(one.revision for one in changed)
    verb = "was" if len(changed) == 1 else "were"
    return RevisionError(
        f"{names} {verb} changed after being applied to this database; nothing was run{lines}",
        hint="bring back the file that was applied (git log -p shows its history) and put the "
        "change into a new revision; where the file means the same as before: bootstrap repair "
        "--accept-changed; without --strict the run goes on",
        place=Place(path=Path(changed[0].path)),
    )

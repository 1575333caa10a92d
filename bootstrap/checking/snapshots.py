"""Snapshots: the schema of a database as a value, kept in a file and compared with one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from bootstrap.checking.files import write_text
from bootstrap.database import Database
from bootstrap.errors import SettingsError
from bootstrap.records import names
from bootstrap.schema.changes import Change
from bootstrap.schema.compare import compare
from bootstrap.schema.document import digest, dumps, loads
from bootstrap.schema.model import Schema

# Alembic's table and those of bootstrap: records of what was run, not part of what was made.
TOOL_TABLES = ("alembic_version", *sorted(names.TOOL_TABLES))


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotReport:
    """What a database consists of.

    Attributes:
        database: Where it was read.
        backend: The name of the backend that is really there.
        digest: Of the schema; equal for equal schemas, in any process.
        schema: In canonical form.
        written: The file that it was written to.
        checked: The file that it was compared with.
        changes: What differs from that file's schema to this one.
    """

    database: str
    backend: str
    digest: str
    schema: Schema
    written: Path | None = None
    checked: Path | None = None
    changes: tuple[Change, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether nothing differs from the file."""
        return not self.changes


async def snapshot(
    database: Database | str | URL,
    *,
    check: Path | None = None,
    output: Path | None = None,
    leave_out: Iterable[str] = (),
) -> SnapshotReport:
    """Reads the schema of a database, and changes nothing in it.

    Args:
        database: What to read.
        check: A snapshot to compare it with, of the same backend or another.
        output: The file to write the snapshot to; one that is there is replaced.
        leave_out: Names of tables that do not belong to it, beside Alembic's and bootstrap's own.

    Raises:
        DatabaseError: The database is missing or cannot be read.
        SettingsError: A file cannot be read or written.
    """
    database = Database.of(database)
    expected = None if check is None else load(check)
    schema = (await read(database)).without((*TOOL_TABLES, *leave_out))
    if output is not None:
        save(schema, output)
    return SnapshotReport(
        database=str(database),
        backend=schema.backend,
        digest=digest(schema),
        schema=schema,
        written=output,
        checked=check,
        changes=() if expected is None else compare(expected, schema),
    )


async def read(database: Database) -> Schema:
    """Reads all that a database consists of.

    Raises:
        DatabaseError: It is missing or cannot be read.
    """
    async with database.connect() as connection:
        with database.translated("cannot read the schema of"):
            return await connection.run_sync(database.present(connection.dialect).catalog.read)


def load(path: Path) -> Schema:
    """Reads a snapshot from its file.

    Raises:
        SettingsError: The file cannot be read, or is no snapshot.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(
            f"cannot read the snapshot {path}: {reason}",
            hint=f"bootstrap snapshot --output {path} writes one",
        ) from error
    try:
        return loads(text)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error.message}", hint=error.hint) from error


def save(schema: Schema, path: Path) -> None:
    """Writes a snapshot into a file: all of it, or nothing.

    Raises:
        SettingsError: The file cannot be written.
    """
    write_text(dumps(schema), path, what="snapshot")

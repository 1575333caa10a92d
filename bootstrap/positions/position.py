"""Where a database is in its history, as env.py's connection shows it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from bootstrap import backends
from bootstrap.errors import RevisionError
from bootstrap.positions.heads import heads_after
from bootstrap.positions.moves import AlembicStep


class Undone(StrEnum):
    """What the database undoes by itself when a statement of a revision fails."""

    RUN = "all revisions of this run"
    REVISION = "the revision"
    PROGRAM = "what the program began"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a database was found to be, in which table that stands, and how env.py works on it."""

    heads: tuple[str, ...]
    version_table: str
    version_table_schema: str | None
    backend: str  # the one that really answers: a `mysql` URL may lead to MariaDB
    server_version: str
    undone: Undone

    @property
    def lock_name(self) -> str:
        """What the run lock is taken for: the version table."""
        return qualified(self.version_table, self.version_table_schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What one `context.configure()` of env.py has led to.

    Attributes:
        position: Where the version table of the call was found to be.
        before: Where it was at first; env.py may have run several times.
        begin: The revisions that the plan begins with.
        planned: The steps.
    """

    position: Position
    before: tuple[str, ...]
    begin: tuple[str, ...]
    planned: tuple[AlembicStep, ...]

    @property
    def heads(self) -> tuple[str, ...]:
        """Where that version table must be when all planned steps are applied."""
        return heads_after(self.begin, self.planned)


def read_position(context: MigrationContext) -> Position:
    """Reads where the database is, on env.py's own connection."""
    return Position(
        heads=tuple(sorted(context.get_current_heads())),
        version_table=context.version_table,
        version_table_schema=context.version_table_schema,
        backend=backends.of_dialect(context.dialect).name,
        server_version=_version_text(context),
        undone=_undone(context),
    )


def reason_not_to_write(context: MigrationContext) -> str:
    """Why env.py's connection takes no writes, as its backend says; empty where it does."""
    if context.connection is None:
        return ""
    with only_reading(context):
        return backends.of_dialect(context.dialect).health.read_only(context.connection)


@contextmanager
def only_reading(context: MigrationContext) -> Iterator[None]:
    """Ends the transaction that a statement began, unless env.py began one itself.

    Were it still open, Alembic would take it for env.py's own and never commit.
    """
    connection = context.connection
    theirs = connection is not None and connection.in_transaction()
    try:
        yield
    finally:
        if connection is not None and not theirs:
            connection.rollback()


def _undone(context: MigrationContext) -> Undone:
    if not context.impl.transactional_ddl:
        return Undone.NOTHING
    if context._in_external_transaction:  # noqa: SLF001 - it has no public name
        return Undone.PROGRAM
    return Undone.REVISION if context.opts.get("transaction_per_migration") else Undone.RUN


def _version_text(context: MigrationContext) -> str:
    numbers = getattr(context.dialect, "server_version_info", None) or ()
    return ".".join(str(number) for number in numbers[:3])  # MySQL has a fourth on Debian


def unknown(scripts: ScriptDirectory, position: Position) -> tuple[str, ...]:
    """The revisions of a database that are in no file of this project."""
    known = {revision.revision for revision in scripts.walk_revisions()}
    return tuple(head for head in position.heads if head not in known)


def refuse_unknown(scripts: ScriptDirectory, position: Position) -> None:
    """Refuses a database whose revision is in no file of this project.

    Raises:
        RevisionError: It was migrated by newer or other code.
    """
    foreign = unknown(scripts, position)
    if foreign:
        raise RevisionError(
            f"the database is at revision {', '.join(foreign)}, which this project does not have",
            hint="deploy the code that has it, or name the right database; where older code is "
            "meant to run beside newer, --allow-ahead (migrate, status, current) lets it be",
        )


def qualified(name: str, schema: str | None) -> str:
    """The name of a version table with its schema."""
    return f"{schema}.{name}" if schema else name

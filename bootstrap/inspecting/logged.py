"""What was run on a database, as its log tells."""

from __future__ import annotations

from dataclasses import dataclass, field

from alembic.runtime.migration import MigrationContext

from bootstrap.errors import SettingsError
from bootstrap.inspecting.inspection import look_by, position_of
from bootstrap.positions.position import only_reading
from bootstrap.project import Project, loaded
from bootstrap.records.log import LogEntry, read
from bootstrap.revisions.environment import in_thread
from bootstrap.running.looking import Look
from bootstrap.targets import Target, opened


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReport:
    """What was run on a database, the latest first."""

    database: str
    backend: str
    server_version: str
    entries: tuple[LogEntry, ...]


@dataclass(slots=True, kw_only=True)
class ReadLog(Look):
    """Reads the log in each schema that env.py has a version table in."""

    log_schema: str | None
    revision: str | None
    limit: int | None
    entries: dict[str | None, tuple[LogEntry, ...]] = field(default_factory=dict)

    def look(self, context: MigrationContext) -> None:
        """Reads it on env.py's own connection, whose search path it may depend on."""
        Look.look(self, context)
        schema = self.log_schema or context.version_table_schema
        connection = context.connection
        if connection is not None and schema not in self.entries:
            with only_reading(context):
                self.entries[schema] = read(
                    connection, schema, revision=self.revision, limit=self.limit
                )


async def log(
    database: Target,
    *,
    project: Project,
    revision: str | None = None,
    limit: int | None = None,
) -> LogReport:
    """Reads what was run on a database: which step, when, by whom, from where, with what outcome.

    Args:
        database: What to look at; nothing in it is changed.
        project: Whose env.py connects.
        revision: Only the steps of this one; its whole id, which no file needs to have.
        limit: How many steps at most.

    Raises:
        DatabaseError: The database is missing or cannot be used, or the log is one of a newer
            bootstrap.
        SettingsError: The limit is no number of steps.
    """
    refuse_no_number(limit)
    config, scripts = await in_thread(lambda: loaded(project))
    async with opened(database) as place:
        work = ReadLog(
            scripts=scripts,
            database=place.database,
            connection=place.connection,
            log_schema=project.log_schema,
            revision=revision,
            limit=limit,
        )
        await look_by(work, config=config, allow_ahead=True)
    return log_of(work)


def log_of(work: ReadLog) -> LogReport:
    """What `log` reports, from work that has looked.

    Raises:
        RevisionError: It has not: env.py did not connect.
    """
    position = position_of(work)
    found = [entry for entries in work.entries.values() for entry in entries]
    return LogReport(
        database=str(work.database),
        backend=position.backend,
        server_version=position.server_version,
        entries=tuple(found[: work.limit]),
    )


def refuse_no_number(limit: int | None) -> None:
    """Refuses a limit that is no number of steps.

    Raises:
        SettingsError: It is none.
    """
    if limit is not None and limit < 1:
        raise SettingsError(f"{limit} is no number of steps", hint="give one from 1 on")

"""Creates the version table, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from bootstrap.errors import RevisionError
from bootstrap.positions.moves import AlembicStep
from bootstrap.positions.position import Position, only_reading, reason_not_to_write
from bootstrap.project import Project, loaded
from bootstrap.revisions.environment import in_thread
from bootstrap.running.inside import run_inside
from bootstrap.running.looking import Look
from bootstrap.targets import Place, Target, opened


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsureVersionReport:
    """Whether the version table was created, or was there already.

    Attributes:
        version_table: Its name, with the schema where env.py names one.
    """

    database: str
    backend: str
    server_version: str
    version_table: str
    created: bool


@dataclass(slots=True, kw_only=True)
class Ensure(Look):
    """Lets Alembic create the version table, as it does before the first step.

    Attributes:
        there: Whether it was there before; None until env.py has connected.
    """

    there: bool | None = None

    def look(self, context: MigrationContext) -> None:
        """Reads the position, and whether there is a table that it stands in."""
        super(Ensure, self).look(context)  # slots: the class is made anew, the short form fails
        if context.connection is None:
            return
        with only_reading(context):
            self.there = inspect(context.connection).has_table(
                context.version_table, schema=context.version_table_schema
            )
        if not self.there:
            self.database.refuse_read_only(reason_not_to_write(context))

    def steps(self, heads: Sequence[str], context: MigrationContext) -> Iterator[AlembicStep]:
        """Yields nothing, and commits what Alembic has done before.

        With a transaction for each revision Alembic commits at the end of each, and here is none.
        """
        with context.begin_transaction(_per_migration=True):
            return iter(())


async def ensure_version(database: Target, *, project: Project) -> EnsureVersionReport:
    """Creates the version table of a database unless it is there; applies nothing.

    Args:
        database: Whose version table.
        project: Whose env.py says how the table is named.

    Raises:
        DatabaseError: The database is missing or cannot be used.
        RevisionError: env.py or the revisions cannot be used.
    """
    config, scripts = await in_thread(lambda: loaded(project))
    async with opened(database) as place:
        work = Ensure(scripts=scripts, database=place.database, connection=place.connection)
        await run_inside(work, config=config)
        position = work.position
        if position is None or work.there is None:
            raise RevisionError("env.py ended without calling context.configure()")
        await _refuse_missing(place, position)
    names = (position.version_table_schema, position.version_table)
    return EnsureVersionReport(
        database=str(place.database),
        backend=position.backend,
        server_version=position.server_version,
        version_table=".".join(name for name in names if name),
        created=not work.there,
    )


async def _refuse_missing(place: Place, position: Position) -> None:
    """Looks on a fresh connection where there can be one; env.py's word is not enough."""
    database, table = place.database, position.version_table
    with database.translated("cannot read the version table of"):
        async with place.connect() as connection:
            there = await connection.run_sync(
                lambda plain: inspect(plain).has_table(table, schema=position.version_table_schema)
            )
    if not there:
        raise RevisionError(
            f"env.py ended without an error, but {database} has no {table}",
            hint="look in env.py for a swallowed exception, or a transaction that is rolled back",
        )

"""Creates what the models say on an empty database, as a second history to compare with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateSchema

from bootstrap.database import Database
from bootstrap.errors import StatementFailed
from bootstrap.inspecting.inspection import look_by
from bootstrap.project import Project, loaded
from bootstrap.revisions.environment import in_thread
from bootstrap.running.looking import Look


@dataclass(slots=True, kw_only=True)
class _Create(Look):
    """Creates the tables of env.py's target_metadata on env.py's own connection.

    Attributes:
        found: Whether env.py names models.
    """

    found: bool = False

    def look(self, context: MigrationContext) -> None:
        """Creates them as soon as env.py has connected."""
        Look.look(self, context)
        connection = context.connection
        assert connection is not None  # noqa: S101 - it is not run offline
        theirs = connection.in_transaction()
        for metadata in _several(context.opts.get("target_metadata")):
            self.found = True
            self._create(metadata, connection)
        if not theirs and connection.in_transaction():
            connection.commit()

    def _create(self, metadata: MetaData, connection: Connection) -> None:
        backend = self.database.backend
        try:
            if backend.features.schemas:
                for name in sorted(_schemas(metadata)):
                    connection.execute(CreateSchema(name, if_not_exists=True))
            metadata.create_all(connection)
        except SQLAlchemyError as error:
            failure = backend.errors.translate(error)
            said = f"{failure.code}: {failure.text}" if failure else str(error)
            raise StatementFailed(
                f"the models cannot be created on {backend.title} ({said})",
                hint="where they need what only the revisions make, such as an extension, leave "
                "the comparison with the models out: --no-models",
            ) from error


async def create_models(database: Database, *, project: Project) -> bool:
    """Creates what the models of a project say; false when env.py names none.

    Args:
        database: An empty one.
        project: Whose models.

    Raises:
        DatabaseError: The database cannot be used.
        RevisionError: env.py failed.
        StatementFailed: The server refused a table.
    """
    config, scripts = await in_thread(lambda: loaded(project))
    work = _Create(scripts=scripts, database=database)
    await look_by(work, config=config)
    return work.found


def _several(target: MetaData | Sequence[MetaData] | None) -> Sequence[MetaData]:
    """Alembic takes one, several, or none."""
    if target is None:
        return ()
    return (target,) if isinstance(target, MetaData) else target


def _schemas(metadata: MetaData) -> Iterator[str]:
    yield from {table.schema for table in metadata.tables.values() if table.schema}

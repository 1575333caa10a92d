"""Compares a database with the models of a project, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from alembic.autogenerate import RevisionContext
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL

from bootstrap.database import Database
from bootstrap.errors import RevisionError
from bootstrap.project import Project, loaded
from bootstrap.revisions.environment import in_thread
from bootstrap.revisions.operations import Operation, in_words
from bootstrap.running.inspection import look_by
from bootstrap.running.moves import AlembicStep
from bootstrap.running.work import Look, refuse_unknown

_COMMAND: dict[str, Any] = {
    "message": None,
    "autogenerate": True,
    "sql": False,
    "head": "head",
    "splice": False,
    "branch_label": None,
    "version_path": None,
    "rev_id": None,
    "depends_on": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What a new revision would have to do, so that a database has what the models say."""

    database: str
    backend: str
    server_version: str
    operations: tuple[Operation, ...]

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing to do."""
        return not self.operations


@dataclass(slots=True, kw_only=True)
class Compare(Look):
    """Compares as `alembic revision --autogenerate` does, with all the options of env.py.

    Attributes:
        revision: Alembic's, which collects the operations; env.py may change them.
        operations: What was found; None until env.py has called `context.run_migrations()`.
    """

    revision: RevisionContext
    operations: tuple[Operation, ...] | None = None

    @classmethod
    def of(cls, scripts: ScriptDirectory, config: Config, *, database: Database) -> Compare:
        """Prepares the comparison, with the arguments that Alembic's own command gives."""
        revision = RevisionContext(config, scripts, dict(_COMMAND))
        return cls(scripts=scripts, database=database, revision=revision)

    def steps(self, heads: Sequence[str], context: MigrationContext) -> Iterator[AlembicStep]:
        """Compares where Alembic would apply steps, and yields none."""
        self._refuse(context)
        self.revision.run_autogenerate(tuple(heads), context)
        found = [
            operations
            for script in self.revision.generated_revisions
            for operations in script.upgrade_ops_list
        ]
        self.operations = tuple(in_words(found, dialect=context.dialect))
        return iter(())

    def _refuse(self, context: MigrationContext) -> None:
        if context.opts.get("target_metadata") is None:
            raise RevisionError(
                "env.py names no models to compare the database with",
                hint="pass target_metadata to context.configure() there",
            )
        if self.position is None:
            return
        refuse_unknown(self.scripts, self.position)
        applied = {one.revision for one in self.scripts.get_all_current(self.position.heads)}
        if applied != set(self.scripts.get_heads()):
            raise RevisionError(
                "the database is not at the heads of the history, so the models cannot be "
                "compared with it",
                hint="bootstrap status shows what is pending, bootstrap migrate applies it",
            )


async def check(database: Database | str | URL, *, project: Project) -> CheckReport:
    """Compares a database with the models, as autogenerate does, and writes no revision.

    Args:
        database: What to look at; it must be at the heads; nothing in it is changed.
        project: Whose models, and whose options of autogenerate.

    Raises:
        DatabaseError: The database is missing or cannot be used.
        RevisionError: The database is not at the heads, or env.py names no models.
    """
    database = Database.of(database)
    config, scripts = await in_thread(lambda: loaded(project))
    work = Compare.of(scripts, config, database=database)
    position = await look_by(
        work,
        config=config,
        template_args=work.revision.template_args,
        revision_context=work.revision,
    )
    if work.operations is None:
        raise RevisionError("env.py ended without calling context.run_migrations()")
    return CheckReport(
        database=str(database),
        backend=position.backend,
        server_version=position.server_version,
        operations=work.operations,
    )

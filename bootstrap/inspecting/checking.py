"""Compares a database with the models of a project, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alembic.autogenerate import RevisionContext
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from bootstrap.errors import RevisionError
from bootstrap.inspecting.inspection import look_by
from bootstrap.positions.moves import AlembicStep
from bootstrap.positions.position import Position, refuse_unknown
from bootstrap.project import Project, loaded
from bootstrap.revisions.environment import in_thread
from bootstrap.revisions.operations import Operation, in_words
from bootstrap.running.looking import Look
from bootstrap.targets import Place, Target, opened


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


async def check(database: Target, *, project: Project) -> CheckReport:
    """Compares a database with the models, as autogenerate does, and writes no revision.

    Args:
        database: What to look at; it must be at the heads; nothing in it is changed.
        project: Whose models, and whose options of autogenerate.

    Raises:
        DatabaseError: The database is missing or cannot be used.
        RevisionError: The database is not at the heads, or env.py names no models.
    """
    config, scripts = await in_thread(lambda: loaded(project))
    async with opened(database) as place:
        return await compare(place, config=config, revision=draft(config, scripts))


async def compare(place: Place, *, config: Config, revision: RevisionContext) -> CheckReport:
    """Compares a database with the models, and fills a draft with what is pending.

    Args:
        place: What to look at; it must be at the heads; nothing in it is changed.
        config: The project's.
        revision: The draft, as `draft` makes it.

    Raises:
        DatabaseError, RevisionError: As for `check`.
    """
    work = Compare(
        scripts=revision.script_directory,
        database=place.database,
        connection=place.connection,
        revision=revision,
    )
    position = await draft_by(work, config=config, revision=revision)
    if work.operations is None:
        raise RevisionError("env.py ended without calling context.run_migrations()")
    return CheckReport(
        database=str(place.database),
        backend=position.backend,
        server_version=position.server_version,
        operations=work.operations,
    )


def draft(config: Config, scripts: ScriptDirectory, **command: object) -> RevisionContext:
    """Alembic's draft of a new revision; `command` are options of its own command."""
    defaults = {
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
    return RevisionContext(config, scripts, defaults | command)


async def draft_by(work: Look, *, config: Config, revision: RevisionContext) -> Position:
    """Does work on a draft inside env.py, which may add arguments for the template.

    Raises:
        DatabaseError, RevisionError: As for `check`.
    """
    return await look_by(
        work, config=config, template_args=revision.template_args, revision_context=revision
    )

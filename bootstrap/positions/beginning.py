"""The first time of a history that does not begin with an empty database.

Many projects make the schema of a new database from their models (`create_all`), stamp it, and use
revisions for those that are there already. A function of the project's own makes the schema here,
in the transaction of the step that stamps it, where the backend has transactions for that.
"""

from __future__ import annotations

import inspect as python
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext, RevisionStep, StampStep
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from bootstrap import backends
from bootstrap.errors import RevisionError
from bootstrap.records.names import TOOL_TABLES
from bootstrap.revisions import faults
from bootstrap.revisions.reach import function

_BASE = "base"
_TABLES_NAMED = 5


class First(StampStep):
    """Alembic's step that has a function make the schema, and stamps the revision that it names.

    Where the function says that the schema is that of `base`, the first revision runs in the same
    step: what the function made would else be durable without a revision that says so.

    Args:
        named: The function, `module:function`.
        context: Its connection is what the function gets.
        scripts: The revisions.
        following_base: The first step where the schema is that of `base`; None where there is none.
    """

    def __init__(
        self,
        named: str,
        *,
        context: MigrationContext,
        scripts: ScriptDirectory,
        following_base: RevisionStep | None,
    ) -> None:
        super().__init__((), (), True, True, scripts.revision_map)  # noqa: FBT003 - as Alembic has it
        self.named = named
        self._call = function(named, setting="first")
        self._context = context
        self._scripts = scripts
        self._following_base = following_base
        self.migration_fn = self._begin

    @property
    def path(self) -> Path | None:
        """The file that has the function."""
        source = python.getsourcefile(python.unwrap(self._call))
        return Path(source) if source else None

    def __str__(self) -> str:
        return f"first {self.named}"

    def _begin(self, **arguments: Any) -> None:
        self.to_ = (self._revision(self._call(self._context.connection), arguments),)

    def _revision(self, said: object, arguments: dict[str, Any]) -> str:
        if said == _BASE:
            return self._after_base(arguments)
        if said is not None and not isinstance(said, str):
            raise self._useless(f"gave {type(said).__name__}, which is no revision")
        heads = self._scripts.get_heads()
        if said is None and len(heads) != 1:
            raise self._useless(f"names no revision, and the history has {len(heads)} heads")
        with faults.explained(self._scripts, said or heads[0]):
            found = self._scripts.get_revision(said or heads[0])
            return found.revision

    def _after_base(self, arguments: dict[str, Any]) -> str:
        step = self._following_base
        if step is None:
            raise self._useless("says that the schema is that of base, and no revision follows")
        step.migration_fn(**arguments)
        return step.revision.revision

    def _useless(self, why: str) -> RevisionError:
        return RevisionError(
            f"first = {self.named!r} {why}",
            hint="let the function return the id of the revision whose schema it has made, "
            f"{_BASE!r} when all revisions are to be run after it, or nothing for the only head",
        )


def is_first_time(context: MigrationContext) -> bool:
    """Whether a database has no table yet that is the project's own.

    It looks where a table without a schema would be; Alembic's table and those of extensions are
    nobody's.
    """
    return not _tables(context)


def refuse_tables(context: MigrationContext, named: str) -> None:
    """Refuses a database that has tables, but no revision that says which.

    Raises:
        RevisionError: It has.
    """
    tables = _tables(context)
    if not tables:
        return
    some = ", ".join(tables[:_TABLES_NAMED]) + (" …" if len(tables) > _TABLES_NAMED else "")
    raise RevisionError(
        f"the database is at no revision, but has tables ({some}), so {named} was not called: "
        "a first time was interrupted, or they were made by something else",
        hint="if they are half a schema: bootstrap drop, bootstrap create, and run the command "
        "again; if they are the whole one: bootstrap stamp with the revision that it has",
    )


def refuse_less(scripts: ScriptDirectory, target: str, named: str) -> None:
    """Refuses to begin with anything else than the newest schema as the aim.

    Raises:
        RevisionError: Something else was asked for: which revision the function makes is not known
            before it is called.
    """
    with faults.explained(scripts, target):
        relative = bool(set("+-") & set(target))
        asked = () if relative else scripts.get_revisions(target)
    if {one.revision for one in asked} != set(scripts.get_heads()):
        raise RevisionError(
            f"an empty database begins with {named}, and goes to the heads then, not to {target}",
            hint="bootstrap migrate --heads",
        )


def _tables(context: MigrationContext) -> tuple[str, ...]:
    connection = context.connection
    assert connection is not None  # noqa: S101 - it is asked of a database only
    backend = backends.of_dialect(connection.dialect)
    inspector = inspect(connection)
    default = inspector.default_schema_name
    theirs = {
        name for schema, name in backend.tables_of_extensions(connection) if schema == default
    }
    left_out = theirs | TOOL_TABLES | {context.version_table}
    return tuple(sorted({*inspector.get_table_names()} - left_out))

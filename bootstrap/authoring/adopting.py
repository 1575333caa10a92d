"""Writes the revision that makes what was done to a database by hand part of its history."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from textwrap import indent
from typing import Any

from alembic.operations import ops
from alembic.script import Script
from sqlalchemy import URL, Connection, MetaData

from bootstrap.authoring.expressing import invoked, operations, reflected, rendered, reversed_of
from bootstrap.authoring.writing import refuse_taken, remove, runs_env, write
from bootstrap.backends.altering import Statement
from bootstrap.checking.acceptances import Acceptance, read_accepted
from bootstrap.checking.differences import Difference
from bootstrap.checking.drifting import TABLE, Beside, beside
from bootstrap.checking.restoring import Restoring, Stand
from bootstrap.checking.shadows import shadow_of
from bootstrap.checking.stairway import undo
from bootstrap.database import Database
from bootstrap.errors import RevisionError
from bootstrap.inspecting.checking import draft
from bootstrap.project import Project, loaded
from bootstrap.revisions import listing
from bootstrap.revisions.environment import in_thread
from bootstrap.revisions.listing import Revision
from bootstrap.running.runner import migrate

_INDENTED = "    "
_ESCAPED = r"\\:"
_COLON = re.compile(r"(?<![:\w\\]):(?=\w)")  # what `text()` takes for a parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptReport:
    """What was made part of the history.

    Attributes:
        database: The live one, in which nothing was changed.
        backend: The name of the backend that is really there.
        server_version: The server's.
        adopted: What differed, and nobody had accepted.
        revision: What was written; None where there was nothing to adopt.
        missing: Differences that no operation and no statement makes: they stay.
        not_undone: Differences that the downgrade leaves.
    """

    database: str
    backend: str
    server_version: str
    adopted: tuple[Difference, ...]
    revision: Revision | None
    missing: tuple[str, ...] = ()
    not_undone: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether the history makes the schema of the database now."""
        return not self.missing


async def adopt(
    database: Database | str | URL,
    *,
    project: Project,
    message: str | None = None,
    rev_id: str | None = None,
    leave_out: Sequence[str] = (),
    accepted: Sequence[Acceptance] | None = None,
) -> AdoptReport:
    """Writes the revision from the heads of the history to what the live database is.

    Alembic's operations are used where it has some, SQL for the rest, for this backend only. The
    revision is tried on a shadow database: applied, compared with the live one, undone, compared
    with the history, and applied again. The live database has it already: `bootstrap stamp` is for
    it, `bootstrap migrate` for all others.

    Args:
        database: The live one, which must be at the heads; nothing in it is changed.
        project: Whose revisions, whose template, whose post-write hooks.
        message: What the revision is for.
        rev_id: Its id; by default a new one.
        leave_out: Names of tables that are no part of the schema, beside the version table.
        accepted: What is left as it is; None for what pyproject.toml says.

    Raises:
        DatabaseError: The database cannot be read, or no shadow can be made.
        RevisionError: The database is not at the heads, or the revision cannot be written.
        StatementFailed: The server refused a statement of it; the file is removed.
        SettingsError: The acceptances are not understood, or env.py connects elsewhere.
    """
    given = read_accepted(project.pyproject, of=TABLE) if accepted is None else accepted
    config, scripts = await in_thread(lambda: loaded(project))
    refuse_taken(scripts, rev_id)
    if runs_env(config):
        raise RevisionError(
            "env.py runs for each new revision of this project, and cannot do so here",
            hint="unset revision_environment in Alembic's configuration for this once",
        )
    async with beside(database, project=project, leave_out=leave_out, accepted=given) as one:
        _refuse_behind(one, tuple(scripts.get_heads()))
        facts = _Facts.of(one)
        if not facts.adopted:
            return facts.report(revision=None)
        bodies = await _bodies(one)
        order = draft(
            config,
            scripts,
            message=message or "Adopt what was done by hand",
            autogenerate=False,
            rev_id=rev_id,
        )
        order.template_args |= bodies
        generate = partial(list[Script | None], order.generate_scripts())
        written = await in_thread(partial(write, scripts, generate))
        (revision,) = listing.described(scripts, [script for script in written if script])
        trial = _Trial(one=one, project=project, revision=revision)
        try:
            missing, not_undone = await trial.run()
        except BaseException:
            remove(revision.path)
            raise
        return facts.report(revision=revision, missing=missing, not_undone=not_undone)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What a report has in any case."""

    database: str
    backend: str
    server_version: str
    adopted: tuple[Difference, ...]

    @classmethod
    def of(cls, one: Beside) -> _Facts:
        return cls(
            database=str(one.live),
            backend=one.position.backend,
            server_version=one.position.server_version,
            adopted=tuple(each for each in one.differences if not each.accepted),
        )

    def report(
        self,
        *,
        revision: Revision | None,
        missing: tuple[str, ...] = (),
        not_undone: tuple[str, ...] = (),
    ) -> AdoptReport:
        return AdoptReport(
            database=self.database,
            backend=self.backend,
            server_version=self.server_version,
            adopted=self.adopted,
            revision=revision,
            missing=missing,
            not_undone=not_undone,
        )


def _refuse_behind(one: Beside, heads: tuple[str, ...]) -> None:
    if set(one.position.heads) != set(heads):
        raise RevisionError(
            f"{one.live.label} is not at the heads of the history, so what it has cannot follow "
            "them",
            hint="bootstrap status shows what is pending, bootstrap migrate applies it",
        )


async def _bodies(one: Beside) -> dict[str, Any]:
    """What the template is filled with, found by doing it on the shadow."""
    restoring = one.restoring
    adopted = [each for each in one.differences if not each.accepted]
    wanted = await _metadata(one.live, {each.table for each in adopted})
    imports: set[str] = set()
    async with restoring.shadow.connect() as connection:
        names = tuple({connection.dialect.name, restoring.backend.name})
        ups = await connection.run_sync(partial(operations, wanted=wanted, differences=adopted))
    up = _Body(restoring=restoring, target=restoring.live, dialects=names, imports=imports)
    upgrades, done = await up.filled(ups)
    down = _Body(restoring=restoring, target=restoring.history, dialects=names, imports=imports)
    downgrades, _ = await down.filled(reversed_of(done))
    return {
        "upgrades": upgrades,
        "downgrades": downgrades,
        "imports": "\n".join(sorted(imports)),
    }


async def _metadata(database: Database, tables: Iterable[str]) -> MetaData:
    async with database.connect() as connection:
        with database.translated("cannot read the schema of"):
            return await connection.run_sync(partial(reflected, tables=tuple(tables)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    """The body of one direction.

    Attributes:
        restoring: The shadow, on which it is done to see what is left.
        target: What shall come of it.
        dialects: Those that its SQL is for.
        imports: Gets what the revision needs to import.
    """

    restoring: Restoring
    target: Stand
    dialects: tuple[str, ...]
    imports: set[str]

    async def filled(
        self, wanted: Sequence[ops.MigrateOperation]
    ) -> tuple[str, list[ops.MigrateOperation]]:
        """Does the operations, and what they leave by SQL; gives the lines, and what was done."""

        def express(connection: Connection) -> tuple[list[str], list[ops.MigrateOperation]]:
            done = invoked(connection, wanted)
            lines = rendered(connection, done, imports=self.imports)
            return [indent(line, _INDENTED) for line in lines], done

        async with self.restoring.shadow.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            lines, done = await connection.run_sync(express)
        now = await self.restoring.now()
        rest = self.restoring.between(now.made, self.target.made)
        failed = await self.restoring.run(rest)
        lines += _executed([one for one in rest if one not in failed], self.dialects)
        return "\n".join(lines).strip(), done


def _executed(statements: Sequence[Statement], dialects: Sequence[str]) -> Iterator[str]:
    """Python that runs SQL on the backend that it is written for."""
    if statements:
        yield f"{_INDENTED}if op.get_context().dialect.name in {tuple(sorted(dialects))!r}:"
    for one in statements:
        yield f"{_INDENTED * 2}op.execute({_literal(_COLON.sub(_ESCAPED, one.sql))})"


def _literal(sql: str) -> str:
    """SQL as Python has it: its own lines where it has several."""
    if "\n" not in sql or '"""' in sql or sql.endswith('"'):
        return repr(sql)
    return f'r"""{sql}"""'


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """Applies the revision to a shadow of its own, undoes it, and applies it again."""

    one: Beside
    project: Project
    revision: Revision

    async def run(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Tells what is missing after the upgrade, and what is left by the downgrade."""
        sides = self.one.restoring
        places = shadow_of(
            self.one.live, sides.live.schema, server_version=self.one.position.server_version
        )
        async with places as (shadow, _):
            trial = Restoring(
                shadow=shadow,
                backend=sides.backend,
                history=sides.history,
                live=sides.live,
                differences=sides.differences,
                left_out=sides.left_out,
            )
            for name in (*self.one.position.heads, self.revision.revision):
                await migrate(shadow, name, project=self.project)
            missing = trial.open(await trial.now(), sides.live)
            downs = self.revision.down_revisions
            await undo(shadow, self.revision.revision, downs=downs, project=self.project)
            not_undone = trial.open(sides.history, await trial.now())
            await migrate(shadow, self.revision.revision, project=self.project)
            again = trial.open(await trial.now(), sides.live)
        return tuple(dict.fromkeys((*missing, *again))), not_undone

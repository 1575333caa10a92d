"""Writes a new revision: from the template, or from what the models have and the schema has not."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from io import StringIO
from pathlib import Path

from alembic.autogenerate import RevisionContext
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import URL

from bootstrap.authoring.places import Places, places
from bootstrap.authoring.portable import mend
from bootstrap.authoring.trying import Attempt, FailedAttempt, Trial, replay
from bootstrap.authoring.writing import refuse_taken, remove, runs_env, write
from bootstrap.backends.base import Backend
from bootstrap.database import Database
from bootstrap.errors import RevisionError, SettingsError, StatementFailed
from bootstrap.events import Emit, TryFinished, TryStarted, silent
from bootstrap.inspecting.checking import compare, draft, draft_by
from bootstrap.positions.moves import AlembicStep
from bootstrap.project import Project, loaded
from bootstrap.revisions import listing
from bootstrap.revisions.environment import in_thread, run_env
from bootstrap.revisions.listing import Revision
from bootstrap.revisions.operations import Operation
from bootstrap.running.failures import explained
from bootstrap.running.inside import configured, surroundings
from bootstrap.running.looking import Look
from bootstrap.targets import Place
from bootstrap.testing import ThrowawayDatabases
from bootstrap.testing.servers import MissingServer


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionReport:
    """What was written, and what came of trying it.

    Attributes:
        revisions: What was written; most often one, none where nothing was to be done.
        kept: Whether the files are there; they are removed when a try does not work.
        compared_on: The backend that the models were compared with; None without autogenerate.
        operations: What the upgrade does, as autogenerate found it.
        attempts: The backends that it was tried on.
        not_tried: Those that could not be started.
    """

    revisions: tuple[Revision, ...]
    kept: bool
    compared_on: str | None = None
    operations: tuple[Operation, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    not_tried: tuple[MissingServer, ...] = ()

    @property
    def works(self) -> bool:
        """Whether nothing speaks against it where it was tried."""
        return all(attempt.works for attempt in self.attempts)


@dataclass(slots=True, kw_only=True)
class _Fill(Look):
    """Lets env.py add to a draft that has nothing of autogenerate."""

    revision: RevisionContext

    def look(self, context: MigrationContext) -> None:
        """Looks where the database is, if there is one."""
        if not context.as_sql:
            Look.look(self, context)

    def steps(self, heads: Sequence[str], context: MigrationContext) -> Iterator[AlembicStep]:
        """Hands the draft to the hooks of env.py, and yields no step."""
        self.revision.run_no_autogenerate(tuple(heads), context)
        return iter(())


async def revision(
    message: str | None = None,
    *,
    project: Project,
    database: Database | str | URL | None = None,
    autogenerate: bool = False,
    sql: bool = False,
    head: str = "head",
    splice: bool = False,
    branch_label: str | None = None,
    version_path: Path | str | None = None,
    rev_id: str | None = None,
    depends_on: Sequence[str] = (),
    backends: Sequence[str | Backend | ThrowawayDatabases] = (),
    trying: bool = True,
    keep: bool = False,
    emit: Emit = silent,
) -> RevisionReport:
    """Writes a new revision; with `autogenerate` it is tried before it stays.

    Autogenerate compares the models with a throwaway database at the heads, on the first of the
    backends that can be started. On each of them the new revision is then applied, compared with
    the models, undone and applied again. Where there is nothing to do, no file is written.

    Args:
        message: What it is for.
        project: Whose revisions, whose template, whose post-write hooks.
        database: Compare with this one, which must be at the heads; nothing in it is changed.
        autogenerate: Write what the models have and the schema has not.
        sql: Let env.py run offline where it runs for each new revision (`revision_environment`).
        head: The revision that it follows, as Alembic names it.
        splice: It may follow one that is no head.
        branch_label: A label for it.
        version_path: The folder to write it to, where the project has several.
        rev_id: Its id; by default a new one.
        depends_on: Revisions that must be applied before it.
        backends: Where to try it, by name or running already; by default on the backend of the
            database, of the project's own URL, or SQLite.
        trying: Whether to try it.
        keep: Let the file stay although a try does not work.
        emit: Told about each try.

    Raises:
        RevisionError: It cannot be written, or Python failed in it; nothing is left behind.
        StatementFailed: A server refused a statement of it, or of the history before it.
        SettingsError: No backend can be started to compare with, or env.py connects elsewhere.
        DatabaseError: The database cannot be used.
    """
    given = None if database is None else Database.of(database)
    config, scripts = await in_thread(lambda: loaded(project))
    refuse_taken(scripts, rev_id)
    if sql:
        _refuse_offline(config, autogenerate=autogenerate)
    order = draft(
        config,
        scripts,
        message=message,
        autogenerate=autogenerate,
        sql=sql,
        head=head,
        splice=splice,
        branch_label=branch_label,
        version_path=version_path,
        rev_id=rev_id,
        depends_on=list(depends_on) or None,
    )
    where = places(backends, database=given, config=config)
    work = _Writing(project=project, config=config, order=order, where=where, given=given)
    if not autogenerate:
        return await work.from_template(sql=sql)
    return await work.from_models(trying=trying, keep=keep, emit=emit)


def _refuse_offline(config: Config, *, autogenerate: bool) -> None:
    """As Alembic does: offline there is nothing to compare with, and often no env.py to run."""
    if autogenerate:
        raise RevisionError(
            "offline there is no database that the models could be compared with",
            hint="leave --sql out: a throwaway database is used",
        )
    if not runs_env(config):
        raise RevisionError(
            "--sql says how env.py runs, and it does not run for new revisions of this project",
            hint="leave --sql out, or set revision_environment in Alembic's configuration",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writing:
    project: Project
    config: Config
    order: RevisionContext
    where: Places
    given: Database | None

    @property
    def scripts(self) -> ScriptDirectory:
        return self.order.script_directory

    async def from_template(self, *, sql: bool) -> RevisionReport:
        if sql:
            await self._fill_offline()
        elif runs_env(self.config):
            async with AsyncExitStack() as until:
                database = await self._database(until)
                fill = _Fill(scripts=self.scripts, database=database, revision=self.order)
                await draft_by(fill, config=self.config, revision=self.order)
        return RevisionReport(revisions=await self._write(), kept=True)

    async def _fill_offline(self) -> None:
        """Lets env.py run without a connection; what it would print is thrown away."""
        named = self.given or Database.of(f"{self.where.default.schemes[0]}://")
        fill = _Fill(scripts=self.scripts, database=named, revision=self.order)
        config = configured(self.config, named) if self.given else self.config
        with explained(fill, named):
            await in_thread(
                lambda: run_env(
                    config,
                    self.scripts,
                    fill,
                    around=surroundings(config, named),
                    as_sql=True,
                    output_buffer=StringIO(),
                    template_args=self.order.template_args,
                    revision_context=self.order,
                )
            )

    async def from_models(self, *, trying: bool, keep: bool, emit: Emit) -> RevisionReport:
        before = tuple(self.scripts.get_heads())
        async with AsyncExitStack() as until:
            database = await self._database(until)
            if self.given is None:
                await replay(database, before, project=self.project)
            found = await compare(Place(database=database), config=self.config, revision=self.order)
            mend(self.order)
            report = RevisionReport(
                revisions=await self._write() if found.operations else (),
                kept=bool(found.operations),
                compared_on=found.backend,
                operations=found.operations,
            )
            if not (trying and report.revisions):
                return report
            again = None if self.given else database
            tries = _Tries(project=self.project, before=before, report=report, emit=emit)
            return await tries.all(self.where, first=again, keep=keep)

    async def _database(self, until: AsyncExitStack) -> Database:
        """The one that was given, else an empty one on the first backend that can be started."""
        if self.given is not None:
            return self.given
        started = await self.where.next(until)
        if started is not None:
            return await until.enter_async_context(started.empty())
        missing = "; ".join(f"{one.backend}: {one.why}" for one in self.where.missing)
        raise SettingsError(
            f"no throwaway database can be had: {missing}",
            hint=f"{self.where.missing[0].hint}; or name a database at the heads with --url",
        )

    async def _write(self) -> tuple[Revision, ...]:
        generate = partial(list[Script | None], self.order.generate_scripts())
        written = await in_thread(partial(write, self.scripts, generate))
        return listing.described(self.scripts, [script for script in written if script])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tries:
    """Tries what was written on all backends, and removes it when it does not work."""

    project: Project
    before: tuple[str, ...]
    report: RevisionReport
    emit: Emit

    async def all(self, where: Places, *, first: Database | None, keep: bool) -> RevisionReport:
        """Tries it; `first` is a database that is at the heads before."""
        works = False
        try:
            results = [] if first is None else [await self._on(first)]
            results += await self._elsewhere(where)
            works = all(result.works for result in results)
        finally:
            if not (works or keep):
                for one in self.report.revisions:
                    remove(one.path)
        self._refuse_failed(results, keep=keep)
        attempts = tuple(result for result in results if isinstance(result, Attempt))
        return replace(
            self.report, kept=works or keep, attempts=attempts, not_tried=tuple(where.missing)
        )

    async def _elsewhere(self, where: Places) -> list[Attempt | FailedAttempt]:
        results: list[Attempt | FailedAttempt] = []
        while True:
            async with AsyncExitStack() as until:
                started = await where.next(until)
                if started is None:
                    return results
                database = await until.enter_async_context(started.empty())
                results.append(await self._on(database))

    async def _on(self, database: Database) -> Attempt | FailedAttempt:
        title = database.backend.title
        self.emit(TryStarted(backend=title))
        begun = time.perf_counter()
        trial = Trial(
            database=database,
            project=self.project,
            before=self.before,
            written=self.report.revisions,
        )
        result = await trial.run()
        seconds = time.perf_counter() - begun
        self.emit(TryFinished(backend=title, works=result.works, seconds=seconds))
        return result

    def _refuse_failed(self, results: Sequence[Attempt | FailedAttempt], *, keep: bool) -> None:
        failed = [result for result in results if isinstance(result, FailedAttempt)]
        if not failed:
            return
        names = ", ".join(one.revision for one in self.report.revisions)
        files = ", ".join(str(one.path) for one in self.report.revisions)
        lines = [f"{one.backend}, {one.doing}: {one.error.message}" for one in failed]
        kinds = {type(one.error) for one in failed}
        kind = StatementFailed if StatementFailed in kinds else RevisionError
        raise kind(
            "\n".join((f"the new revision {names} does not work", *lines)),
            hint=f"correct {files}"
            if keep
            else "the file was removed; with --keep it stays, to be corrected",
        ) from failed[0].error

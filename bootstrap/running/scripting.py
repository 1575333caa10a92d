"""Writes what a move would do as an SQL script (`--sql`), without a database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from io import StringIO
from typing import Any, ClassVar, TextIO

from alembic.config import Config
from alembic.ddl.impl import DefaultImpl
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, BindParameter, Insert, text
from sqlalchemy.schema import DDLElement
from sqlalchemy.sql.visitors import ExternallyTraversible, iterate

from bootstrap import backends
from bootstrap.backends.base import Backend, Scripts
from bootstrap.database import Database
from bootstrap.errors import RevisionError, SettingsError
from bootstrap.events import silent
from bootstrap.positions.moves import AlembicStep, Direction, Move, Step, as_step, check_target
from bootstrap.project import Project, loaded
from bootstrap.revisions import listing
from bootstrap.revisions.environment import in_thread, run_env
from bootstrap.running import failures
from bootstrap.running.inside import configured, surroundings
from bootstrap.running.logbook import logbook_of
from bootstrap.running.stopping import stop
from bootstrap.running.terms import Terms
from bootstrap.running.turn import Turn
from bootstrap.running.work import Apply

_BASE = "base"
_NO_PLACE = "a script has no place for values beside the statement; put them into it"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptReport:
    """A script for the backend's own client.

    Attributes:
        backend: Whose SQL it is.
        start: The revisions that a database must be at.
        end: Those that it is at afterwards.
        steps: What the script does, in order.
        sql: The text; empty where env.py writes it to files of its own.
    """

    backend: str
    start: tuple[str, ...]
    end: tuple[str, ...]
    steps: tuple[Step, ...]
    sql: str


@dataclass(slots=True, kw_only=True)
class Write(Apply):
    """Plans a move from where a database is said to be, and has it written.

    Attributes:
        start: The revisions that it is said to be at.
    """

    only_written: ClassVar[bool] = True

    start: tuple[str, ...]

    def look(self, context: MigrationContext) -> None:
        """Plans, and takes what Alembic would write down in a form of its own."""
        self.go_on()
        backend = _same_backend(self.database, context)
        self._begin = self.start
        self._planned = self.move.alembic_steps(self.scripts, self._begin)
        sink = Sink(context, backend.scripts)
        sink.begin()

    def finished(self) -> tuple[AlembicStep, ...]:
        """The steps that are written.

        Raises:
            RevisionError: env.py has not let Alembic write all of them.
        """
        if len(self.applied) != len(self._planned):
            raise RevisionError(
                "env.py ended without an error, but the script is not complete",
                hint="look in env.py for a swallowed exception, or a missing "
                "context.run_migrations()",
            )
        return self._planned


@dataclass(slots=True, kw_only=True)
class WriteVersionTable(Write):
    """Has only the version table written."""

    def steps(self, heads: Sequence[str], context: MigrationContext) -> Iterator[AlembicStep]:
        """Yields nothing; Alembic would write the table with the first step."""
        with context.begin_transaction(_per_migration=True):
            context._ensure_version_table()  # noqa: SLF001 - it has no public name
        # Alembic before 1.19 would drop it at the end of the script, as after a downgrade to base.
        impl: Any = context.impl
        impl._exec = lambda *_arguments, **_options: None  # noqa: SLF001 - see Sink
        return iter(())


class Sink:
    """Writes each statement so that the backend's client runs it.

    Alembic's own way turns each tab of a literal into four blanks, and ends every statement with a
    semicolon, whatever is in it.
    """

    def __init__(self, context: MigrationContext, scripts: Scripts) -> None:
        self._dialect = context.dialect
        self._impl: DefaultImpl = context.impl
        self._scripts = scripts

    def begin(self) -> None:
        """Takes the place of Alembic's own, and writes what a script begins with."""
        self.attach()
        for statement in self._scripts.prepare(self._dialect):
            self.write(statement)

    def attach(self) -> None:
        """Takes the place of Alembic's own."""
        replaced: Any = self._impl
        replaced._exec = self._execute  # noqa: SLF001 - all that is executed comes through here

    def _execute(
        self,
        construct: Any,
        execution_options: object = None,
        multiparams: object = None,
        params: object = None,
    ) -> None:
        if multiparams or params:
            raise TypeError(_NO_PLACE)
        statement = text(construct) if isinstance(construct, str) else construct
        if isinstance(statement, Insert):
            statement = statement.inline()  # nobody asks for the key, which RETURNING would print
        # DDL has literals as it is, and refuses the word.
        words = {} if isinstance(statement, DDLElement) else {"literal_binds": True}
        compiled = statement.compile(dialect=self._dialect, compile_kwargs=words)
        # SQLAlchemy would write NULL, or a name, for a value that was given beside the statement.
        if _lacks_values(statement) or getattr(compiled, "binds", None):
            raise TypeError(_NO_PLACE)
        self.write(str(compiled))

    def write(self, statement: str) -> None:
        """Writes one statement, with what ends it."""
        out: TextIO | None = self._impl.output_buffer
        assert out is not None  # noqa: S101 - Alembic has one always
        out.write(f"{self._scripts.terminated(statement)}\n\n")


def _lacks_values(statement: ExternallyTraversible) -> bool:
    return any(isinstance(part, BindParameter) and part.required for part in iterate(statement))


async def migration_script(
    database: Database | str | URL,
    revisions: str | Sequence[str] = "head",
    *,
    project: Project,
    direction: Direction | str = Direction.UPGRADE,
    per_revision: bool = False,
    tag: str | None = None,
) -> ScriptReport:
    """Writes what `migrate`, `downgrade` or `stamp` would do as a script; connects to nothing.

    Args:
        database: In whose SQL; it need not exist.
        revisions: START:END, or END alone from an empty database on; several for a stamp only.
        project: Whose revisions.
        direction: `upgrade`, `downgrade` (which needs a START) or `stamp`.
        per_revision: Each revision is a transaction, whatever env.py says.
        tag: What env.py reads with `context.get_tag_argument()`.

    Raises:
        RevisionError: A revision is unknown, reads the database, or cannot be written as SQL.
        SettingsError: env.py writes for another backend than the one that was asked for.
    """
    database = Database.of(database)
    config, scripts = await in_thread(lambda: loaded(project))
    asked = (revisions,) if isinstance(revisions, str) else tuple(revisions)
    beginning, move = _range(Direction(direction), asked)
    check_target(move, scripts)
    if project.first and move.direction is Direction.UPGRADE and not _start(scripts, beginning):
        raise RevisionError(
            f"an empty database begins with {project.first}, which cannot be written as a script",
            hint="write START:END, where START is a revision that a database is at",
        )
    work = Write(
        scripts=scripts,
        database=database,
        move=move,
        turn=Turn(),
        emit=silent,
        terms=Terms(per_revision=per_revision),
        logbook=logbook_of(project, scripts),
        start=_start(scripts, beginning),
    )
    sql = await _written(work, config=config, tag=tag)
    return ScriptReport(
        backend=database.backend.name,
        start=work.start,
        end=work.heads(),
        steps=tuple(as_step(step, scripts) for step in work.finished()),
        sql=sql,
    )


async def version_table_script(database: Database | str | URL, *, project: Project) -> ScriptReport:
    """Writes what `ensure_version` would do as a script; connects to nothing.

    Args:
        database: In whose SQL; it need not exist.
        project: Whose env.py says how the table is named.

    Raises:
        RevisionError: env.py or the revisions cannot be used.
        SettingsError: As for `migration_script`.
    """
    database = Database.of(database)
    config, scripts = await in_thread(lambda: loaded(project))
    nowhere = Move(direction=Direction.STAMP, targets=(_BASE,))
    work = WriteVersionTable(
        scripts=scripts, database=database, move=nowhere, turn=Turn(), emit=silent, start=()
    )
    sql = await _written(work, config=config, tag=None)
    return ScriptReport(backend=database.backend.name, start=(), end=(), steps=(), sql=sql)


async def _written(work: Write, *, config: Config, tag: str | None) -> str:
    config.output_buffer = buffer = StringIO()
    config = configured(config, work.database)
    with failures.explained(work, work.database):
        await in_thread(
            lambda: run_env(
                config,
                work.scripts,
                work,
                around=surroundings(config, work.database),
                as_sql=True,
                starting_rev=work.start[0] if len(work.start) == 1 else work.start or None,
                destination_rev=work.move.destination,
                tag=tag,
            ),
            stop=partial(stop, work),
        )
    return buffer.getvalue()


def _range(direction: Direction, asked: Sequence[str]) -> tuple[str, Move]:
    """Where the script begins, and where it goes.

    Raises:
        RevisionError: It does not say where to begin, or says several things.
    """
    parts = [one.rpartition(":") for one in asked]
    starts = {start for start, colon, _ in parts if colon}
    if len(starts) > 1 or (len(asked) > 1 and direction is not Direction.STAMP):
        raise RevisionError(f"a script has one beginning, not {', '.join(asked)}")
    if not starts and direction is Direction.DOWNGRADE:
        raise RevisionError(
            "a script that goes down must be told where it begins",
            hint=f"write START:END, such as head:{asked[0]}",
        )
    move = Move(direction=direction, targets=tuple(end or "head" for _, _, end in parts))
    return next(iter(starts), _BASE), move


def _start(scripts: ScriptDirectory, beginning: str) -> tuple[str, ...]:
    if beginning in {"", _BASE}:
        return ()
    return tuple(script.revision for script in listing.named(scripts, beginning))


def _same_backend(database: Database, context: MigrationContext) -> Backend:
    try:
        found = backends.of_dialect(context.dialect)
    except KeyError:
        found = None
    if found is None or found.scripts is not database.backend.scripts:
        raise SettingsError(
            f"env.py writes SQL for {context.dialect.name}, but {database} was asked for",
            hint="let env.py take the URL from sqlalchemy.url in offline mode too",
        )
    return database.backend

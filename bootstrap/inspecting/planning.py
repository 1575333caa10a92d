"""What a run would do to a database, from where it is; nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Select, func, inspect, literal_column, select, table

from bootstrap import backends
from bootstrap.backends.effects import read as read_sql
from bootstrap.inspecting.forecast import Forecast, PlannedOperation
from bootstrap.inspecting.inspection import look_by, position_of
from bootstrap.positions.heads import heads_after
from bootstrap.positions.moves import AlembicStep, Direction, Move, Step, as_step, check_target
from bootstrap.positions.position import Undone, only_reading, unknown
from bootstrap.project import Project, loaded
from bootstrap.revisions import faults
from bootstrap.revisions.environment import in_thread
from bootstrap.running.repairing import Find, HalfAppliedStep
from bootstrap.targets import Target, opened

_COUNTED = 10_000  # rows at most: reading a whole table is not worth an exact number


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step that would be run.

    Attributes:
        revision: Its id.
        title: The first line of its docstring.
        direction: `upgrade` or `downgrade`.
        path: Its file.
        transactional: Whether a failure undoes all of it.
        operations: What it does, as far as that can be told without running it.
        unknown: Why that is not all; empty when it is.
    """

    revision: str
    title: str
    direction: Direction
    path: str | None
    transactional: bool
    operations: tuple[PlannedOperation, ...]
    unknown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRows:
    """How many rows a table has that a plan is about.

    Attributes:
        table: Its name, with the schema where that is not the default one.
        rows: How many; None for more than 10,000, where nobody knows better.
        exact: Whether they were counted; else the server's catalogue believes so.
    """

    table: str
    rows: int | None
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReport:
    """What a run would do.

    Attributes:
        database: Where.
        backend: The one that answers there.
        server_version: Its version.
        before: Where the database is.
        after: Where it would be.
        steps: What would be run, in order.
        tables: Those that are there already and that a step is about.
        half_applied: A revision that an earlier run has begun: the first step goes on with it.
        ahead: Revisions that no file of the project has; nothing would be done.
    """

    database: str
    backend: str
    server_version: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    steps: tuple[PlannedStep, ...]
    tables: tuple[TableRows, ...]
    half_applied: HalfAppliedStep | None
    ahead: tuple[str, ...] = ()

    @property
    def is_pending(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.steps)


@dataclass(slots=True, kw_only=True)
class Foresee(Find):
    """Looks where the database is, and records what the steps from there would do.

    Attributes:
        move: What would be asked for.
        planned: The steps.
        foreseen: What each would do.
        tables: Those that they are about.
        context: That of env.py, where there is something to record.
    """

    move: Move
    planned: tuple[AlembicStep, ...] = ()
    foreseen: list[PlannedStep] = field(default_factory=list)
    tables: tuple[TableRows, ...] = ()
    context: MigrationContext | None = None

    def look(self, context: MigrationContext) -> None:
        """Reads, and records; on a server of several version tables, the last one counts."""
        Find.look(self, context)
        position = self.position
        assert position is not None  # noqa: S101 - it was read just before
        if unknown(self.scripts, position):
            return
        self.planned = self.move.alembic_steps(self.scripts, position.heads)
        self.context = context

    def told(self, arguments: Mapping[str, Any]) -> None:
        """Records the steps, with what env.py gives to their functions."""
        context = self.context
        if context is None:
            return
        self.foreseen = self._first() if self.begins else self._recorded(context, arguments)
        with only_reading(context):
            self.tables = tuple(_rows(context, _tables(self.foreseen)))

    def _first(self) -> list[PlannedStep]:
        """The project's function makes the schema of an empty database."""
        said = f"{self.first} makes the schema and says which revision it is; the others follow"
        return [self._step(as_step(step, self.scripts), (), said) for step in self.planned]

    def _recorded(
        self, context: MigrationContext, arguments: Mapping[str, Any]
    ) -> list[PlannedStep]:
        forecast = Forecast(context)
        found = []
        for planned in self.planned:
            step = as_step(planned, self.scripts)
            operations, raised = forecast.of(planned, arguments)
            found.append(self._step(step, operations, _why(raised, step) if raised else ""))
        return found

    def _step(self, step: Step, operations: tuple[PlannedOperation, ...], why: str) -> PlannedStep:
        whole = self.position is not None and self.position.undone is not Undone.NOTHING
        return PlannedStep(
            revision=step.revision,
            title=step.title,
            direction=step.direction,
            path=str(step.path) if step.path else None,
            transactional=whole and not any(one.outside for one in operations),
            operations=operations,
            unknown=why,
        )


async def plan(
    database: Target,
    revision: str = "head",
    *,
    project: Project,
    direction: Direction | str = Direction.UPGRADE,
    allow_ahead: bool = False,
    tag: str | None = None,
) -> PlanReport:
    """Tells what `migrate` or `downgrade` would do; takes no lock, and changes nothing.

    The Python of each step is run without a database, as for a script: what reads data cannot be
    foreseen, and is said to be so.

    Args:
        database: From where.
        revision: Where to, as `migrate` and `downgrade` take it.
        project: Whose revisions.
        direction: `upgrade` or `downgrade`.
        allow_ahead: As for `migrate`.
        tag: As for `migrate`.

    Raises:
        DatabaseError: The database is missing or cannot be used.
        RevisionError: The revision is unknown, or a file of the project cannot be used.
    """
    move = Move(direction=Direction(direction), targets=(revision,))
    config, scripts = await in_thread(lambda: loaded(project))
    check_target(move, scripts)
    async with opened(database) as place:
        work = Foresee(
            scripts=scripts,
            database=place.database,
            connection=place.connection,
            first=project.first,
            move=move,
        )
        await look_by(
            work,
            config=config,
            allow_ahead=allow_ahead,
            destination_rev=move.destination,
            tag=tag,
        )
    return plan_of(work)


def plan_of(work: Foresee) -> PlanReport:
    """What `plan` reports, from work that has looked.

    Raises:
        RevisionError: It has not: env.py did not connect.
    """
    position = position_of(work)
    return PlanReport(
        database=str(work.database),
        backend=position.backend,
        server_version=position.server_version,
        before=position.heads,
        after=heads_after(position.heads, work.planned),
        steps=tuple(work.foreseen),
        tables=work.tables,
        half_applied=work.found,
        ahead=unknown(work.scripts, position),
    )


def _why(error: Exception, step: Step) -> str:
    """Where a step could not be recorded any further, in one sentence."""
    place = faults.place_of(error, root=step.path) if step.path else None
    where = f" ({place})" if place else ""
    return f"it reads the database, or needs one, so what follows is not known before{where}"


def _tables(steps: Sequence[PlannedStep]) -> list[str]:
    """What the steps are about, each once."""
    operations = [one for step in steps for one in step.operations]
    names = [one.table for one in operations]
    names += [read_sql(sent.sql).table for one in operations for sent in one.statements]
    return list(dict.fromkeys(name for name in names if name))


def _rows(context: MigrationContext, names: Sequence[str]) -> list[TableRows]:
    connection = context.connection
    assert connection is not None  # noqa: S101 - online there is one
    inspector = inspect(connection)
    found = []
    for named in names:
        schema, _, name = named.rpartition(".")
        if inspector.has_table(name, schema=schema or None):
            found.append(_counted(connection, schema or None, name))
    return found


def _counted(connection: Connection, schema: str | None, name: str) -> TableRows:
    rows = table(name, schema=schema)
    some: Select[Any] = (
        select(literal_column("1").label("one")).select_from(rows).limit(_COUNTED + 1)
    )
    count: int | None = connection.scalar(select(func.count()).select_from(some.subquery())) or 0
    exact = (count or 0) <= _COUNTED
    if not exact:
        effects = backends.of_dialect(connection.dialect).effects
        estimate = effects.estimated_rows(connection, schema, name)
        # The catalogue may be older than the rows that were just seen.
        count = None if estimate is None else max(estimate, _COUNTED + 1)
    return TableRows(table=f"{schema}.{name}" if schema else name, rows=count, exact=exact)

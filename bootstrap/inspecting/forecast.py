"""What steps would do: their operations and statements, recorded without sending anything."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from alembic.operations import Operations
from alembic.operations.ops import CreateTableOp, MigrateOperation
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Dialect

from bootstrap import backends
from bootstrap.backends.effects import Blocks, Effect
from bootstrap.backends.effects import read as read_sql
from bootstrap.positions.moves import AlembicStep
from bootstrap.revisions.operations import in_words
from bootstrap.running.losses import quiet
from bootstrap.running.scripting import Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStatement:
    """One statement that a step would send.

    Attributes:
        sql: Its text, with the values in it.
        lock: What it locks, in the server's own words: a mode, an algorithm.
        blocks: Who waits for it: `nobody`, `writers`, `readers and writers`, `unknown`.
        rewrites: Whether the table is written anew; None where the text does not tell.
        scans: Whether all rows of the table are read; None as above.
        note: What else is to be known; empty when there is nothing.
    """

    sql: str
    lock: str
    blocks: Blocks
    rewrites: bool | None
    scans: bool | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedOperation:
    """One operation of a step, with its statements.

    Attributes:
        kind: Its name in Alembic's `op`.
        table: The table that it changes; None where that is not known.
        text: All of it, in words.
        outside: Whether it runs outside of the revision's transaction (`autocommit_block`).
        statements: What would be sent.
    """

    kind: str
    table: str | None
    text: str
    outside: bool
    statements: tuple[PlannedStatement, ...]


@dataclass(slots=True, kw_only=True)
class _Recorded:
    operation: MigrateOperation
    outside: bool
    statements: list[str] = field(default_factory=list)


class _Kept(Sink):
    """Hands the statements on, instead of writing them into a script."""

    def __init__(self, context: MigrationContext, keep: Callable[[str], None]) -> None:
        super().__init__(context, backends.of_dialect(context.dialect).scripts)
        self._keep = keep

    def write(self, statement: str) -> None:
        self._keep(statement.strip())


class Forecast:
    """Records one step after the other, for the server behind a context.

    Args:
        context: The one of env.py; nothing is sent on its connection.
    """

    def __init__(self, context: MigrationContext) -> None:
        self._dialect = _apart(context.dialect)
        self._context = _offline(context, self._dialect)
        self._effects = backends.of_dialect(context.dialect).effects
        known: Any = context.dialect.server_version_info or ()  # it may have words at its end
        self._version: Sequence[int] = known
        self._recorded: list[_Recorded] = []
        self._new: set[str] = set()
        self._outside = False
        _Kept(self._context, self._keep).attach()

    def of(
        self, step: AlembicStep, arguments: Mapping[str, Any]
    ) -> tuple[tuple[PlannedOperation, ...], Exception | None]:
        """The operations of a step, and what it raised where it cannot be recorded to its end.

        Args:
            step: Which.
            arguments: What env.py gives to the functions of revisions.
        """
        self._recorded = []
        raised: Exception | None = None
        self._context.autocommit_block = self._autocommit_block  # type: ignore[method-assign]
        with quiet(), Operations.context(self._context) as recorder:
            self._spy(recorder)
            try:
                step.migration_fn(**arguments)
            except Exception as error:  # noqa: BLE001 - without data to read, anything may be raised
                raised = error
        return tuple(self._planned(one) for one in self._recorded), raised

    def _spy(self, recorder: Any) -> None:
        invoke, batch = recorder.invoke, recorder.batch_alter_table

        @contextmanager
        def batch_alter_table(*arguments: Any, **options: Any) -> Iterator[Any]:
            with batch(*arguments, **options) as changes:
                changes.invoke = self._noted(changes.invoke)
                yield changes

        recorder.invoke = self._noted(invoke)
        recorder.batch_alter_table = batch_alter_table

    def _noted(self, invoke: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def noted(operation: MigrateOperation) -> Any:
            self._recorded.append(_Recorded(operation=operation, outside=self._outside))
            return invoke(operation)

        return noted

    @contextmanager
    def _autocommit_block(self) -> Iterator[None]:
        self._outside = True
        try:
            yield
        finally:
            self._outside = False

    def _keep(self, sql: str) -> None:
        """A statement belongs to the operation that was noted last: batch mode sends at its end."""
        if self._recorded:
            self._recorded[-1].statements.append(sql)

    def _planned(self, one: _Recorded) -> PlannedOperation:
        [said] = in_words([one.operation], dialect=self._dialect)
        if isinstance(one.operation, CreateTableOp) and said.table:
            self._new.add(said.table)
        return PlannedOperation(
            kind=said.kind,
            table=said.table,
            text=said.text,
            outside=one.outside,
            statements=tuple(self._statement(sql, said.table) for sql in one.statements),
        )

    def _statement(self, sql: str, table: str | None) -> PlannedStatement:
        effect = self._effects.of(sql, self._version)
        if (table or read_sql(sql).table) in self._new and effect.is_known:
            effect = Effect(
                lock=effect.lock,
                blocks=Blocks.NOBODY,
                rewrites=effect.rewrites,
                scans=effect.scans,
                note="the table is new",
            )
        return PlannedStatement(
            sql=sql,
            lock=effect.lock,
            blocks=effect.blocks,
            rewrites=effect.rewrites,
            scans=effect.scans,
            note=effect.note,
        )


def _apart(dialect: Dialect) -> Dialect:
    """The dialect of the server, for SQL that no driver sees: it would want `%` twice."""
    found: Any = copy.copy(dialect)
    found.paramstyle, found.positional = "named", False
    found.identifier_preparer = found.preparer(found)
    vars(found).pop("_type_memos", None)  # made for the other one
    return found  # type: ignore[no-any-return]  # a copy is what it is a copy of


def _offline(context: MigrationContext, dialect: Dialect) -> MigrationContext:
    options = {**context.opts, "as_sql": True, "output_buffer": StringIO()}
    return MigrationContext.configure(dialect=dialect, opts=options)

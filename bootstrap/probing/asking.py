"""Asks one server: writes the rows of a plan, each undone before the next one is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    Connection,
    Delete,
    Insert,
    Select,
    TableClause,
    Update,
    and_,
    delete,
    false,
    func,
    insert,
    select,
    update,
)
from sqlalchemy import column as named
from sqlalchemy import table as table_named
from sqlalchemy.exc import SQLAlchemyError

from bootstrap.backends.base import Backend, Reason
from bootstrap.backends.values import Refusal, Value
from bootstrap.database import Database
from bootstrap.probing import cases
from bootstrap.probing.answers import Answer, Compared, NotAsked, Refused, Taken, canonical, taken
from bootstrap.probing.ordinary import spelled
from bootstrap.probing.plan import Act, Deed, Plan, Question, TablePlan
from bootstrap.probing.rows import values_of
from bootstrap.schema.model import Column, Schema, Table
from bootstrap.schema.types import Family

Answers: TypeAlias = Mapping[str, Sequence[Answer | NotAsked]]
"""By table, in the order of the questions."""

_NOWHERE = false()  # the row cannot be told from others
_SAVE, _UNDO = "SAVEPOINT probe", "ROLLBACK TO SAVEPOINT probe"


async def answers(database: Database, schema: Schema, plan: Plan) -> Answers:
    """Asks one server all questions about the tables that it has; nothing of it remains.

    Args:
        database: A throwaway one, migrated.
        schema: What it holds.
        plan: The questions.

    Raises:
        DatabaseError: The connection was lost.
    """
    tables = {one.path.lower(): one for one in schema.tables} | {
        one.path: one for one in schema.tables
    }
    async with database.connect() as connection:
        with database.translated("cannot probe"):
            return await connection.run_sync(_all, database=database, tables=tables, plan=plan)


def _all(
    connection: Connection, *, database: Database, tables: Mapping[str, Table], plan: Plan
) -> Answers:
    shared = {one.table.path: one.table for one in plan.tables}
    asking = _Asking(
        connection=connection,
        backend=database.present(connection.dialect),
        tables={path: tables[path] for path in shared if path in tables},
        families={
            (path, column.name): column.family
            for path, table in shared.items()
            for column in table.columns.values()
        },
    )
    there = (one for one in plan.tables if one.table.path in asking.tables)
    return {one.table.path: asking.table(one) for one in there}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """The way through the tables on one connection.

    Attributes:
        tables: As this server has them, by the path that the plan has for them.
        families: What kind of values a column has, by table and name.
    """

    connection: Connection
    backend: Backend
    tables: Mapping[str, Table]
    families: Mapping[tuple[str, str], Family]

    def table(self, plan: TablePlan) -> list[Answer | NotAsked]:
        """The answers about one table, in the order of the questions."""
        for statement in self.backend.values.prepare:
            self.connection.exec_driver_sql(statement)
        try:
            return list(self._answers(plan))
        finally:
            self.connection.rollback()

    def _answers(self, plan: TablePlan) -> Iterator[Answer | NotAsked]:
        ordinary, *others = plan.questions
        refused = self._parents(plan)
        where = None if refused else self._where(plan)
        first = refused or self._answer(ordinary, plan, where)
        yield first
        for question in others:
            if isinstance(first, Taken):
                yield self._answer(question, plan, where)
            else:
                yield NotAsked(why="an ordinary row is refused")

    def _parents(self, plan: TablePlan) -> NotAsked | None:
        """Writes the rows that others refer to; the second of a table is needed by few."""
        first = {row.table: row for row in reversed(plan.parents)}
        for row in plan.parents:
            self.connection.exec_driver_sql(_SAVE)
            answer = self._done(Act(deed=Deed.INSERT, row=row))
            if answer is None:
                continue
            self.connection.exec_driver_sql(_UNDO)
            if row is first[row.table]:
                return NotAsked(why=f"the row of {row.table} that it needs is {answer}")
        self.connection.exec_driver_sql(_SAVE)
        return None

    def _where(self, plan: TablePlan) -> ColumnElement[bool] | None:
        """What finds the ordinary row again; None where there is no other one."""
        table = self.tables[plan.table.path]
        is_empty = self.connection.execute(select(_clause(table)).limit(1)).first() is None
        if is_empty:
            return None
        values = values_of(plan.row, plan.table.primary_key)
        return self._same(table, plan.table.path, values) if values else _NOWHERE

    def _answer(
        self, question: Question, plan: TablePlan, where: ColumnElement[bool] | None
    ) -> Answer | NotAsked:
        answer = self._asked(question, plan, where)
        self.connection.exec_driver_sql(_UNDO)
        return answer

    def _asked(
        self, question: Question, plan: TablePlan, where: ColumnElement[bool] | None
    ) -> Answer | NotAsked:
        for act in question.before:
            if refused := self._done(act):
                return NotAsked(why=f"a row that is needed before is {refused}")
        if refused := self._done(question.act):
            return refused
        return self._seen(question, plan, where) if question.read else Taken()

    def _done(self, act: Act) -> Refused | None:
        """Sends a statement; what the server says when it refuses."""
        try:
            self.connection.execute(self._statement(act))
        except SQLAlchemyError as error:
            failure = self.backend.errors.translate(error)
            if failure is None or failure.reason is not Reason.STATEMENT:
                raise
            refusal = self.backend.values.codes.get(failure.code, Refusal.OTHER)
            return Refused(refusal=refusal, code=failure.code)
        return None

    def _statement(self, act: Act) -> Insert | Update | Delete:
        table = self.tables[act.row.table]
        clause = _clause(table)
        written = {
            name: self._written(value, _column(table, name), act.row.table)
            for name, value in act.row.values.items()
            if _has(table, name)
        }
        if act.deed is Deed.INSERT:
            return insert(clause).values(written)
        where = self._same(table, act.row.table, act.where or {})
        return (
            delete(clause).where(where)
            if act.deed is Deed.DELETE
            else update(clause).values(written).where(where)
        )

    def _same(self, table: Table, path: str, values: Mapping[str, Value]) -> ColumnElement[bool]:
        found = ((_column(table, name), value) for name, value in values.items())
        return and_(*(named(one.name) == self._written(value, one, path) for one, value in found))

    def _written(self, value: Value, column: Column, path: str) -> ColumnElement[Any]:
        family = self.families[path, column.name]
        own = spelled(value, column.type, family=family)
        return self.backend.values.written(own, column.type)

    def _seen(
        self, question: Question, plan: TablePlan, where: ColumnElement[bool] | None
    ) -> Answer:
        """What came back; None as its value where the row could not be told from others."""
        path = plan.table.path
        table = self.tables[path]
        if question.apart:
            key = values_of(question.seen, plan.table.primary_key)
            where = self._same(table, path, key) if key else _NOWHERE
        if where is _NOWHERE or (where is not None and question.read in plan.table.primary_key):
            return Taken()
        column = _column(table, question.read)
        if question.compared is not None:
            return self._found(question.compared, column, table, where)
        query = select(self.backend.values.read(named(column.name), column.type))
        row = self.connection.execute(_from(query, table, where)).first()
        family = self.families[path, column.name]
        if row is None:
            return Taken(value="no row", said="the row is gone")
        if column.name not in question.seen.values:
            value = canonical(row[0], family)
            return Taken(value=value, said=f"becomes {value}")
        answer = taken(question.seen.values[column.name], row[0], family)
        if question.case is cases.NUMBERING and answer.said != "kept":
            return Taken(value="another", said="becomes the next number")
        return answer

    def _found(
        self, twin: str, column: Column, table: Table, where: ColumnElement[bool] | None
    ) -> Compared:
        same = named(column.name) == self.backend.values.written(twin, column.type)
        query = _from(select(func.count()), table, where).where(same)
        return Compared(found=bool(self.connection.scalar(query)))


def _from(query: Select[Any], table: Table, where: ColumnElement[bool] | None) -> Select[Any]:
    query = query.select_from(_clause(table))
    return query if where is None else query.where(where)


def _clause(table: Table) -> TableClause:
    columns: list[ColumnClause[Any]] = [named(one.name) for one in table.columns]
    return table_named(table.name, *columns, schema=table.schema or None)


def _has(table: Table, name: str) -> bool:
    return any(one.name == name for one in table.columns)


def _column(table: Table, name: str) -> Column:
    return next(one for one in table.columns if one.name == name)

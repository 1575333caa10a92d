"""What is asked of the servers about each table: rows to write, and what to look at afterwards."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain

from bootstrap.backends.values import Value
from bootstrap.probing import cases
from bootstrap.probing.boundaries import PROBED, boundaries
from bootstrap.probing.cases import Case
from bootstrap.probing.rows import CannotBuildError, Row, Rows, values_of
from bootstrap.probing.tables import SharedColumn, SharedTable, path_of, shared
from bootstrap.schema.changes import Kind
from bootstrap.schema.model import ForeignKey, Schema
from bootstrap.schema.types import Family

_TEXTS = frozenset({Family.STRING, Family.TEXT})
_ELSEWHERE: Mapping[Family, Value] = {
    Family.INTEGER: 7_777,
    Family.UUID: "00000000-0000-0000-0000-000000007777",
}


class Deed(StrEnum):
    """What is done with a row."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One statement.

    Attributes:
        row: What is written.
        where: Which row is changed or deleted, by the values that it has.
    """

    deed: Deed
    row: Row
    where: Mapping[str, Value] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question to every server.

    Attributes:
        case: What it is about.
        kind: Whether of a column, a foreign key or a check.
        name: Of which.
        label: What is written, in words.
        before: What must have been done.
        act: What the server accepts or refuses.
        read: The column that is read again from the table asked about; empty for none.
        compared: A text that is compared with the column instead, after the row was written.
        apart: Whether other rows of the table have been written too.
    """

    case: Case
    kind: Kind
    name: str
    label: str
    act: Act
    before: tuple[Act, ...] = ()
    read: str = ""
    compared: str | None = None
    apart: bool = False

    @property
    def seen(self) -> Row:
        """The row that is read again: the last one that was written."""
        rows = [one.row for one in (*self.before, self.act) if one.deed is Deed.INSERT]
        return rows[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotProbed:
    """What could not be asked, and why; `name` is empty for a whole table."""

    table: str
    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePlan:
    """What is asked about one table.

    Attributes:
        parents: Rows that must be there.
        row: The ordinary row.
        questions: In the order in which they are asked, that of the ordinary row first.
    """

    table: SharedTable
    parents: tuple[Row, ...]
    row: Row
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is asked of all servers.

    Attributes:
        tables: Those that are asked about.
        not_probed: What cannot be asked.
    """

    tables: tuple[TablePlan, ...]
    not_probed: tuple[NotProbed, ...]


def planned(schemas: Mapping[str, Schema]) -> Plan:
    """Makes the questions for the tables that at least two servers have.

    Args:
        schemas: By the name of the server.
    """
    tables = shared(schemas)
    rows = Rows(tables=tables)
    plans: list[TablePlan] = []
    without: list[NotProbed] = []
    for path, table in tables.items():
        try:
            plans.append(_of_table(table, rows))
        except CannotBuildError as error:
            without.append(NotProbed(table=path, name="", why=str(error)))
        else:
            without += _not_probed(plans[-1], rows)
    return Plan(tables=tuple(plans), not_probed=tuple(without))


def _of_table(table: SharedTable, rows: Rows) -> TablePlan:
    optional = (_needed(rows, path_of(key)) for key in rows.optional(table.path))
    parents = tuple(dict.fromkeys((*rows.parents(table.path), *chain.from_iterable(optional))))
    row = rows.full(table.path, 1)
    asked = _Asked(
        table=table, rows=rows, row=row, second=rows.full(table.path, 2), parents=parents
    )
    return TablePlan(
        table=table,
        parents=tuple(rows.least(path, number) for path in parents for number in (1, 2)),
        row=row,
        questions=tuple(asked.questions()),
    )


def _needed(rows: Rows, path: str) -> tuple[str, ...]:
    """A table after those that its rows need."""
    return (*rows.parents(path), path)


def _not_probed(plan: TablePlan, rows: Rows) -> Iterator[NotProbed]:
    path = plan.table.path
    for column in plan.table.columns.values():
        if column.family not in PROBED and not column.is_computed:
            kinds = ", ".join(dict.fromkeys(one.raw for one in column.types))
            yield NotProbed(table=path, name=column.name, why=f"no boundaries of {kinds} are known")
    asked = {one.name for one in plan.questions if one.case is cases.ON_DELETE}
    for key in plan.table.foreign_keys:
        name = _name(key)
        if name not in asked:
            why = f"there is no row of {path_of(key)} that could be deleted"
            yield NotProbed(table=path, name=name, why=why)
    known = {one.check for one in rows.conditions(plan.row)}
    asked = {one.name for one in plan.questions if one.kind is Kind.CHECK}
    for check in plan.table.checks:
        name = check.name or check.expression.text
        if check not in known:
            yield NotProbed(table=path, name=name, why="its condition is not understood")
        elif name not in asked:
            yield NotProbed(table=path, name=name, why="no row was found that breaks it alone")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Makes the questions about one table.

    Attributes:
        row: Its ordinary row.
        second: Another one, with other values in each key.
        parents: The tables that have rows already.
    """

    table: SharedTable
    rows: Rows
    row: Row
    second: Row
    parents: tuple[str, ...]

    def questions(self) -> Iterator[Question]:
        """The ordinary row first; numbers at their ends last, for they move the numbering."""
        yield Question(
            case=cases.ROW,
            kind=Kind.TABLE,
            name=self.table.path,
            label="an ordinary row",
            act=_insert(self.row),
        )
        numbered = [one for one in self.table.columns.values() if one.is_numbered]
        others = [one for one in self.table.columns.values() if not one.is_numbered]
        for column in (*others, *numbered):
            yield from self._left_out(column)
        for column in others:
            yield from self._null(column)
            yield from self._boundaries(column)
        for key in self.table.keys:
            yield from self._twins(key)
        for reference in self.table.foreign_keys:
            yield from self._references(reference)
        yield from self._checks()
        for column in numbered:
            yield from self._boundaries(column)

    def _written(self, column: SharedColumn, case: Case, label: str, value: Value) -> Question:
        return Question(
            case=case,
            kind=Kind.COLUMN,
            name=column.name,
            label=label,
            act=_insert(self.row.but({column.name: value})),
            read=column.name,
        )

    def _left_out(self, column: SharedColumn) -> Iterator[Question]:
        if column.name in self.row.values:
            yield Question(
                case=cases.DEFAULT,
                kind=Kind.COLUMN,
                name=column.name,
                label="left out",
                act=_insert(self.row.without(column.name)),
                read=column.name if _has_plain_default(column) else "",
            )

    def _null(self, column: SharedColumn) -> Iterator[Question]:
        if column.name in self.row.values:
            yield self._written(column, cases.NULLS, "NULL", None)

    def _boundaries(self, column: SharedColumn) -> Iterator[Question]:
        if column.name not in self.row.values or column.name in self.table.referring:
            return
        for case, label, value in boundaries(column):
            yield self._written(column, case, label, value)
        if column.family in _TEXTS and not any(column.name in key for key in self.table.keys):
            for label, stored, twin in _comparable(column):
                question = self._written(column, cases.COLLATION, label, stored)
                yield _comparing(question, twin)

    def _twins(self, key: Sequence[str]) -> Iterator[Question]:
        """Rows that differ from the first one in nothing of a key but the form of a text."""
        first, second = values_of(self.row, key), values_of(self.second, key)
        if first is None or second is None:
            return
        rest = self.second.but(first)
        yield self._twice(key, "the same values twice", cases.TWICE, self.row, rest)
        for name in key:
            column = self.table.columns[name]
            if column.family in _TEXTS and name not in self.table.referring:
                for label, stored, twin in _comparable(column):
                    one, other = self.row.but({name: stored}), rest.but({name: twin})
                    yield self._twice((name,), label, cases.COLLATION, one, other)
            if column.is_nullable:
                one, other = self.row.but({name: None}), rest.but({name: None})
                yield self._twice((name,), "NULL twice", cases.NULLS, one, other)

    def _twice(
        self, key: Sequence[str], label: str, case: Case, first: Row, second: Row
    ) -> Question:
        is_column = case is not cases.TWICE
        return Question(
            case=case,
            kind=Kind.COLUMN if is_column else Kind.UNIQUE,
            name=key[0] if is_column else f"({', '.join(key)})",
            label=label,
            before=(_insert(first),),
            act=_insert(second),
        )

    def _references(self, key: ForeignKey) -> Iterator[Question]:
        name = _name(key)
        orphan = {one: _elsewhere(self.table, one) for one in self._own(key)}
        yield Question(
            case=cases.ORPHANS,
            kind=Kind.FOREIGN_KEY,
            name=name,
            label="a row that refers to nothing",
            act=_insert(self.row.but(orphan)),
        )
        with suppress(CannotBuildError):  # which is said of the table that it refers to
            yield from self._deleted(key, name)

    def _own(self, key: ForeignKey) -> Sequence[str]:
        """Its columns that are in no other reference, so that no other one refuses the row."""
        others = [one for one in self.table.foreign_keys if one != key]
        theirs = {name for other in others for name in other.columns}
        return [name for name in key.columns if name not in theirs] or key.columns

    def _deleted(self, key: ForeignKey, name: str) -> Iterator[Question]:
        """What becomes of a row when the one that it refers to goes, or gets another key."""
        needed = _needed(self.rows, path_of(key))
        within = self.table.path in needed
        referred = self.rows.least(path_of(key), 1)
        where = values_of(referred, key.references)
        if where is None:
            return
        values = dict(zip(key.columns, where.values(), strict=True))
        refers = (self.second if within else self.row).but(values)
        first = [self.rows.least(path, 1) for path in needed if path not in self.parents]
        elsewhere = {one: _elsewhere(self.rows.tables[referred.table], one) for one in where}
        changed = Row(table=referred.table, values=elsewhere)
        for case, label, act in (
            (cases.ON_DELETE, "deleted", Act(deed=Deed.DELETE, row=referred, where=where)),
            (cases.ON_UPDATE, "changed", Act(deed=Deed.UPDATE, row=changed, where=where)),
        ):
            yield Question(
                case=case,
                kind=Kind.FOREIGN_KEY,
                name=name,
                label=f"the row that it refers to is {label}",
                before=tuple(map(_insert, (*first, refers))),
                act=act,
                read=key.columns[0],
                apart=within,
            )

    def _checks(self) -> Iterator[Question]:
        for condition in self.rows.conditions(self.row):
            broken = self.rows.breaking(self.row, condition)
            if broken is not None:
                check = condition.check
                changed = [
                    f"{name} {value!r}"
                    for name, value in broken.values.items()
                    if value != self.row.values[name]
                ]
                yield Question(
                    case=cases.ENFORCED,
                    kind=Kind.CHECK,
                    name=check.name or check.expression.text,
                    label=", ".join(changed),
                    act=_insert(broken),
                )


def _name(key: ForeignKey) -> str:
    return (key.name if not key.by_server else "") or f"({', '.join(key.columns)})"


def _insert(row: Row) -> Act:
    return Act(deed=Deed.INSERT, row=row)


def _elsewhere(table: SharedTable, column: str) -> Value:
    """A value that no row has."""
    return _ELSEWHERE.get(table.columns[column].family, "none")


def _comparing(question: Question, twin: str) -> Question:
    return replace(question, compared=twin)


def _comparable(column: SharedColumn) -> Iterator[tuple[str, str, str]]:
    """Pairs of texts that some collations take for the same."""
    room = column.length
    for label, stored, twin in (
        ("'row' and 'ROW'", "row", "ROW"),
        ("'row' and 'row '", "row", "row "),
        ("'e' and 'é'", "e", "é"),
        ("'é' and the same as two characters", "é", unicodedata.normalize("NFD", "é")),
    ):
        if room is None or room >= max(len(stored), len(twin)):
            yield label, stored, twin


def _has_plain_default(column: SharedColumn) -> bool:
    """Whether the value is the same each time."""
    defaults = [one.default.text for one in column.declared.values() if one.default]
    return not column.is_numbered and not any("(" in one for one in defaults)

"""From SQLite's pragmas and statements to the model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from bootstrap.backends.rows import by_table
from bootstrap.backends.sqlite.catalog.declarations import (
    ForeignKeyDeclaration,
    KeyDeclaration,
    TableDeclaration,
    index_parts,
    table_declaration,
)
from bootstrap.backends.sqlite.catalog.queries import Rows
from bootstrap.backends.sqlite.catalog.types import type_of
from bootstrap.schema.expressions import Expression, Grammar, normal, verbatim
from bootstrap.schema.model import (
    Check,
    Collation,
    Column,
    Computed,
    ForeignKey,
    Identity,
    Index,
    Key,
    Numbering,
    ObjectKind,
    Option,
    Other,
    PrimaryKey,
    Schema,
    Table,
    Trigger,
    Unique,
    View,
)

_GRAMMAR = Grammar(dialect="sqlite")
_NORMAL, _VIRTUAL, _STORED = 0, 2, 3  # `hidden` of PRAGMA table_xinfo; 1 is a hidden column
# "Collating Sequences": NOCASE knows the letters A to Z, RTRIM ignores spaces at the end.
_COLLATIONS = {
    "BINARY": Collation(name="BINARY", case_sensitive=True, accent_sensitive=True, pads=False),
    "NOCASE": Collation(name="NOCASE", case_sensitive=False, accent_sensitive=True, pads=False),
    "RTRIM": Collation(name="RTRIM", case_sensitive=True, accent_sensitive=True, pads=True),
}


def schema(rows: Rows) -> Schema:
    """Makes the model of what SQLite says."""
    made = [row for row in rows["master"] if row.type == "table"]
    virtual = [row for row in made if is_virtual(row)]
    reader = _Reader(rows)
    shadows = shadows_of(made)
    return Schema(
        backend="sqlite",
        tables=tuple(
            reader.table(row)
            for row in made
            if row not in virtual and not row.name.startswith(shadows)
        ),
        views=tuple(reader.view(row) for row in rows["master"] if row.type == "view"),
        others=tuple(
            Other(kind=ObjectKind.VIRTUAL_TABLE, name=row.name, definition=verbatim(row.sql).text)
            for row in virtual
        ),
    )


def is_virtual(row: Any) -> bool:
    """Whether a table of `sqlite_master` is virtual."""
    return bool(row.type == "table" and row.sql.split(None, 2)[1].upper() == "VIRTUAL")


def shadows_of(master: Iterable[Any]) -> tuple[str, ...]:
    """How the tables begin that virtual ones make ("The Virtual Table Mechanism", 2.16)."""
    return tuple(f"{row.name}_" for row in master if is_virtual(row))


class _Reader:
    """Makes tables of the rows of all."""

    def __init__(self, rows: Rows) -> None:
        self.triggers: dict[str, list[Trigger]] = defaultdict(list)
        for row in rows["master"]:
            if row.type == "trigger":
                trigger = Trigger(name=row.name, definition=verbatim(row.sql).text)
                self.triggers[row.tbl_name.lower()].append(trigger)
        self.columns = by_table(sorted(rows["columns"], key=lambda row: row.place))
        self.indexes = by_table(rows["indexes"])
        self.foreign_keys = by_table(rows["foreign_keys"])

    def view(self, row: Any) -> View:
        """Makes one view."""
        triggers = tuple(self.triggers[row.name.lower()])
        return View(name=row.name, query=verbatim(row.sql), triggers=triggers)

    def table(self, row: Any) -> Table:
        """Makes one table."""
        declared = table_declaration(row.sql)
        columns = self.columns.get(("", row.name), [])
        types = {one.name: one.type for one in columns}
        indexes = self.indexes.get(("", row.name), [])
        return Table(
            name=row.name,
            columns=tuple(_column(one, declared, columns) for one in columns if one.hidden != 1),
            primary_key=_primary_key(columns, declared),
            uniques=tuple(_uniques(indexes, declared)),
            checks=tuple(
                Check(
                    expression=normal(one.text, _GRAMMAR, columns=types),
                    name=one.name,
                    by_server=not one.name,
                )
                for one in declared.checks
            ),
            foreign_keys=tuple(
                _foreign_keys(self.foreign_keys.get(("", row.name), []), declared.foreign_keys)
            ),
            indexes=tuple(_indexes(indexes, declared, types)),
            triggers=tuple(self.triggers[row.name.lower()]),
            options=tuple(Option(name=one.lower(), value="yes") for one in declared.options),
        )


def _column(row: Any, declared: TableDeclaration, columns: list[Any]) -> Column:
    folded = row.name.lower()
    written = declared.computed.get(folded)
    conflict = declared.conflicts.get(folded)
    collation = declared.collations.get(folded, "BINARY").upper()
    return Column(
        name=row.name,
        type=type_of(row.type.removesuffix(" GENERATED ALWAYS")),
        nullable=not row.not_null,
        default=None if row.default is None else _default(row.default),
        identity=_identity(row, declared, columns),
        computed=None
        if written is None
        else Computed(expression=normal(written, _GRAMMAR), stored=row.hidden == _STORED),
        collation=None
        if collation == "BINARY"
        else _COLLATIONS.get(collation, Collation(name=collation)),
        options=(Option(name="not null on conflict", value=conflict),) if conflict else (),
    )


def _default(written: str) -> Expression:
    """A default; SQLite gives it as it was written, with or without brackets."""
    return normal(written, _GRAMMAR)


def _identity(row: Any, declared: TableDeclaration, columns: list[Any]) -> Identity | None:
    """An INTEGER PRIMARY KEY is the rowid, in a table that has one ("Rowid Tables")."""
    alone = sum(1 for one in columns if one.pk) == 1
    if not (row.pk and alone and row.type.upper() == "INTEGER"):
        return None
    if "WITHOUT ROWID" in declared.options:
        return None
    return Identity(
        numbering=Numbering.AUTOINCREMENT if declared.autoincrement else Numbering.ROWID
    )


def _conflict(declared: KeyDeclaration | None) -> tuple[Option, ...]:
    if declared is None or not declared.conflict:
        return ()
    return (Option(name="on conflict", value=declared.conflict),)


def _primary_key(columns: list[Any], declared: TableDeclaration) -> PrimaryKey | None:
    members = sorted((row for row in columns if row.pk), key=lambda row: row.pk)
    if not members:
        return None
    name = declared.primary_key.name if declared.primary_key else ""
    return PrimaryKey(
        columns=tuple(row.name for row in members),
        name=name,
        by_server=not name,
        options=_conflict(declared.primary_key),
    )


def _by_index(rows: list[Any]) -> Iterable[tuple[str, list[Any]]]:
    ordered = sorted(rows, key=lambda row: (row.name, row.place))
    for name, members in groupby(ordered, key=lambda row: row.name):
        yield name, list(members)


def _uniques(indexes: list[Any], declared: TableDeclaration) -> Iterable[Unique]:
    """The unique constraints: an index of origin `u` for each, which names the columns."""
    by_columns = {tuple(column.lower() for column in one.columns): one for one in declared.uniques}
    for _, members in _by_index([row for row in indexes if row.origin == "u"]):
        columns = tuple(row.column for row in members)
        found = by_columns.get(tuple(column.lower() for column in columns))
        name = found.name if found else ""
        yield Unique(columns=columns, name=name, by_server=not name, options=_conflict(found))


def _indexes(
    rows: list[Any], declared: TableDeclaration, types: Mapping[str, str]
) -> Iterable[Index]:
    for name, members in _by_index([row for row in rows if row.origin == "c"]):
        keys, where = index_parts(members[0].sql)
        yield Index(
            name=name,
            keys=tuple(
                _key(row, text, declared, types) for row, text in zip(members, keys, strict=True)
            ),
            unique=bool(members[0].unique),
            where=normal(where, _GRAMMAR, columns=types) if where else None,
        )


def _key(row: Any, text: str, declared: TableDeclaration, types: Mapping[str, str]) -> Key:
    own = declared.collations.get((row.column or "").lower(), "BINARY")
    other = row.collation if row.collation.upper() != own.upper() else ""
    if row.number == -2:  # an expression, as PRAGMA index_xinfo says
        expression = normal(text, _GRAMMAR, columns=types)
        return Key(expression=expression, descending=bool(row.descending), collation=other)
    column = row.column or "rowid"
    return Key(column=column, descending=bool(row.descending), collation=other)


def _foreign_keys(rows: list[Any], declared: list[ForeignKeyDeclaration]) -> Iterable[ForeignKey]:
    """The pragma numbers them from the last that was declared to the first."""
    ordered = sorted(rows, key=lambda row: (row.number, row.place))
    for number, group in groupby(ordered, key=lambda row: row.number):
        members = list(group)
        first = members[0]
        said = declared[len(declared) - 1 - number]
        yield ForeignKey(
            columns=tuple(row.column for row in members),
            table=first.other_table,
            references=tuple(row.other_column for row in members if row.other_column),
            name=said.name,
            by_server=not said.name,
            on_update=first.on_update,
            on_delete=first.on_delete,
            match="SIMPLE",
            deferrable=said.deferrable,
            initially_deferred=said.initially_deferred,
        )

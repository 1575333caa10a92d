"""From the rows of information_schema to the model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from bootstrap.backends.mysql.catalog.queries import Rows
from bootstrap.backends.mysql.catalog.types import collation_of, type_of
from bootstrap.backends.mysql.catalog.wording import Wording
from bootstrap.backends.rows import by_table
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

_GRAMMAR = Grammar(dialect="mysql")
_ON_UPDATE = re.compile(r"on update (\S+)", re.IGNORECASE)
_JSON = re.compile(r"json_valid\(`((?:[^`]|``)+)`\)", re.IGNORECASE)
_OPTION = re.compile(r"(\w+)=(\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'|\S+)|(\w+)")
_STRINGS = re.compile(r"""('(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")""", re.DOTALL)
_TABLES = ("BASE TABLE", "SYSTEM VERSIONED")


class Reader:
    """Makes the model of all rows."""

    def __init__(self, rows: Rows, wording: Wording, *, database: str) -> None:
        self.rows = rows
        self.wording = wording
        self.database = database
        self.columns = by_table(sorted(rows["columns"], key=lambda row: row.place))
        self.indexes = by_table(sorted(rows["indexes"], key=lambda row: (row.name, row.place)))
        references = sorted(rows["references"], key=lambda row: (row.name, row.place))
        self.references = by_table(references)
        self.actions = {(row.table, row.name): row for row in rows["actions"]}
        self.constraints = by_table(rows["constraints"])
        self.checks = {(row.table, row.name): row for row in rows["checks"]}
        self.triggers = by_table(rows["triggers"])
        self.partitions = by_table(rows["partitions"])

    def schema(self) -> Schema:
        """Makes the model of what information_schema says."""
        database = next(iter(self.rows.get("database", ())), None)
        return Schema(
            backend=self.wording.backend,
            charset=database.charset if database else "",
            collation=database.collation if database else "",
            tables=tuple(self._table(row) for row in self.rows["tables"] if row.kind in _TABLES),
            views=tuple(_view(row, self.database) for row in self.rows["views"]),
            others=tuple(_others(self.rows)),
        )

    def _table(self, row: Any) -> Table:
        place = ("", row.name)
        columns = self.columns.get(place, [])
        checks = tuple(self._checks(row.name))
        valid = [self._clause(row.name, check.name) for check in self._check_rows(row.name)]
        json = {
            found[1].replace("``", "`") for clause in valid for found in [_is_json(clause)] if found
        }
        foreign_keys = tuple(self._foreign_keys(row.name))
        indexes = list(_by_name(self.indexes.get(place, [])))
        return Table(
            name=row.name,
            columns=tuple(self._column(one, is_json=one.name in json) for one in columns),
            primary_key=_primary_key(indexes),
            uniques=tuple(_unique(members) for members in indexes if self._is_unique(members)),
            checks=checks,
            foreign_keys=foreign_keys,
            indexes=tuple(
                self._index(members, foreign_keys)
                for members in indexes
                if members[0].name != "PRIMARY" and not self._is_unique(members)
            ),
            triggers=tuple(_triggers(self.triggers.get(place, []))),
            engine=row.engine or "",
            charset=(row.collation or "").partition("_")[0],
            collation=self._collation(row.collation),
            partitioning=_partitioning(self.partitions.get(place, [])),
            comment=row.comment or "",
            options=tuple(_options(row)),
        )

    def _collation(self, name: str | None) -> Collation | None:
        return collation_of(name, pads=self.wording.pads(name or ""))

    def _column(self, row: Any, *, is_json: bool) -> Column:
        written = self.wording.default(row)
        updated = _ON_UPDATE.search(row.extra)
        is_numbered = "auto_increment" in row.extra
        return Column(
            name=row.name,
            type=type_of(row, is_json=is_json),
            nullable=row.nullable == "YES",
            default=None if written is None else _normal(unqualified(written, self.database)),
            identity=Identity(numbering=Numbering.AUTO_INCREMENT) if is_numbered else None,
            computed=self._computed(row),
            on_update=_normal(updated[1]) if updated else None,
            collation=self._collation(row.collation),
            charset=row.charset or "",
            invisible="INVISIBLE" in row.extra,
            comment=row.comment or "",
            options=tuple(_column_options(row)),
        )

    def _computed(self, row: Any) -> Computed | None:
        if not row.expression:
            return None
        stored = "STORED" in row.extra or "PERSISTENT" in row.extra
        expression = _normal(self.wording.expression(row.expression))
        return Computed(expression=expression, stored=stored)

    def _check_rows(self, table: str) -> Iterable[Any]:
        found = self.constraints.get(("", table), [])
        return [row for row in found if row.kind == "CHECK"]

    def _check(self, table: str, name: str) -> Any:
        """The row of a check; MySQL's do not say of which table, their names are unique."""
        return self.checks.get((table, name)) or self.checks[None, name]

    def _clause(self, table: str, name: str) -> str:
        return self.wording.expression(self._check(table, name).clause)

    def _checks(self, table: str) -> Iterator[Check]:
        for row in self._check_rows(table):
            yield Check(
                expression=_normal(self._clause(table, row.name)),
                name=row.name,
                by_server=self.wording.check_by_server(table, self._check(table, row.name)),
                enforced=row.enforced != "NO",
            )

    def _foreign_keys(self, table: str) -> Iterator[ForeignKey]:
        for members in _by_name(self.references.get(("", table), [])):
            first = members[0]
            actions = self.actions[table, first.name]
            yield ForeignKey(
                columns=tuple(row.column for row in members),
                schema=first.other_schema or "",
                table=first.other_table,
                references=tuple(row.other_column for row in members),
                name=first.name,
                by_server=_numbered(table, first.name),
                on_update=actions.on_update,
                on_delete=actions.on_delete,
            )

    def _index(self, members: list[Any], foreign_keys: Iterable[ForeignKey]) -> Index:
        first = members[0]
        made = Index(
            name=first.name,
            keys=tuple(self._key(row) for row in members),
            unique=not int(first.non_unique),
            method=first.method.lower(),
            visible=not self.wording.is_invisible(first),
            comment=first.comment or "",
        )
        implied = not made.unique and any(_is_for(made, key) for key in foreign_keys)
        return _implied(made) if implied else made

    def _is_unique(self, members: list[Any]) -> bool:
        """Whether a unique index says no more than a constraint can."""
        plain = all(
            row.prefix is None and not row.expression and row.order == "A" for row in members
        )
        first = members[0]
        named = first.name != "PRIMARY" and not int(first.non_unique)
        seen = not self.wording.is_invisible(first)
        return named and plain and first.method == "BTREE" and seen

    def _key(self, row: Any) -> Key:
        expression = row.expression
        return Key(
            column="" if expression else row.column,
            expression=_normal(self.wording.expression(expression)) if expression else None,
            descending=row.order == "D",
            # NULL counts as smaller than all else, so it comes first in ascending order.
            nulls_first=row.order != "D",
            prefix=None if row.prefix is None else int(row.prefix),
        )


def _normal(text: str) -> Expression:
    return normal(text, _GRAMMAR)


def _is_json(clause: str) -> re.Match[str] | None:
    return _JSON.fullmatch(clause.strip().removeprefix("(").removesuffix(")")) or _JSON.fullmatch(
        clause.strip()
    )


def _by_name(rows: Iterable[Any]) -> Iterator[list[Any]]:
    for _, members in groupby(rows, key=lambda row: row.name):
        yield list(members)


def _numbered(table: str, name: str) -> bool:
    """Whether InnoDB made the name of a foreign key."""
    return (
        re.fullmatch(re.escape(table) + r"_ibfk_\d+", name, re.IGNORECASE) is not None
        or name.isdigit()
    )


def _is_for(index: Index, key: ForeignKey) -> bool:
    """Whether the server made an index for a foreign key: it has its name, or its column's."""
    return index.columns == key.columns and index.name in (key.name, key.columns[0])


def _implied(index: Index) -> Index:
    return Index(name=index.name, keys=index.keys, implied=True, comment=index.comment)


def _primary_key(indexes: Iterable[list[Any]]) -> PrimaryKey | None:
    for members in indexes:
        if members[0].name == "PRIMARY":
            prefixes = tuple(int(row.prefix or 0) for row in members)
            return PrimaryKey(
                columns=tuple(row.column for row in members),
                name="PRIMARY",
                by_server=True,
                prefixes=prefixes if any(prefixes) else (),
                comment=members[0].comment or "",
            )
    return None


def _unique(members: list[Any]) -> Unique:
    return Unique(
        columns=tuple(row.column for row in members),
        name=members[0].name,
        comment=members[0].comment or "",
    )


def _triggers(rows: Iterable[Any]) -> Iterator[Trigger]:
    for row in rows:
        said = f"{row.timing} {row.event} {row.place} {verbatim(row.statement).text}"
        yield Trigger(name=row.name, definition=said)


def _options(row: Any) -> Iterator[Option]:
    for found in _OPTION.finditer(row.options or ""):
        if found[3] != "partitioned" and found[1] != "transactional":
            yield Option(name=(found[1] or found[3]).lower(), value=found[2] or "yes")
    if row.kind == "SYSTEM VERSIONED":
        yield Option(name="system versioning", value="yes")


def _column_options(row: Any) -> Iterator[Option]:
    if row.srid is not None:
        yield Option(name="srid", value=str(row.srid))
    if "WITHOUT SYSTEM VERSIONING" in row.extra:
        yield Option(name="system versioning", value="no")


def _partitioning(rows: Iterable[Any]) -> str:
    ordered = sorted(rows, key=lambda row: (row.place, row.subplace or 0))
    if not ordered:
        return ""
    first = ordered[0]
    parts = [f"{row.name} {row.description or ''}".strip() for row in ordered]
    sub = f" {first.submethod} ({first.subexpression or ''})" if first.submethod else ""
    return f"{first.method} ({first.expression or ''}){sub}: {', '.join(parts)}"


def _view(row: Any, database: str) -> View:
    return View(
        name=row.name,
        query=verbatim(unqualified(row.query, database)),
        options=(
            Option(name="check option", value=row.checked),
            Option(name="security", value=row.security),
        ),
    )


def unqualified(text: str, database: str) -> str:
    """Text of the server without the database before names, which it writes in queries of views.

    The same history in a database of another name makes the same schema.
    """
    quoted = "`" + database.replace("`", "``") + "`."
    parts = _STRINGS.split(text)
    parts[::2] = [part.replace(quoted, "") for part in parts[::2]]
    return "".join(parts)


def _others(rows: Rows) -> Iterator[Other]:
    parameters: Mapping[tuple[str, str], list[Any]] = {
        key: sorted(group, key=lambda row: row.place)
        for key, group in groupby(
            sorted(rows.get("parameters", ()), key=lambda row: (row.name, row.kind)),
            key=lambda row: (row.name, row.kind),
        )
    }
    for row in rows.get("routines", ()):
        given = ", ".join(
            " ".join(filter(None, (one.direction, one.parameter, one.type)))
            for one in parameters.get((row.name, row.kind), ())
        )
        facts = (row.kind, f"({given})", row.returns, row.deterministic, row.access, row.security)
        definition = " ".join(str(fact) for fact in facts if fact)
        yield Other(
            kind=ObjectKind.ROUTINE,
            name=row.name,
            definition=f"{definition} {row.body}",
            comment=row.comment or "",
        )
    for row in rows.get("events", ()):
        said = (row.kind, row.at, row.number, row.unit, row.status, row.completion, row.body)
        definition = " ".join(str(fact) for fact in said if fact is not None)
        yield Other(
            kind=ObjectKind.EVENT, name=row.name, definition=definition, comment=row.comment or ""
        )

"""From the rows of PostgreSQL's catalogue to the model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, TypeAlias

from bootstrap.backends.postgresql.catalog import constraints
from bootstrap.backends.postgresql.catalog.queries import Rows
from bootstrap.backends.postgresql.catalog.types import type_of
from bootstrap.backends.rows import by_table
from bootstrap.schema.expressions import Expression, Grammar, normal, verbatim
from bootstrap.schema.model import (
    Collation,
    Column,
    Computed,
    EnumType,
    Identity,
    Index,
    Key,
    Numbering,
    ObjectKind,
    Option,
    Other,
    Policy,
    Schema,
    Sequence,
    Table,
    Trigger,
    View,
)

_Words: TypeAlias = Callable[[str], Expression]  # brings an expression of a table into normal form
_NUMBERING = {"a": Numbering.ALWAYS, "d": Numbering.BY_DEFAULT}
_NEXTVAL = re.compile(r"nextval\('((?:[^']|'')+)'::regclass\)")
STORAGE = {"p": "plain", "e": "external", "m": "main", "x": "extended"}
COMPRESSION = {"p": "pglz", "l": "lz4"}
_ENABLED = {"O": "origin", "D": "disabled", "R": "replica", "A": "always"}
COMMANDS = {"*": "ALL", "r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}
_REPLICA_IDENTITY = {"n": "nothing", "f": "full", "i": "index"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grouped:
    """The rows by table."""

    columns: Mapping[tuple[str, str], list[Any]]
    constraints: Mapping[tuple[str, str], list[Any]]
    indexes: Mapping[tuple[str, str], list[Any]]
    triggers: Mapping[tuple[str, str], list[Any]]
    policies: Mapping[tuple[str, str], list[Any]]
    sequences: Mapping[tuple[str, str, str], Any]


def schema(rows: Rows) -> Schema:
    """Makes the model of what the catalogue says."""
    grouped = _Grouped(
        columns=by_table(sorted(rows["columns"], key=lambda row: row.place)),
        constraints=by_table(rows["constraints"]),
        indexes=by_table(rows["indexes"]),
        triggers=by_table(rows["triggers"]),
        policies=by_table(rows["policies"]),
        sequences={(q.table_schema, q.table, q.column): q for q in rows["sequences"] if q.belongs},
    )
    tables = [_table(row, grouped) for row in rows["relations"] if row.kind in "rpf"]
    views = [_view(row, grouped) for row in rows["relations"] if row.kind in "vm"]
    database = rows["database"][0] if rows.get("database") else None
    return Schema(
        backend="postgresql",
        charset=database.charset if database else "",
        collation=database.collation if database else "",
        tables=tuple(tables),
        views=tuple(views),
        enums=tuple(_enum(row) for row in rows.get("types", ()) if row.kind == "e"),
        sequences=tuple(_sequences(rows)),
        others=tuple(_others(rows)),
    )


def _table(row: Any, grouped: _Grouped) -> Table:
    place = (row.schema, row.name)
    columns = grouped.columns.get(place, [])
    grammar = Grammar(
        dialect="postgres",
        case_matters=True,
        string_types=frozenset(c.type for c in columns if c.base in ("varchar", "text")),
    )
    types = {column.name: column.type for column in columns}
    words = partial(normal, grammar=grammar, columns=types)
    backing = {one.backing for one in grouped.constraints.get(place, []) if one.backing}
    indexes = grouped.indexes.get(place, [])
    parts = constraints.of_table(
        grouped.constraints.get(place, []),
        indexes={index.name: index for index in indexes},
        normal=words,
    )
    return Table(
        schema=row.schema,
        name=row.name,
        columns=tuple(_column(one, row.name, grouped, words) for one in columns),
        primary_key=parts.primary_key,
        uniques=parts.uniques,
        checks=parts.checks,
        foreign_keys=parts.foreign_keys,
        exclusions=parts.exclusions,
        indexes=tuple(
            _index(one, grammar, types)
            for one in indexes
            if one.name not in backing and not one.of_partition
        ),
        triggers=tuple(_trigger(one) for one in grouped.triggers.get(place, [])),
        policies=tuple(_policy(one, grammar) for one in grouped.policies.get(place, [])),
        unlogged=row.persistence == "u",
        partitioning=row.partitioning or "",
        partition_of=f"{row.parents[0]} {row.bounds}" if row.bounds else "",
        row_security=row.row_security,
        row_security_forced=row.row_security_forced,
        comment=row.comment or "",
        options=tuple(_table_options(row, indexes)),
    )


def _table_options(row: Any, indexes: Iterable[Any]) -> Iterable[Option]:
    yield from _stored(row.options)
    if row.replica_identity in _REPLICA_IDENTITY:
        named = [index.name for index in indexes if index.replica_identity]
        said = " ".join([_REPLICA_IDENTITY[row.replica_identity], *named])
        yield Option(name="replica identity", value=said)
    if row.parents and not row.bounds:
        yield Option(name="inherits", value=", ".join(row.parents))
    if row.tablespace:
        yield Option(name="tablespace", value=row.tablespace)
    if row.method not in (None, "heap"):
        yield Option(name="access method", value=row.method)
    if row.kind == "f":
        yield Option(name="foreign", value="yes")
    for index in indexes:
        if index.clustered:
            yield Option(name="clustered on", value=index.name)


def _stored(options: Iterable[str] | None) -> Iterable[Option]:
    for option in options or ():
        name, _, value = option.partition("=")
        yield Option(name=name, value=value)


def _column(row: Any, table: str, grouped: _Grouped, words: _Words) -> Column:
    sequence = grouped.sequences.get((row.schema, row.table, row.name))
    identity = _identity(row, sequence)
    written = None if identity else row.expression
    return Column(
        name=row.name,
        type=type_of(row),
        nullable=not row.not_null,
        default=_default(written, row) if written and not row.generated else None,
        identity=identity,
        computed=_computed(row, words) if row.generated else None,
        collation=_collation(row),
        comment=row.comment or "",
        options=tuple(_column_options(row, table, sequence)),
    )


def _column_options(row: Any, table: str, sequence: Any) -> Iterable[Option]:
    yield from _stored(row.options)
    if row.storage:
        yield Option(name="storage", value=STORAGE.get(row.storage, row.storage))
    if row.compression:
        compression = COMPRESSION.get(row.compression, row.compression)
        yield Option(name="compression", value=compression)
    if row.statistics is not None:
        yield Option(name="statistics", value=str(row.statistics))
    if row.identity and sequence and sequence.name != f"{table}_{row.name}_seq":
        yield Option(name="sequence", value=sequence.name)


def _identity(row: Any, sequence: Any) -> Identity | None:
    if sequence is None:
        return None
    if not row.identity:
        return Identity(numbering=Numbering.SERIAL) if _is_serial(row, sequence) else None
    return Identity(
        numbering=_NUMBERING[row.identity],
        start=sequence.start,
        increment=sequence.increment,
        minimum=sequence.minimum,
        maximum=sequence.maximum,
        cache=sequence.cache,
        cycle=sequence.cycle,
    )


def _is_serial(row: Any, sequence: Any) -> bool:
    """Whether the default takes numbers of the sequence that belongs to the column."""
    found = _NEXTVAL.fullmatch(row.expression or "")
    if found is None:
        return False
    named = found[1].replace("''", "'").rpartition(".")[2].strip('"').replace('""', '"')
    return bool(named == sequence.name)


def _default(written: str, row: Any) -> Expression:
    """The default, without a cast to the column's own type."""
    own = row.domain_type or row.type
    bare = re.sub(r"\([\d,]+\)", "", own)
    for cast in (f"::{own}", f"::{bare}"):
        inner = written.removesuffix(cast)
        literal = re.fullmatch(r"'(?:[^']|'')*'|\(?-?[\d.]+\)?|NULL", inner)
        if inner != written and literal:
            return _literal(inner, row)
    return normal(written, Grammar(dialect="postgres", case_matters=True))


def _literal(text: str, row: Any) -> Expression:
    """A number of a numeric column without its quotes, which PostgreSQL writes around `-1`."""
    number = re.fullmatch(r"'(-?\d+(?:\.\d+)?)'|\((-?\d+(?:\.\d+)?)\)", text)
    numeric = row.base in ("int2", "int4", "int8", "numeric", "float4", "float8")
    return Expression(text=(number[1] or number[2]) if number and numeric else text)


def _computed(row: Any, words: _Words) -> Computed:
    return Computed(expression=words(row.expression), stored=row.generated == "s")


def _collation(row: Any) -> Collation | None:
    if not row.collation:
        return None
    exact = bool(row.deterministic)
    return Collation(
        name=row.collation,
        case_sensitive=True if exact else None,
        accent_sensitive=True if exact else None,
        pads=False,
    )


def _index(row: Any, grammar: Grammar, types: Mapping[str, str]) -> Index:
    keys = [_key(row, place, grammar, types) for place in range(row.keys)]
    options = list(_stored(row.options))
    if row.tablespace:
        options.append(Option(name="tablespace", value=row.tablespace))
    return Index(
        name=row.name,
        keys=tuple(keys),
        unique=row.unique,
        where=normal(row.predicate, grammar, columns=types) if row.predicate else None,
        method=row.method,
        include=tuple(constraints.unquoted(part) for part in row.parts[row.keys :]),
        nulls_distinct=not row.nulls_not_distinct,
        valid=row.valid,
        comment=row.comment or "",
        options=tuple(options),
    )


def _key(row: Any, place: int, grammar: Grammar, types: Mapping[str, str]) -> Key:
    part, order = row.parts[place], row.orders[place]
    is_column = row.numbers[place] != 0
    return Key(
        column=constraints.unquoted(part) if is_column else "",
        expression=None if is_column else normal(part, grammar, columns=types),
        descending=bool(order & 1),
        nulls_first=bool(order & 2),
        collation=row.collations[place],
        operators=row.operators[place],
    )


def _trigger(row: Any) -> Trigger:
    return Trigger(
        name=row.name,
        definition=verbatim(row.definition).text,
        enabled=_ENABLED.get(row.enabled, row.enabled),
        comment=row.comment or "",
    )


def _policy(row: Any, grammar: Grammar) -> Policy:
    return Policy(
        name=row.name,
        command=COMMANDS[row.command],
        permissive=row.permissive,
        roles=tuple(row.roles),
        using=normal(row.using, grammar) if row.using else None,
        check=normal(row.check, grammar) if row.check else None,
    )


def _view(row: Any, grouped: _Grouped) -> View:
    place = (row.schema, row.name)
    grammar = Grammar(dialect="postgres", case_matters=True)
    columns = grouped.columns.get(place, [])
    return View(
        schema=row.schema,
        name=row.name,
        query=verbatim(row.query),
        materialized=row.kind == "m",
        columns=tuple(f"{one.name} {one.type}" for one in columns),
        indexes=tuple(_index(one, grammar, {}) for one in grouped.indexes.get(place, [])),
        triggers=tuple(_trigger(one) for one in grouped.triggers.get(place, [])),
        comment=row.comment or "",
        options=tuple(_stored(row.options)),
    )


def _enum(row: Any) -> EnumType:
    return EnumType(
        schema=row.schema, name=row.name, values=tuple(row.values), comment=row.comment or ""
    )


def _sequences(rows: Rows) -> Iterable[Sequence]:
    """All but those of identity columns, which their columns describe."""
    for row in rows["sequences"]:
        if row.belongs == "i":
            continue
        owner = (row.table_schema, row.table, row.column) if row.belongs else ()
        yield Sequence(
            schema=row.schema,
            name=row.name,
            type=row.type,
            start=row.start,
            increment=row.increment,
            minimum=row.minimum,
            maximum=row.maximum,
            cache=row.cache,
            cycle=row.cycle,
            unlogged=row.persistence == "u",
            owned_by=".".join(part for part in owner if part),
            comment=row.comment or "",
        )


def _others(rows: Rows) -> Iterable[Other]:
    plain = chain(
        ((ObjectKind.EXTENSION, row.name, "") for row in rows.get("extensions", ())),
        ((ObjectKind.SCHEMA, row.name, "") for row in rows.get("schemas", ())),
    )
    for kind, name, definition in plain:
        yield Other(kind=kind, name=name, definition=definition)
    for row in rows.get("routines", ()):
        yield _other(row, ObjectKind.ROUTINE, row.definition)
    for row in rows.get("types", ()):
        if row.kind == "d":
            yield _other(row, ObjectKind.DOMAIN, _domain(row))
        elif row.kind in "cr":
            said = ", ".join(row.attributes) if row.kind == "c" else f"RANGE OF {row.base}"
            yield _other(row, ObjectKind.COMPOSITE, said)
    for row in rows["rules"]:
        name = f"{row.name} on {row.table}"
        definition = f"{row.definition} {_ENABLED.get(row.enabled, row.enabled)}"
        yield Other(kind=ObjectKind.RULE, schema=row.schema, name=name, definition=definition)
    for row in rows["statistics"]:
        yield Other(
            kind=ObjectKind.STATISTICS,
            schema=row.schema,
            name=row.name,
            definition=row.definition,
        )


def _other(row: Any, kind: ObjectKind, definition: str) -> Other:
    return Other(
        kind=kind,
        schema=row.schema,
        name=row.name,
        definition=definition,
        comment=row.comment or "",
    )


def _domain(row: Any) -> str:
    parts = [row.base, "NOT NULL" if row.not_null else "", *row.checks]
    if row.default is not None:
        parts.append(f"DEFAULT {row.default}")
    return " ".join(part for part in parts if part)

"""What stands beside tables: schemas, extensions, types, sequences, routines, views."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from bootstrap.backends.altering import Made, Statement
from bootstrap.backends.postgresql.altering import tables
from bootstrap.backends.postgresql.altering.words import (
    comment,
    commented,
    literal,
    path,
    plain,
    quoted,
)
from bootstrap.backends.postgresql.catalog.queries import Rows
from bootstrap.backends.rows import by_table
from bootstrap.schema.changes import Kind

_SCHEMA, _EXTENSION, _TYPE, _ROUTINE, _SEQUENCE = range(5)
_VIEW = tables.STAGE + 5
_OWNER = tables.STAGE + 2


def made(rows: Rows) -> Iterator[Made]:
    """All of it."""
    for row in rows.get("schemas", ()):
        yield _plain(row.name, f"SCHEMA {quoted(row.name)}", _SCHEMA)
    for row in rows.get("extensions", ()):
        yield _plain(row.name, f"EXTENSION {quoted(row.name)}", _EXTENSION)
    for row in rows.get("types", ()):
        yield _enum(row, rows) if row.kind == "e" else _type(row)
    for row in rows.get("routines", ()):
        yield _routine(row)
    for row in rows["sequences"]:
        if row.belongs != "i":
            yield from _sequence(row)
    columns = by_table(sorted(rows["columns"], key=lambda row: row.place))
    for row in rows["relations"]:
        if row.kind in "vm":
            yield _view(row, columns.get((row.schema, row.name), ()))


def _plain(name: str, what: str, stage: int) -> Made:
    return Made(
        kind=Kind.OTHER, name=name, create=(f"CREATE {what}",), drop=(f"DROP {what}",), stage=stage
    )


def _enum(row: Any, rows: Rows) -> Made:
    name = path(row)
    values = ", ".join(map(literal, row.values))
    users = [
        (path(one, one.table), quoted(one.name), one.expression or "")
        for one in rows["columns"]
        if one.base_kind == "e" and one.type in (name, f"public.{name}")
    ]
    return Made(
        kind=Kind.ENUM,
        name=row.name,
        create=commented(
            (f"CREATE TYPE {name} AS ENUM ({values})",), on=f"TYPE {name}", text=row.comment
        ),
        drop=(f"DROP TYPE {name}",),
        stage=_TYPE,
        facts={
            "path": name,
            "values": json.dumps(list(row.values)),
            "users": json.dumps(users),
            "comment": row.comment or "",
        },
    )


def changed_enum(was: Made, becomes: Made) -> Iterator[Statement]:
    """Adds and renames values, or makes the type anew where some must go."""
    name = becomes.facts["path"]
    old, new = (json.loads(made.facts["values"]) for made in (was, becomes))
    if len(old) == len(new) and len(set(old) ^ set(new)) == 2:
        ((before, after),) = ((one, two) for one, two in zip(old, new, strict=True) if one != two)
        yield becomes.says(f"ALTER TYPE {name} RENAME VALUE {literal(before)} TO {literal(after)}")
    elif [one for one in new if one in old] == old:
        yield from _added_values(becomes, old, new)
    elif old != new:
        yield from _remade_enum(was, becomes)
    if was.facts["comment"] != becomes.facts["comment"]:
        yield becomes.says(comment(f"TYPE {name}", becomes.facts["comment"]))


def _added_values(made: Made, old: Sequence[str], new: Sequence[str]) -> Iterator[Statement]:
    for place, value in enumerate(new):
        if value not in old:
            after = f"AFTER {literal(new[place - 1])}" if place else f"BEFORE {literal(old[0])}"
            yield made.says(f"ALTER TYPE {made.facts['path']} ADD VALUE {literal(value)} {after}")


def _remade_enum(was: Made, becomes: Made) -> Iterator[Statement]:
    """No value of an enum can be dropped; rows that have it make the statement fail."""
    name, aside = becomes.facts["path"], quoted(f"{becomes.name}_before")
    schema = name.rpartition(".")[0]
    yield becomes.says(f"ALTER TYPE {name} RENAME TO {aside}")
    yield becomes.says(becomes.create[0])
    for table, column, default in json.loads(was.facts["users"]):
        alter = f"ALTER TABLE {table} ALTER COLUMN {column}"
        if default:
            yield becomes.says(f"{alter} DROP DEFAULT")
        cast = f"CAST(CAST({column} AS text) AS {name})"
        yield becomes.says(f"{alter} TYPE {name} USING {cast}")
        if default:
            yield becomes.says(f"{alter} SET DEFAULT {default}")
    yield becomes.says(f"DROP TYPE {f'{schema}.{aside}' if schema else aside}")


def _type(row: Any) -> Made:
    """A domain, a composite type or a range."""
    name = path(row)
    is_domain = row.kind == "d"
    what = f"{'DOMAIN' if is_domain else 'TYPE'} {name}"
    create = f"CREATE {what} AS "
    facts = {}
    if is_domain:
        facts = {
            "path": name,
            "base": row.base,
            "null": "NOT NULL" if row.not_null else "",
            "default": row.default or "",
            "checks": json.dumps(sorted(row.checks)),
            "comment": row.comment or "",
        }
        default = f"DEFAULT {row.default}" if row.default else ""
        checks = [f"CONSTRAINT {one}" for one in row.checks]
        create += " ".join(filter(None, (row.base, default, facts["null"], *checks)))
    elif row.kind == "c":
        create += f"({', '.join(row.attributes)})"
    else:
        create += f"RANGE (SUBTYPE = {row.base})"
    return Made(
        kind=Kind.OTHER,
        name=row.name,
        create=commented((create,), on=what, text=row.comment),
        drop=(f"DROP {what}",),
        stage=_TYPE,
        facts=facts,
    )


def changed_domain(was: Made, becomes: Made) -> Iterator[Statement]:
    """Changes what a domain asks of its values."""
    old, new = was.facts, becomes.facts
    alter = f"ALTER DOMAIN {new['path']}"
    before, after = (json.loads(facts["checks"]) for facts in (old, new))
    for check in before:
        if check not in after:
            yield becomes.says(f"{alter} DROP CONSTRAINT {quoted(check.partition(' ')[0])}")
    for check in after:
        if check not in before:
            name, _, definition = check.partition(" ")
            yield becomes.says(f"{alter} ADD CONSTRAINT {quoted(name)} {definition}")
    if old["default"] != new["default"]:
        set_to = f"SET DEFAULT {new['default']}" if new["default"] else "DROP DEFAULT"
        yield becomes.says(f"{alter} {set_to}")
    if old["null"] != new["null"]:
        yield becomes.says(f"{alter} {'SET' if new['null'] else 'DROP'} NOT NULL")
    if old["comment"] != new["comment"]:
        yield becomes.says(comment(f"DOMAIN {new['path']}", new["comment"]))


def _routine(row: Any) -> Made:
    name, _, arguments = row.name.partition("(")
    called = f"{path(row, name)}({arguments}"
    written = () if row.definition == "AGGREGATE" else (row.definition.rstrip(),)
    return Made(
        kind=Kind.OTHER,
        name=row.name,
        create=commented(written, on=f"ROUTINE {called}", text=row.comment),
        drop=(f"DROP ROUTINE {called}",),
        stage=_ROUTINE,
    )


def _sequence(row: Any) -> Iterator[Made]:
    name = path(row)
    unlogged = "UNLOGGED " if row.persistence == "u" else ""
    numbers = f"AS {row.type} {tables.numbers(row)}"
    yield Made(
        kind=Kind.SEQUENCE,
        name=row.name,
        create=commented(
            (f"CREATE {unlogged}SEQUENCE {name} {numbers}",),
            on=f"SEQUENCE {name}",
            text=row.comment,
        ),
        drop=(f"DROP SEQUENCE {name}",),
        stage=_SEQUENCE,
        facts={
            "path": name,
            "numbers": numbers,
            "logged": "UNLOGGED" if unlogged else "LOGGED",
            "comment": row.comment or "",
        },
    )
    if row.belongs:
        owner = (
            path(row, row.table)
            if not row.table_schema
            else f"{quoted(row.table_schema)}.{quoted(row.table)}"
        )
        yield Made(
            kind=Kind.SEQUENCE,
            table=f"{row.table_schema}.{row.table}" if row.table_schema else row.table,
            name=row.name,
            create=(f"ALTER SEQUENCE {name} OWNED BY {owner}.{quoted(row.column)}",),
            drop=(f"ALTER SEQUENCE {name} OWNED BY NONE",),
            stage=_OWNER,
        )


def changed_sequence(was: Made, becomes: Made) -> Iterator[Statement]:
    """Changes a sequence; its counter stays."""
    old, new = was.facts, becomes.facts
    if not new:
        return
    alter = f"ALTER SEQUENCE {new['path']}"
    if old["numbers"] != new["numbers"]:
        yield becomes.says(f"{alter} {new['numbers']}")
    if old["logged"] != new["logged"]:
        yield becomes.says(f"{alter} SET {new['logged']}")
    if old["comment"] != new["comment"]:
        yield becomes.says(comment(f"SEQUENCE {new['path']}", new["comment"]))


def _view(row: Any, columns: Sequence[Any]) -> Made:
    what = f"{'MATERIALIZED VIEW' if row.kind == 'm' else 'VIEW'} {path(row)}"
    options = f" WITH ({', '.join(row.options)})" if row.options else ""
    query = row.query.strip().removesuffix(";")
    return Made(
        kind=Kind.VIEW,
        table=plain(row),
        name=plain(row),
        create=commented((f"CREATE {what}{options} AS\n{query}",), on=what, text=row.comment),
        drop=(f"DROP {what}",),
        stage=_VIEW,
        facts={
            "kind": row.kind,
            "columns": json.dumps([(one.name, one.type) for one in columns]),
            "rest": f"{options} {row.comment}",
        },
    )


def changed_view(was: Made, becomes: Made) -> Sequence[Statement] | None:
    """Another query, as long as all columns stay; rights on the view stay too."""
    if was.facts != becomes.facts or was.facts["kind"] == "m":
        return None
    return [becomes.says(becomes.create[0].replace("CREATE ", "CREATE OR REPLACE ", 1))]

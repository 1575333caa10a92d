"""What belongs to tables and views: constraints, indexes, triggers, policies, rules, statistics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bootstrap.backends.altering import Made
from bootstrap.backends.postgresql.altering import tables
from bootstrap.backends.postgresql.altering.words import (
    commented,
    of_table,
    path,
    plain,
    quoted,
)
from bootstrap.backends.postgresql.catalog.queries import Rows
from bootstrap.backends.postgresql.catalog.reading import COMMANDS
from bootstrap.schema.changes import Kind

_CONSTRAINTS = {
    "p": (Kind.PRIMARY_KEY, tables.STAGE + 2),
    "u": (Kind.UNIQUE, tables.STAGE + 2),
    "c": (Kind.CHECK, tables.STAGE + 2),
    "x": (Kind.EXCLUSION, tables.STAGE + 2),
    "f": (Kind.FOREIGN_KEY, tables.STAGE + 4),
}
_INDEX, _LATE = tables.STAGE + 3, tables.STAGE + 6
_ENABLED = {"D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}


def made(rows: Rows) -> Iterator[Made]:
    """All of it."""
    backing = {(one.schema, one.backing) for one in rows["constraints"]}
    yield from (_constraint(row) for row in rows["constraints"] if not row.parents)
    for row in rows["indexes"]:
        if (row.schema, row.name) not in backing and not row.of_partition:
            yield _index(row, {one.name for one in rows["relations"] if one.kind == "m"})
    yield from (_trigger(row) for row in rows["triggers"])
    yield from (_policy(row) for row in rows["policies"])
    yield from (_rule(row) for row in rows["rules"])
    yield from (_statistics(row) for row in rows["statistics"])


def _constraint(row: Any) -> Made:
    kind, stage = _CONSTRAINTS[row.kind]
    table, name = of_table(row), quoted(row.name)
    create = f"ALTER TABLE {table} ADD CONSTRAINT {name} {row.definition}"
    other = f"{row.other_schema}.{row.other_table}" if row.other_schema else row.other_table
    return Made(
        kind=kind,
        table=plain(row, row.table),
        name=row.name,
        create=commented((create,), on=f"CONSTRAINT {name} ON {table}", text=row.comment),
        drop=(f"ALTER TABLE {table} DROP CONSTRAINT {name}",),
        stage=stage,
        facts={"references": other} if row.kind == "f" else {},
        after=plain(row, row.table),
    )


def _index(row: Any, materialized: set[str]) -> Made:
    name = path(row)
    return Made(
        kind=Kind.INDEX,
        table=plain(row, row.table),
        name=row.name,
        create=commented((row.definition,), on=f"INDEX {name}", text=row.comment),
        drop=(f"DROP INDEX {name}",),
        # That of a materialized view comes after it.
        stage=_LATE if row.table in materialized else _INDEX,
        after=plain(row, row.table),
    )


def _trigger(row: Any) -> Made:
    table, name = of_table(row), quoted(row.name)
    create = [row.definition]
    if row.enabled in _ENABLED:
        create.append(f"ALTER TABLE {table} {_ENABLED[row.enabled]} TRIGGER {name}")
    return Made(
        kind=Kind.TRIGGER,
        table=plain(row, row.table),
        name=row.name,
        create=commented(create, on=f"TRIGGER {name} ON {table}", text=row.comment),
        drop=(f"DROP TRIGGER {name} ON {table}",),
        stage=_LATE,
        after=plain(row, row.table),
    )


def _policy(row: Any) -> Made:
    table, name = of_table(row), quoted(row.name)
    kind = "PERMISSIVE" if row.permissive else "RESTRICTIVE"
    roles = ", ".join("public" if one == "public" else quoted(one) for one in row.roles)
    create = f"CREATE POLICY {name} ON {table} AS {kind} FOR {COMMANDS[row.command]} TO {roles}"
    create += f" USING ({row.using})" if row.using else ""
    create += f" WITH CHECK ({row.check})" if row.check else ""
    return Made(
        kind=Kind.POLICY,
        table=plain(row, row.table),
        name=row.name,
        create=(create,),
        drop=(f"DROP POLICY {name} ON {table}",),
        stage=_LATE,
        after=plain(row, row.table),
    )


def _rule(row: Any) -> Made:
    table, name = of_table(row), quoted(row.name)
    create = [row.definition.removesuffix(";")]
    if row.enabled in _ENABLED:
        create.append(f"ALTER TABLE {table} {_ENABLED[row.enabled]} RULE {name}")
    return Made(
        kind=Kind.OTHER,
        name=f"{row.name} on {row.table}",
        create=tuple(create),
        drop=(f"DROP RULE {name} ON {table}",),
        stage=_LATE,
        after=plain(row, row.table),
    )


def _statistics(row: Any) -> Made:
    return Made(
        kind=Kind.OTHER,
        name=row.name,
        create=(row.definition,),
        drop=(f"DROP STATISTICS IF EXISTS {path(row)}",),  # it goes with its table
        stage=_LATE,
    )

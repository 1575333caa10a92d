"""PostgreSQL's constraints in the words of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap.schema.expressions import Expression
from bootstrap.schema.model import Check, Exclusion, ForeignKey, Option, PrimaryKey, Unique

_ACTIONS = {
    "a": "NO ACTION",
    "r": "RESTRICT",
    "c": "CASCADE",
    "n": "SET NULL",
    "d": "SET DEFAULT",
}
_MATCHES = {"s": "SIMPLE", "f": "FULL", "p": "PARTIAL"}
_SUFFIXES = {"p": "pkey", "u": "key", "f": "fkey", "c": "check"}
_LONGEST = 63  # NAMEDATALEN - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What a table's rows keep."""

    primary_key: PrimaryKey | None
    uniques: tuple[Unique, ...]
    checks: tuple[Check, ...]
    foreign_keys: tuple[ForeignKey, ...]
    exclusions: tuple[Exclusion, ...]


def of_table(
    rows: Iterable[Any], *, indexes: Mapping[str, Any], normal: Callable[[str], Expression]
) -> Constraints:
    """Sorts the constraints of one table by their kind."""
    by_kind: dict[str, list[Any]] = {kind: [] for kind in "pucfx"}
    for row in rows:
        by_kind[row.kind].append(row)
    primary_keys = [_primary_key(row, indexes.get(row.backing)) for row in by_kind["p"]]
    return Constraints(
        primary_key=primary_keys[0] if primary_keys else None,
        uniques=tuple(_unique(row, indexes.get(row.backing)) for row in by_kind["u"]),
        checks=tuple(_check(row, normal) for row in by_kind["c"]),
        foreign_keys=tuple(_foreign_key(row) for row in by_kind["f"]),
        exclusions=tuple(_exclusion(row) for row in by_kind["x"]),
    )


def unquoted(name: str) -> str:
    """A name as it stands in the catalogue."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _is_by_server(row: Any) -> bool:
    """Whether the name is the one that the server makes (ChooseConstraintName in its source)."""
    columns = () if row.kind == "p" else row.columns
    for between in ("_".join((row.table, *columns)), row.table):
        made = f"{between}_{_SUFFIXES[row.kind]}"
        if row.name == made or row.name.rstrip("0123456789") == made:
            return True
    return len(row.name) == _LONGEST and bool(row.name.endswith(f"_{_SUFFIXES[row.kind]}"))


def _include(index: Any) -> tuple[str, ...]:
    return tuple(unquoted(part) for part in index.parts[index.keys :]) if index else ()


def _options(index: Any) -> tuple[Option, ...]:
    stored = (index.options or ()) if index else ()
    return tuple(Option(name=one.partition("=")[0], value=one.partition("=")[2]) for one in stored)


def _primary_key(row: Any, index: Any) -> PrimaryKey:
    return PrimaryKey(
        columns=tuple(row.columns),
        name=row.name,
        by_server=_is_by_server(row),
        include=_include(index),
        deferrable=row.deferrable,
        initially_deferred=row.deferred,
        comment=row.comment or "",
        options=_options(index),
    )


def _unique(row: Any, index: Any) -> Unique:
    return Unique(
        columns=tuple(row.columns),
        name=row.name,
        by_server=_is_by_server(row),
        include=_include(index),
        nulls_distinct=not (index and index.nulls_not_distinct),
        deferrable=row.deferrable,
        initially_deferred=row.deferred,
        comment=row.comment or "",
        options=_options(index),
    )


def _check(row: Any, normal: Callable[[str], Expression]) -> Check:
    return Check(
        expression=normal(row.expression),
        name=row.name,
        by_server=_is_by_server(row),
        validated=row.validated,
        enforced=row.enforced,
        inherited=row.inherited,
        comment=row.comment or "",
    )


def _foreign_key(row: Any) -> ForeignKey:
    only = tuple(row.set_columns)
    return ForeignKey(
        columns=tuple(row.columns),
        schema=row.other_schema,
        table=row.other_table,
        references=tuple(row.other_columns),
        name=row.name,
        by_server=_is_by_server(row),
        on_update=_ACTIONS[row.on_update],
        on_delete=_ACTIONS[row.on_delete],
        match=_MATCHES[row.match],
        deferrable=row.deferrable,
        initially_deferred=row.deferred,
        validated=row.validated,
        enforced=row.enforced,
        comment=row.comment or "",
        options=(Option(name="sets only", value=", ".join(only)),) if only else (),
    )


def _exclusion(row: Any) -> Exclusion:
    return Exclusion(name=row.name, definition=row.definition, comment=row.comment or "")

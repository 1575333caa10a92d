"""Compares two schemas, and says each difference once, with how much it matters.

`compare(b, a)` is `compare(a, b)` with each change inverted, and `compare(a, a)` is empty.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from bootstrap.schema import classes
from bootstrap.schema.changes import Action, Change, Kind, Weight
from bootstrap.schema.expressions import Expression
from bootstrap.schema.matching import Pair, by_name, by_name_or_content
from bootstrap.schema.model import Collation, ForeignKey, Option, Schema, Table, View
from bootstrap.schema.portable import portable
from bootstrap.schema.types import Type

# What a table holds in parts: the field of Table, what its changes are called, what pairs them.
_PARTS: tuple[tuple[str, Kind, Callable[[Any, Any], Iterator[Pair]]], ...] = (
    ("columns", Kind.COLUMN, by_name),
    ("uniques", Kind.UNIQUE, by_name_or_content),
    ("checks", Kind.CHECK, by_name_or_content),
    ("foreign_keys", Kind.FOREIGN_KEY, by_name_or_content),
    ("exclusions", Kind.EXCLUSION, by_name),
    ("indexes", Kind.INDEX, by_name_or_content),
    ("triggers", Kind.TRIGGER, by_name),
    ("policies", Kind.POLICY, by_name),
)
_OBJECTS = (
    ("enums", Kind.ENUM),
    ("sequences", Kind.SEQUENCE),
    ("others", Kind.OTHER),
)
# What is no fact of a part: it pairs the parts, or is compared as parts of their own.
_OF_TABLE = frozenset({name for name, _, _ in _PARTS} | {"primary_key"})
_OF_VIEW = frozenset({"indexes", "triggers"})
_ANYWHERE = frozenset({"backend", "by_server", "implied"})


def compare(before: Schema, after: Schema) -> tuple[Change, ...]:
    """Finds all that differs, what is never shown left out.

    Two schemas of one backend are compared as they are. Those of two backends are first brought
    into what both can say (`bootstrap.schema.portable`).
    """
    return tuple(
        change
        for change in all_changes(before, after)
        if change.weight is not Weight.REPRESENTATION
    )


def all_changes(before: Schema, after: Schema) -> tuple[Change, ...]:
    """Finds all that differs, with what is the same in other words."""
    across = before.backend != after.backend
    if before.folds_names or after.folds_names:
        before, after = before.folded(), after.folded()
    if across:
        before, after = portable(before), portable(after)
    found = sorted(_changes(before, after, across=across), key=lambda change: change.order)
    return tuple(found)


def _changes(before: Schema, after: Schema, *, across: bool) -> Iterator[Change]:
    for name in ("charset", "collation"):
        yield from _database(name, getattr(before, name), getattr(after, name), across=across)
    for old, new in by_name(before.tables, after.tables):
        yield from _table(old, new, across=across)
    for old, new in by_name(before.views, after.views):
        yield from _view(old, new, across=across)
    for name, kind in _OBJECTS:
        for pair in by_name(getattr(before, name), getattr(after, name)):
            yield from _part(pair, kind=kind, table="", across=across)


def _database(name: str, old: str, new: str, *, across: bool) -> Iterator[Change]:
    """A default of the database; schemas of named tables do not have it."""
    if old and new and old != new:
        change = Change(
            action=Action.CHANGED, kind=Kind.DATABASE, attribute=name, before=old, after=new
        )
        yield classes.weighed(change, None, None, across=across)


def _table(old: Table | None, new: Table | None, *, across: bool) -> Iterator[Change]:
    path = _either(old, new).path
    yield from _part((old, new), kind=Kind.TABLE, table=path, across=across)
    if old is None or new is None:
        return
    yield from _column_order(old, new, across=across)
    keys = (old.primary_key, new.primary_key)
    if keys != (None, None):
        yield from _part(keys, kind=Kind.PRIMARY_KEY, table=path, across=across)
    for name, kind, pairs in _PARTS:
        for pair in pairs(getattr(old, name), getattr(new, name)):
            yield from _part(pair, kind=kind, table=path, across=across)


def _view(old: View | None, new: View | None, *, across: bool) -> Iterator[Change]:
    one = _either(old, new)
    path = f"{one.schema}.{one.name}" if one.schema else one.name
    yield from _part((old, new), kind=Kind.VIEW, table=path, across=across)
    if old is None or new is None:
        return
    for pair in by_name_or_content(old.indexes, new.indexes):
        yield from _part(pair, kind=Kind.INDEX, table=path, across=across)
    for pair in by_name(old.triggers, new.triggers):
        yield from _part(pair, kind=Kind.TRIGGER, table=path, across=across)


def _column_order(old: Table, new: Table, *, across: bool) -> Iterator[Change]:
    """The order of the columns that both have."""
    names = ({one.name for one in old.columns}, {one.name for one in new.columns})
    both = names[0] & names[1]
    orders = [[one.name for one in table.columns if one.name in both] for table in (old, new)]
    if orders[0] != orders[1]:
        change = Change(
            action=Action.CHANGED,
            kind=Kind.TABLE,
            table=old.path,
            name=old.name,
            attribute="column order",
            before=", ".join(orders[0]),
            after=", ".join(orders[1]),
        )
        yield classes.weighed(change, old, new, across=across)


def _part(pair: Pair, *, kind: Kind, table: str, across: bool) -> Iterator[Change]:
    old, new = pair
    if old == new:
        return
    base = Change(action=Action.CHANGED, kind=kind, table=table, name=_name(old, new))
    if old is None or new is None:
        action = Action.ADDED if old is None else Action.REMOVED
        found: Iterable[Change] = [
            replace(base, action=action, before=_said(old), after=_said(new))
        ]
    else:
        found = (
            replace(base, attribute=attribute, before=_words(one), after=_words(other))
            for attribute, one, other in _differences(old, new, across=across)
        )
    for change in found:
        yield classes.weighed(change, old, new, across=across)


def _differences(old: Any, new: Any, *, across: bool) -> Iterator[tuple[str, Any, Any]]:
    """The facts in which two parts of the same kind differ."""
    for field in _facts(old):
        one, other = getattr(old, field.name), getattr(new, field.name)
        if one == other:
            continue
        name = field.name.replace("_", " ")
        if isinstance(one, Type) and isinstance(other, Type):
            yield from _type_differences(one, other, across=across)
        elif field.name == "options":
            yield from _option_differences(one, other)
        elif across and isinstance(one, Collation) and isinstance(other, Collation):
            # Between two backends what a collation does is compared, not its name.
            if one.rules != other.rules:
                yield name, one.rules, other.rules
        elif _is_nested(one) and _is_nested(other):
            for inner, left, right in _differences(one, other, across=across):
                yield f"{name} {inner}", left, right
        else:
            yield name, one, other


def _facts(part: Any) -> Iterator[dataclasses.Field[Any]]:
    """The fields of a part that are compared as facts."""
    left_out = _ANYWHERE
    if isinstance(part, Table):
        left_out |= _OF_TABLE
    if isinstance(part, View):
        left_out |= _OF_VIEW
    if not isinstance(part, ForeignKey):
        left_out |= {"schema"}
    yield from (field for field in dataclasses.fields(part) if field.name not in left_out)


def _is_nested(value: object) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, Expression)


def _type_differences(one: Type, other: Type, *, across: bool) -> Iterator[tuple[str, Any, Any]]:
    """A type is one fact on a backend; between two, its words differ and its facts count."""
    if not across:
        values = one.values != other.values and one.raw == other.raw
        yield ("values", one.values, other.values) if values else ("type", one.raw, other.raw)
        return
    if one.family is not other.family:
        yield "type", one.raw, other.raw
        return
    for field in dataclasses.fields(Type):
        left, right = getattr(one, field.name), getattr(other, field.name)
        if field.name != "raw" and left != right:
            yield field.name.replace("_", " "), left, right


def _option_differences(
    one: Sequence[Option], other: Sequence[Option]
) -> Iterator[tuple[str, Any, Any]]:
    left = {option.name: option.value for option in one}
    right = {option.name: option.value for option in other}
    for name in sorted(left.keys() | right.keys()):
        if left.get(name) != right.get(name):
            yield name.replace("_", " "), left.get(name), right.get(name)


def _either(old: Any, new: Any) -> Any:
    return new if old is None else old


def _name(old: Any, new: Any) -> str:
    """The name that both sides agree on, or one's in an order that does not depend on sides."""
    names = sorted({one.name for one in (old, new) if one is not None and one.name})
    if names:
        return str(names[0])
    if isinstance(_either(old, new), (Table, View)):
        return ""
    columns = sorted(getattr(one, "columns", ()) for one in (old, new) if one is not None)
    return f"({', '.join(columns[0])})" if columns[0] else ""


def _said(part: Any) -> str | None:
    """A whole part in words: what is not as it mostly is."""
    if part is None:
        return None
    facts = []
    for field in _facts(part):
        value = getattr(part, field.name)
        if field.name != "name" and value != field.default and value not in ("", ()):
            facts.append(f"{field.name.replace('_', ' ')} {_words(value)}")
    return "; ".join(facts)


def _words(value: Any) -> str | None:
    """A fact as a person reads it; None for what is not there."""
    match value:
        case None | ():
            said = None
        case bool():
            said = "yes" if value else "no"
        case Expression():
            said = value.text
        case Type():
            said = value.raw
        case Option():
            said = f"{value.name}={value.value}"
        case tuple():
            said = ", ".join(_words(one) or "" for one in value)
        case _ if dataclasses.is_dataclass(value):
            said = " ".join(filter(None, _nested_words(value)))
        case _:
            said = str(value)
    return said


def _nested_words(value: Any) -> Iterator[str | None]:
    for field in dataclasses.fields(value):
        inner = getattr(value, field.name)
        if inner == field.default or inner in (None, "", ()):
            continue
        yield field.name.replace("_", " ") if inner is True else _words(inner)

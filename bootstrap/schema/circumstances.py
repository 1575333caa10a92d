"""Circumstances that a rule of `classes` asks for: what the two sides of a change are like."""

from __future__ import annotations

from functools import reduce
from typing import Any

from bootstrap.schema.changes import Change
from bootstrap.schema.model import Column, Index, Numbering, Sequence
from bootstrap.schema.types import Family, Type


def both_by_server(change: Change, old: Any, new: Any) -> bool:
    """Whether nobody chose the name on either side."""
    return bool(getattr(old, "by_server", False) and getattr(new, "by_server", False))


def implied(change: Change, old: Any, new: Any) -> bool:
    """Whether the server made it for something else, such as an index for a foreign key."""
    return any(getattr(one, "implied", False) for one in (old, new))


def one_is_empty(change: Change, old: Any, new: Any) -> bool:
    """Whether one side says nothing."""
    return not (change.before and change.after)


def sides(change: Change) -> frozenset[str]:
    """What the two sides say, in no order."""
    return frozenset({change.before or "", change.after or ""})


def _types(old: Any, new: Any) -> tuple[Type, Type] | None:
    if isinstance(old, Column) and isinstance(new, Column):
        return old.type, new.type
    return None


# Families that one kind of values is kept in: the first where the backend has it, else the second.
_STAND_INS = {
    frozenset({Family.UUID, Family.STRING}): "a UUID as text",
    frozenset({Family.UUID, Family.BINARY}): "a UUID as bytes",
    frozenset({Family.JSON, Family.TEXT}): "JSON as text",
    frozenset({Family.NETWORK, Family.STRING}): "an address as text",
    frozenset({Family.INTERVAL, Family.TIMESTAMP}): "an interval since a fixed day",
    frozenset({Family.BINARY, Family.BLOB}): "bytes",
    frozenset({Family.BOOLEAN, Family.BIT}): "one bit",
    frozenset({Family.ARRAY, Family.JSON}): "an array as JSON",
}
_UUID_LENGTHS = {16, 32, 36}
_ADDRESS_LENGTHS = {15, 17, 23, 39, 43, 45, 50}
# Families that some backends have, and what is taken for them elsewhere.
_OWN = {Family.RANGE, Family.SPATIAL, Family.YEAR, Family.SET, Family.BIT, Family.OTHER}
_FOR_OWN = {Family.STRING, Family.TEXT, Family.INTEGER, Family.BINARY, Family.BLOB, Family.JSON}


def stands_in(change: Change, old: Any, new: Any) -> bool:
    """Whether one side keeps the same values in another type."""
    types = _types(old, new)
    if types is None:
        return False
    pair = frozenset({types[0].family, types[1].family})
    if pair not in _STAND_INS:
        return False
    lengths = {one.length for one in types if one.length is not None}
    if Family.UUID in pair:
        return lengths <= _UUID_LENGTHS
    return lengths <= _ADDRESS_LENGTHS if Family.NETWORK in pair else True


def is_own_type(change: Change, old: Any, new: Any) -> bool:
    """Whether one side has a type for such values that the other has not."""
    types = _types(old, new)
    if types is None:
        return False
    one, other = types[0].family, types[1].family
    return (one in _OWN and other in _FOR_OWN) or (other in _OWN and one in _FOR_OWN)


def is_list_of_values(change: Change, old: Any, new: Any) -> bool:
    """Whether one side lists the values that a string can have."""
    types = _types(old, new)
    families = {one.family for one in types} if types else set()
    return Family.ENUM in families and bool(families & {Family.STRING, Family.TEXT})


def unbounded(change: Change, old: Any, new: Any) -> bool:
    """TEXT against a long string: what differs is how much fits."""
    types = _types(old, new)
    return types is not None and {types[0].family, types[1].family} <= {
        Family.TEXT,
        Family.STRING,
    }


def is_large(change: Change, old: Any, new: Any) -> bool:
    """The capacity of a type without a declared length."""
    types = _types(old, new)
    return types is not None and types[0].family in (Family.TEXT, Family.BLOB)


def is_float(change: Change, old: Any, new: Any) -> bool:
    """Whether it is about a float."""
    types = _types(old, new)
    return types is not None and types[0].family is Family.FLOAT


def same_columns(change: Change, old: Any, new: Any) -> bool:
    """Whether indexes have the same columns in the same order of values."""
    keys = [[(key.column, key.descending) for key in one.keys] for one in (old, new)]
    return bool(keys[0] == keys[1])


def is_option(change: Change, old: Any, new: Any) -> bool:
    """Whether the attribute is a fact that only one backend has."""
    names = {
        option.name.replace("_", " ")
        for one in (old, new)
        for option in getattr(one, "options", ())
    }
    return change.attribute in names


def same_numbering(change: Change, old: Any, new: Any) -> bool:
    """One side has an identity of another spelling, or SQLite's rowid, which comes unasked."""
    found = [getattr(one, "identity", None) for one in (old, new)]
    return None not in found or any(one and one.numbering is Numbering.ROWID for one in found)


_NOW = ("CURRENT_TIMESTAMP(", "LOCALTIMESTAMP", "UTC_TIMESTAMP", "STRFTIME(", "DATETIME('NOW")


def both_now(change: Change, old: Any, new: Any) -> bool:
    """Whether both are the present time."""
    return all((side or "").upper().lstrip("(").startswith(_NOW) for side in sides(change))


def server_words(change: Change, old: Any, new: Any) -> bool:
    """An expression that was not understood on one side."""
    found = [reduce(_fact, change.attribute.split(), one) for one in (old, new)]
    return any(one is not None and not getattr(one, "parsed", True) for one in found)


def _fact(part: Any, name: str) -> Any:
    return getattr(part, name, None)


def owned(change: Change, old: Any, new: Any) -> bool:
    """Whether a sequence belongs to a column."""
    return any(isinstance(one, Sequence) and bool(one.owned_by) for one in (old, new))


def is_special(change: Change, old: Any, new: Any) -> bool:
    """An index that not every backend can have."""
    found = [one for one in (old, new) if isinstance(one, Index)]
    return any(
        one.where is not None
        or one.method != "btree"
        or any(key.expression is not None or key.prefix for key in one.keys)
        for one in found
    )

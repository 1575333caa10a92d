"""PostgreSQL's types in the words of the model."""

from __future__ import annotations

import re
from typing import Any

from bootstrap.schema.types import Family, Type

_NUMBERS = re.compile(r"\((-?\d+)(?:,(-?\d+))?\)")
_INTEGERS = {"int2": 16, "int4": 32, "int8": 64}
_FLOATS = {"float4": 32, "float8": 64}
_TIMES = {
    "date": (Family.DATE, False),
    "time": (Family.TIME, False),
    "timetz": (Family.TIME, True),
    "timestamp": (Family.TIMESTAMP, False),
    "timestamptz": (Family.TIMESTAMP, True),
    "interval": (Family.INTERVAL, False),
}
_FAMILIES = {
    "bool": Family.BOOLEAN,
    "numeric": Family.DECIMAL,
    "money": Family.DECIMAL,
    "varchar": Family.STRING,
    "bpchar": Family.STRING,
    "text": Family.TEXT,
    "citext": Family.TEXT,
    "name": Family.STRING,
    "bytea": Family.BLOB,
    "uuid": Family.UUID,
    "json": Family.JSON,
    "jsonb": Family.JSON,
    "bit": Family.BIT,
    "varbit": Family.BIT,
    "inet": Family.NETWORK,
    "cidr": Family.NETWORK,
    "macaddr": Family.NETWORK,
    "macaddr8": Family.NETWORK,
    "geometry": Family.SPATIAL,
    "geography": Family.SPATIAL,
    "point": Family.SPATIAL,
    "line": Family.SPATIAL,
    "lseg": Family.SPATIAL,
    "box": Family.SPATIAL,
    "path": Family.SPATIAL,
    "polygon": Family.SPATIAL,
    "circle": Family.SPATIAL,
}
_KINDS = {"e": Family.ENUM, "r": Family.RANGE, "m": Family.RANGE}
_MICROSECONDS = 6  # what a time has when its declaration says nothing (manual, 8.5)


def type_of(row: Any) -> Type:
    """The type of a column's row."""
    raw, base = row.type, row.base
    if row.element is not None:
        return Type(family=Family.ARRAY, raw=raw, element=_family(row.element, ""))
    shape = _NUMBERS.search(row.domain_type or raw)
    first = int(shape[1]) if shape else None
    if base in _TIMES:
        return _time(raw, base, first)
    if base in _INTEGERS:
        return Type(family=Family.INTEGER, raw=raw, bits=_INTEGERS[base])
    if base in _FLOATS:
        return Type(family=Family.FLOAT, raw=raw, bits=_FLOATS[base])
    family = _family(base, row.base_kind)
    if family is Family.DECIMAL:
        scale = int(shape[2]) if shape and shape[2] else None
        return Type(family=family, raw=raw, precision=first, scale=scale)
    return Type(
        family=family,
        raw=raw,
        length=first,
        fixed=base in ("bpchar", "bit"),
        values=tuple(row.values or ()),
    )


def _family(base: str, kind: str) -> Family:
    if base in _INTEGERS:
        return Family.INTEGER
    if base in _FLOATS:
        return Family.FLOAT
    if base in _TIMES:
        return _TIMES[base][0]
    return _KINDS.get(kind) or _FAMILIES.get(base, Family.OTHER)


def _time(raw: str, base: str, fraction: int | None) -> Type:
    family, zone = _TIMES[base]
    if family is Family.DATE:
        return Type(family=family, raw=raw)
    digits = _MICROSECONDS if fraction is None else fraction
    return Type(family=family, raw=raw, fraction=digits, time_zone=zone)

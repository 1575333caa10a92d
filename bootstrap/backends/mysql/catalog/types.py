"""The types of MySQL and MariaDB in the words of the model."""

from __future__ import annotations

import re
from typing import Any

from bootstrap.schema.model import Collation
from bootstrap.schema.types import Family, Type

_INTEGERS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
_FLOATS = {"float": 32, "double": 64}
_FAMILIES = {
    "decimal": Family.DECIMAL,
    "varchar": Family.STRING,
    "char": Family.STRING,
    "tinytext": Family.TEXT,
    "text": Family.TEXT,
    "mediumtext": Family.TEXT,
    "longtext": Family.TEXT,
    "varbinary": Family.BINARY,
    "binary": Family.BINARY,
    "tinyblob": Family.BLOB,
    "blob": Family.BLOB,
    "mediumblob": Family.BLOB,
    "longblob": Family.BLOB,
    "date": Family.DATE,
    "time": Family.TIME,
    "datetime": Family.TIMESTAMP,
    "timestamp": Family.TIMESTAMP,
    "year": Family.YEAR,
    "json": Family.JSON,
    "enum": Family.ENUM,
    "set": Family.SET,
    "bit": Family.BIT,
    "uuid": Family.UUID,
    "inet4": Family.NETWORK,
    "inet6": Family.NETWORK,
    "geometry": Family.SPATIAL,
    "point": Family.SPATIAL,
    "linestring": Family.SPATIAL,
    "polygon": Family.SPATIAL,
    "multipoint": Family.SPATIAL,
    "multilinestring": Family.SPATIAL,
    "multipolygon": Family.SPATIAL,
    "geometrycollection": Family.SPATIAL,
    "geomcollection": Family.SPATIAL,
}
_VALUE = re.compile(r"'((?:[^']|'')*)'")


def type_of(row: Any, *, is_json: bool) -> Type:
    """The type of a column's row; `is_json` when a CHECK keeps it valid JSON."""
    raw, base = row.type, row.base.lower()
    unsigned = "unsigned" in raw
    if raw == "tinyint(1)":
        return Type(family=Family.BOOLEAN, raw=raw)
    if base in _INTEGERS:
        return Type(family=Family.INTEGER, raw=raw, bits=_INTEGERS[base], unsigned=unsigned)
    if base in _FLOATS:
        return Type(family=Family.FLOAT, raw=raw, bits=_FLOATS[base], unsigned=unsigned)
    family = Family.JSON if is_json else _FAMILIES.get(base, Family.OTHER)
    if family is Family.DECIMAL:
        precision, scale = int(row.precision), int(row.scale)
        return Type(family=family, raw=raw, precision=precision, scale=scale, unsigned=unsigned)
    if family in (Family.TIME, Family.TIMESTAMP):
        # A TIMESTAMP is kept in UTC, and shown in the zone of the session.
        zone = base == "timestamp"
        return Type(family=family, raw=raw, fraction=int(row.fraction or 0), time_zone=zone)
    return _other(row, family)


def _other(row: Any, family: Family) -> Type:
    sized = family in (Family.STRING, Family.TEXT, Family.BINARY, Family.BLOB)
    if family is Family.BIT:
        return Type(family=family, raw=row.type, length=int(row.precision), fixed=True)
    listed = _VALUE.findall(row.type) if family in (Family.ENUM, Family.SET) else ()
    return Type(
        family=family,
        raw=row.type,
        length=int(row.length) if sized and row.length is not None else None,
        fixed=row.base.lower() in ("char", "binary"),
        values=tuple(value.replace("''", "'") for value in listed),
    )


def collation_of(name: str | None, *, pads: bool) -> Collation | None:
    """What the name of a collation says ("Collation Naming Conventions" in MySQL's manual)."""
    if not name:
        return None
    parts = name.lower().split("_")
    exact = parts[-1] == "bin" or name == "binary"
    sensitive = exact or "cs" in parts
    return Collation(
        name=name,
        case_sensitive=sensitive,
        # Without a word about accents they go with the case.
        accent_sensitive="as" in parts or (sensitive and "ai" not in parts),
        pads=pads,
    )

"""SQLite's declared types in the words of the model.

SQLite keeps whatever was declared and enforces little of it ("Datatypes In SQLite"); integers
have 64 bits whatever they are called, so nothing is said of their size.
"""

from __future__ import annotations

import re

from bootstrap.schema.types import Family, Type

_SHAPE = re.compile(r"([^(]*[^(\s])\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?.*", re.DOTALL)
_FAMILIES = {
    "BOOLEAN": Family.BOOLEAN,
    "BOOL": Family.BOOLEAN,
    "NUMERIC": Family.DECIMAL,
    "DECIMAL": Family.DECIMAL,
    "REAL": Family.FLOAT,
    "FLOAT": Family.FLOAT,
    "DOUBLE": Family.FLOAT,
    "DOUBLE PRECISION": Family.FLOAT,
    "DOUBLE_PRECISION": Family.FLOAT,
    "VARCHAR": Family.STRING,
    "NVARCHAR": Family.STRING,
    "CHARACTER VARYING": Family.STRING,
    "CHAR": Family.STRING,
    "NCHAR": Family.STRING,
    "CHARACTER": Family.STRING,
    "TEXT": Family.TEXT,
    "CLOB": Family.TEXT,
    "BLOB": Family.BLOB,
    "BINARY": Family.BINARY,
    "VARBINARY": Family.BINARY,
    "DATE": Family.DATE,
    "TIME": Family.TIME,
    "DATETIME": Family.TIMESTAMP,
    "TIMESTAMP": Family.TIMESTAMP,
    "UUID": Family.UUID,
    "JSON": Family.JSON,
    "JSONB": Family.JSON,
}
_FIXED = {"CHAR", "NCHAR", "CHARACTER", "BINARY"}


def type_of(raw: str) -> Type:
    """The type that a column was declared with, in capitals: SQLite does not look at case."""
    raw = " ".join(raw.upper().split())
    shape = _SHAPE.fullmatch(raw)
    name = shape[1] if shape else raw
    first = int(shape[2]) if shape and shape[2] else None
    family = _FAMILIES.get(name, Family.INTEGER if "INT" in name else Family.OTHER)
    if family is Family.DECIMAL:
        scale = int(shape[3]) if shape and shape[3] else None
        return Type(family=family, raw=raw, precision=first, scale=scale)
    if name in _FIXED and first is None:
        first = 1  # CHAR is CHAR(1) in SQL
    sized = family in (Family.STRING, Family.BINARY, Family.TEXT, Family.BLOB)
    return Type(family=family, raw=raw, length=first if sized else None, fixed=name in _FIXED)

"""What a column can hold, in words that mean the same on every backend."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    """What kind of values a type has."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    STRING = "string"
    TEXT = "text"
    BINARY = "binary"
    BLOB = "blob"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    INTERVAL = "interval"
    YEAR = "year"
    UUID = "uuid"
    JSON = "json"
    ENUM = "enum"
    SET = "set"
    BIT = "bit"
    NETWORK = "network"
    RANGE = "range"
    SPATIAL = "spatial"
    ARRAY = "array"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """The type of a column.

    Attributes:
        family: What kind of values it has.
        raw: What the server calls it; two types of one backend are equal when this is.
        length: Characters of a string, bytes of a binary; None where there is no limit.
        bits: The size of integers and floats, without regard to the sign.
        precision: Decimal digits in all.
        scale: Decimal digits after the point.
        fraction: Digits of fractional seconds.
        time_zone: Whether a time knows its zone, or is converted to UTC.
        unsigned: Whether negative numbers are left out.
        fixed: Whether strings are padded to their length.
        values: Of an enum or set, in order.
        element: The family of an array's elements.
    """

    family: Family
    raw: str
    length: int | None = None
    bits: int | None = None
    precision: int | None = None
    scale: int | None = None
    fraction: int | None = None
    time_zone: bool = False
    unsigned: bool = False
    fixed: bool = False
    values: tuple[str, ...] = ()
    element: Family | None = None

"""An ordinary value for a column: what no server has a reason to refuse."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from uuid import UUID

from bootstrap.backends.values import Value
from bootstrap.probing.tables import SharedColumn
from bootstrap.schema.types import Family, Type

_SHORT = 5  # what "row-1" needs
_FIRST = 100  # numbers that no sequence gives first
_UUID = 32  # its digits


def ordinary(column: SharedColumn, number: int) -> Value:
    """The value of a column in the row of a number; another one for each number.

    Raises:
        KeyError: No value of such a type is known.
    """
    return _FAMILIES[column.family](column, number)


def is_known(column: SharedColumn) -> bool:
    """Whether a value can be made up for it."""
    return column.family in _FAMILIES


def spelled(value: Value, kind: Type, *, family: Family) -> Value:
    """The value as a server writes it whose type may be of another family than the column's."""
    if not isinstance(value, str):
        return value
    if family is Family.UUID:
        return _uuid(value, kind)
    if family is Family.ARRAY and kind.family is Family.ARRAY:
        return "{}"
    if family is Family.INTERVAL and kind.family is not Family.INTERVAL:
        return f"1970-01-01 {value}"  # SQLAlchemy's Interval, where a server has none
    return value


def _uuid(value: str, kind: Type) -> Value:
    try:
        found = UUID(value)
    except ValueError:
        return value.encode() if kind.family is Family.BINARY else value
    if kind.family in (Family.BINARY, Family.BLOB):
        return found.bytes
    return found.hex if kind.length == _UUID else str(found)


def _string(column: SharedColumn, number: int) -> Value:
    length = column.length
    if length is None or length >= _SHORT:
        return f"row-{number}"
    return "abc"[number % 3] * length


def _integer(column: SharedColumn, number: int) -> Value:
    return _FIRST + number


def _decimal(column: SharedColumn, number: int) -> Value:
    precision, scale = column.least(lambda one: one.precision), column.least(lambda one: one.scale)
    whole = precision is None or scale is None or precision > scale
    return Decimal(number) if whole else Decimal(number).scaleb(-(scale or 0))


def _binary(column: SharedColumn, number: int) -> Value:
    fixed = any(one.fixed for one in column.types)
    return bytes([number]) * ((column.length or 1) if fixed else 1)


def _listed(column: SharedColumn, number: int) -> Value:
    return column.values[(number - 1) % len(column.values)] if column.values else "a"


def _address(column: SharedColumn, number: int) -> Value:
    is_mac = any(one.raw.startswith("macaddr") for one in column.types)
    return f"08:00:2b:01:02:0{number}" if is_mac else f"10.0.0.{number}"


_FAMILIES: Mapping[Family, Callable[[SharedColumn, int], Value]] = {
    Family.STRING: _string,
    Family.TEXT: _string,
    Family.INTEGER: _integer,
    Family.DECIMAL: _decimal,
    Family.FLOAT: lambda _column, number: number + 0.5,
    Family.BOOLEAN: lambda _column, number: number == 1,
    Family.TIMESTAMP: lambda _column, number: f"2026-01-0{number} 09:12:00.000000",
    Family.DATE: lambda _column, number: f"2026-01-0{number}",
    Family.TIME: lambda _column, number: f"09:12:0{number}.000000",
    Family.INTERVAL: lambda _column, number: f"01:00:0{number}.000000",
    Family.YEAR: lambda _column, number: 2025 + number,
    Family.BINARY: _binary,
    Family.BLOB: _binary,
    Family.JSON: lambda _column, number: json.dumps({"n": number}),
    Family.ENUM: _listed,
    Family.SET: _listed,
    Family.UUID: lambda _column, number: str(UUID(int=number)),
    Family.NETWORK: _address,
    Family.ARRAY: lambda _column, _number: "[]",
}

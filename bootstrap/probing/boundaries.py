"""The values at the boundaries of a column, by what kind of values it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import TypeAlias

from bootstrap.backends.values import Value
from bootstrap.probing import cases
from bootstrap.probing.cases import Case
from bootstrap.probing.tables import SharedColumn
from bootstrap.schema.types import Family

Boundary: TypeAlias = tuple[Case, str, Value]  # with the words that a person reads

LONGEST = 70_000  # what is longer is not written: it says more about the network than the schema
_MANY = 4_000  # characters of four bytes
_BITS = 64
_DIGITS = 15  # DBL_DIG: so many come back from a double


def boundaries(column: SharedColumn) -> Iterator[Boundary]:
    """What is written into a column, one row for each; NULL and what is left out not among it."""
    yield from _FAMILIES.get(column.family, _nothing)(column)


def _nothing(_column: SharedColumn) -> Iterator[Boundary]:
    yield from ()


def _strings(column: SharedColumn) -> Iterator[Boundary]:
    lengths = _lengths(column)
    for length in lengths:
        which = f"{length} characters" if len(lengths) > 1 else "the longest"
        yield cases.LENGTH, which, "x" * length
        yield cases.LENGTH, f"{which} and one more", "x" * (length + 1)
        yield cases.SPACES, f"{which} and a space", "x" * length + " "
        if length <= _MANY:
            yield cases.LENGTH, f"{which}, each of four bytes", "\U0001f600" * length
    yield cases.PADDING, "a space at the end", _fitting("a ", column)
    yield cases.CHARACTERS, "a character of four bytes", "\U0001f600"
    yield cases.CHARACTERS, "a combining character", _fitting("e\u0301", column)
    yield cases.CHARACTERS, "U+0000", _fitting("a\x00b", column)
    yield cases.EMPTY, "the empty string", ""


def _lengths(column: SharedColumn) -> list[int]:
    said = {one.length for one in column.types if one.length is not None}
    return sorted(one for one in said if 0 < one <= LONGEST)


def _fitting(text: str, column: SharedColumn) -> str:
    return text if column.length is None else text[: max(column.length, 1)]


def _integers(column: SharedColumn) -> Iterator[Boundary]:
    if column.is_numbered:
        yield cases.NUMBERING, "0", 0
    yield cases.ROUNDED, "1.5", Decimal("1.5")
    yield cases.AFFINITY, "a text", "abc"
    sizes = {(one.bits, one.unsigned) for one in column.types if one.bits} or {(_BITS, False)}
    ends = {end for bits, unsigned in sizes for end in _ends(bits, unsigned=unsigned)}
    for end in sorted(ends, key=lambda one: (abs(one), one)):
        yield cases.RANGE, str(end), end


def _ends(bits: int, *, unsigned: bool) -> tuple[int, ...]:
    """The smallest and largest number, and those beyond them."""
    if unsigned:
        return (-1, 2**bits - 1, 2**bits)
    half = 2 ** (bits - 1)
    return (-half - 1, -half, half - 1, half)


def _decimals(column: SharedColumn) -> Iterator[Boundary]:
    yield cases.AFFINITY, "a text", "abc"
    shapes = {
        (one.precision, one.scale or 0)
        for one in column.types
        if one.family is Family.DECIMAL and one.precision is not None
    }
    for precision, scale in sorted(shapes):
        unit = Decimal(f"1e-{scale}")
        largest = Decimal(f"{10**precision - 1}e-{scale}")
        case = cases.RANGE if precision <= _DIGITS else cases.PRECISION
        yield case, f"the largest of {precision} digits", largest
        yield cases.RANGE, f"one of {precision + 1} digits", Decimal(f"1e{precision - scale}")
        yield cases.SCALE, f"half of {unit:f}", Decimal(f"5e-{scale + 1}")
    if not shapes:
        yield cases.PRECISION, "30 digits", Decimal("1234567890123456789012345.12345")


def _floats(column: SharedColumn) -> Iterator[Boundary]:
    yield cases.AFFINITY, "a text", "abc"
    yield cases.PRECISION, "17 digits", 0.12345678901234568
    yield cases.RANGE, "1e308", 1e308
    yield cases.NOT_FINITE, "NaN", float("nan")
    yield cases.NOT_FINITE, "Infinity", float("inf")


def _booleans(column: SharedColumn) -> Iterator[Boundary]:
    yield cases.BOOLEAN, "true", True
    yield cases.BOOLEAN, "false", False
    yield cases.BOOLEAN, "2", 2


def _timestamps(column: SharedColumn) -> Iterator[Boundary]:
    yield cases.FRACTION, "microseconds", "2026-01-05 09:12:00.123456"
    yield cases.ZONE, "an offset of +05:30", "2026-07-01 12:00:00.000000+05:30"
    yield cases.RANGE, "the year 1", "0001-01-01 00:00:00.000000"
    yield cases.RANGE, "the year 1900", "1900-01-01 00:00:00.000000"
    yield cases.RANGE, "the year 2040", "2040-01-01 00:00:00.000000"
    yield cases.RANGE, "the end of the year 9999", "9999-12-31 23:59:59.000000"
    yield cases.DAYS, "30 February", "2026-02-30 00:00:00.000000"


def _dates(column: SharedColumn) -> Iterator[Boundary]:
    yield cases.RANGE, "the year 1", "0001-01-01"
    yield cases.RANGE, "the year 9999", "9999-12-31"
    yield cases.DAYS, "30 February", "2026-02-30"
    yield cases.DAYS, "a date with a time", "2026-01-05 09:12:00"


def _times(column: SharedColumn) -> Iterator[Boundary]:
    yield cases.FRACTION, "microseconds", "09:12:00.123456"
    yield cases.RANGE, "25 o'clock", "25:00:00.000000"


def _binaries(column: SharedColumn) -> Iterator[Boundary]:
    lengths = _lengths(column)
    for length in lengths:
        which = f"{length} bytes" if len(lengths) > 1 else "the longest"
        yield cases.LENGTH, which, b"\x01" * length
        yield cases.LENGTH, f"{which} and one more", b"\x01" * (length + 1)
    yield cases.BYTES, "bytes that are no UTF-8", b"\xff\x00\xfe"[: column.length]
    yield cases.EMPTY, "no bytes", b""


def _documents(column: SharedColumn) -> Iterator[Boundary]:
    yield cases.JSON, "twin keys", '{"a": 1, "a": 2}'
    yield cases.JSON, "order of keys", '{"b": 1, "a": 2}'
    yield cases.JSON, "a number of 25 digits", '{"n": 1234567890123456789012345}'
    yield cases.JSON, "1.0", '{"n": 1.0}'
    yield cases.JSON, "\\u0000", '{"n": "\\u0000"}'
    yield cases.AFFINITY, "no JSON", "{"


def _enums(column: SharedColumn) -> Iterator[Boundary]:
    first = column.values[0] if column.values else "a"
    twin = first.swapcase()
    if twin not in column.values:
        yield cases.VALUES, "a case twin", twin
    if "zz" not in column.values:
        yield cases.VALUES, "a value that is not in the list", "zz"
    if "" not in column.values:
        yield cases.VALUES, "the empty string", ""


def _uuids(column: SharedColumn) -> Iterator[Boundary]:
    yield cases.AFFINITY, "no UUID", "zz"


_FAMILIES: Mapping[Family, Callable[[SharedColumn], Iterator[Boundary]]] = {
    Family.STRING: _strings,
    Family.TEXT: _strings,
    Family.INTEGER: _integers,
    Family.DECIMAL: _decimals,
    Family.FLOAT: _floats,
    Family.BOOLEAN: _booleans,
    Family.TIMESTAMP: _timestamps,
    Family.DATE: _dates,
    Family.TIME: _times,
    Family.BINARY: _binaries,
    Family.BLOB: _binaries,
    Family.JSON: _documents,
    Family.ENUM: _enums,
    Family.UUID: _uuids,
}
PROBED = frozenset(_FAMILIES)

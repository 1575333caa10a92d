"""What servers answer, as values that can be compared."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from typing import Any, TypeAlias

from bootstrap.backends.values import Refusal, Value
from bootstrap.schema.types import Family

_SHOWN = 40  # characters of a value
_EXACT = Context(prec=2000)
_PLAIN = 30  # digits of a number that is written without an exponent
_TIME = re.compile(
    r"(?:(\d{4}-\d\d-\d\d)[ T]?)?(\d\d:\d\d:\d\d)?(\.\d+)?(?:([+-])(\d\d):?(\d\d)?)?"
)
# Refused because of the value itself; a CHECK may stand for what a type is elsewhere.
_OF_VALUE = frozenset(
    {Refusal.CHECK, Refusal.TOO_LONG, Refusal.OUT_OF_RANGE, Refusal.INVALID, Refusal.OTHER}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The row was not taken.

    Attributes:
        code: SQLSTATE, errno or result code.
    """

    refusal: Refusal
    code: str

    @property
    def compared(self) -> object:
        """What is the same for answers that mean the same."""
        return ("refused", "value" if self.refusal in _OF_VALUE else self.refusal)

    def __str__(self) -> str:
        return f"refused ({self.code if self.refusal is Refusal.OTHER else self.refusal})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The row was taken.

    Attributes:
        value: What came back, in words that mean the same everywhere; None where nothing was read.
        said: What became of what was written, for people.
    """

    value: str | None = None
    said: str = "accepted"

    @property
    def compared(self) -> object:
        """What is the same for answers that mean the same."""
        return ("taken", self.value)

    def __str__(self) -> str:
        return self.said


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Whether a text was found by another one."""

    found: bool

    @property
    def compared(self) -> object:
        """What is the same for answers that mean the same."""
        return ("compared", self.found)

    def __str__(self) -> str:
        return "the same" if self.found else "different"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAsked:
    """The server could not be asked: what had to be done before was refused."""

    why: str


Answer: TypeAlias = Refused | Taken | Compared


def taken(written: Value, read: Any, family: Family) -> Taken:
    """The answer of a server that took a value and gave one back."""
    value = canonical(read, family)
    if value == canonical(written, family):
        return Taken(value=value, said="kept")
    if isinstance(written, str) and isinstance(read, str) and written.startswith(read) and read:
        return Taken(value=value, said="cut")
    return Taken(value=value, said=f"becomes {_shortened(value)}")


def _shortened(value: str) -> str:
    """A value for people: of a long one how long it is."""
    return value if len(value) <= _SHOWN else f"{value[:_SHOWN]}… ({len(value)} characters)"


def canonical(value: Any, family: Family) -> str:
    """What a driver gives, in words that mean the same everywhere."""
    if value is None:
        return "NULL"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _bytes(bytes(value), family)
    return _in_words(family)(value)


def _in_words(family: Family) -> Callable[[Any], str]:
    return _FAMILIES.get(family, ascii)


def _bytes(value: bytes, family: Family) -> str:
    """Bytes as digits, but where a driver gives texts as bytes."""
    if family in (Family.BINARY, Family.BLOB, Family.UUID):
        return value.hex() or "''"
    return canonical(value.decode(errors="backslashreplace"), family)


def _number(value: Any) -> str:
    if isinstance(value, str):
        return ascii(value)
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value}"
    try:
        exact = Decimal(repr(value) if isinstance(value, float) else value).normalize(_EXACT)
    except (InvalidOperation, TypeError, ValueError):
        return ascii(value)
    return f"{exact:f}" if abs(exact.adjusted()) < _PLAIN else str(exact)


def _truth(value: Any) -> str:
    return "false" if value == 0 else "true" if value == 1 else ascii(value)


def _time(value: Any) -> str:
    """A time without zeros at its end, in UTC where it has an offset that was understood."""
    text = str(value)
    found = _TIME.fullmatch(text)
    if found is None:
        return ascii(text)
    day, time, fraction, sign, hours, minutes = found.groups()
    shown = " ".join(filter(None, (day, time))) + (fraction or "").rstrip("0").rstrip(".")
    if not sign or int(hours) == 0:
        return shown
    return f"{shown}{sign}{hours}:{minutes or '00'}"


def _document(value: Any) -> str:
    if not isinstance(value, str):
        return ascii(value)
    try:
        found = json.loads(value, object_pairs_hook=_Pairs, parse_float=_Digits, parse_int=_Digits)
    except ValueError:
        return ascii(value)
    return _written(found)


class _Pairs(list[tuple[str, Any]]):
    """An object with its keys in order, twins included."""


class _Digits(str):
    """A number as it is written."""

    __slots__ = ()


def _written(found: Any) -> str:
    if isinstance(found, _Pairs):
        return "{" + ", ".join(f"{json.dumps(key)}: {_written(one)}" for key, one in found) + "}"
    if isinstance(found, list):
        return f"[{', '.join(map(_written, found))}]"
    return str(found) if isinstance(found, _Digits) else json.dumps(found)


def _uuid(value: Any) -> str:
    return str(value).replace("-", "").lower()


_FAMILIES: Mapping[Family, Callable[[Any], str]] = {
    Family.INTEGER: _number,
    Family.DECIMAL: _number,
    Family.FLOAT: _number,
    Family.BOOLEAN: _truth,
    Family.TIMESTAMP: _time,
    Family.DATE: _time,
    Family.TIME: _time,
    Family.JSON: _document,
    Family.UUID: _uuid,
}

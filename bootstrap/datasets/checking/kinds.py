"""What the type of a column makes of a value in a file, and of one in the database.

Everything is compared in a normal form: a driver hands out 12.5 where the file has 12.50.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal
from functools import singledispatch
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CHAR,
    Boolean,
    Date,
    DateTime,
    Double,
    Enum,
    Float,
    Integer,
    Numeric,
    String,
    Time,
    Uuid,
)
from sqlalchemy.types import TypeEngine

from bootstrap.datasets.reading.form import Content

UNFIT: Final = object()

_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
# How many bits the SQL types have; those that are not here are left to the database.
_BITS: Final = {"TINYINT": 8, "SMALLINT": 16, "MEDIUMINT": 24, "INTEGER": 32, "BIGINT": 64}
_SINGLE_DIGITS = 6  # FLT_DIG: MySQL shows no more of a FLOAT
_DOUBLE_DIGITS = 15  # DBL_DIG
_WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How the values of a column are read.

    Attributes:
        words: What a value must be, for an error message.
        parse: Makes a Python value of what stands in a file.
        normal: Makes the form in which values are compared, of parsed and of stored ones.
    """

    words: str
    parse: Callable[[Content], Any]
    normal: Callable[[Any], Any] = _same

    def value(self, content: Content) -> Any:
        """The Python value, or UNFIT: an exception would carry the content, a secret perhaps."""
        try:
            return self.parse(content)
        except (ValueError, TypeError, LookupError, ArithmeticError):
            return UNFIT

    @property
    def is_normal(self) -> bool:
        """Whether values are compared as they are."""
        return self.normal is _same

    def normal_form(self, value: Any) -> Any:
        """The form in which values are compared; None stays None."""
        return None if value is None else self.normal(value)


@singledispatch
def kind_of(_column_type: TypeEngine[Any]) -> Kind | None:
    """The kind of a column by its type; None where a data set cannot say a value."""
    return None


@kind_of.register
def _text_kind(column_type: String) -> Kind:
    longest = column_type.length

    def parse(content: Content) -> str:
        text = _text(content)
        if longest is not None and len(text) > longest:
            raise ValueError
        return text

    limit = "" if longest is None else f" of at most {longest} characters"
    return Kind(words=f"a text{limit}", parse=parse)


@kind_of.register
def _(column_type: CHAR) -> Kind:
    # PostgreSQL gives the padding back, MySQL does not.
    return replace(_text_kind(column_type), normal=lambda value: value.rstrip(" "))


@kind_of.register
def _(column_type: Enum) -> Kind:
    known = {name: name for name in column_type.enums}
    return Kind(words=f"one of {', '.join(known)}", parse=lambda content: known[_text(content)])


@kind_of.register
def _(_column_type: Boolean) -> Kind:
    return Kind(words="true or false", parse=_boolean, normal=bool)


@kind_of.register
def _(_column_type: Integer) -> Kind:
    return Kind(words="a whole number of at most 64 bits", parse=_integer)


def kept_kind_of(column_type: TypeEngine[Any]) -> Kind | None:
    """The kind of a column whose database keeps to the size of a number."""
    if isinstance(column_type, Integer) and (bits := _BITS.get(column_type.__visit_name__)):
        unsigned = getattr(column_type, "unsigned", False)
        smallest, largest = (
            (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        )
        return Kind(
            words=f"a whole number from {smallest} to {largest}",
            parse=lambda content: _integer(content, smallest=smallest, largest=largest),
        )
    return kind_of(column_type)


@kind_of.register
def _(column_type: Numeric) -> Kind:  # type: ignore[type-arg]  # singledispatch needs the class
    precision, scale = column_type.precision, column_type.scale or 0
    if precision is None:
        return Kind(words="a number such as 12.50", parse=_decimal, normal=_exact)

    def parse(content: Content) -> Decimal:
        value = _decimal(content)
        # Traps what has more digits than the column keeps, before the point or after it.
        rounded = value.quantize(Decimal(1).scaleb(-scale), context=Context(prec=precision))
        if rounded != value:
            raise ValueError
        return value

    return Kind(
        words=f"a number with at most {precision - scale} digits before the point"
        f" and {scale} after it",
        parse=parse,
        normal=_exact,
    )


@kind_of.register
def _(_column_type: Float) -> Kind:  # type: ignore[type-arg]  # singledispatch needs the class
    return Kind(words="a number", parse=_float, normal=_single)


@kind_of.register
def _(_column_type: Double) -> Kind:  # type: ignore[type-arg]  # singledispatch needs the class
    return Kind(words="a number", parse=_float)


@kind_of.register
def _(column_type: DateTime) -> Kind:
    def parse(content: Content) -> datetime:
        read = datetime.fromisoformat(_text(content))
        utc = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
        return utc if column_type.timezone else utc.replace(tzinfo=None)

    return Kind(words="a time such as 2026-01-05T09:12:00Z", parse=parse)


@kind_of.register
def _(_column_type: Date) -> Kind:
    return Kind(
        words="a date such as 2026-01-05", parse=lambda text: date.fromisoformat(_text(text))
    )


@kind_of.register
def _(_column_type: Time) -> Kind:
    return Kind(
        words="a time of day such as 09:12:00", parse=lambda text: time.fromisoformat(_text(text))
    )


@kind_of.register
def _(_column_type: Uuid) -> Kind:  # type: ignore[type-arg]  # singledispatch needs the class
    return Kind(words="a UUID", parse=lambda text: UUID(_text(text)))


def _text(content: Content) -> str:
    """A text that can be stored: JSON can escape half a surrogate pair, and U+0000."""
    if not isinstance(content, str):
        raise TypeError
    content.encode()
    if "\x00" in content:
        raise ValueError
    return content


def _boolean(content: Content) -> bool:
    if isinstance(content, bool):
        return content
    return _WORDS[str(content).lower()]


def _integer(content: Content, *, smallest: int = _SMALLEST, largest: int = _LARGEST) -> int:
    """A whole number; true and false are 1 and 0, as where booleans are small integers."""
    word = str(content).lower()
    value = int(_WORDS[word]) if word in _WORDS else int(word)
    if not smallest <= value <= largest:
        raise ValueError
    return value


def _decimal(content: Content) -> Decimal:
    if not isinstance(content, str | Decimal):
        raise TypeError
    value = Decimal(content)
    if not value.is_finite():
        raise ValueError
    return value


def _float(content: Content) -> float:
    value = float(_decimal(content))
    if not math.isfinite(value):
        raise ValueError
    return value


def _exact(value: Decimal | float) -> Decimal:
    """A decimal of what a database keeps as a double."""
    return value if isinstance(value, Decimal) else Decimal(f"{value:.{_DOUBLE_DIGITS}g}")


def _single(value: float) -> float:
    return float(f"{value:.{_SINGLE_DIGITS}g}")

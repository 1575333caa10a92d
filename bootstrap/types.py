"""Column types and expressions that mean the same on every backend.

What SQLAlchemy's own types leave to the server differs: MySQL compares strings without regard to
case, SQLite hands out times without a zone and decimals as floats. docs/schema.md has the list.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import reduce
from string import ascii_uppercase
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Dialect, Numeric, String, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine

from bootstrap.backends import of_dialect

_DOUBLE_DIGITS = 15  # DBL_DIG: so many decimal digits come back from an IEEE 754 double unchanged


class ExactString(TypeDecorator[str]):
    """A string that equals only itself: case, accents and trailing spaces count.

    It sorts by code point.

    Args:
        length: The largest number of characters (code points).
    """

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The backend's type."""
        return of_dialect(dialect).types.exact_string(self.length, dialect)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Refuses U+0000, which PostgreSQL cannot store and where SQLite's `length()` stops."""
        if value is not None and "\x00" in value:
            raise ValueError("a string with the character U+0000 cannot be stored everywhere")
        return value


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time with microseconds: takes aware values of any zone, gives aware UTC."""

    impl = DateTime
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(timezone=True)

    def __repr__(self) -> str:
        return "UtcDateTime()"

    def load_dialect_impl(self, dialect: Dialect) -> DateTime:
        """The backend's type."""
        return of_dialect(dialect).types.utc_timestamp(dialect)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Converts to UTC; refuses a naive value, which names no point in time."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"{value!r} has no time zone: give it one, such as datetime.UTC")
        utc = value.astimezone(UTC)
        return utc if self.load_dialect_impl(dialect).timezone else utc.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Says that it is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> Any:
        """A time in an expression is converted like a stored one, a timedelta is left alone."""
        if isinstance(value, datetime):
            return self
        return self.impl_instance.coerce_compared_value(op, value)


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal with a fixed scale that comes back as it was stored.

    Values are rounded to the scale half away from zero, as PostgreSQL and MySQL do it. Floats are
    refused: they are not exact.

    Args:
        precision: Digits in all; 15 at most, because SQLite keeps a double.
        scale: Digits after the point.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, precision: int, scale: int) -> None:
        if not 0 <= scale <= precision <= _DOUBLE_DIGITS:
            raise ValueError(
                f"NUMERIC({precision}, {scale}) is not exact everywhere: "
                f"0 <= scale <= precision <= {_DOUBLE_DIGITS} is"
            )
        super().__init__(precision, scale)
        self.precision = precision
        self.scale = scale

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The backend's type."""
        return of_dialect(dialect).types.exact_decimal(self.precision, self.scale, dialect)

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> Decimal | None:
        """Rounds to the scale; refuses what then has too many digits, NaN and infinity."""
        if value is None:
            return None
        if not isinstance(value, Decimal | int):
            raise TypeError(f"{value!r} is not exact: give a Decimal or an int")
        return self._rounded(Decimal(value))

    def process_result_value(
        self,
        value: Decimal | float | None,
        dialect: Dialect,
    ) -> Decimal | None:
        """Makes a Decimal of a double; what is no stored value, a product, may have more digits."""
        if value is None or isinstance(value, Decimal):
            return value
        exact = Decimal(f"{value:.{_DOUBLE_DIGITS}g}")
        padded = exact.quantize(self._unit)
        return padded if padded == exact else exact

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> Any:
        """A number in an expression keeps all its digits: 9.999 does not equal a stored 10.00."""
        if isinstance(value, Decimal):
            return Numeric()
        return self.impl_instance.coerce_compared_value(op, value)

    @property
    def _unit(self) -> Decimal:
        return Decimal(1).scaleb(-self.scale)

    def _rounded(self, value: Decimal) -> Decimal:
        context = Context(prec=self.precision, rounding=ROUND_HALF_UP)
        try:
            rounded = value.quantize(self._unit, context=context)
        except InvalidOperation:
            rounded = Decimal("NaN")
        if not rounded.is_finite():
            raise ValueError(f"{value} does not fit into NUMERIC({self.precision}, {self.scale})")
        return rounded


class UtcNow(FunctionElement[datetime]):
    """What `utc_now()` makes."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(UtcNow)
def _compile_utc_now(_element: UtcNow, compiler: SQLCompiler, **_: Any) -> str:
    return of_dialect(compiler.dialect).types.utc_now()


def utc_now() -> ColumnElement[datetime]:
    """The present time, for statements and for `server_default`.

    With microseconds, but on SQLite, whose clock functions end at milliseconds. On PostgreSQL it
    is the time at which the transaction began, elsewhere the statement.
    """
    return UtcNow()


def ascii_lower(text: ColumnElement[str]) -> ColumnElement[str]:
    """Lowers A to Z and nothing else.

    The servers' own `lower()` depends on collation and locale, and SQLite's knows ASCII only;
    `replace()` compares exactly on all of them.
    """
    return reduce(
        lambda done, capital: func.replace(done, capital, capital.lower()), ascii_uppercase, text
    )

"""The types of `bootstrap.types` on SQLite."""

from __future__ import annotations

from typing import Any

from sqlalchemy import DateTime, Dialect, Numeric, String
from sqlalchemy.types import TypeEngine


class SQLiteTypes:
    """SQLite keeps five storage classes; a column's type is a hint (sqlite.org/datatype3.html)."""

    def exact_string(self, length: int, dialect: Dialect) -> TypeEngine[Any]:
        """Compares bytes by default (BINARY). The length is not enforced: add a CHECK."""
        return String(length)

    def utc_timestamp(self, dialect: Dialect) -> DateTime:
        """Text such as `2026-01-05 09:12:00.000000`, whose order is that of time."""
        return DateTime()

    def exact_decimal(self, precision: int, scale: int, dialect: Dialect) -> TypeEngine[Any]:
        """A double. Floats are handed out: SQLAlchemy 2.0 warns when it makes decimals of them."""
        return Numeric(precision, scale, asdecimal=False)

    def utc_now(self) -> str:
        """The present time; `%f` ends at milliseconds, the zeros fill them up to microseconds."""
        return "(strftime('%Y-%m-%d %H:%M:%f000', 'now'))"

"""The types of `bootstrap.types` on PostgreSQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import DateTime, Dialect, Numeric, String
from sqlalchemy.types import TypeEngine


class PostgreSQLTypes:
    """PostgreSQL has each of them as it is."""

    def exact_string(self, length: int, dialect: Dialect) -> TypeEngine[Any]:
        """Compares the bytes of UTF-8, that is by code point, whatever the database's locale."""
        return String(length, collation="C")

    def utc_timestamp(self, dialect: Dialect) -> DateTime:
        """A timestamptz holds UTC; the session's time zone only changes how it is shown."""
        return DateTime(timezone=True)

    def exact_decimal(self, precision: int, scale: int, dialect: Dialect) -> TypeEngine[Any]:
        """NUMERIC."""
        return Numeric(precision, scale)

    def utc_now(self) -> str:
        """The time at which the transaction began."""
        return "CURRENT_TIMESTAMP"

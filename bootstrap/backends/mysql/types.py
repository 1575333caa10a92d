"""The types of `bootstrap.types` on MySQL."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import DateTime, Dialect, Numeric
from sqlalchemy.dialects.mysql import DATETIME, VARCHAR
from sqlalchemy.types import TypeEngine


class MySQLTypes:
    """MySQL's defaults ignore case and accents, and cut times to seconds."""

    # The older utf8mb4_bin pads with spaces: 'a' = 'a ' (MySQL manual, "The binary Collation
    # Compared to _bin Collations"); MariaDB does not have this one.
    collation: ClassVar[str] = "utf8mb4_0900_bin"

    def exact_string(self, length: int, dialect: Dialect) -> TypeEngine[Any]:
        """Compares by code point, without padding."""
        return VARCHAR(length, charset="utf8mb4", collation=self.collation)

    def utc_timestamp(self, dialect: Dialect) -> DateTime:
        """A DATETIME: a TIMESTAMP ends in 2038 and follows the session's time zone."""
        return DATETIME(fsp=6)

    def exact_decimal(self, precision: int, scale: int, dialect: Dialect) -> TypeEngine[Any]:
        """NUMERIC."""
        return Numeric(precision, scale)

    def utc_now(self) -> str:
        """The time at which the statement began; in brackets, as an expression in a DEFAULT is."""
        return "(utc_timestamp(6))"

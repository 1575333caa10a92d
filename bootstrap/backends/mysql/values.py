"""How MySQL and MariaDB take values, and their error numbers for those that they refuse."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import CHAR, ColumnElement, cast, literal_column

from bootstrap.backends.values import Refusal, Value, plain
from bootstrap.schema.types import Family, Type

_AS_TEXT = {Family.DATE, Family.TIME, Family.TIMESTAMP, Family.JSON, Family.NETWORK, Family.UUID}


class MySQLValues:
    """Texts become any type by themselves."""

    prepare: ClassVar[tuple[str, ...]] = ("SET time_zone = '+00:00'",)
    codes: ClassVar[Mapping[str, Refusal]] = {
        "1062": Refusal.UNIQUE,
        "1586": Refusal.UNIQUE,
        "1048": Refusal.NOT_NULL,
        "1364": Refusal.NOT_NULL,  # left out, and there is no default
        "1451": Refusal.FOREIGN_KEY,
        "1452": Refusal.FOREIGN_KEY,
        "3819": Refusal.CHECK,
        "4025": Refusal.CHECK,  # MariaDB's
        "1406": Refusal.TOO_LONG,
        "1264": Refusal.OUT_OF_RANGE,
        "1690": Refusal.OUT_OF_RANGE,
        "1367": Refusal.OUT_OF_RANGE,
        "1265": Refusal.INVALID,  # a text that is no number, or not in the list of an ENUM
        "1292": Refusal.INVALID,
        "1366": Refusal.INVALID,
        "1300": Refusal.INVALID,
        "3140": Refusal.INVALID,  # JSON
        "3105": Refusal.GENERATED,
        "1906": Refusal.GENERATED,  # MariaDB's
    }

    def written(self, value: Value, kind: Type) -> ColumnElement[Any]:
        """The value as it stands in an INSERT, for a column of this type."""
        if isinstance(value, float) and not math.isfinite(value):
            return plain(str(value))  # there is no literal for it
        if isinstance(value, bytes):
            return literal_column(f"X'{value.hex()}'")  # digits, which need no quoting
        return plain(value)

    def read(self, column: ColumnElement[Any], kind: Type) -> ColumnElement[Any]:
        """What is selected to see the column as the server shows it."""
        return cast(column, CHAR()) if kind.family in _AS_TEXT else column

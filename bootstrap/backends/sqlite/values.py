"""How SQLite takes values, and its extended result codes for those that it refuses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, literal_column, null

from bootstrap.backends.values import Refusal, Value, plain
from bootstrap.schema.types import Type


class SQLiteValues:
    """Any value can stand in any column; the column's affinity converts some."""

    prepare: ClassVar[tuple[str, ...]] = ()
    codes: ClassVar[Mapping[str, Refusal]] = {
        "SQLITE_CONSTRAINT_UNIQUE": Refusal.UNIQUE,
        "SQLITE_CONSTRAINT_PRIMARYKEY": Refusal.UNIQUE,
        "SQLITE_CONSTRAINT_ROWID": Refusal.UNIQUE,
        "SQLITE_CONSTRAINT_NOTNULL": Refusal.NOT_NULL,
        "SQLITE_CONSTRAINT_FOREIGNKEY": Refusal.FOREIGN_KEY,
        "SQLITE_CONSTRAINT_TRIGGER": Refusal.FOREIGN_KEY,  # RESTRICT is a trigger inside
        "SQLITE_CONSTRAINT_CHECK": Refusal.CHECK,
        "SQLITE_CONSTRAINT_DATATYPE": Refusal.INVALID,  # a STRICT table
        "SQLITE_MISMATCH": Refusal.INVALID,  # a rowid that is no integer
        "SQLITE_TOOBIG": Refusal.TOO_LONG,
    }

    def written(self, value: Value, kind: Type) -> ColumnElement[Any]:
        """The value as it stands in an INSERT, for a column of this type."""
        if isinstance(value, float) and not math.isfinite(value):
            # As its driver does it, by sqlite3_bind_double(): NaN is NULL.
            return null() if math.isnan(value) else literal_column("9e999")
        return plain(value)

    def read(self, column: ColumnElement[Any], kind: Type) -> ColumnElement[Any]:
        """What is selected to see the column as the server shows it."""
        return column

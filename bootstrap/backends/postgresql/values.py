"""How PostgreSQL takes values, and its SQLSTATEs for those that it refuses (Appendix A)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Double, Text, bindparam, cast, false, true
from sqlalchemy.types import UserDefinedType

from bootstrap.backends.values import Refusal, Value, plain
from bootstrap.schema.types import Family, Type

_TEXTS = {Family.STRING, Family.TEXT}
_NATIVE = _TEXTS | {Family.BOOLEAN, Family.INTEGER, Family.DECIMAL, Family.FLOAT}
_BYTES = {Family.BINARY, Family.BLOB}


class _Declared(UserDefinedType[Any]):
    """A type by the words of the catalogue."""

    cache_ok = True

    def __init__(self, raw: str) -> None:
        self.raw = raw

    def get_col_spec(self, **_: Any) -> str:
        """The words."""
        return self.raw


class PostgreSQLValues:
    """A text for any other type is cast, because only a literal without a type is one of all."""

    prepare: ClassVar[tuple[str, ...]] = (
        "SET LOCAL TIME ZONE 'UTC'",
        "SET CONSTRAINTS ALL IMMEDIATE",
    )
    codes: ClassVar[Mapping[str, Refusal]] = {
        "23505": Refusal.UNIQUE,
        "23P01": Refusal.UNIQUE,  # an exclusion constraint
        "23502": Refusal.NOT_NULL,
        "23503": Refusal.FOREIGN_KEY,
        "23001": Refusal.FOREIGN_KEY,  # RESTRICT, from version 18 on
        "23514": Refusal.CHECK,
        "22001": Refusal.TOO_LONG,
        "22003": Refusal.OUT_OF_RANGE,
        "22008": Refusal.OUT_OF_RANGE,  # a day that is in no calendar
        "22P02": Refusal.INVALID,
        "22007": Refusal.INVALID,
        "22021": Refusal.INVALID,  # a character that the encoding has not
        "22P05": Refusal.INVALID,  # \u0000 in a jsonb
        "42804": Refusal.INVALID,  # a value of another type
        "428C9": Refusal.GENERATED,
    }

    def written(self, value: Value, kind: Type) -> ColumnElement[Any]:
        """The value as it stands in an INSERT, for a column of this type."""
        match value:
            case bool():
                return true() if value else false()
            case float():
                return bindparam(None, value, type_=Double())
            case str() if kind.family not in _TEXTS:
                return cast(plain(value), _Declared(kind.raw))
        return plain(value)

    def read(self, column: ColumnElement[Any], kind: Type) -> ColumnElement[Any]:
        """What is selected to see the column as the server shows it."""
        if kind.family in _NATIVE | _BYTES:
            return column
        return cast(column, Text())

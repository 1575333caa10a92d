"""How a backend takes values and refuses them: what `verify --probe` asks its room for."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Protocol, TypeAlias

from sqlalchemy import ColumnElement, LargeBinary, String, bindparam, literal_column, null

from bootstrap.schema.types import Type

Value: TypeAlias = str | int | Decimal | float | bool | bytes | None


class Refusal(StrEnum):
    """Why a server does not take a row; by SQLSTATE, errno or result code, never by a text."""

    UNIQUE = "unique"
    NOT_NULL = "not null"
    FOREIGN_KEY = "foreign key"
    CHECK = "check"
    TOO_LONG = "too long"
    OUT_OF_RANGE = "out of range"
    INVALID = "invalid"
    GENERATED = "generated"
    OTHER = "other"


class Values(Protocol):
    """Writes values as a person would type them, and reads them again."""

    prepare: ClassVar[
        tuple[str, ...]
    ]  # what a session is told first: times in UTC, constraints at once
    codes: ClassVar[Mapping[str, Refusal]]

    def written(self, value: Value, kind: Type) -> ColumnElement[Any]:
        """The value as it stands in an INSERT, for a column of this type."""

    def read(self, column: ColumnElement[Any], kind: Type) -> ColumnElement[Any]:
        """What is selected to see the column as the server shows it."""


def plain(value: Value) -> ColumnElement[Any]:
    """A value where a server takes 1 for true: texts and bytes bound, numbers as their digits.

    A driver would refuse some numbers that only the server should judge.
    """
    match value:
        case None:
            return null()
        case str():
            return bindparam(None, value, type_=String())
        case bytes():
            return bindparam(None, value, type_=LargeBinary())
        case float():
            return literal_column(repr(value))
    return literal_column(format(Decimal(value), "f"))

"""An INSERT of one row whose values stand in its text, as literals that the dialect writes.

A driver that prepares what has parameters takes three round trips for it, and one for this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Insert, literal_column
from sqlalchemy.types import TypeEngine

_SLOT = "\0"  # no statement has one


class Spelled:
    """What is made once for all rows of a table.

    Args:
        statement: The INSERT, with what is the same in each row.
        names: The columns that differ.
        dialect: Whose literals.
    """

    def __init__(self, statement: Insert, names: tuple[str, ...], dialect: Dialect) -> None:
        slots = statement.values(dict.fromkeys(names, literal_column(_SLOT)))
        self._parts = str(slots.compile(dialect=dialect)).split(_SLOT)
        columns = (statement.table.c[name] for name in names)
        self._literals = [(column.name, _literal_of(column.type, dialect)) for column in columns]

    def text(self, values: Mapping[str, Any]) -> str:
        """The statement for a row.

        Args:
            values: By the names of the columns; what is missing is NULL.
        """
        first, *rest = self._parts
        written = (
            "NULL" if (value := values.get(name)) is None else write(value)
            for name, write in self._literals
        )
        return first + "".join(part for both in zip(written, rest, strict=True) for part in both)


def _literal_of(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], str]:
    found = kind.dialect_impl(dialect).literal_processor(dialect)
    if found is None:
        raise TypeError(f"{kind!r} has no literals")
    return found


spelled = lru_cache(maxsize=8)(Spelled)


def has_backslash(values: Mapping[str, Any]) -> bool:
    """Whether a text has one: what that means in a literal is for the session's settings to say."""
    return any("\\" in value for value in values.values() if isinstance(value, str))

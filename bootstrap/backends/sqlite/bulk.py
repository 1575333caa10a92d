"""Many rows at once on SQLite: one prepared statement with the values of thousands of rows.

While such a statement runs the driver lets other threads go on, and waits for them when it comes
back: with a row at a time it would wait for the thread that reads the file a million times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, groupby
from typing import Any

from sqlalchemy import Boolean as SQLBoolean
from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Dialect,
    Double,
    Float,
    Integer,
    Numeric,
    String,
    Table,
    Time,
    case,
    collate,
    func,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import CHAR, TypeEngine

from bootstrap.backends.moments import Moments

_VALUES = 32_766  # that a statement may have; sqlite.org/limits.html
_ROWS = 4_000  # of a statement
_IS_PLAIN = text(
    "SELECT sum(type = 'table') = 1 AND sum(type = 'trigger') = 0 FROM"
    " (SELECT type, tbl_name FROM sqlite_master"
    " UNION ALL SELECT type, tbl_name FROM sqlite_temp_master)"
    " WHERE tbl_name = :name COLLATE NOCASE"
)


class SQLiteBulk:
    """The temporary table is in a file of its own, which is never synced."""

    def staged(self, column_type: TypeEngine[Any]) -> TypeEngine[Any] | None:
        """The same: types are hints, and nothing is rounded."""
        match column_type:
            case Double():
                return column_type
            case Float():
                return None  # compared with six digits
            case SQLBoolean() | Date() | DateTime() | Integer() | Numeric() | String() | Time():
                return column_type
        return None

    def exactly(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Texts by bytes, decimals by the digits that a double keeps."""
        match column.type:
            case CHAR():
                return collate(func.rtrim(column, " "), "BINARY")
            case String():
                return collate(column, "BINARY")
            case Double():
                return column
            case Numeric():
                # A value of text stays what it is: it is no number.
                digits = func.printf("%.15g", column)
                return case((func.typeof(column) == "real", digits), else_=column)
        return column

    def packed(
        self, types: Sequence[TypeEngine[Any]], columns: Sequence[Sequence[Any]], dialect: Dialect
    ) -> tuple[Any, ...]:
        """The values of the rows one after the other: tuples of them keep the collector busy."""
        width = len(columns)
        values: list[Any] = [None] * (width * len(columns[0]))
        for place, (of, column) in enumerate(zip(types, columns, strict=True)):
            values[place::width] = _bound(of, column, dialect)
        return tuple(values)

    async def fill(
        self,
        connection: AsyncConnection,
        table: str,
        names: Sequence[str],
        packed: Sequence[tuple[Any, ...]],
    ) -> None:
        """Inserts them."""
        quote = connection.dialect.identifier_preparer.quote_identifier
        into = f"INSERT INTO {quote(table)} ({', '.join(map(quote, names))}) VALUES "  # noqa: S608
        row = f"({', '.join('?' * len(names))})"
        values = tuple(chain.from_iterable(packed))
        size = min(_ROWS, max(_VALUES // len(names), 1)) * len(names)
        parts = (values[start : start + size] for start in range(0, len(values), size))
        for length, alike in groupby(parts, len):
            # In one call: each is a way to the driver's thread and back.
            statement = into + ", ".join([row] * (length // len(names)))
            await connection.exec_driver_sql(statement, list(alike))

    async def filled(self, connection: AsyncConnection, table: Table) -> None:
        """Nothing: it goes through the temporary table, and looks up each row by an index."""

    async def keeps(
        self, connection: AsyncConnection, table: str, columns: Mapping[str, TypeEngine[Any]]
    ) -> bool:
        """Whether it is a table without triggers: no value is rounded here."""
        return bool(await connection.scalar(_IS_PLAIN, {"name": table}))

    async def drop(self, connection: AsyncConnection, table: Table) -> None:
        """Drops it."""
        name = connection.dialect.identifier_preparer.quote(table.name)
        await connection.exec_driver_sql(f"DROP TABLE temp.{name}")


def _bound(column_type: TypeEngine[Any], values: Sequence[Any], dialect: Dialect) -> Sequence[Any]:
    if isinstance(values, Moments):
        return values
    if isinstance(column_type, DateTime):
        # As SQLAlchemy writes it, in a fifth of the time.
        return [one and one.isoformat(" ", "microseconds") for one in values]
    process = column_type.dialect_impl(dialect).bind_processor(dialect)
    if process and isinstance(column_type, SQLBoolean):
        known = {one: process(one) for one in set(values)}
        return [known[one] for one in values]
    return list(map(process, values)) if process else values

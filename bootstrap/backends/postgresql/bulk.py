"""Many rows at once on PostgreSQL: COPY, in its text format.

The text format is the faster one from Python: a column becomes text in one call, where the binary
format is made value by value. The driver sends the bytes as they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Dialect,
    Double,
    Enum,
    Float,
    Integer,
    Numeric,
    String,
    Table,
    Time,
    Uuid,
    collate,
)
from sqlalchemy import Boolean as SQLBoolean
from sqlalchemy.dialects.postgresql import TIME, TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

# PostgreSQL manual, COPY, "Text Format": what would end a value or a row, and the backslash.
_SPECIAL = re.compile(r"[\\\t\n\r]")
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_NULL = r"\N"


class PostgreSQLBulk:
    """COPY into a temporary table that is gone with the transaction."""

    def staged(self, column_type: TypeEngine[Any]) -> TypeEngine[Any] | None:
        """The widest type of its kind."""
        wide: TypeEngine[Any] | None = None
        match column_type:
            case Time():
                wide = TIME(timezone=column_type.timezone)
            case DateTime():
                wide = TIMESTAMP(timezone=column_type.timezone)
            case Integer():
                wide = BigInteger()
            case Double():
                wide = Double()
            case Float():
                wide = None  # shown with six digits
            case Numeric():
                wide = Numeric()
            case Enum() | String() | SQLBoolean() | Date() | Uuid():
                wide = column_type
        return wide

    def exactly(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """By bytes: a collation that is not deterministic takes others for the same."""
        if isinstance(column.type, String) and not isinstance(column.type, Enum):
            return collate(column, "C")
        return column

    def packed(self, table: Table, columns: Sequence[Sequence[Any]], dialect: Dialect) -> bytes:
        """The rows in the text format of COPY."""
        rows = map("\t".join, zip(*map(_texts, columns), strict=True))
        return ("\n".join(rows) + "\n").encode()

    async def fill(
        self, connection: AsyncConnection, table: Table, packed: Sequence[bytes]
    ) -> None:
        """Copies them."""
        content = b"".join(packed)
        raw = await connection.get_raw_connection()
        driver: Any = raw.driver_connection
        if hasattr(driver, "copy_to_table"):  # asyncpg
            await driver.copy_to_table(table.name, source=BytesIO(content), format="text")
            return
        name = connection.dialect.identifier_preparer.quote(table.name)
        async with driver.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN") as copy:
            await copy.write(content)

    async def drop(self, connection: AsyncConnection, table: Table) -> None:
        """Drops it."""
        name = connection.dialect.identifier_preparer.quote(table.name)
        await connection.exec_driver_sql(f"DROP TABLE pg_temp.{name}")


def _texts(column: Sequence[Any]) -> Sequence[str]:
    if None in column:
        return [_NULL if one is None else str(one).translate(_ESCAPES) for one in column]
    if not isinstance(column[0], str):
        return list(map(str, column))
    return (
        [one.translate(_ESCAPES) for one in column] if _SPECIAL.search("".join(column)) else column
    )

"""Many rows at once on PostgreSQL: COPY, in its text format.

The text format is the faster one from Python: a column becomes text in one call, where the binary
format is made value by value. The driver sends the bytes as they are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
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
    text,
)
from sqlalchemy import Boolean as SQLBoolean
from sqlalchemy.dialects.postgresql import TIME, TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

from bootstrap.backends.moments import Moments

# PostgreSQL manual, COPY, "Text Format": what would end a value or a row, and the backslash.
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_NULL = r"\N"
_BOOLEANS = {None: None, True: "t", False: "f"}
_UTC = "+00:00"
_IS_PLAIN = text(
    "SELECT relkind IN ('r', 'p') AND NOT relrowsecurity AND NOT relhasrules"
    " AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = pg_class.oid AND NOT tgisinternal)"
    " FROM pg_class WHERE oid = to_regclass(:name)"
)


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

    def packed(
        self, types: Sequence[TypeEngine[Any]], columns: Sequence[Sequence[Any]], dialect: Dialect
    ) -> bytes:
        """The rows in the text format of COPY."""
        texts = list(map(_texts, types, columns))
        with suppress(TypeError):  # there is None among them
            content = _rows(texts)
            if _is_harmless(content, rows=len(columns[0]), cells=len(columns)):
                return content.encode()
        return _rows(map(_escaped, texts)).encode()

    async def fill(
        self,
        connection: AsyncConnection,
        table: str,
        names: Sequence[str],
        packed: Sequence[bytes],
    ) -> None:
        """Copies them."""
        raw = await connection.get_raw_connection()
        driver: Any = raw.driver_connection
        if hasattr(driver, "copy_to_table"):  # asyncpg
            source = _following(packed)
            await driver.copy_to_table(table, columns=list(names), source=source, format="text")
            return
        quote = connection.dialect.identifier_preparer.quote_identifier
        order = f"COPY {quote(table)} ({', '.join(map(quote, names))}) FROM STDIN"
        async with driver.cursor() as cursor, cursor.copy(order) as copy:
            for content in packed:
                await copy.write(content)

    async def filled(self, connection: AsyncConnection, table: Table) -> None:
        """Reads a sample of them: nobody else does that for a temporary table."""
        name = connection.dialect.identifier_preparer.quote(table.name)
        await connection.exec_driver_sql(f"ANALYZE pg_temp.{name}")

    async def keeps(
        self, connection: AsyncConnection, table: str, columns: Mapping[str, TypeEngine[Any]]
    ) -> bool:
        """Whether it is a plain table whose times have microseconds."""
        if any(
            getattr(one, "precision", None) is not None for one in columns.values() if _is_time(one)
        ):
            return False
        quoted = connection.dialect.identifier_preparer.quote_identifier(table)
        return bool(await connection.scalar(_IS_PLAIN, {"name": quoted}))

    async def drop(self, connection: AsyncConnection, table: Table) -> None:
        """Drops it."""
        name = connection.dialect.identifier_preparer.quote(table.name)
        await connection.exec_driver_sql(f"DROP TABLE pg_temp.{name}")


async def _following(packed: Sequence[bytes]) -> AsyncIterator[bytes]:
    """As asyncpg takes it: without a copy of all of it."""
    for content in packed:
        yield content


def _texts(column_type: TypeEngine[Any], column: Sequence[Any]) -> Sequence[Any]:
    """A column as texts, and None for NULL."""
    if isinstance(column, Moments):
        has_zone = isinstance(column_type, DateTime) and column_type.timezone
        return _with_zone(column) if has_zone else column
    if isinstance(column[0], str):
        return column
    if isinstance(column_type, SQLBoolean):
        return [_BOOLEANS[one] for one in column]
    return [None if one is None else str(one) for one in column]


def _with_zone(column: Moments) -> Sequence[str | None]:
    try:
        return f"{_UTC}\n".join([*column, ""]).splitlines()
    except TypeError:  # there is None among them
        return [one and f"{one}{_UTC}" for one in column]


def _rows(columns: Iterable[Sequence[Any]]) -> str:
    rows = map("\t".join, zip(*columns, strict=True))
    return "\n".join(rows) + "\n"


def _is_harmless(content: str, *, rows: int, cells: int) -> bool:
    """Whether no value has a character that means something to COPY."""
    return (
        content.count("\t") == rows * (cells - 1)
        and content.count("\n") == rows
        and "\\" not in content
        and "\r" not in content
    )


def _escaped(column: Sequence[str | None]) -> Sequence[str]:
    return [_NULL if one is None else one.translate(_ESCAPES) for one in column]


def _is_time(column_type: TypeEngine[Any]) -> bool:
    return isinstance(column_type, DateTime | Time)

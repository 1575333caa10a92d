"""Many rows at once on MySQL and MariaDB: INSERTs with as many rows as fit into a packet.

LOAD DATA LOCAL is no faster way for everybody: MySQL's servers refuse it unless they are told
otherwise, and a client that allows it lets the server ask for any of its files.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
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
    LargeBinary,
    Numeric,
    String,
    Table,
    Time,
    bindparam,
    cast,
    text,
)
from sqlalchemy.dialects.mysql import DATETIME, TIME
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

from bootstrap.backends.moments import Moments

_STATEMENT = 2**20  # bytes; a packet is 16 MB or more by default
_HALF = 2  # of the packet at most: what comes before the rows is in it too
# What can stand between quotes in every SQL mode and character set as it is: what can be printed
# of ASCII, but the quote and the backslash.
_HARMLESS = bytes(sorted({*range(0x20, 0x7F)} - set(b"'\\")))

_MICROSECONDS = 6
_LIMITS = text("SELECT @@max_allowed_packet, @@sql_mode LIKE '%STRICT_%'")
# Else a server that is not strict cuts off what it compares with later.
_STRICT = "SET @bootstrap_mode = @@sql_mode, sql_mode = CONCAT(@@sql_mode, ',TRADITIONAL')"
_AS_BEFORE = "SET sql_mode = @bootstrap_mode"
# Of a counted column a 0 becomes another number, of DOUBLE(5, 2) nearly everything.
_IS_PLAIN = text(
    "SELECT @@sql_mode LIKE '%STRICT_%' AND table_type = 'BASE TABLE' AND NOT EXISTS ("
    "SELECT 1 FROM information_schema.triggers WHERE event_object_schema = DATABASE()"
    " AND event_object_table = :name"
    ") AND NOT EXISTS ("
    "SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()"
    " AND table_name = :name AND column_name IN :columns AND (extra LIKE '%auto_increment%'"
    " OR data_type = 'double' AND numeric_scale IS NOT NULL)"
    ") FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = :name"
).bindparams(bindparam("columns", expanding=True))


class MySQLBulk:
    """A temporary table of InnoDB, which is not in the redo log."""

    def staged(self, column_type: TypeEngine[Any]) -> TypeEngine[Any] | None:
        """A type of the same kind that rounds nothing."""
        wide: TypeEngine[Any] | None = None
        match column_type:
            case Time():
                wide = TIME(fsp=6)
            case DateTime():
                wide = DATETIME(fsp=6)
            case Integer():
                wide = BigInteger()
            case Double():
                wide = Double()
            case Float():
                wide = None  # shown with six digits
            case Date() | Numeric() | Enum() | String():
                wide = column_type
        return wide

    def exactly(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """By bytes: most collations ignore case, accents, or spaces at the end."""
        return cast(column, LargeBinary) if isinstance(column.type, String) else column

    def packed(
        self, types: Sequence[TypeEngine[Any]], columns: Sequence[Sequence[Any]], dialect: Dialect
    ) -> list[str]:
        """Each row as literals: a value is in it as digits or letters, and ends no literal."""
        texts = list(map(_texts, columns))
        try:
            rows = list(map("','".join, zip(*texts, strict=True)))
        except TypeError:  # there is None among them
            rows = []
        if rows and all(map(_is_harmless, texts)):
            return [f"('{row}')" for row in rows]
        return [f"({','.join(row)})" for row in zip(*map(_literals, texts), strict=True)]

    async def fill(
        self,
        connection: AsyncConnection,
        table: str,
        names: Sequence[str],
        packed: Sequence[list[str]],
    ) -> None:
        """Inserts them."""
        size, strict = (await connection.execute(_LIMITS)).one()
        quote = connection.dialect.identifier_preparer.quote_identifier
        into = f"INSERT INTO {quote(table)} ({', '.join(map(quote, names))}) VALUES "  # noqa: S608
        # By the driver: what SQLAlchemy is told to log would have the values in it.
        raw = await connection.get_raw_connection()
        driver: Any = raw.driver_connection
        async with driver.cursor() as cursor, _strict(cursor, already=strict):
            for some in _fitting(packed, min(_STATEMENT, int(size) // _HALF)):
                await cursor.execute(into + some)

    async def filled(self, connection: AsyncConnection, table: Table) -> None:
        """Nothing: InnoDB counts by itself."""

    async def keeps(
        self, connection: AsyncConnection, table: str, columns: Mapping[str, TypeEngine[Any]]
    ) -> bool:
        """Whether it is a table without triggers, and the server strict."""
        if any(
            getattr(one, "fsp", 0) != _MICROSECONDS for one in columns.values() if _is_time(one)
        ):
            return False
        asked = {"name": table, "columns": list(columns)}
        return bool(await connection.scalar(_IS_PLAIN, asked))

    async def drop(self, connection: AsyncConnection, table: Table) -> None:
        """Drops it; without TEMPORARY the transaction would be committed."""
        name = connection.dialect.identifier_preparer.quote(table.name)
        await connection.exec_driver_sql(f"DROP TEMPORARY TABLE {name}")


@asynccontextmanager
async def _strict(cursor: Any, *, already: bool) -> AsyncIterator[None]:
    if already:
        yield
        return
    await cursor.execute(_STRICT)
    try:
        yield
    finally:
        await cursor.execute(_AS_BEFORE)


def _fitting(packed: Sequence[list[str]], size: int) -> Iterator[str]:
    """Rows with commas between them, so many that they fit; of a batch all where that goes."""
    found: list[str] = []
    length = 0
    for batch in packed:
        whole = sum(map(len, batch)) + len(batch)
        pieces, sizes = ([",".join(batch)], [whole]) if whole <= size else (batch, map(len, batch))
        for piece, its in zip(pieces, sizes, strict=True):
            if found and length + its > size:
                yield ",".join(found)
                found, length = [], 0
            found.append(piece)
            length += its + 1
    yield ",".join(found)


def _texts(column: Sequence[Any]) -> Sequence[Any]:
    """A column as texts, and None for NULL."""
    if isinstance(column, Moments) or isinstance(column[0], str):
        return column
    return [None if one is None else _text(one) for one in column]


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _is_harmless(column: Iterable[Any]) -> bool:
    try:
        return not "".join(column).encode("ascii").translate(None, _HARMLESS)
    except UnicodeEncodeError:
        return False


def _literals(column: Sequence[str | None]) -> Sequence[str]:
    if _is_harmless([one for one in column if one is not None]):
        return ["NULL" if one is None else f"'{one}'" for one in column]
    return ["NULL" if one is None else _literal(one) for one in column]


def _literal(text: str) -> str:
    return f"'{text}'" if _is_harmless(text) else f"_utf8mb4 X'{text.encode().hex()}'"


def _is_time(column_type: TypeEngine[Any]) -> bool:
    return isinstance(column_type, DateTime | Time)

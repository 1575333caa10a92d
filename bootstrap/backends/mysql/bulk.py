"""Many rows at once on MySQL and MariaDB: INSERTs with as many rows as fit into a packet.

LOAD DATA LOCAL is no faster way for everybody: MySQL's servers refuse it unless they are told
otherwise, and a client that allows it lets the server ask for any of its files.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import chain
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

_STATEMENT = 2**20  # bytes; a packet is 16 MB or more by default
_HALF = 2  # of the packet at most: what comes before the rows is in it too
# What can stand between quotes in every SQL mode and character set as it is.
_HARMLESS = re.compile(r"[A-Za-z0-9@._ +/=,:$-]*")

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
        return [f"({','.join(row)})" for row in zip(*map(_literals, columns), strict=True)]

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
        rows = list(chain.from_iterable(packed))
        # By the driver: what SQLAlchemy is told to log would have the values in it.
        raw = await connection.get_raw_connection()
        driver: Any = raw.driver_connection
        async with driver.cursor() as cursor, _strict(cursor, already=strict):
            for some in _fitting(rows, min(_STATEMENT, int(size) // _HALF)):
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


def _fitting(rows: Sequence[str], size: int) -> Iterator[str]:
    begun, length = 0, 0
    for place, row in enumerate(rows):
        if length + len(row) > size and place > begun:
            yield ",".join(rows[begun:place])
            begun, length = place, 0
        length += len(row) + 1
    yield ",".join(rows[begun:])


def _literals(column: Sequence[Any]) -> Sequence[str]:
    if None in column:
        return ["NULL" if one is None else _literal(one) for one in column]
    if isinstance(column[0], str) and _HARMLESS.fullmatch("".join(column)):
        return [f"'{one}'" for one in column]
    return list(map(_literal, column))


def _literal(value: Any) -> str:
    text = str(int(value)) if isinstance(value, bool) else str(value)
    if isinstance(value, str) and not _HARMLESS.fullmatch(text):
        return f"_utf8mb4 X'{text.encode().hex()}'"
    return f"'{text}'"


def _is_time(column_type: TypeEngine[Any]) -> bool:
    return isinstance(column_type, DateTime | Time)

"""What tells whether a table is as it was, on MySQL and MariaDB: sums of SHA-2 over its rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    TIMESTAMP,
    ColumnElement,
    Double,
    Float,
    LargeBinary,
    ScalarSelect,
    TableClause,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.mysql import BIGINT
from sqlalchemy.ext.asyncio import AsyncConnection

_BITS = 256  # of SHA-2, of which 128 are used; newer servers have no MD5
_DIGITS = 16  # hexadecimal ones, of a number of 64 bits
_BYTES = 8
_ALL = 2**64 - 1


class MySQLFingerprints:
    """The server makes them: each row as text, hashed, and the hashes added up."""

    async def of_rows(self, connection: AsyncConnection, table: TableClause) -> ScalarSelect[Any]:
        """Two sums of 64 bits, and the number of rows."""
        rows = table.alias("marked")
        text = func.concat(*(_told(column) for column in rows.c))
        # NULL for a row that does not fit into a packet: then no two fingerprints are the same.
        digest = func.sha2(func.ifnull(text, cast(func.uuid(), LargeBinary)), _BITS)
        line = func.unhex(func.left(digest, 2 * _DIGITS)).label("line")
        # With a LIMIT the server makes the text once for each row and not for each sum.
        lines = select(line).select_from(rows).limit(_ALL).subquery("lines")
        halves = (func.left(lines.c.line, _BYTES), func.right(lines.c.line, _BYTES))
        sums = (func.sum(_number(half)) for half in halves)
        found = select(func.concat_ws(":", func.count(), *sums)).select_from(lines)
        return found.correlate(None).scalar_subquery()


def _told(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A value as bytes with their number before them, so that no two rows give the same text."""
    value = _exactly(column)
    told = func.concat(func.length(value), ":", cast(value, LargeBinary))
    return func.ifnull(told, "N")


def _exactly(column: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, Float) and not isinstance(column.type, Double):
        return column + literal_column("0e0")  # a FLOAT is shown with six digits
    if isinstance(column.type, TIMESTAMP):
        return func.unix_timestamp(column)  # else it follows the session's time zone
    return column


def _number(half: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(func.conv(func.hex(half), 16, 10), BIGINT(unsigned=True))

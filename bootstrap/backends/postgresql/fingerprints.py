"""What tells whether a table is as it was, on PostgreSQL: sums of hashes over its rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    TableClause,
    case,
    func,
    literal_column,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

# What the text of a value follows from beside the value.
_SETTINGS = ("DateStyle", "IntervalStyle", "TimeZone", "bytea_output", "lc_monetary")
_SEEDS = (0, 1)  # of two hashes of 64 bits


class PostgreSQLFingerprints:
    """The server makes them: each row as text, hashed, and the hashes added up."""

    async def of_rows(self, connection: AsyncConnection, table: TableClause) -> ScalarSelect[Any]:
        """Two sums of 64 bits, and the number of rows.

        None where the session shows floats with fewer digits than they have.
        """
        rows = table.alias("marked")
        # Not by the hash of the record: equal values have the same one, such as 1.0 and 1.00.
        text = literal_column("CAST(ROW(marked.*) AS text)").collate("C").label("line")
        # Beside a volatile function the text is made once for each row and not for each hash; with
        # an OFFSET too, but then by no more than one process of the server.
        lines = select(text, func.clock_timestamp()).select_from(rows).subquery("lines")
        hashes = (func.hashtextextended(lines.c.line, literal_column(str(one))) for one in _SEEDS)
        settings = (func.current_setting(name) for name in _SETTINGS)
        told = func.concat_ws(
            ":",
            func.count(),
            *(func.sum(one) for one in hashes),
            func.md5(func.concat_ws(":", *settings)),
        )
        digits: ColumnElement[int] = literal_column(
            "current_setting('extra_float_digits')::integer"
        )
        found = select(case((digits > literal_column("0"), told))).select_from(lines)
        return found.correlate(None).scalar_subquery()

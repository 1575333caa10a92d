"""What tells whether a table is as it was, on SQLite: SHA-256 over its rows, made by Python.

SQLite has no function for that, and the way of the rows into a function of ours is the shortest.
"""

from __future__ import annotations

import marshal
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import ScalarSelect, TableClause, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

_AT_ONCE = 200  # rows that are hashed together: with more of them it takes longer
_FORM = 2  # of `marshal`
_ARGUMENTS = 100  # of a function; sqlite.org/limits.html
_COLLECT, _DIGEST = "bootstrap_collect", "bootstrap_digest"


class SQLiteFingerprints:
    """Two functions of the connection: one takes each row, one says what they were in the end."""

    async def of_rows(self, connection: AsyncConnection, table: TableClause) -> ScalarSelect[Any]:
        """A digest of all values and their types, in the order of the table."""
        seen = _Seen()
        raw = await connection.get_raw_connection()
        driver: Any = raw.driver_connection
        await driver.create_function(_COLLECT, -1, seen.add)
        await driver.create_function(_DIGEST, -1, seen.told)
        rows = table.alias("marked")
        columns = list(rows.c)
        parts = [columns[at : at + _ARGUMENTS] for at in range(0, len(columns), _ARGUMENTS)]
        met = (func.count(getattr(func, _COLLECT)(*part)) for part in parts)
        found = select(getattr(func, _DIGEST)(*met))
        return found.select_from(rows).correlate(None).scalar_subquery()


class _Seen:
    """The rows that a statement meets."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._hash = sha256()
        self._rows: list[Sequence[Any]] = []

    def add(self, *row: Any) -> int:
        self._rows.append(row)
        if len(self._rows) == _AT_ONCE:
            self._flush()
        return 1

    def told(self, *rows: int) -> str:
        self._flush()
        digest = self._hash.hexdigest()
        self._begin()
        return f"{rows[0]}:{digest}"

    def _flush(self) -> None:
        # It keeps types and all digits of floats, says where a value ends, and is always the same:
        # later forms than this one follow from what else the program has in memory, too.
        self._hash.update(marshal.dumps(self._rows, _FORM))
        self._rows.clear()

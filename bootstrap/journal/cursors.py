"""A cursor that gives rows which are there already."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from bootstrap.journal.entries import Outcome

MOST_ROWS = 10_000  # of one result that are kept


class KeptCursor:
    """What SQLAlchemy reads a result from, in the place of the driver's cursor.

    A dialect may ask that one for more, such as psycopg2's for the notices of its connection.

    Args:
        outcome: What was returned.
        cursor: The driver's.
        rest: A cursor that has more rows; None when all are in the outcome.
    """

    arraysize = 1

    def __init__(self, outcome: Outcome, cursor: Any, *, rest: Any = None) -> None:
        self._cursor = cursor
        self.description = outcome.columns
        self.rowcount = outcome.rowcount
        self.lastrowid = outcome.lastrowid
        self._rows = deque(outcome.rows or ())
        self._rest = rest

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def fetchone(self) -> Any:
        """The next row, or None."""
        if self._rows:
            return self._rows.popleft()
        return self._rest.fetchone() if self._rest is not None else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """The next rows."""
        found: list[Any] = []
        while len(found) < (size or self.arraysize) and (row := self.fetchone()) is not None:
            found.append(row)
        return found

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        found = list(self._rows)
        self._rows.clear()
        return found + (list(self._rest.fetchall()) if self._rest is not None else [])

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchone, None)

    def close(self) -> None:
        """Closes what has the rest."""
        self._rows.clear()
        if self._rest is not None:
            self._rest.close()


def taken(cursor: Any) -> tuple[Outcome, KeptCursor]:
    """Takes what a cursor has got: the outcome to keep, and a cursor that still has it all."""
    # One that the server keeps (`stream_results`) may have no columns before its first rows.
    streamed = cursor.description is None and getattr(cursor, "name", None)
    rows = _rows(cursor) if streamed else []
    outcome = Outcome(
        columns=tuple(tuple(one) for one in cursor.description) if cursor.description else None,
        rows=(),
        rowcount=cursor.rowcount,
        lastrowid=getattr(cursor, "lastrowid", None) or None,
    )
    if outcome.columns is None:
        cursor.close()
        return outcome, KeptCursor(outcome, cursor)
    rows = rows if streamed else _rows(cursor)
    whole = Outcome(
        columns=outcome.columns,
        rows=rows,
        rowcount=outcome.rowcount,
        lastrowid=outcome.lastrowid,
    )
    if len(rows) <= MOST_ROWS:
        cursor.close()
        return whole, KeptCursor(whole, cursor)
    kept = Outcome(
        columns=outcome.columns,
        rows=None,
        rowcount=outcome.rowcount,
        lastrowid=outcome.lastrowid,
    )
    return kept, KeptCursor(whole, cursor, rest=cursor)


def _rows(cursor: Any) -> list[tuple[Any, ...]]:
    """As many as are kept, and one more."""
    return [tuple(row) for row in cursor.fetchmany(MOST_ROWS + 1)]

"""Looks whether the database is as the manifests expect it when all is written."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select, table
from sqlalchemy.exc import DBAPIError, ResourceClosedError
from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap.backends.base import Errors
from bootstrap.datasets.reading.manifest import Check

_HINT = "nothing was written; correct the data sets or the manifest"


async def refuse_unmet(
    connection: AsyncConnection, checks: Iterable[Check], *, errors: Errors
) -> None:
    """Refuses a database in which a check does not hold; in a transaction of the caller.

    Raises:
        SeedError: One does not hold, or cannot be asked.
    """
    for check in checks:
        try:
            said = await _unmet(connection, check)
        except (DBAPIError, ResourceClosedError) as error:
            failure = errors.translate(error)
            text = failure.text if failure else "it gives no rows"
            code = f"{failure.code}: " if failure and failure.code else ""
            said = f"cannot be asked ({code}{text})"
        if said:
            raise check.file.fault(None, f"the check {check.name!r} {said}", hint=_HINT)


async def _unmet(connection: AsyncConnection, check: Check) -> str:
    """What is wrong; no row is shown, for any value can be a secret."""
    if check.query:
        found = await connection.exec_driver_sql(
            check.query,
            # Without it a driver would look for placeholders: `LIKE 'a%'`.
            execution_options={"no_parameters": True},
        )
        return "" if found.first() is None else "does not hold: its query gives rows"
    counted = await connection.execute(select(func.count()).select_from(table(check.table)))
    rows = counted.scalar_one()
    if rows == check.rows:
        return ""
    return f"does not hold: {check.table} has {_rows(rows)}, and not {check.rows}"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"

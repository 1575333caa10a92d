"""Who is in the way of a statement on PostgreSQL (pg_blocking_pids)."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap.backends.sessions import Blocker

_BLOCKERS = text(
    "SELECT pid::text AS session, coalesce(usename, '') AS owner,"
    " coalesce(application_name, '') AS application,"
    " extract(epoch FROM clock_timestamp() - coalesce(xact_start, query_start))::float AS age"
    " FROM pg_stat_activity WHERE pid = ANY (pg_blocking_pids(:pid)) ORDER BY age DESC NULLS LAST"
)


async def blockers(connection: AsyncConnection, *, pid: int) -> tuple[Blocker, ...]:
    """Those who hold a lock that a process waits for, or stand before it in the queue.

    Args:
        connection: To the same server.
        pid: The process.
    """
    rows = await connection.execute(_BLOCKERS, {"pid": pid})
    return tuple(
        Blocker(session=row.session, user=row.owner, application=row.application, age=row.age)
        for row in rows
    )

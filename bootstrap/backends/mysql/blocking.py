"""Who is in the way of a statement on MySQL and MariaDB.

MySQL keeps metadata and row locks in its performance schema. MariaDB runs without that, and without
the plugin that lists metadata locks, unless somebody has switched them on: for those it can only be
told whose transactions are open. A statement that exchanges a partition may wait for a transaction
of its own session (MariaDB 10.11): nobody else is in its way then.
"""

from __future__ import annotations

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap.backends.sessions import Blocker

_MYSQL = text(
    "SELECT DISTINCT t.processlist_id AS session, t.processlist_user AS owner,"
    " a.attr_value AS application,"
    " TIMESTAMPDIFF(MICROSECOND, x.trx_started, NOW(6)) / 1000000 AS age"
    " FROM (SELECT h.owner_thread_id AS held_by FROM performance_schema.metadata_locks w"
    "   JOIN performance_schema.threads me ON me.thread_id = w.owner_thread_id"
    "   JOIN performance_schema.metadata_locks h ON h.object_type = w.object_type"
    "     AND h.object_schema <=> w.object_schema AND h.object_name <=> w.object_name"
    "     AND h.lock_status = 'GRANTED' AND h.owner_thread_id <> w.owner_thread_id"
    "   WHERE me.processlist_id = :own AND w.lock_status = 'PENDING'"
    "  UNION SELECT l.blocking_thread_id FROM performance_schema.data_lock_waits l"
    "   JOIN performance_schema.threads me ON me.thread_id = l.requesting_thread_id"
    "   WHERE me.processlist_id = :own AND l.blocking_thread_id <> me.thread_id) AS b"
    " JOIN performance_schema.threads t ON t.thread_id = b.held_by"
    " LEFT JOIN information_schema.innodb_trx x ON x.trx_mysql_thread_id = t.processlist_id"
    " LEFT JOIN performance_schema.session_connect_attrs a"
    "   ON a.processlist_id = t.processlist_id AND a.attr_name = 'program_name'"
    " WHERE t.processlist_id IS NOT NULL ORDER BY age DESC"
)
_MARIADB_ROWS = text(
    "SELECT DISTINCT x.trx_mysql_thread_id AS session, p.user AS owner,"
    " TIMESTAMPDIFF(MICROSECOND, x.trx_started, NOW(6)) / 1000000 AS age"
    " FROM information_schema.innodb_lock_waits w"
    " JOIN information_schema.innodb_trx me ON me.trx_id = w.requesting_trx_id"
    " JOIN information_schema.innodb_trx x ON x.trx_id = w.blocking_trx_id"
    " LEFT JOIN information_schema.processlist p ON p.id = x.trx_mysql_thread_id"
    " WHERE me.trx_mysql_thread_id = :own AND x.trx_mysql_thread_id <> :own ORDER BY age DESC"
)
_MARIADB_OPEN = text(
    "SELECT p.id AS session, p.user AS owner,"
    " TIMESTAMPDIFF(MICROSECOND, x.trx_started, NOW(6)) / 1000000 AS age"
    " FROM information_schema.innodb_trx x"
    " JOIN information_schema.processlist p ON p.id = x.trx_mysql_thread_id"
    " JOIN information_schema.processlist me ON me.id = :own AND me.state LIKE 'Waiting for%lock%'"
    " WHERE p.id NOT IN (me.id, CONNECTION_ID()) ORDER BY age DESC"
)


async def blockers(connection: AsyncConnection, *, own: int) -> tuple[Blocker, ...]:
    """Those whose locks a connection waits for.

    Args:
        connection: Another one, to the same server.
        own: The number of the one that waits.
    """
    if not getattr(connection.dialect, "is_mariadb", False):
        return await _found(connection, own, certain=True, of=_MYSQL)
    found = await _found(connection, own, certain=True, of=_MARIADB_ROWS)
    return found or await _found(connection, own, certain=False, of=_MARIADB_OPEN)


async def _found(
    connection: AsyncConnection, own: int, *, certain: bool, of: TextClause
) -> tuple[Blocker, ...]:
    rows = await connection.execute(of, {"own": own})
    return tuple(
        Blocker(
            session=str(row.session),
            user=row.owner or "",
            application=getattr(row, "application", None) or "",
            age=None if row.age is None else float(row.age),
            certain=certain,
        )
        for row in rows
    )

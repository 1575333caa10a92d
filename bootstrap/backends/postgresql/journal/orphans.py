"""Waits for others who are at work on what a run is about to finish or to remove.

The server goes on with a statement whose client is gone, and a pooler may have lent any session for
it. So a statement that cannot run in a transaction is sent with a mark before it, which the server
shows in its list of sessions until the statement has ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Connection, text

from bootstrap.backends.guards import Terms
from bootstrap.errors import LockNotObtained
from bootstrap.events import LockAwaited

_PAUSE = 0.2  # seconds
_SAID_EVERY = 10.0  # seconds
_MARKED = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND state = 'active' AND position(:mark IN query) > 0"
)
# What builds or drops an index concurrently has this lock on the table to its end; so has
# autovacuum, which is nobody's session and gives way.
_BUILDING = text(
    "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.relation = CAST(CAST(:oid AS bigint) AS oid)"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND l.mode = 'ShareUpdateExclusiveLock' AND l.pid <> pg_backend_pid()"
    " AND a.usesysid IS NOT NULL"
)


def wait_for_statement(connection: Connection, mark: str, terms: Terms) -> None:
    """Waits until no session runs the statement with that mark.

    Raises:
        LockNotObtained: It takes longer than the run waits for others.
    """
    _wait(connection, lambda: bool(connection.scalar(_MARKED, {"mark": mark})), terms)


def wait_for_builders(connection: Connection, table: int, terms: Terms) -> None:
    """Waits until nobody builds or drops an index of the table.

    Raises:
        LockNotObtained: It takes longer than the run waits for others.
    """
    _wait(connection, lambda: bool(connection.scalar(_BUILDING, {"oid": table})), terms)


def _wait(connection: Connection, somebody: Callable[[], bool], terms: Terms) -> None:
    begun = time.monotonic()
    said = float("-inf")
    theirs = connection.in_transaction()
    while somebody():
        waited = time.monotonic() - begun
        if waited >= terms.wait:
            raise LockNotObtained(
                f"a statement of an earlier run still runs on the server, after {terms.wait:.0f} s",
                hint="look at it in pg_stat_activity; wait longer with --wait-lock, or end it with "
                "SELECT pg_terminate_backend(pid)",
            )
        if waited - said >= _SAID_EVERY:
            said = waited
            terms.emit(
                LockAwaited(holder="a statement of an earlier run", left=terms.wait - waited)
            )
        if not theirs:
            connection.rollback()  # it may wait for everybody who has a snapshot
        time.sleep(_PAUSE)
        if theirs:  # the list is kept as it is to the end of a transaction
            connection.exec_driver_sql("SELECT pg_stat_clear_snapshot()")

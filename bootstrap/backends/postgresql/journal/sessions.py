"""What a session is doing, as its driver knows without asking."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.util import await_only

from bootstrap.journal.entries import UNSEEN

_IDLE = 0  # libpq's PQTRANS_IDLE
_BEGUN = 2  # psycopg2.extensions.STATUS_BEGIN
_WRITTEN = re.compile(r"(?:INSERT \d+|UPDATE|DELETE) (\d+)")  # a command's tag


def commits_each(connection: Connection) -> bool:
    """Whether the next statement is a transaction of its own.

    Outside of transactions a driver that is not in autocommit mode begins one before it; after a
    COMMIT that it was given as text, asyncpg and psycopg2 do not know that they should.
    """
    raw: Any = connection.connection.dbapi_connection
    if not getattr(raw, "autocommit", False) and not _believes(raw):
        return False
    return not _in_transaction(raw.driver_connection if hasattr(raw, "run_async") else raw)


def begin(connection: Connection) -> None:
    """Begins a transaction where each statement would be one.

    Not by a prepared statement where that can be avoided: a pooler may prepare it on one session
    and look for it on another, as long as no transaction keeps one.
    """
    raw: Any = connection.connection.dbapi_connection
    if hasattr(raw, "run_async"):
        raw.run_async(lambda driver: driver.execute("BEGIN"))
    else:
        connection.exec_driver_sql("BEGIN")


def send(connection: Connection, sql: str) -> None:
    """Sends what has no parameters, in a transaction, without being seen by who listens."""
    if not sent_plainly(connection, sql):
        connection.exec_driver_sql(sql, execution_options=UNSEEN)


def sent_plainly(connection: Connection, sql: str, cursor: Any = None) -> bool:
    """Sends one statement without parameters and without rows, where the driver is asyncpg.

    That would prepare it, run it and close it: three round trips in the place of one. Raises what
    SQLAlchemy's adapter for it raises.

    Args:
        connection: The migrating one.
        sql: The statement.
        cursor: One of it, which is told how many rows were written.

    Returns:
        False where it is another driver; nothing was sent.
    """
    raw: Any = connection.connection.dbapi_connection
    if not hasattr(raw, "_start_transaction"):
        return False
    if raw._transaction is None:  # noqa: SLF001 - as SQLAlchemy does before its own
        await_only(raw._start_transaction())  # noqa: SLF001
    try:
        tag = raw.run_async(lambda driver: driver.execute(sql))
    except Exception as error:  # noqa: BLE001 - it is for SQLAlchemy to tell what it is
        raw._handle_exception(error)  # noqa: SLF001
    else:
        written = _WRITTEN.fullmatch(tag)
        if cursor is not None and written:
            # A property that cannot be set from SQLAlchemy 2.1 on, a plain attribute before.
            name = "_rowcount" if hasattr(cursor, "_rowcount") else "rowcount"
            setattr(cursor, name, int(written[1]))
    return True


def _believes(raw: Any) -> bool:
    """Whether the driver takes a transaction for open that may have been ended behind its back."""
    if hasattr(raw, "_transaction"):  # SQLAlchemy's for asyncpg
        return raw._transaction is not None  # noqa: SLF001 - it has no public name
    return type(raw).__module__.startswith("psycopg2") and raw.status == _BEGUN


def _in_transaction(driver: Any) -> bool:
    """What the server said last."""
    if hasattr(driver, "is_in_transaction"):  # asyncpg
        return bool(driver.is_in_transaction())
    told = getattr(driver, "info", None)  # psycopg, psycopg2
    return told is not None and bool(told.transaction_status != _IDLE)

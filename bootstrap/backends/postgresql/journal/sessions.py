"""What a session is doing, as its driver knows without asking."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

_IDLE = 0  # libpq's PQTRANS_IDLE
_BEGUN = 2  # psycopg2.extensions.STATUS_BEGIN


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

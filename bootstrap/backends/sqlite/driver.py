"""The driver's own connection and cursor, past SQLAlchemy: no event and no transaction of its."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Connection


def in_transaction(connection: Connection) -> bool:
    """Whether SQLite is in a transaction; SQLAlchemy may believe so before it is."""
    driver: Any = connection.connection.driver_connection
    return bool(driver.in_transaction)


def begins_by_itself(connection: Connection) -> bool:
    """Whether the driver begins transactions, as it does unless somebody tells it not to."""
    driver: Any = connection.connection.driver_connection
    return driver.isolation_level is not None


def send(connection: Connection, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
    """Sends one statement, and gives its rows."""
    return send_raw(connection.connection, sql, parameters)


def send_raw(raw: Any, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
    """Sends one statement on what the driver calls a connection, and gives its rows."""
    with closing(raw.cursor()) as cursor:
        cursor.execute(sql, tuple(parameters))
        rows: list[Any] = list(cursor.fetchall())
        return rows

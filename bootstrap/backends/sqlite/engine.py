"""Async engines for SQLite."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from bootstrap.backends.base import Connecting, Pool
from bootstrap.backends.engine import PlainEngines


class SQLiteEngines(PlainEngines):
    """Foreign keys hold, as on the servers: SQLite wants to be asked on each connection."""

    def made(self, connecting: Connecting, **options: Any) -> AsyncEngine:
        """Makes an engine whose connections enforce foreign keys."""
        engine = super().made(connecting, **options)
        event.listen(engine.sync_engine, "connect", _foreign_keys_on)
        return engine

    def pooled(self, connecting: Connecting, pool: Pool) -> AsyncEngine:
        """Makes an engine that undoes what a cancelled task has begun."""
        engine = super().pooled(connecting, pool)
        event.listen(engine.sync_engine, "invalidate", _undo_cancelled)
        return engine


def _foreign_keys_on(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _undo_cancelled(connection: Any, _record: object, error: BaseException | None) -> None:
    """Ends the statement, which works on in its thread, and gives its locks back.

    To close the connection is not enough: SQLite keeps it open behind the scenes for as long as
    there is a cursor, which the traceback of the cancelled task has.
    """
    if connection is not None and isinstance(error, asyncio.CancelledError):
        connection.run_async(_interrupt)


async def _interrupt(driver: Any) -> None:
    await driver.interrupt()
    await driver.rollback()

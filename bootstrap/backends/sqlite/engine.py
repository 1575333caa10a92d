"""Async engines for SQLite."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from bootstrap.backends.base import Connecting
from bootstrap.backends.engine import PlainEngines


class SQLiteEngines(PlainEngines):
    """Foreign keys hold, as on the servers: SQLite wants to be asked on each connection."""

    def create(self, connecting: Connecting) -> AsyncEngine:
        """Makes an engine whose connections enforce foreign keys."""
        engine = super().create(connecting)
        event.listen(engine.sync_engine, "connect", _foreign_keys_on)
        return engine


def _foreign_keys_on(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()

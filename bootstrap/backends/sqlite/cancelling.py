"""Ends a statement on SQLite, which runs in this process (sqlite3_interrupt)."""

from __future__ import annotations

import inspect
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from bootstrap.backends.base import Connecting, Engines
from bootstrap.backends.sessions import Blocker, Cancellable


class SQLiteCancelling:
    """Whoever has the connection can interrupt it, from any thread."""

    def of(self, connection: Connection, *, spare: str) -> Cancellable | None:
        """The driver's connection."""
        raw = connection.connection.driver_connection
        return _Open(raw=raw) if hasattr(raw, "interrupt") else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    raw: Any

    async def cancel(self, engines: Engines, connecting: Connecting) -> bool:
        """Interrupts it. Nobody can look whether there is anything to interrupt."""
        # One that is closed by now raises; aiosqlite raises ValueError.
        with suppress(sqlite3.Error, ValueError):
            answer = self.raw.interrupt()
            if inspect.isawaitable(answer):  # aiosqlite's never waits, so any loop will do
                await answer
        return False

    async def end(self, engines: Engines, connecting: Connecting) -> bool:
        """There is no server that could go on."""
        return False

    async def blockers(self, engines: Engines, connecting: Connecting) -> tuple[Blocker, ...]:
        """A file does not tell who has locked it."""
        return ()

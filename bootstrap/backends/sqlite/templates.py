"""Copies SQLite databases: files."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine

from bootstrap.backends.base import Connecting, Engines, PooledEngines
from bootstrap.backends.sqlite.admin import SQLiteAdmin
from bootstrap.backends.sqlite.files import file_of

_NOBODY_WRITES = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
_OWNER_WRITES = _NOBODY_WRITES | stat.S_IWUSR


class SQLiteTemplates:
    """A complete template is a file that nobody may write."""

    async def version(self, engines: Engines, connecting: Connecting) -> str:
        """The version of the library."""
        return sqlite3.sqlite_version

    async def is_complete(self, engines: Engines, template: Connecting) -> bool:
        """Whether it is there, with all that belongs into it."""
        path = _file(template)
        return path.exists() and not path.stat().st_mode & stat.S_IWUSR

    async def complete(self, engines: Engines, template: Connecting) -> None:
        """Says that all is in it; from now on it is copied only."""
        path = _file(template)
        # All of it goes into the one file: no WAL is left beside it when the last one closes.
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        path.chmod(_NOBODY_WRITES)

    async def remove(self, engines: Engines, template: Connecting) -> None:
        """Removes the file."""
        _file(template).chmod(_OWNER_WRITES)
        await SQLiteAdmin().drop(engines, template, force=True)

    async def copier(self, engines: PooledEngines, template: Connecting) -> SQLiteCopier:
        """What copies it, as often as wanted."""
        return SQLiteCopier(engines, _file(template))

    def allow_savepoints(self, engine: AsyncEngine) -> None:
        """Begins when SQLAlchemy does.

        Python's sqlite3 begins before the first write only, and a savepoint outside of a
        transaction is one itself: to release it is to commit (sqlite.org/lang_savepoint.html).
        """
        event.listen(engine.sync_engine, "begin", _begin)


class SQLiteCopier:
    """Copies one template."""

    def __init__(self, engines: Engines, template: Path) -> None:
        self._engines = engines
        self._template = template

    async def copy(self, to: Connecting) -> None:
        """Makes a file as the template is, which the owner may write."""
        path = _file(to)
        shutil.copyfile(self._template, path)
        path.chmod(_OWNER_WRITES)

    async def renew(self, used: Connecting, to: Connecting) -> bool:
        """Removes the file: to copy one is quicker than to look at it."""
        await SQLiteAdmin().drop(self._engines, used, force=True)
        return False

    async def close(self) -> None:
        """Nothing is kept."""


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _file(connecting: Connecting) -> Path:
    path = file_of(connecting.url)
    assert path is not None  # noqa: S101 - nothing in memory gets here
    return path

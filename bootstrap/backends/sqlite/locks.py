"""The run lock on SQLite: a file beside the database, locked by flock(2).

The kernel gives it back when the process ends, however that comes about. SQLite's own locks will
not do: the migration itself needs them, and gives them back after each revision.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bootstrap.backends.base import Connecting, Engines
from bootstrap.backends.sessions import Holder, Owner
from bootstrap.backends.sqlite.files import file_of

_ENDING = ".bootstrap-lock"


class SQLiteLocks:
    """Locks that are files; a database in memory is nobody else's and needs none."""

    async def open(
        self, engines: Engines, connecting: Connecting, *, name: str, owner: Owner
    ) -> SQLiteLockSession:
        """Finds the place of the lock; nothing is taken yet.

        One for all version tables in a file: SQLite has one writer anyway.
        """
        path = file_of(connecting.url)
        return SQLiteLockSession(None if path is None else path.resolve(), owner=owner)


class SQLiteLockSession:
    """An open file with a lock on it."""

    def __init__(self, database: Path | None, *, owner: Owner) -> None:
        self._database = database
        self._path = database and database.with_name(database.name + _ENDING)
        self._owner = owner
        self._file: int | None = None

    async def acquire(self) -> bool:
        """Tries once. Raises the operating system's error where no file can be made."""
        if self._path is None:
            return True
        self._file = _locked(self._path, mode=_mode(self._database))
        if self._file is None:
            return False
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, _said(self._owner), 0)
        return True

    async def announce(self) -> None:
        """The file says it already."""

    async def is_held(self) -> bool:
        """Whether the locked file is still the one that others would find."""
        return not self.has_gone()

    def has_gone(self) -> bool:
        """Looks at the file, which costs nothing."""
        if self._path is None:
            return False
        return self._file is None or not _is_at(self._file, self._path)

    async def holder(self) -> Holder | None:
        """Who holds it, as the file says."""
        if self._path is None:
            return None
        try:
            file = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            return None if _try_lock(file) else _holder(os.pread(file, 4096, 0))
        finally:
            os.close(file)

    async def end_holder(self) -> bool:
        """Removes the file: whoever has locked it holds nothing any more, and will notice."""
        if self._path is None or await self.holder() is None:
            return False
        self._path.unlink(missing_ok=True)
        return True

    async def close(self) -> None:
        """Removes the file while it is still locked, so that nobody else's is removed."""
        if self._file is None or self._path is None:
            return
        with suppress(OSError):
            if _is_at(self._file, self._path):
                self._path.unlink()
        os.close(self._file)
        self._file = None


def _mode(database: Path | None) -> int:
    """Whoever may write to the database may lock it."""
    return 0o600 if database is None else database.stat().st_mode & 0o666


def _locked(path: Path, *, mode: int) -> int | None:
    """The file, locked; None when somebody else has it."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
        if not _try_lock(file):
            os.close(file)
            return None
        if _is_at(file, path):
            return file
        os.close(file)  # its last holder removed it between our open and our lock


def _try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _said(owner: Owner) -> bytes:
    said = {
        "host": owner.host,
        "pid": owner.pid,
        "user": owner.user,
        "since": datetime.now(UTC).isoformat(),
    }
    return json.dumps(said).encode()


def _holder(text: bytes) -> Holder:
    """What the file says; nothing while its holder is about to write."""
    try:
        said: dict[str, Any] = json.loads(text)
        owner = Owner(host=said["host"], pid=said["pid"], user=said["user"])
        return Holder(owner=owner, since=datetime.fromisoformat(said["since"]))
    except (ValueError, KeyError):
        return Holder()

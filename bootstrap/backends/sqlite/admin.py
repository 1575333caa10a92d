"""Creates and removes SQLite files."""

from __future__ import annotations

import errno
import pwd
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy import URL

from bootstrap.backends.base import Connecting, CreateOptions, Engines, Session
from bootstrap.backends.sqlite.files import file_of, with_companions

_PROCESSES = Path("/proc")  # Linux; elsewhere only those are noticed who keep the file busy


class SQLiteAdmin:
    """A database is a file; one in memory is always there and cannot be dropped."""

    def identity(self, url: URL) -> tuple[str, ...]:
        """The file, whatever path leads to it."""
        path = file_of(url)
        return () if path is None else (str(path.resolve()),)

    async def exists(self, engines: Engines, connecting: Connecting) -> bool:
        """Tells whether the file is there and may be a database.

        Raises the operating system's error for a folder.
        """
        path = file_of(connecting.url)
        if path is not None and path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
        return path is None or path.exists()

    async def create(
        self,
        engines: Engines,
        connecting: Connecting,
        options: CreateOptions,
    ) -> None:
        """Creates the file and its folders, in WAL mode: readers and one writer side by side.

        Only here: the mode is kept in the file, and switching it later fails while others write.
        """
        path = file_of(connecting.url)
        if path is None:
            return
        _make_folders(path.parent)
        path.touch(exist_ok=False)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")

    def lobby(self, connecting: Connecting) -> Connecting:
        """The file itself: there is no server."""
        return connecting

    async def names(self, engines: Engines, connecting: Connecting) -> tuple[str, ...]:
        """Nothing: other files are no business of this one."""
        return ()

    def grant(self, account: str) -> str:
        """Nothing: whoever may write into a folder may create a database."""
        return ""

    async def drop(self, engines: Engines, connecting: Connecting, *, force: bool) -> None:
        """Removes the file and its companions; without `force` only when nobody works on it."""
        path = file_of(connecting.url)
        if path is None:
            return
        _refuse_foreign(path)
        if not force:
            _refuse_while_busy(path)
        _remove(path)

    async def sessions(self, engines: Engines, connecting: Connecting) -> tuple[Session, ...]:
        """The processes that have the file open, this one included if it has."""
        path = file_of(connecting.url)
        return () if path is None else tuple(_holders(path.resolve()))


def _make_folders(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, "it is not a folder", str(folder)) from error
    except FileNotFoundError as error:  # where the system allows nobody to make one, as in /proc
        raise PermissionError(errno.EACCES, "no folder can be made", str(folder)) from error


def _refuse_foreign(path: Path) -> None:
    """Raises SQLITE_NOTADB for a file that SQLite did not write; an empty one may become one."""
    with closing(sqlite3.connect(path.resolve().as_uri() + "?mode=ro", uri=True)) as connection:
        connection.execute("PRAGMA schema_version")


def _remove(path: Path) -> None:
    for file in reversed(with_companions(path)):
        file.unlink(missing_ok=file != path)


def _refuse_while_busy(path: Path) -> None:
    """Raises SQLITE_BUSY while somebody reads or writes, or is connected at all in WAL mode."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("ROLLBACK")


def _holders(path: Path) -> Iterator[Session]:
    for process in sorted(_PROCESSES.glob("[0-9]*"), key=lambda folder: int(folder.name)):
        with suppress(OSError):  # it ended meanwhile, or is another user's
            if str(path) in _opened(process):
                name = (process / "comm").read_text(encoding="utf-8").strip()
                user = _user(process.stat().st_uid)
                yield Session(pid=int(process.name), user=user, application=name)


def _opened(process: Path) -> Iterator[str]:
    for link in (process / "fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            yield str(link.readlink())


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)

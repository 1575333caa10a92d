"""What can be wrong with a SQLite file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy import URL, Connection, text

from bootstrap.backends.health import (
    Check,
    Circumstances,
    Said,
    fine,
    unknown,
    version_of,
    warning,
    writable,
)
from bootstrap.backends.sqlite.files import file_of

_DROPS_COLUMNS = (3, 35)  # sqlite.org/lang_altertable.html
_MOUNTS = Path("/proc/self/mountinfo")  # Linux
# Where POSIX locks, or the shared memory of WAL, are not to be relied upon (sqlite.org/wal.html).
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "vboxsf"}
    | {"fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.rclone"}
)


def read_only(connection: Connection) -> str:
    """A file or a folder that may not be written, or a URL that asks for that."""
    if connection.execute(text("PRAGMA query_only")).scalar():
        return "PRAGMA query_only is on"
    return _read_only_file(connection.engine.url)


def _read_only_file(url: URL) -> str:
    path = file_of(url)
    if path is None:
        return ""
    options = dict(parse_qsl(urlsplit(url.database or "").query)) | dict(url.query)
    if options.get("mode") == "ro" or options.get("immutable") == "1":
        return "the URL opens it for reading only"
    if path.exists() and not _may_be_written(path):
        return f"the file {path} may not be written"
    if not _may_be_written(path.resolve().parent):
        return f"the folder of {path}, where SQLite keeps its journal, may not be written"
    return ""


def _may_be_written(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def file_system(path: Path, mounts: str) -> str:
    """The kind of file system that a path is on.

    Args:
        path: Absolute, without links.
        mounts: As in /proc/self/mountinfo (proc(5)).
    """
    found, kind = Path(), ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        point = Path(fields[4].encode().decode("unicode_escape"))
        # Of two on one point the later one is seen.
        if path.is_relative_to(point) and len(point.parts) >= len(found.parts):
            found, kind = point, after.split()[0]
    return kind


def _version(connection: Connection, _known: Circumstances) -> Iterator[Said]:
    version = version_of(connection)
    shown = ".".join(str(number) for number in version)
    if version < _DROPS_COLUMNS:
        yield warning(
            f"SQLite {shown} cannot drop columns", hint="use a Python with SQLite 3.35 or newer"
        )
    else:
        yield fine(f"SQLite {shown}")


def _writable(connection: Connection, _known: Circumstances) -> Iterator[Said]:
    yield writable(read_only(connection))


def _characters(connection: Connection, _known: Circumstances) -> Iterator[Said]:
    yield fine(f"the encoding is {connection.execute(text('PRAGMA encoding')).scalar()}")


def _journal(connection: Connection, _known: Circumstances) -> Iterator[Said]:
    mode = str(connection.execute(text("PRAGMA journal_mode")).scalar()).lower()
    path = file_of(connection.engine.url)
    if mode == "wal" or path is None:
        yield fine(f"the journal mode is {mode}")
    else:
        yield fine(
            f"the journal mode is {mode}: readers and a writer wait for each other",
            hint=f"sqlite3 {path} 'PRAGMA journal_mode = WAL'",
        )


def _place(connection: Connection, _known: Circumstances) -> Iterator[Said]:
    path = file_of(connection.engine.url)
    if path is None:
        yield fine("the database is in memory")
        return
    if not _MOUNTS.is_file():
        yield unknown("what file system the file is on is not told by this system")
        return
    kind = file_system(path.resolve(), _MOUNTS.read_text(encoding="utf-8"))
    yield placed(kind)


def placed(kind: str) -> Said:
    """What is to be said of a kind of file system."""
    if kind in _NETWORK:
        return warning(
            f"the file is on a network file system ({kind}), whose locks are not to be relied upon",
            hint="move it to a disk of this machine, and let no other one open it",
        )
    return fine(f"the file is on {kind or 'a file system'} of this machine")


class SQLiteHealth:
    """The checks, the most important first."""

    checks: ClassVar = (
        Check(name="version", look=_version),
        Check(name="writable", look=_writable),
        Check(name="characters", look=_characters),
        Check(name="journal mode", look=_journal),
        Check(name="file system", look=_place),
    )

    def read_only(self, connection: Connection) -> str:
        """Why nothing can be written."""
        return read_only(connection)

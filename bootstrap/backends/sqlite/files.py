"""The file behind a SQLite URL."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import URL

_BESIDE = ("-wal", "-shm", "-journal")  # sqlite.org/tempfiles.html


def file_of(url: URL) -> Path | None:
    """The file that a URL names, relative to the working directory; None for one in memory."""
    name = url.database or ""
    if name.startswith("file:"):  # sqlite.org/uri.html
        name = unquote(urlsplit(name).path)
        if url.query.get("mode") == "memory":
            return None
    if name in {"", ":memory:"}:
        return None
    return Path(name)


def with_companions(path: Path) -> tuple[Path, ...]:
    """The database file and the files that SQLite may keep beside it."""
    return (path, *(path.with_name(path.name + ending) for ending in _BESIDE))

"""The async driver of SQLite, and what its URLs may ask for."""

from __future__ import annotations

from urllib.parse import quote

from sqlalchemy import URL

from bootstrap.backends.base import Connecting, Driver
from bootstrap.backends.options import number, options_of, seconds, switch

# Parameters of a file name that is a URI (sqlite.org/uri.html).
_OF_THE_FILE = frozenset({"mode", "cache", "immutable", "nolock", "psow", "vfs"})
_PLAIN = frozenset({"isolation_level", "check_same_thread", "detect_types", "cached_statements"})
_KNOWN = _OF_THE_FILE | _PLAIN | {"timeout", "uri"}


def _aiosqlite(url: URL) -> Connecting:
    """Lets SQLAlchemy read its own options, and makes a URI of a file name that needs one.

    SQLAlchemy takes `mode=ro` only together with `uri=true` and a name that begins with `file:`,
    and throws it away otherwise: the file would be opened for writing.
    """
    options = options_of(url, _KNOWN)
    _check(options)
    if not _OF_THE_FILE & options.keys():
        return Connecting(url=url)
    return Connecting(url=url.set(database=_uri(url)).update_query_dict({"uri": "true"}))


def _check(options: dict[str, str]) -> None:
    """Raises SettingsError for what `sqlite3` would refuse with an exception of Python's."""
    if "timeout" in options:
        seconds("timeout", options["timeout"])
    for name in ("detect_types", "cached_statements"):
        if name in options:
            number(name, options[name], kind=int)
    for name in ("uri", "check_same_thread"):
        if name in options:
            switch(name, options[name])


def _uri(url: URL) -> str:
    name = url.database or ":memory:"
    return name if name.startswith("file:") else f"file:{quote(name)}"


DRIVERS = (
    Driver(name="aiosqlite", module="aiosqlite", install="aiosqlite", connecting=_aiosqlite),
)
SYNC_DRIVERS = {"pysqlite": "sqlite3", "pysqlcipher": "sqlcipher3"}

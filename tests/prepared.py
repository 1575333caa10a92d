"""Throwaway servers whose data folder is a copy of one that was made before.

To make it (`initdb`, `mysqld --initialize`) takes longer than all that most tests do with a server.
What tests/conformance/test_throwaway_servers.py starts is made anew each time.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from bootstrap import backends
from bootstrap.backends.base import Backend, Server, ServerCommands
from bootstrap.testing import ThrowawayServer
from bootstrap.testing.servers import _account
from tests.engines import cache

# Under a name of its own first: whoever is killed meanwhile leaves nothing that could be taken for
# a whole one. Of two that come at once the second one finds the folder of the first, and goes.
_KEEP = 'cp -a "$1" "$2.$$" && { mv -T "$2.$$" "$2" || rm -rf "$2.$$"; }'


def throwaway(
    backend: str | Backend,
    *,
    programs: Path | None,
    durable: bool = False,
    options: tuple[str, ...] = (),
) -> ThrowawayServer:
    """A server to be started, with the arguments of ThrowawayServer."""
    known = backends.named(backend) if isinstance(backend, str) else backend
    assert known.server is not None
    if programs is not None:
        copied: Any = _Copied(known.server, known.name, options)
        known = replace(known, server=copied)
    return ThrowawayServer(known, programs=programs, durable=durable, options=options)


class _Copied:
    """A server whose first command copies; or keeps a copy, the first time."""

    def __init__(self, server: Server, name: str, options: tuple[str, ...]) -> None:
        self._server = server
        self._name = name
        self._options = options

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    def commands(self, programs: Path, folder: Path, port: int, *, durable: bool) -> ServerCommands:
        found = self._server.commands(programs, folder, port, durable=durable)
        if found.init_takes_options and self._options:
            return found
        data = str(folder / "data")
        kept = _folder(found) / self._key(programs, folder, found)
        copy = ("cp", "-a", str(kept), data)
        keep = ("/bin/sh", "-c", _KEEP, "sh", data, str(kept))
        return replace(found, init=(copy,) if kept.is_dir() else (*found.init, keep))

    def _key(self, programs: Path, folder: Path, found: ServerCommands) -> str:
        """Another program, another version or other options make another folder."""
        said = (self._server.version(programs), str(found.init).replace(str(folder), ""))
        return f"{self._name}-{sha256(repr(said).encode()).hexdigest()[:16]}"


def _folder(found: ServerCommands) -> Path:
    """Where the account that the server runs as keeps its copies."""
    account = _account(found)
    folder = cache.home() / "data" / (account or "own")
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        if account:
            shutil.chown(folder, account)
    return folder

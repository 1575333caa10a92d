"""A server that is killed with SIGKILL, and started again with what it has kept."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from bootstrap import backends
from bootstrap.backends.base import Server, ServerCommands
from tests import available
from tests.prepared import throwaway

_DOWN = "down"  # a file in the server's folder, for as long as it is not to run
_AGAIN = f"""
while :; do
    while [ -e {_DOWN} ]; do sleep 0.05; done
    "$@" || sleep 0.05
done
"""


class _Again:
    """Commands of a server that is started again whenever it has ended."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    def commands(self, programs: Path, folder: Path, port: int, *, durable: bool) -> ServerCommands:
        found = self._server.commands(programs, folder, port, durable=durable)
        return replace(found, run=("/bin/sh", "-c", _AGAIN, "sh", *found.run))


@dataclass(frozen=True, kw_only=True)
class Killable:
    """A server that runs.

    Attributes:
        url: Where it answers.
        shell: The process that starts it again.
        folder: Its files.
    """

    url: URL
    shell: int
    folder: Path

    def kill(self) -> int:
        """Kills all of its processes at once, and keeps it down; how many there were."""
        (self.folder / _DOWN).touch()
        pids = [pid for pid in _of_session(self.shell) if pid != self.shell]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return len(pids)

    def start_again(self) -> None:
        """Lets it start."""
        (self.folder / _DOWN).unlink()


@contextmanager
def killable(backend_name: str) -> Iterator[Killable]:
    """A durable server for the time of the block."""
    found = available.look_for(backend_name)
    assert isinstance(found, available.Found), f"{backend_name} is missing"
    backend = backends.named(backend_name)
    assert backend.server is not None
    again = replace(backend, server=_Again(backend.server))
    server = throwaway(again, programs=found.programs, durable=True)
    with server as running:
        yield Killable(url=running.url, shell=running.pid, folder=running.folder)


def _of_session(session: int) -> Iterator[int]:
    """The processes that were started by one, and by those (proc(5): the session's id)."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[3]) == session:
                yield int(entry.name)

"""A real PgBouncer in front of a PostgreSQL server."""

from __future__ import annotations

import os
import pwd
import secrets
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import URL

from bootstrap.testing.watchdog import Order
from bootstrap.testing.watched import Watched
from tests import available
from tests.engines.cache import programs

_SECONDS = 20.0
_WRITE = 'printf %s "$1" > pgbouncer.ini'
# PgBouncer follows prepared statements since 1.21; older ones, and other poolers, do not.
_SETTINGS = """\
[databases]
* = host={server.host} port={server.port} user={server.username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
max_prepared_statements = 0
"""


class PgBouncer:
    """A pooler in transaction mode, which the watchdog of throwaway servers looks after.

    Args:
        server: What it hands connections out of.
        size: How many sessions it has on each database of the server.
    """

    def __init__(self, server: URL, *, size: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self._port: int = listener.getsockname()[1]
        self.url = server.set(drivername="postgresql", host="127.0.0.1", port=self._port)
        settings = _SETTINGS.format(server=server, port=self._port, size=size)
        folder = Path(tempfile.gettempdir()) / f"bootstrap-{secrets.token_hex(8)}"
        order = Order(
            folder=str(folder),
            init=(("/bin/sh", "-c", _WRITE, "sh", settings),),
            run=(str(_program()), "pgbouncer.ini"),
            account=_account(),
        )
        self._watched = Watched(order)

    def wait(self) -> None:
        """Waits until it listens."""
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            self._watched.listen(0.02)
            assert self._watched.ended is None, self._watched.log(10)
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self._port)).close()
                return
        pytest.fail(f"PgBouncer did not start: {self._watched.log(10)}")

    def stop(self) -> None:
        """Stops it."""
        self._watched.stop()


def _program() -> Path:
    """Where PgBouncer is."""
    folder = programs("pgbouncer")
    if folder is None:
        complain = pytest.fail if "pgbouncer" in available.required() else pytest.skip
        complain("PgBouncer is missing; to get it: python -m tests.engines fetch pgbouncer")
    return folder / "pgbouncer"


def _account() -> str | None:
    """PgBouncer refuses root."""
    there = {entry.pw_name for entry in pwd.getpwall()}
    root = "postgres" if "postgres" in there else "nobody"
    return root if os.geteuid() == 0 else None

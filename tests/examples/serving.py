"""The service under a real uvicorn, which is asked over real HTTP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bootstrap.database import Database
from tests import available

PATIENCE = 60  # seconds for what takes a few


@contextmanager
def served(url: str, log: Path) -> Iterator[str]:
    """Where the service answers, on a database that is created by it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "tests.examples.quick:app", "--no-access-log"]
    command += ["--timeout-keep-alive=60"]  # a client must not use what is being closed
    with log.open("w") as output:
        server = subprocess.Popen(
            [*command, f"--port={port}"], env={**os.environ, "DATABASE_URL": url}, stderr=output
        )
    try:
        where = f"http://127.0.0.1:{port}"
        with httpx.Client(transport=httpx.HTTPTransport(retries=9)) as client:
            assert 200 == client.get(f"{where}/ready", timeout=PATIENCE).status_code
        yield where
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(PATIENCE)


def connections(url: str) -> int:
    """How many connections others have to a database on a server."""
    database = Database.of(url)
    admin, engines = database.backend.admin, database.backend.engines
    return len(available.without_loop(admin.sessions(engines, database.connecting())))


def user(name: str) -> dict[str, str]:
    """A user who can be created once."""
    return {"username": name, "email": f"{name}@example.org", "password": "correct horse"}

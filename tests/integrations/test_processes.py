"""An application in several processes, and its event loop while the database is migrated."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import make_url

from tests import available
from tests.projects import ProjectFolder

_PATIENCE = 60  # seconds for what takes a few
_SERVERS = ["sqlite", "postgresql", "mysql", "mariadb"]
_PREPARED = """
    import asyncio, json, os, sys, time
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path
    from sqlalchemy import text
    import bootstrap
    from bootstrap.integrations.applications import ApplicationDatabase

    url, ini = sys.argv[1:]
    project = bootstrap.Project.at(Path(ini))
    database = ApplicationDatabase(url, project=project)
"""
_FORKED = """
    async def connection():
        async with database.transaction() as session:
            raw = await (await session.connection()).get_raw_connection()
            return id(raw.driver_connection), await session.scalar(text("SELECT 1"))

    async def main():
        async with database.started(behind="migrate"):
            before = await connection()
            kept = database.sessions
            reading, writing = os.pipe()
            child = os.fork()
            if not child:
                first = asyncio.run(connection())
                same = kept.kw["bind"] is database.engine
                of_child = [first, same, database.engine.pool.checkedin()]
                os.write(writing, json.dumps(of_child).encode())
                os._exit(0)
            assert (child, 0) == os.waitpid(child, 0)
            of_child = json.loads(os.read(reading, 1000))
            after = await connection()
            print(json.dumps([before, of_child, after]))

    asyncio.run(main())
"""
_LAG = """
    async def gap(work):
        longest, last = 0.0, time.monotonic()

        async def tick():
            nonlocal longest, last
            while True:
                await asyncio.sleep(0.005)
                longest, last = max(longest, time.monotonic() - last), time.monotonic()

        ticking = asyncio.create_task(tick())
        await asyncio.sleep(0)
        await work()
        await asyncio.sleep(0.05)  # it ticks once more
        ticking.cancel()
        return longest

    async def start(database=database):
        async with database.started(behind="migrate"):
            assert (await database.readiness()).ready

    async def blocking():
        another = ApplicationDatabase(url + "2", project=project)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, start(another)).result()

    async def main():
        print(json.dumps([await gap(work) for work in (start, blocking)]))

    asyncio.run(main())
"""


def ran(program: str, url: str, folder: ProjectFolder) -> Any:
    """What a program prints as JSON, run in a process of its own."""
    source = textwrap.dedent(_PREPARED) + textwrap.dedent(program)
    done = subprocess.run(
        [sys.executable, "-c", source, url, str(folder.root / "alembic.ini")],
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE,
    )
    assert (0, "") == (done.returncode, done.stderr)
    answer: Any = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("backend_name", _SERVERS, indirect=True)
def test_a_forked_process_has_connections_of_its_own(empty_url: str, folder: ProjectFolder) -> None:
    before, of_child, after = ran(_FORKED, empty_url, folder)

    first, same_engine, kept = of_child
    assert (True, 1) == (same_engine, kept)
    assert first[0] != before[0]  # the one of the parent still lives there, so ids differ
    assert before == after  # and the parent goes on with its own


def test_the_event_loop_goes_on_while_the_database_is_migrated(
    tmp_path: Path, folder: ProjectFolder
) -> None:
    first = folder.files[0]
    slow = "def upgrade():\n    __import__('time').sleep(2)"  # as a server that is asked much
    first.write_text(first.read_text().replace("def upgrade():", slow))
    url = f"sqlite:///{tmp_path}/app.db"
    for one in (url, f"{url}2"):
        available.create(make_url(one))

    running, blocked = ran(_LAG, url, folder)

    assert blocked >= 2.0  # the control
    assert running < blocked / 4


@pytest.mark.parametrize("options", [(), ("--preload",)], ids=["loaded by each", "preloaded"])
@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
def test_two_workers_serve_one_database(fresh_url: str, options: tuple[str, ...]) -> None:
    """Neither is there before: one of them creates and migrates it."""
    with gunicorn(fresh_url, *options) as client:
        seen = _both(client)
        created = [client.post("/users", json=_user(number)).status_code for number in range(10)]
        count = client.get("/users/count").json()

    workers, loaders = set(seen), set(seen.values())
    assert 2 == len(workers)
    assert workers.isdisjoint(loaders) if options else workers == loaders
    assert ([201] * 10, {"count": 10}) == (created, count)


def _both(client: httpx.Client) -> dict[int, int]:
    """The workers, each with the process that has loaded the application."""
    seen: dict[int, int] = {}
    deadline = time.monotonic() + _PATIENCE
    while len(seen) < 2 and time.monotonic() < deadline:
        answer = client.get("/pid").json()
        seen[answer["pid"]] = answer["imported_in"]
    return seen


def _user(number: int) -> dict[str, str]:
    name = f"user{number}"
    return {"username": name, "email": f"{name}@example.org", "password": "correct horse"}


@contextmanager
def gunicorn(url: str, *options: str) -> Iterator[httpx.Client]:
    """The example under gunicorn with two workers, each request on a connection of its own."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "tests.integrations.pids:app", "--workers=2"]
    command += [f"--bind=127.0.0.1:{port}", "--worker-class=uvicorn_worker.UvicornWorker"]
    server = subprocess.Popen(
        [*command, "--no-control-socket", *options], env={**os.environ, "DATABASE_URL": url}
    )
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Connection": "close"},
            timeout=_PATIENCE,
            transport=httpx.HTTPTransport(retries=8),  # until it listens
        ) as client:
            yield client
    finally:
        server.send_signal(signal.SIGTERM)
        assert 0 == server.wait(_PATIENCE)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port

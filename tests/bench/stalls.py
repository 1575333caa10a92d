"""Measures how long others stand still beside a migration: `python -m tests.bench.stalls`.

A transaction that has read a table stays open for ten seconds, a revision adds a column to that
table, and clients go on reading and writing. Writes the table into docs/gentle.md.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from sqlalchemy import URL, text

import bootstrap
from bootstrap.database import Database
from tests import available
from tests.available import BACKENDS, Servers
from tests.projects import ProjectFolder, new_project

_DOCS = Path(__file__).parents[2] / "docs" / "gentle.md"
_MARK = "<!-- made by python -m tests.bench.stalls -->"
_OPEN = 10.0  # seconds
_EVERY = 0.02
_CLIENTS = 4
_ASKS = ("SELECT * FROM t", "INSERT INTO t (name) VALUES ('x')")


def _project(root: Path) -> ProjectFolder:
    folder = new_project(root)
    folder.revision(
        "one",
        down=None,
        upgrade="op.create_table('t', sa.Column('id', sa.Integer, primary_key=True), "
        "sa.Column('name', sa.String(10)))",
    )
    folder.revision("two", down="one", upgrade="op.add_column('t', sa.Column('more', sa.Integer))")
    return folder


async def _long_transaction(url: str) -> None:
    async with Database.of(url).connect() as connection:
        await connection.execute(text("SELECT * FROM t"))
        await asyncio.sleep(_OPEN)
        await connection.rollback()


async def _client(url: str, ask: str, longest: list[float]) -> None:
    async with Database.of(url).connect() as connection:
        while True:
            started = time.perf_counter()
            await connection.execute(text(ask))
            await connection.commit()
            longest.append(time.perf_counter() - started)
            await asyncio.sleep(_EVERY)


async def _stall(url: str, folder: ProjectFolder, *, ours: bool) -> float:
    """The longest time that a client waited for one answer, in seconds."""
    await bootstrap.migrate(url, "one", project=folder.project)
    longest: list[float] = []
    clients = [
        asyncio.create_task(_client(url, _ASKS[number % len(_ASKS)], longest))
        for number in range(_CLIENTS)
    ]
    blocker = asyncio.create_task(_long_transaction(url))
    await asyncio.sleep(1)
    command = _ours if ours else _alembic
    await command(url, folder)
    await blocker
    for client in clients:
        client.cancel()
        with suppress(asyncio.CancelledError):
            await client
    return max(longest)


async def _ours(url: str, folder: ProjectFolder) -> None:
    await bootstrap.migrate(url, project=folder.project)


async def _alembic(url: str, folder: ProjectFolder) -> None:
    done = await asyncio.to_thread(folder.alembic, "upgrade", "head", url=url)
    assert 0 == done.returncode, done.stderr


def _measured(server: URL, *, ours: bool) -> float:
    url = server.set(database=f"stalls_{int(ours)}")
    available.create(url)
    try:
        with tempfile.TemporaryDirectory() as root:
            shown = url.render_as_string(hide_password=False)
            return asyncio.run(_stall(shown, _project(Path(root) / "project"), ours=ours))
    finally:
        available.drop(url)


def main() -> None:
    """Measures on each server, in turns, and writes the lines."""
    servers = Servers()
    lines = []
    try:
        for name in (one for one in BACKENDS if one != "sqlite"):
            url = servers.url(name)
            ours, theirs = (_measured(url, ours=one) for one in (True, False))
            title = Database.of(url).backend.title
            lines.append(f"| {title} | {ours:.1f} s | {theirs:.1f} s |")
            print(lines[-1], flush=True)
    finally:
        servers.stop()
    before, mark, rest = _DOCS.read_text().partition(_MARK)
    _, _, after = rest.partition(mark)
    table = "\n".join(
        ("| | `bootstrap migrate` | `alembic upgrade head` |", "|---|---|---|", *lines)
    )
    _DOCS.write_text(f"{before}{mark}\n{table}\n{mark}{after}")


main()

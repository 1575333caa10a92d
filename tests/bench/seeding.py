"""Measures large data sets: `python -m tests.bench.seeding [ROWS] [ROUNDS] [BACKEND]...`.

`bootstrap seed` and the loader that comes with the database write the same file into the same empty
table, in turns, each as a whole process; then the file is seeded again. The servers are their own,
durable as they are out of the box. What counts is the ratio.
"""

from __future__ import annotations

import asyncio
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url, text

from bootstrap import reference
from bootstrap.database import Database
from bootstrap.testing import ThrowawayServer
from tests import available
from tests.available import BACKENDS

_ROWS = 1_000_000
_COLUMNS = ("id", "username", "email", "hashed_password", "name", "is_active", "created_at")
_HASH = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$"
_KILOBYTES = 1024


def written(path: Path, rows: int, columns: Sequence[str]) -> Path:
    """A file that every loader takes."""
    made = (_user(number) for number in range(1, rows + 1))
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([f"{name} (key)" if name == "email" else name for name in columns])
        writer.writerows([user[name] for name in columns] for user in made)
    return path


def _user(number: int) -> dict[str, str | int]:
    name = f"user_{number:07}"
    moment = f"{number % 24:02}:00:00.{number % 10**6:06}"
    return {
        "id": number,
        "username": name,
        "email": f"{name}@example.com",
        "hashed_password": f"{_HASH}{number * 2654435761 % 2**32:043x}",
        "name": f"User {number}",
        "is_active": number % 7 and 1,
        "created_at": f"2026-01-{1 + number % 28:02} {moment}",
    }


def columns_of(backend: str) -> Sequence[str]:
    """What is in the file: `.import` wants each column, elsewhere the server gives ids out."""
    return _COLUMNS if backend == "sqlite" else _COLUMNS[1:]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a process took; `memory` is the most that it had, in MB."""

    seconds: float
    memory: int


def cost(*command: str, given: str = "") -> Cost:
    """Runs a process to its end, which must be a good one."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(given.encode())
    process.stdin.close()
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said.decode()
    return Cost(seconds=time.perf_counter() - started, memory=usage.ru_maxrss // _KILOBYTES)


def seeded(url: URL, path: Path) -> Cost:
    """`bootstrap seed`."""
    shown = url.render_as_string(hide_password=False)
    return cost(sys.executable, "-m", "bootstrap", "seed", str(path), "--url", shown)


def imported(url: URL, path: Path) -> Cost:
    """`.import` of SQLite's shell."""
    return cost("sqlite3", "-bail", str(url.database), f".import --csv --skip 1 {path} users")


def copied(url: URL, path: Path) -> Cost:
    r"""`\copy` of psql."""
    columns = ", ".join(columns_of("postgresql"))
    shown = url.set(drivername="postgresql").render_as_string(hide_password=False)
    order = rf"\copy users ({columns}) FROM '{path}' WITH (FORMAT csv, HEADER)"
    return cost("psql", "-X", "-v", "ON_ERROR_STOP=1", "-c", order, shown)


def loaded(url: URL, path: Path) -> Cost:
    """LOAD DATA LOCAL of the client that both servers understand."""
    order = (
        f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE users CHARACTER SET utf8mb4 FIELDS TERMINATED"
        f" BY ',' OPTIONALLY ENCLOSED BY '\"' IGNORE 1 LINES ({', '.join(columns_of('mysql'))})"
    )
    login = ("--protocol=tcp", f"--host={url.host}", f"--port={url.port}", f"--user={url.username}")
    return cost("mariadb", *login, "--local-infile=1", "-e", order, str(url.database))


_LOADERS: dict[str, tuple[str, Callable[[URL, Path], Cost]]] = {
    "sqlite": (".import", imported),
    "postgresql": (r"\copy", copied),
    "mysql": ("LOAD DATA", loaded),
    "mariadb": ("LOAD DATA", loaded),
}


@contextmanager
def place(backend: str, folder: Path) -> Iterator[URL]:
    """Where databases are made: a server of its own, or a folder."""
    if backend == "sqlite":
        yield make_url(f"sqlite:///{folder / 'bench.db'}")
        return
    found = available.look_for(backend)
    assert isinstance(found, available.Found), f"{backend} is missing"
    server = ThrowawayServer(backend, programs=found.programs, durable=True)
    try:
        yield Database.of(server.start().url.set(database="bench")).url
    finally:
        server.stop()


async def _prepare(url: URL) -> None:
    async with Database.of(url).connect() as connection:
        await connection.run_sync(reference.metadata.create_all)
        await connection.commit()
        if url.get_backend_name() in {"mysql", "mariadb"}:
            await connection.execute(text("SET GLOBAL local_infile = 1"))


@contextmanager
def database(url: URL) -> Iterator[URL]:
    """An empty database with the reference schema."""
    available.create(url)
    asyncio.run(_prepare(url))
    try:
        yield url
    finally:
        available.drop(url)
        if url.get_backend_name() == "sqlite":
            Path(str(url.database)).unlink()


def contest(backend: str, *, rows: int, rounds: int) -> None:
    """Measures one backend and prints a line."""
    name, load = _LOADERS[backend]
    theirs, ours, again = [], [], []
    with tempfile.TemporaryDirectory() as folder, place(backend, Path(folder)) as url:
        path = written(Path(folder) / "users.csv", rows, columns_of(backend))
        for _ in range(rounds):
            with database(url):
                theirs.append(load(url, path))
            with database(url):
                ours.append(seeded(url, path))
                again.append(seeded(url, path))
    their, our, second = (
        statistics.median(one.seconds for one in costs) for costs in (theirs, ours, again)
    )
    memory = max(one.memory for one in (*ours, *again))
    print(
        f"{backend:<12}{name:<10}{their:>9.1f}{our:>11.1f}{our / their:>8.2f}"
        f"{second:>10.1f}{our / second:>8.1f}{memory:>8} MB",
        flush=True,
    )


def main() -> None:
    """Measures, and prints the table."""
    numbers = [int(one) for one in sys.argv[1:] if one.isdigit()]
    backends = [one for one in sys.argv[1:] if not one.isdigit()] or BACKENDS
    rows, rounds = (*numbers, *(_ROWS, 3)[len(numbers) :])
    print(f"{rows:,} users, seconds, median of {rounds}")
    print(
        f"{'':<12}{'loader':<10}{'loader':>9}{'bootstrap':>11}{'ratio':>8}{'again':>10}{'faster':>8}"
    )
    for backend in backends:
        contest(backend, rows=rows, rounds=rounds)


if __name__ == "__main__":
    main()

"""Measures reading and verifying: `python -m tests.bench.verifying [ROUNDS]`.

Two contests in one run, in turns: a snapshot of 1,000 tables beside `MetaData.reflect()`, and
`bootstrap verify` on cold servers beside starting them and running `alembic upgrade head` on each,
one after the other. What counts is the ratio.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from sqlalchemy import Column, Connection, ForeignKey, Integer, MetaData, String, Table

from bootstrap import Project, ServerPrograms, verify
from bootstrap.checking.snapshots import read
from bootstrap.database import Database
from bootstrap.testing import throwaway_databases
from tests import available
from tests.available import Found

_ROOT = Path(__file__).parents[2]
_TABLES = 1000
_READ = ("postgresql", "mysql")
Deed = Callable[[], Awaitable[object]]


async def measured(name: str, ours: Deed, theirs: Deed, *, rounds: int) -> None:
    """Runs both in turns, and prints the medians."""
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(rounds):
        for side, deed in (("ours", ours), ("theirs", theirs)):
            started = time.perf_counter()
            await deed()
            seconds[side].append(time.perf_counter() - started)
    mine, other = (statistics.median(seconds[side]) for side in ("ours", "theirs"))
    print(f"{name:<44}{mine:>10.2f}{other:>10.2f}{mine / other:>8.2f}", flush=True)


def tables() -> MetaData:
    """A thousand tables that refer to each other, each with an index."""
    metadata = MetaData()
    for number in range(_TABLES):
        Table(
            f"t_{number}",
            metadata,
            Column("id", Integer, primary_key=True),
            Column("name", String(50), nullable=False, index=True),
            Column("code", String(20), unique=True),
            Column("other", ForeignKey(f"t_{max(number - 1, 0)}.id")),
        )
    return metadata


async def reflected(database: Database) -> None:
    """What SQLAlchemy reads."""
    async with database.connect() as connection:
        await connection.run_sync(lambda plain: MetaData().reflect(plain))


def created(connection: Connection) -> None:
    tables().create_all(connection)
    connection.commit()


async def snapshots(rounds: int) -> None:
    """Reads a thousand tables."""
    for name in _READ:
        found = available.look_for(name)
        if not isinstance(found, Found):
            print(f"{name} is missing: {found.hint}")
            continue
        async with (
            throwaway_databases(name, programs=found.programs) as databases,
            databases.empty() as database,
        ):
            async with database.connect() as connection:
                await connection.run_sync(created)

            async def ours(database: Database = database) -> None:
                assert _TABLES == len((await read(database)).tables)

            async def theirs(database: Database = database) -> None:
                await reflected(database)

            title = f"snapshot / MetaData.reflect, {name}"
            await measured(title, ours, theirs, rounds=rounds)


async def verifying(rounds: int) -> None:
    """Verifies the reference project on all servers that there are."""
    project = Project.at(_ROOT / "alembic.ini")
    there = {name: available.look_for(name) for name in available.BACKENDS}
    found = {name: one for name, one in there.items() if isinstance(one, Found)}
    servers = [
        ServerPrograms(backend=name, programs=one.programs)
        for name, one in found.items()
        if one.programs is not None
    ]

    async def ours() -> None:
        report = await verify(project=project, backends=["sqlite"], servers=servers)
        assert len(servers) + 1 == len(report.servers)

    async def theirs() -> None:
        for name, one in found.items():
            async with AsyncExitStack() as until:
                places = throwaway_databases(name, programs=one.programs)
                databases = await until.enter_async_context(places)
                database = await until.enter_async_context(databases.empty())
                await asyncio.to_thread(_upgraded, database)

    names = ", ".join(found)
    await measured("verify / start, upgrade head, in sequence", ours, theirs, rounds=rounds)
    print(f"  on {names}")


def _upgraded(database: Database) -> None:
    url = database.url.render_as_string(hide_password=False)
    subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=_ROOT,
        env={**os.environ, "DATABASE_URL": url},
        check=True,
        capture_output=True,
        timeout=120,
    )


async def contests(rounds: int) -> None:
    """Runs all, and prints the table."""
    heading = f"seconds, median of {rounds}"
    print(f"{heading:<44}{'bootstrap':>10}{'other':>10}{'ratio':>8}", flush=True)
    await snapshots(rounds)
    await verifying(rounds)


if __name__ == "__main__":
    asyncio.run(contests(int(sys.argv[1]) if len(sys.argv) > 1 else 3))

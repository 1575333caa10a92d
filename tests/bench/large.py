"""Measures `bootstrap drift` beside many rows: `python -m tests.bench.large [ROWS] [ROUNDS]`.

The same database with a handful of rows and with two gigabytes of them, on each server. What counts
is the ratio; rows are not looked at, so it should be near 1.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import bootstrap
from bootstrap.database import Database
from bootstrap.testing import throwaway_databases
from tests import available
from tests.available import Found
from tests.projects import ProjectFolder, three_tables

TWO_GIGABYTES = 8_000_000  # rows
_FEW = 1_000
_FILLING = 250  # characters of a row
_SIZE = {
    "postgresql": "SELECT pg_database_size(current_database())",
    "mysql": "SELECT sum(data_length + index_length) FROM information_schema.tables"
    " WHERE table_schema = DATABASE()",
}


async def filled(url: str, rows: int) -> None:
    """Adds a column to the first table by hand, and fills it with rows, doubling what it has."""
    async with Database.of(url).connect() as connection:
        await connection.exec_driver_sql(
            f"ALTER TABLE t_one ADD COLUMN filling VARCHAR({_FILLING})"
        )
        await connection.exec_driver_sql(f"INSERT INTO t_one VALUES (1, '{'x' * _FILLING}')")
        await connection.commit()
        there = 1
        while there < rows:
            more = min(there, rows - there)
            await connection.exec_driver_sql(
                f"INSERT INTO t_one SELECT id + {there}, filling FROM t_one WHERE id <= {more}"
            )
            await connection.commit()
            there += more


async def _seconds(database: Database, folder: ProjectFolder, rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        report = await bootstrap.drift(database, project=folder.project)
        taken.append(time.perf_counter() - started)
        assert ["filling"] == [one.name for one in report.differences]
    return statistics.median(taken)


async def _gigabytes(database: Database, sql: str) -> float:
    async with database.connect() as connection:
        await connection.exec_driver_sql("ANALYZE" if "pg_" in sql else "ANALYZE TABLE t_one")
        return float((await connection.exec_driver_sql(sql)).scalar_one()) / 1e9


async def _on(backend: str, found: Found, *, rows: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = three_tables(Path(name) / "project")
        taken, size = [], 0.0
        async with throwaway_databases(backend, programs=found.programs) as databases:
            for count in (_FEW, rows):
                async with databases.empty() as database:
                    url = database.url.render_as_string(hide_password=False)
                    await bootstrap.migrate(url, project=folder.project)
                    await filled(url, count)
                    taken.append(await _seconds(database, folder, rounds))
                    size = await _gigabytes(database, _SIZE.get(backend, _SIZE["mysql"]))
    few, many = taken
    print(
        f"{backend:<12}{rows:>12,}{size:>8.1f}{few:>10.2f}{many:>10.2f}{many / few:>8.2f}",
        flush=True,
    )


async def contests(rows: int, rounds: int) -> None:
    """Runs all, and prints the table."""
    print(
        f"{'server':<12}{'rows':>12}{'GB':>8}{'few rows':>10}{'many':>10}{'ratio':>8}", flush=True
    )
    for name in available.BACKENDS:
        found = available.look_for(name)
        if name != "sqlite" and isinstance(found, Found):
            await _on(name, found, rows=rows, rounds=rounds)


if __name__ == "__main__":
    asked = [int(one) for one in sys.argv[1:]]
    asyncio.run(contests(*(asked + [TWO_GIGABYTES, 5][len(asked) :])))

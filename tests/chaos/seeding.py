"""Seeds one large file and kills itself; `python -m tests.chaos.seeding` forks the processes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

import bootstrap
from bootstrap.database import Database
from bootstrap.datasets.reading import csv_files, files
from bootstrap.datasets.writing import loading
from bootstrap.records import seeds
from tests.forking import import_library, serve, write_to


class Moment(StrEnum):
    """When to die."""

    NEVER = "never"
    BETWEEN = "between"  # some rows are written
    BEFORE_COMMIT = "before commit"  # all are


def _die(said: str = "killed") -> None:
    print(said, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def _attach(url: str, moment: Moment) -> None:
    bulk: Any = type(Database.of(url).backend.bulk)
    fill, at_once = bulk.fill, loading.Load.at_once
    fills = 0

    async def filled(*arguments: Any) -> None:
        nonlocal fills
        await fill(*arguments)
        fills += 1
        if moment is Moment.BETWEEN and fills == 2:
            _die()

    async def written(load: Any, connection: AsyncConnection, *arguments: Any) -> Any:
        counts = await at_once(load, connection, *arguments)
        if moment is Moment.BEFORE_COMMIT:
            remembered = await connection.scalar(select(func.count()).select_from(seeds.table()))
            _die(f"killed with {remembered} remembered")
        return counts

    bulk.fill = filled
    loads: Any = loading.Load
    loads.at_once = written


def main(url: str, path: str, moment: str) -> None:
    """Seeds, as if the file were a large one."""
    small: dict[Any, dict[str, int]] = {
        files: {"LARGE": 0},
        csv_files: {"ROWS": 10},
        loading: {"_BATCHES": 2},
    }
    for module, sizes in small.items():
        vars(module).update(sizes)
    _attach(url, Moment(moment))
    report = asyncio.run(bootstrap.seed(url, datasets=Path(path)))
    print(report.inserted, report.updated, report.unchanged)


def _child(asked: Mapping[str, Any]) -> int:
    write_to(asked["out"], asked["err"])
    main(asked["url"], asked["path"], asked["moment"])
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    import_library()
    serve(_child)

"""Measures `verify` with and without `--probe`: `python -m tests.real.measuring [ROUNDS]`.

Run in the environment that tests/real.sh makes. The rounds take turns, on all servers that there
are; what counts is the ratio.
"""

from __future__ import annotations

import asyncio
import logging
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path

import bootstrap
from bootstrap.project import Project
from tests import available
from tests.real import PROJECTS, programs_of

_ROOT = Path(__file__).parents[2]


async def measured(
    name: str, project: Project, backends: tuple[str, ...], *, models: bool, rounds: int
) -> None:
    """Runs both in turns, and prints a row of the table in docs/probe.md."""
    servers = programs_of(backends)
    plain = [one for one in backends if one not in {server.backend for server in servers}]
    seconds: dict[bool, list[float]] = {False: [], True: []}
    tables = questions = 0
    for _ in range(rounds):
        for probe, taken in seconds.items():
            started = time.perf_counter()
            report = await bootstrap.verify(
                project=project, backends=plain, servers=servers, models=models, probe=probe
            )
            taken.append(time.perf_counter() - started)
            if report.probed is not None:
                tables, questions = len(report.probed.tables), report.probed.questions
    without, probed = (statistics.median(taken) for taken in seconds.values())
    cells = (name, str(tables), f"{questions:,}", f"{without:.0f} s", f"{probed:.0f} s")
    print(f"| {' | '.join(cells)} | {probed / without:.1f} |", flush=True)


async def contests(rounds: int, folder: Path) -> None:
    """The reference project, and each of the real ones."""
    reference = Project.at(_ROOT / "alembic.ini")
    there = tuple(
        name for name in available.BACKENDS if isinstance(available.look_for(name), available.Found)
    )
    await measured("the reference project", reference, there, models=True, rounds=rounds)
    for real in PROJECTS:
        made = real.folder(folder / real.name)
        sys.path.insert(0, str(made.root))
        name = real.name if real.models else f"{real.name}, `--no-models`"
        await measured(name, real.project(made), real.backends, models=real.models, rounds=rounds)
        sys.path.remove(str(made.root))


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # theirs
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(contests(int(sys.argv[1]) if len(sys.argv) > 1 else 1, Path(name)))

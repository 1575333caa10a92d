"""Measures commands beside Alembic's in one run: `python -m tests.bench [ROUNDS] [NAME] [durable]`.

The rounds take turns, so that what else the machine does falls on both; a figure is the median
of the wall time of whole processes, and what counts is the ratio. Both find all of Python's code
compiled. With a NAME only the contests that have it in theirs; `durable` servers wait for the disk,
as users' servers do.
"""

from __future__ import annotations

import compileall
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import available
from tests.available import Servers
from tests.projects import new_project

_BIN = Path(sys.executable).parent
_ROOT = Path(__file__).parents[2]
_ROUNDS = 10
_MANY = 1000  # revisions


@dataclass(kw_only=True)
class Contest:
    """Two commands that do the same, and a deed before each."""

    name: str
    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    before: Callable[[], None] = field(default=lambda: None)
    environ: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None
    seconds: dict[str, list[float]] = field(default_factory=lambda: {"ours": [], "theirs": []})

    def round(self, environ: dict[str, str], folder: Path) -> None:
        for side, command in (("ours", self.ours), ("theirs", self.theirs)):
            self.before()
            started = time.perf_counter()
            subprocess.run(
                [str(_BIN / command[0]), *command[1:]],
                cwd=self.folder or folder,
                env=environ | self.environ,
                check=True,
                capture_output=True,
                timeout=600,
            )
            self.seconds[side].append(time.perf_counter() - started)

    def line(self) -> str:
        ours, theirs = (statistics.median(self.seconds[side]) for side in ("ours", "theirs"))
        return f"{self.name:<38}{ours:>10.3f}{theirs:>10.3f}{ours / theirs:>8.2f}"


@contextmanager
def closing_of(servers: Servers) -> Iterator[None]:
    """Stops what was started in the block."""
    try:
        yield
    finally:
        servers.stop()


def many_tables(number: int) -> str:
    """What a revision does where each has a table."""
    return f"op.create_table('t_{number}', sa.Column('id', sa.Integer, primary_key=True))"


def one_table(number: int) -> str:
    """What one does where all are about the same: a column, its index, and both dropped again."""
    if number == 0:
        return "op.create_table('t', sa.Column('id', sa.Integer, primary_key=True))"
    which, step = divmod(number - 1, 4)
    return (
        f"op.add_column('t', sa.Column('c_{which}', sa.Integer))",
        f"op.create_index('ix_{which}', 't', ['c_{which}'])",
        f"op.drop_index('ix_{which}', 't')",
        f"op.drop_column('t', 'c_{which}')",
    )[step]


def _title(step: Callable[[int], str], backend_name: str) -> str:
    return f"{_MANY} steps, {step.__name__.replace('_', ' ')}, {backend_name}"


def many_revisions(
    root: Path, servers: Servers, backend_name: str, *, step: Callable[[int], str]
) -> Contest:
    """A long history on an empty database."""
    folder = new_project(root)
    names = [f"r{number:04}" for number in range(_MANY)]
    for number, (down, name) in enumerate(zip([None, *names], names, strict=False)):
        folder.revision(name, down=down, upgrade=step(number))

    def empty() -> None:
        url = servers.url(backend_name).set(database="bench")
        available.drop(url)
        available.create(url)
        contest.environ["DATABASE_URL"] = url.render_as_string(hide_password=False)

    contest = Contest(
        name=_title(step, backend_name),
        ours=("bootstrap", "migrate"),
        theirs=("alembic", "upgrade", "head"),
        before=empty,
        folder=root,
    )
    return contest


def main() -> None:
    """Runs the contests and prints the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else _ROUNDS
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    servers = Servers(durable="durable" in sys.argv[3:])
    with tempfile.TemporaryDirectory() as name, closing_of(servers):
        folder = Path(name)
        database = folder / "bench.db"
        new_project(folder)
        reference = _ROOT / "migrations"
        for path in sorted((reference / "versions").glob("*.py")):
            (folder / "migrations" / "versions" / path.name).write_text(path.read_text())
        environ = {**os.environ, "DATABASE_URL": f"sqlite:///{database}"}

        def no_database() -> None:
            for path in folder.glob("bench.db*"):
                path.unlink()

        contests = [
            Contest(
                name="--version", ours=("bootstrap", "--version"), theirs=("alembic", "--version")
            ),
            Contest(
                name="up / upgrade head, from nothing",
                ours=("bootstrap", "up"),
                theirs=("alembic", "upgrade", "head"),
                before=no_database,
            ),
            Contest(
                name="migrate / upgrade head, no-op",
                ours=("bootstrap", "migrate"),
                theirs=("alembic", "upgrade", "head"),
            ),
            *(
                many_revisions(
                    folder / f"{backend_name}_{step.__name__}", servers, backend_name, step=step
                )
                for step in (many_tables, one_table)
                for backend_name in ("postgresql", "mariadb", "mysql")
                if wanted in _title(step, backend_name)
            ),
        ]
        print(
            f"{'seconds, median of ' + str(rounds):<38}{'bootstrap':>10}{'alembic':>10}{'ratio':>8}"
        )
        for contest in (one for one in contests if wanted in one.name):
            for code in (_ROOT / "bootstrap", contest.folder or folder):
                compileall.compile_dir(code, quiet=1)
            for _ in range(rounds):
                contest.round(environ, folder)
            print(contest.line(), flush=True)


if __name__ == "__main__":
    main()

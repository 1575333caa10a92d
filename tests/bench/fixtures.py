"""Measures a database for each test: `python -m tests.bench.fixtures [ROUNDS]`.

A copy of the template, as the pytest plugin makes it, beside an empty database that Alembic's own
`command.upgrade` migrates, in turns and in one process. The plugin makes the next copy, and drops
the one before, while a test runs: `a copy` is how long a test waits that begins after the other's
turn; `in a row` is what each takes where the tests do nothing at all; `writing`, what each takes
where tests connect, insert a row and commit, and so do those on a database that was migrated. What
counts are the ratios.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from alembic import command
from sqlalchemy import URL, text

from bootstrap import Project
from bootstrap.database import Database
from bootstrap.integrations.fixtures.databases import Databases, Recipe
from bootstrap.urls import alembic_option
from tests.available import BACKENDS, Servers
from tests.projects import create, new_project

_ROOT = Path(__file__).parents[2]
_LONG = 300  # revisions
_ROW = 10  # copies
_USER = (
    "INSERT INTO users (username, email, hashed_password) VALUES ('someone',"
    " 'someone@example.org', '$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$aGFzaGhhc2hoYXNo')"
)
_THING = "INSERT INTO t_000 (name) VALUES ('x')"


def long_project(root: Path) -> Project:
    """A history of a hundred tables, each with a column and an index that came later."""
    folder = new_project(root)
    before = None
    for number in range(_LONG // 3):
        table = f"t_{number:03}"
        steps = (
            create(table),
            f"op.add_column({table!r}, sa.Column('name', sa.String(40)))",
            f"op.create_index('ix_{table}', {table!r}, ['name'])",
        )
        for place, step in enumerate(steps):
            name = f"r{number:03}_{place}"
            folder.revision(name, down=before, upgrade=step)
            before = name
    return folder.project


@contextmanager
def migrated(databases: Databases, backend: str) -> Iterator[Database]:
    """An empty database that Alembic migrates."""
    with databases.empty(backend) as database:
        config = databases.recipe.project.configuration()
        config.attributes["configure_logger"] = False  # its logging would be measured too
        config.set_main_option("sqlalchemy.url", alembic_option(database.url))
        command.upgrade(config, "head")
        yield database


def seconds(deed: Callable[[], AbstractContextManager[Database]]) -> float:
    """What a database costs from its beginning to its end."""
    started = time.perf_counter()
    with deed():
        pass
    return time.perf_counter() - started


@contextmanager
def written(
    databases: Databases, given: AbstractContextManager[Database], insert: str
) -> Iterator[Database]:
    """A database whose test inserts a row."""

    async def write(database: Database) -> None:
        async with database.connect() as connection:
            await connection.execute(text(insert))
            await connection.commit()

    with given as database:
        databases.run(write(database))
        yield database


def contest(name: str, project: Project, urls: dict[str, URL], *, rounds: int, insert: str) -> None:
    """Measures one project on each backend."""
    with tempfile.TemporaryDirectory() as folder:
        recipe = Recipe(
            project=project,
            datasets=(),
            further=(),
            urls=urls,
            cache=Path(folder) / "kept",
            scratch=Path(folder),
            fresh=False,
        )
        databases = Databases(recipe)
        try:
            for backend in BACKENDS:
                print(
                    f"{name:<14}{backend:<12}{_line(databases, backend, rounds, insert)}",
                    flush=True,
                )
        finally:
            databases.close()


def _line(databases: Databases, backend: str, rounds: int, insert: str) -> str:
    for _ in range(2):  # the template is made; who asks again has another one made ready
        with databases.copy(backend):
            pass
    copies, others, writers = [], [], []
    for _ in range(rounds):
        copies.append(seconds(lambda: databases.copy(backend)))
        others.append(seconds(lambda: migrated(databases, backend)))
        writers.append(seconds(lambda: written(databases, migrated(databases, backend), insert)))
    copy, other, writer = map(statistics.median, (copies, others, writers))
    row = in_a_row(lambda: databases.copy(backend))
    writing = in_a_row(lambda: written(databases, databases.copy(backend), insert))
    return (
        f"{copy * 1000:>9.1f} ms{row * 1000:>9.1f} ms{writing * 1000:>9.1f} ms"
        f"{other * 1000:>10.1f} ms{writer * 1000:>9.1f} ms"
        f"{other / copy:>9.0f}{other / row:>10.1f}{writer / writing:>9.1f}"
    )


def in_a_row(deed: Callable[[], AbstractContextManager[Database]]) -> float:
    """What each of some databases costs, one after the other."""
    return sum(seconds(deed) for _ in range(_ROW)) / _ROW


def main() -> None:
    """Starts the servers, and measures."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    servers = Servers()
    try:
        urls = {name: servers.url(name) for name in BACKENDS if name != "sqlite"}
        titles = f"{'copy':>12}{'in a row':>12}{'writing':>12}{'migrated':>13}{'writing':>12}"
        titles += f"{'ratio':>9}{'in a row':>10}{'writing':>9}"
        print(f"{'':<26}{titles}")
        with tempfile.TemporaryDirectory() as folder:
            reference = Project.at(_ROOT / "alembic.ini")
            contest("reference", reference, urls, rounds=rounds, insert=_USER)
            contest("300 revisions", long_project(Path(folder)), urls, rounds=rounds, insert=_THING)
    finally:
        servers.stop()


main()

"""What goes wrong with plain Alembic, and then does not: docs/pains.md is made of these tests."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import make_url, text

import bootstrap
from bootstrap.database import Database
from tests import commands
from tests.conformance.test_moves import tables_of
from tests.projects import ProjectFolder, create, env, new_project, own_url, three_tables

T = TypeVar("T", bound=Callable[..., object])
THREE = {"t_one", "t_two", "t_three", "alembic_version"}
on_sqlite = pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)


@dataclass(frozen=True, kw_only=True)
class Pain:
    """A row of the page, which a test proves."""

    what: str
    alembic: str
    ours: str


PAINS: list[Pain] = []


def pain(*, what: str, alembic: str, ours: str) -> Callable[[T], T]:
    """Puts a test into the page."""

    def listed(test: T) -> T:
        PAINS.append(Pain(what=what, alembic=alembic, ours=ours))
        return test

    return listed


def ours(folder: ProjectFolder, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in a process of its own."""
    return commands.run("bootstrap", *arguments, cwd=folder.root)


def table() -> str:
    """The table of docs/pains.md."""
    lines = ["| what | `alembic` | `bootstrap` |", "|---|---|---|"]
    lines += [f"| {one.what} | {one.alembic} | {one.ours} |" for one in PAINS]
    return "\n".join(lines) + "\n"


@pytest.fixture
def folder(tmp_path: Path, empty_url: str) -> ProjectFolder:
    folder = three_tables(tmp_path / "project")
    folder.env(env())
    own_url(folder, empty_url)
    return folder


@pain(
    what="env.py executes a statement before `context.configure()`",
    alembic="applies nothing and exits 0",
    ours="applies the revisions",
)
@on_postgresql
async def test_a_statement_before_configure(empty_url: str, folder: ProjectFolder) -> None:
    folder.env(env(before="connection.execute(text('SELECT 1'))"))

    alone = folder.alembic("upgrade", "head")
    current = folder.alembic("current")
    await bootstrap.migrate(empty_url, project=folder.project)
    after = folder.alembic("current")

    assert (0, "", "three (head)\n") == (alone.returncode, current.stdout, after.stdout)


@pain(
    what="the same, and a revision has an `autocommit_block()`",
    alembic="fails with a bare AssertionError",
    ours="applies the revisions",
)
@on_postgresql
async def test_an_autocommit_block(empty_url: str, folder: ProjectFolder) -> None:
    folder.env(env(before="connection.execute(text('SELECT 1'))"))
    block = "with op.get_context().autocommit_block():\n    op.execute('SELECT 1')"
    folder.revision("four", down="three", upgrade=block)

    alone = folder.alembic("upgrade", "head")
    report = await bootstrap.migrate(empty_url, project=folder.project)

    assert (1, "AssertionError") == (alone.returncode, alone.stderr.split()[-1])
    assert ("four",) == report.after


@pain(
    what="env.py swallows the error of a revision",
    alembic="exits 0",
    ours="names the revision and the statement, exit 7",
)
@on_sqlite
async def test_a_swallowed_error(empty_url: str, folder: ProjectFolder) -> None:
    folder.env(env(run="try: asyncio.run(connect())\nexcept Exception: pass"))
    folder.revision("four", down="three", upgrade="op.execute('DROP TABLE nowhere')")

    alone = folder.alembic("upgrade", "head")
    with pytest.raises(bootstrap.StatementFailed, match="revision four"):
        await bootstrap.migrate(empty_url, project=folder.project)

    assert 0 == alone.returncode


@pain(
    what="env.py takes its URL from elsewhere",
    alembic="migrates that database",
    ours="names both databases and runs nothing, exit 3",
)
@on_sqlite
async def test_another_database(empty_url: str, folder: ProjectFolder, tmp_path: Path) -> None:
    other = f"sqlite:///{tmp_path}/other.db"
    await bootstrap.create(other)
    folder.env(env(url=repr(str(bootstrap.Database.of(other).url))))

    with pytest.raises(bootstrap.SettingsError, match=r"other\.db"):
        await bootstrap.migrate(empty_url, project=folder.project)
    untouched = await tables_of(other)
    alone = folder.alembic("upgrade", "head")

    assert (set(), 0, THREE) == (untouched, alone.returncode, await tables_of(other))


@pain(
    what="an unknown revision is asked for",
    alembic="leaves a version table behind (MySQL, SQLite)",
    ours="leaves nothing, and names the nearest revisions",
)
@on_sqlite
async def test_an_unknown_revision(empty_url: str, folder: ProjectFolder) -> None:
    with pytest.raises(bootstrap.RevisionError, match="no revision 'thre3'") as refused:
        await bootstrap.migrate(empty_url, "thre3", project=folder.project)
    ours = await tables_of(empty_url)
    alone = folder.alembic("upgrade", "thre3")

    assert (set(), {"alembic_version"}) == (ours, await tables_of(empty_url))
    assert ("nearest: three (three title)", 255) == (refused.value.hint, alone.returncode)


@pain(
    what="a program migrates inside its running event loop",
    alembic="`asyncio.run() cannot be called from a running event loop`",
    ours="`await bootstrap.migrate(...)`",
)
@on_sqlite
@pytest.mark.filterwarnings("ignore:coroutine 'connect' was never awaited")
async def test_inside_a_running_loop(empty_url: str, folder: ProjectFolder) -> None:
    assert asyncio.get_running_loop().is_running()

    with pytest.raises(RuntimeError, match="cannot be called from a running event loop"):
        command.upgrade(Config(folder.root / "alembic.ini"), "head")
    report = await bootstrap.migrate(empty_url, project=folder.project)

    assert ("three",) == report.after


@pain(
    what="a password has a `%`",
    alembic="`invalid interpolation syntax`",
    ours="takes the URL as it is",
)
@on_sqlite
async def test_a_percent_sign(folder: ProjectFolder, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/100%25.db"
    with pytest.raises(ValueError, match="invalid interpolation syntax"):
        Config(folder.root / "alembic.ini").set_main_option("sqlalchemy.url", url)
    await bootstrap.create(url)

    report = await bootstrap.migrate(url, project=folder.project)

    assert ("three",) == report.after


@pain(
    what="a hosting provider's URL (`sslmode=…`) and asyncpg",
    alembic="`connect() got an unexpected keyword argument 'sslmode'`",
    ours="gives it to the driver in its own words",
)
@on_postgresql
async def test_the_url_of_a_provider(empty_url: str, folder: ProjectFolder) -> None:
    url = make_url(empty_url).update_query_dict({"sslmode": "prefer"})
    own_url(folder, url.render_as_string(hide_password=False))

    alone = folder.alembic("upgrade", "head")
    report = await bootstrap.migrate(url, project=folder.project)

    assert (1, True) == (alone.returncode, "unexpected keyword argument 'sslmode'" in alone.stderr)
    assert ("three",) == report.after


_PROGRAM = """
import asyncio, logging, pathlib
import bootstrap
from alembic import command, config
logger = logging.getLogger("an.application")
logger.addHandler(logging.FileHandler("app.log", mode="w"))
logger.setLevel("INFO")
logger.info("before")
project = bootstrap.Project.at(pathlib.Path("alembic.ini"))
{migrate}
logger.info("after")
"""


@pain(
    what="env.py calls `fileConfig`, as Alembic's templates do, inside a program",
    alembic="the program's loggers are silent from then on",
    ours="the program's logging is as before",
)
@on_sqlite
def test_the_logging_of_a_program(empty_url: str, folder: ProjectFolder) -> None:
    ini = folder.root / "alembic.ini"
    if "[loggers]" not in ini.read_text():
        ini.write_text(
            ini.read_text()
            + "\n[loggers]\nkeys = root\n[handlers]\nkeys =\n[formatters]\nkeys =\n"
            + "[logger_root]\nlevel = WARNING\nhandlers =\n"
        )
    folder.env(
        env(
            first="from logging.config import fileConfig\n"
            "fileConfig(context.config.config_file_name)"
        )
    )
    said = []
    for migrate in (
        "command.upgrade(config.Config('alembic.ini'), 'head')",
        f"asyncio.run(bootstrap.migrate({empty_url!r}, project=project))",
    ):
        (folder.root / "program.py").write_text(_PROGRAM.format(migrate=migrate))
        subprocess.run([sys.executable, "program.py"], cwd=folder.root, check=True)
        said.append((folder.root / "app.log").read_text())

    assert ["before\n", "before\nafter\n"] == said


@pain(
    what="a failure on PostgreSQL after revisions that are long",
    alembic="undoes them all, unless env.py was written for something else",
    ours="`--per-revision` keeps those that are done",
)
@on_postgresql
async def test_a_failure_after_others(empty_url: str, tmp_path: Path) -> None:
    folder = new_project(tmp_path / "long")
    folder.env(env())
    own_url(folder, empty_url)
    folder.revision("one", down=None, upgrade=create("t_one"))
    folder.revision("two", down="one", upgrade="op.execute('DROP TABLE nowhere')")

    alone = folder.alembic("upgrade", "head")
    left = await tables_of(empty_url)
    with pytest.raises(bootstrap.StatementFailed):
        await bootstrap.migrate(empty_url, project=folder.project, per_revision=True)

    assert (1, set()) == (alone.returncode, left)
    assert {"t_one", "alembic_version"} == await tables_of(empty_url)


# Each run that is told to meets another one inside the revision, and goes on when both are there.
_MEETING = """
import os, pathlib, time
here = pathlib.Path(os.environ.get("MEET", "."))
if "MEET" in os.environ:
    (here / f"{os.getpid()}.here").touch()
    end = time.monotonic() + 60
    while len(list(here.glob("*.here"))) < 2:
        if time.monotonic() > end:
            raise RuntimeError("nobody came")
        time.sleep(0.01)
"""


@pain(
    what="two runs start at once, as two containers of one deploy do",
    alembic="both apply the same revision, and one fails",
    ours="one applies, the other waits and finds nothing left to do",
)
@on_postgresql
async def test_two_at_once(empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = new_project(tmp_path / "twice")
    folder.env(env())
    own_url(folder, empty_url)
    folder.revision("one", down=None, upgrade=_MEETING + create("t_one"))

    folder.alembic("ensure_version")  # or the second would wait for the first to make it
    monkeypatch.setenv("MEET", str(tmp_path))
    alone = await asyncio.gather(
        *(asyncio.to_thread(folder.alembic, "upgrade", "head") for _ in range(2))
    )
    monkeypatch.delenv("MEET")
    alone.sort(key=lambda done: done.returncode)
    assert [0, 1] == [done.returncode for done in alone]
    assert "duplicate key" in alone[1].stderr or "already exists" in alone[1].stderr
    async with bootstrap.Database.of(empty_url).connect() as connection:
        for name in ("t_one", "alembic_version"):
            await connection.execute(text(f"DROP TABLE {name}"))
        await connection.commit()
    here = await asyncio.gather(
        *(
            asyncio.to_thread(ours, folder, "migrate", "--url", empty_url, "--format", "json")
            for _ in range(2)
        )
    )

    assert [0, 0] == [done.returncode for done in here], [done.stderr for done in here]
    steps = [len(json.loads(done.stdout)["report"]["steps"]) for done in here]
    assert [0, 1] == sorted(steps)


@pain(
    what="a revision fails half-way on SQLite, is corrected, and is run again",
    alembic="`table t_two already exists`: what it did before it failed has stayed",
    ours="it was rolled back, and now comes through",
)
@on_sqlite
async def test_half_a_revision_on_sqlite(empty_url: str, tmp_path: Path) -> None:
    alone, here = await _corrected(empty_url, tmp_path)

    assert "table t_two already exists" in alone.stderr
    assert 0 == here.returncode, here.stderr
    assert {"t_two", "t_three", "alembic_version"} == await tables_of(empty_url)


@pain(
    what="the same on MySQL and MariaDB, where each statement commits",
    alembic="`Table 't_two' already exists`, until somebody has undone it by hand",
    ours="goes on at the statement that had failed",
)
@pytest.mark.parametrize("backend_name", ["mysql", "mariadb"], indirect=True)
async def test_half_a_revision_on_a_server(empty_url: str, tmp_path: Path) -> None:
    alone, here = await _corrected(empty_url, tmp_path)

    assert "Table 't_two' already exists" in alone.stderr
    assert 0 == here.returncode, here.stderr
    assert {"t_two", "t_three", "alembic_version"} == await tables_of(empty_url)


@pain(
    what="it was `alembic upgrade` that was killed half-way there",
    alembic="every run after it fails; nobody says how far it got",
    ours="`repair` finds out by running the revision beside it; `repair --record` goes on there",
)
@pytest.mark.parametrize("backend_name", ["mariadb"], indirect=True)
async def test_half_a_revision_of_alembic(empty_url: str, tmp_path: Path) -> None:
    folder = new_project(tmp_path / "half")
    folder.env(env())
    own_url(folder, empty_url)
    kill = "import os\nos.kill(os.getpid(), 9)"
    folder.revision("two", down=None, upgrade=f"{create('t_two')}\n{kill}")
    assert -9 == folder.alembic("upgrade", "head").returncode
    folder.revision("two", down=None, upgrade=f"{create('t_two')}\n{create('t_three')}")
    assert "Table 't_two' already exists" in folder.alembic("upgrade", "head").stderr

    looked = ours(folder, "repair", "--url", empty_url)
    recorded = ours(folder, "repair", "--record", "--url", empty_url)
    gone_on = ours(folder, "migrate", "--url", empty_url)

    assert 1 == looked.returncode
    assert "It has stopped after statement 1:" in looked.stdout
    assert (0, 0) == (recorded.returncode, gone_on.returncode), recorded.stderr + gone_on.stderr
    assert {"t_two", "t_three", "alembic_version"} == await tables_of(empty_url)


@pain(
    what="the same on PostgreSQL, after an `autocommit_block()`",
    alembic='`relation "t_two" already exists`; and a `CREATE INDEX CONCURRENTLY IF NOT EXISTS` '
    "that failed is taken for done, with an index that is not valid",
    ours="goes on at the statement that had failed, without what it has left",
)
@on_postgresql
async def test_half_a_revision_around_an_autocommit_block(empty_url: str, tmp_path: Path) -> None:
    folder = new_project(tmp_path)
    folder.env(env())
    own_url(folder, empty_url)
    made = f"{create('t_two')}\nop.execute('INSERT INTO t_two VALUES (1), (2)')"
    index = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ix ON t_two (({}))"
    block = "with op.get_context().autocommit_block():\n    op.execute('{}')"
    invalid = text("SELECT count(*) FROM pg_index WHERE NOT indisvalid")

    async def twice(run: Callable[[], int], revisions: dict[str, str]) -> tuple[list[int], int]:
        """The exit codes of a run that fails and of the next one, and how many are not valid."""
        await bootstrap.drop(empty_url)
        await bootstrap.create(empty_url)
        codes = []
        for wrong in (True, False):
            before = None
            for name, source in revisions.items():
                how = index.format("id % 1" if wrong else "id")
                folder.revision(name, down=before, upgrade=source.format(block.format(how)))
                before = name
            codes.append(run())
        async with Database.of(empty_url).connect() as connection:
            return codes, int(await connection.scalar(invalid))

    def alembic() -> int:
        return folder.alembic("upgrade", "head").returncode

    def bootstrapped() -> int:
        return ours(folder, "migrate", "--url", empty_url).returncode

    together, apart = {"one": f"{made}\n{{}}"}, {"one": made, "two": "{}"}
    assert ([1, 1], 1) == await twice(alembic, together)
    assert ([1, 0], 1) == await twice(alembic, apart)
    assert ([7, 0], 0) == await twice(bootstrapped, together)
    assert ([7, 0], 0) == await twice(bootstrapped, apart)


async def _corrected(url: str, root: Path) -> list[subprocess.CompletedProcess[str]]:
    """A revision fails half-way, is corrected, and run again: by Alembic, and by bootstrap."""
    folder = new_project(root / "half")
    folder.env(env())
    own_url(folder, url)
    wrong, right = "op.execute('DROP TABLE nowhere')", create("t_three")

    def run(tool: str) -> subprocess.CompletedProcess[str]:
        if tool == "alembic":
            return folder.alembic("upgrade", "head")
        return ours(folder, "migrate", "--url", url)

    said = []
    for tool in ("alembic", "bootstrap"):
        await bootstrap.drop(url)
        await bootstrap.create(url)
        folder.revision("two", down=None, upgrade=f"{create('t_two')}\n{wrong}")
        failed = run(tool)
        assert 0 != failed.returncode
        folder.revision("two", down=None, upgrade=f"{create('t_two')}\n{right}")
        said.append(run(tool))
    return said


_IN_THREADS = """
import asyncio, sys, threading
from pathlib import Path
import bootstrap
from alembic import command
from alembic.config import Config

tool, urls = sys.argv[1], sys.argv[2:]
project = bootstrap.Project.at(Path("alembic.ini"))

def upgrade(url):
    if tool == "bootstrap":
        asyncio.run(bootstrap.migrate(url, project=project))
        return
    config = Config("alembic.ini")
    config.set_main_option("sqlalchemy.url", url)
    command.upgrade(config, "head")

threads = [threading.Thread(target=upgrade, args=(url,)) for url in urls]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
# Between configure() and run_migrations() each waits for the others, as far as they come.
_TOGETHER = """
import builtins, threading
from alembic import context
from sqlalchemy import create_engine, pool

barrier = builtins.__dict__.setdefault("_together", threading.Barrier(2))
engine = create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection)
    try:
        barrier.wait(2)
    except threading.BrokenBarrierError:
        pass
    with context.begin_transaction():
        context.run_migrations()
"""


@pain(
    what="a program migrates two databases in two threads",
    alembic="its `context` is one for the whole process: not both are migrated",
    ours="both are",
)
@on_sqlite
async def test_two_databases_in_two_threads(empty_url: str, tmp_path: Path) -> None:
    folder = new_project(tmp_path / "threads")
    folder.env(_TOGETHER)
    folder.revision("one", down=None, upgrade=create("t_one"))

    async def migrated(tool: str) -> list[bool]:
        urls = [f"{empty_url}_{tool}_{number}.db" for number in range(2)]
        for url in urls:
            await bootstrap.create(url)
        await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", _IN_THREADS, tool, *urls],
            cwd=folder.root,
            capture_output=True,
            check=False,
            timeout=120,
        )
        return ["t_one" in await tables_of(url) for url in urls]

    alone = await migrated("alembic")
    here = await migrated("bootstrap")

    assert [True, True] != alone
    assert [True, True] == here


@pain(
    what="a downgrade drops a table that has rows",
    alembic="drops it",
    ours="names the table and its rows, and asks",
)
@on_sqlite
async def test_a_downgrade_over_rows(empty_url: str, folder: ProjectFolder) -> None:
    async def filled() -> None:
        await bootstrap.migrate(empty_url, project=folder.project)
        async with bootstrap.Database.of(empty_url).connect() as connection:
            await connection.execute(text("INSERT INTO t_three (id) VALUES (1)"))
            await connection.commit()

    await filled()
    with pytest.raises(bootstrap.RowsWouldBeLost, match=r"t_three \(1 row\)"):
        await bootstrap.downgrade(empty_url, "-1", project=folder.project)
    kept = await tables_of(empty_url)
    alone = folder.alembic("downgrade", "-1")

    assert (True, 0) == ("t_three" in kept, alone.returncode)
    assert "t_three" not in await tables_of(empty_url)


@pain(
    what="the path of a SQLite database is mistyped",
    alembic="makes a new database there, and exits 0",
    ours="says that it does not exist, exit 4",
)
@on_sqlite
async def test_a_mistyped_path(folder: ProjectFolder, tmp_path: Path) -> None:
    wrong = tmp_path / "mistyped.db"
    with pytest.raises(bootstrap.DatabaseMissing) as missing:
        await bootstrap.migrate(f"sqlite:///{wrong}", project=folder.project)
    made = wrong.exists()
    own_url(folder, f"sqlite:///{wrong}")
    alone = folder.alembic("upgrade", "head")

    assert (4, False) == (missing.value.exit_code, made)
    assert (0, True) == (alone.returncode, wrong.exists())

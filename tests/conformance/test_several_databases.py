"""An env.py that works on several databases: Alembic's own template `multidb`."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

import bootstrap
from bootstrap import urls
from bootstrap.records.names import JOURNAL
from bootstrap.schema.compare import compare
from tests import available
from tests.available import Missing, Servers
from tests.cli.conftest import Command
from tests.conformance.test_moves import tables_of
from tests.conformance.test_same_as_alembic import SYNC, initialised, rows
from tests.projects import ProjectFolder, create, new_project

NAMES = ("engine1", "engine2")
PAIRS = [
    ("sqlite", "sqlite"),
    ("postgresql", "postgresql"),
    ("mysql", "mysql"),
    ("mariadb", "mariadb"),
    ("postgresql", "mysql"),
    ("sqlite", "mariadb"),
]
on_sqlite = pytest.mark.parametrize("pair", [("sqlite", "sqlite")], ids=["sqlite"])
on_all = pytest.mark.parametrize("pair", PAIRS, ids="-".join)

UPGRADE = """
    globals()["upgrade_%s" % engine_name]()


def downgrade(engine_name):
    globals()["downgrade_%s" % engine_name]()


def upgrade_engine1():
    {one}


def upgrade_engine2():
    {two}


def downgrade_engine1():
    op.drop_table("one_{name}")


def downgrade_engine2():
    op.drop_table("two_{name}")
"""


@dataclass(frozen=True, kw_only=True)
class Two:
    """A project of the template, its two databases, and two more for Alembic alone."""

    folder: ProjectFolder
    urls: dict[str, str]
    twins: dict[str, str]

    def own(self, **named: str) -> None:
        """Writes URLs into the project itself, with sync drivers."""
        ini = self.folder.root / "alembic.ini"
        source = ini.read_text()
        for name, url in named.items():
            resolved = bootstrap.Database.of(url).url
            driver = SYNC[make_url(url).get_backend_name()]
            driven = resolved.set(drivername=f"{resolved.get_backend_name()}+{driver}")
            before, heading, rest = source.partition(f"[{name}]\nsqlalchemy.url = ")
            source = f"{before}{heading}{urls.alembic_option(driven)}{rest[rest.index(chr(10)) :]}"
        ini.write_text(source)

    def revision(self, name: str, *, down: str | None, one: str = "", two: str = "") -> None:
        """Writes a revision as the template's own `script.py.mako` lays it out."""
        path = self.folder.revision(name, down=down)
        source = path.read_text().partition("def upgrade():")[0]
        body = UPGRADE.format(
            name=name, one=one or create(f"one_{name}"), two=two or create(f"two_{name}")
        )
        path.write_text(f"{source}def upgrade(engine_name):{body}")


def fresh(backend: str, servers: Servers, folder: Path, name: str) -> str:
    """An empty database."""
    found = available.look_for(backend)
    if isinstance(found, Missing):
        complain = pytest.fail if backend in available.required() else pytest.skip
        complain(f"{backend} is missing; to get it: {found.hint}")
    if backend == "sqlite":
        url = make_url(f"sqlite:///{folder}/{name}.db")
    else:
        url = servers.url(backend).set(drivername=backend, database=name)
    available.create(url)
    return url.render_as_string(hide_password=False)


@pytest.fixture
def two(pair: tuple[str, str], servers: Servers, tmp_path: Path) -> Iterator[Two]:
    tag = re.sub(r"\W", "", tmp_path.name)[-20:].lower()
    made = {
        (kind, name): fresh(backend, servers, tmp_path, f"s_{tag}_{kind}_{name}")
        for kind in ("ours", "twin")
        for name, backend in zip(NAMES, pair, strict=True)
    }
    folder = initialised(tmp_path / "project", "multidb")
    for path in folder.files:
        path.unlink()
    found = Two(
        folder=folder,
        urls={name: made["ours", name] for name in NAMES},
        twins={name: made["twin", name] for name in NAMES},
    )
    found.own(**found.twins)
    found.revision("one", down=None)
    found.revision("two", down="one")
    yield found
    for url in made.values():
        available.drop(make_url(url))


@on_all
async def test_each_database_gets_what_alembic_makes_of_it(two: Two) -> None:
    alone = two.folder.alembic("upgrade", "head")
    assert 0 == alone.returncode, alone.stderr

    report = await bootstrap.migrate_each(two.urls, project=two.folder.project)
    again = await bootstrap.migrate_each(two.urls, project=two.folder.project)

    assert [("two",)] * 2 == [one.after for one in report.databases]
    assert [["one", "two"]] * 2 == [
        [step.revision for step in one.steps] for one in report.databases
    ]
    assert [()] * 2 == [one.steps for one in again.databases]
    for name, prefix in zip(NAMES, ("one", "two"), strict=True):
        ours = await bootstrap.snapshot(two.urls[name])
        theirs = await bootstrap.snapshot(two.twins[name])
        assert {f"{prefix}_one", f"{prefix}_two"} == {one.name for one in ours.schema.tables}
        assert () == compare(theirs.schema, ours.schema)


@on_all
async def test_status_and_downgrade(two: Two) -> None:
    project = two.folder.project
    await bootstrap.migrate_each(two.urls, "one", project=project)
    status = await bootstrap.status_each(two.urls, project=project)
    current = await bootstrap.current_each(two.urls, project=project)
    await bootstrap.downgrade_each(two.urls, "base", project=project, drop_rows=True)
    after = await bootstrap.current_each(two.urls, project=project)

    assert [(("one",), "two")] * 2 == [
        (one.current, one.pending[0].revision) for one in status.databases
    ]
    assert [["one"]] * 2 == [[one.revision for one in of.revisions] for of in current.databases]
    assert ([()] * 2, False) == ([one.revisions for one in after.databases], after.at_heads)
    # The journal is empty: the template commits when all databases are done, and then it is late.
    assert {"alembic_version"} == await tables_of(two.urls["engine2"]) - {JOURNAL}


@on_all
async def test_the_plan_and_the_log_of_each(two: Two) -> None:
    """The functions of this template's revisions want to be told which database it is."""
    project = two.folder.project
    before = await bootstrap.plan_each(two.urls, project=project)
    await bootstrap.migrate_each(two.urls, "one", project=project)
    after = await bootstrap.plan_each(two.urls, project=project)
    down = await bootstrap.plan_each(two.urls, "base", project=project, direction="downgrade")
    await bootstrap.migrate_each(two.urls, project=project)
    nothing = await bootstrap.plan_each(two.urls, project=project)
    log = await bootstrap.log_each(two.urls, project=project)
    latest = await bootstrap.log_each(two.urls, project=project, limit=1)

    assert [["one_one", "one_two"], ["two_one", "two_two"]] == tables(before)
    assert [["one_two"], ["two_two"]] == tables(after)
    assert [["one_one"], ["two_one"]] == tables(down)
    assert (True, False) == (after.is_pending, nothing.is_pending)
    assert ["nobody"] * 2 == [
        one.steps[0].operations[0].statements[0].blocks for one in before.databases
    ]
    assert [["two", "one"]] * 2 == [[one.revision for one in of.entries] for of in log.databases]
    assert [["two"]] * 2 == [[one.revision for one in of.entries] for of in latest.databases]
    runs = [tuple(one.run for one in of.entries) for of in log.databases]
    assert [2, 2] == [len({*of}) for of in runs]


def tables(report: bootstrap.PlanEachReport) -> list[list[str | None]]:
    """What the operations are about, for each database."""
    assert {""} == {step.unknown for of in report.databases for step in of.steps}
    return [[one.table for step in of.steps for one in step.operations] for of in report.databases]


@pytest.mark.parametrize("pair", [("postgresql", "sqlite")], ids="-".join)
def test_the_commands_plan_and_log_show_each(two: Two, tmp_path: Path) -> None:
    run = Command(folder=two.folder.root)
    listing = ", ".join(f'{name} = "{url}"' for name, url in two.urls.items())
    (two.folder.root / "pyproject.toml").write_text(
        f"[tool.bootstrap]\ndatabases = {{{listing}}}\n"
    )
    markdown = tmp_path / "plan.md"

    plan = run("plan", "--markdown", str(markdown))
    pending = run("migrate", "--check", "--format", "json")
    migrated = run("migrate", "--log-format", "json")
    clean = run("migrate", "--check")
    log = run("log")
    entries = run("log", "--limit", "1", "--format", "json")

    assert [0, 1, 0, 0, 0, 0] == [
        one.code for one in (plan, pending, migrated, clean, log, entries)
    ], [one.err for one in (plan, pending, migrated, clean, log, entries)]
    assert ["one_one", "one_two", "two_one", "two_two"] == re.findall(
        r"create table (\w+)", plan.out
    )
    assert (2, 2) == (plan.out.count("Database  "), log.out.count("Database  "))
    assert 2 == markdown.read_text().count("#### upgrade one")
    assert "4 steps are pending." in pending.err
    assert [True, True] == [one["is_pending"] for one in pending.document["report"]["databases"]]
    ids = {json.loads(line)["run_id"] for line in migrated.err.splitlines()}
    assert ids == {
        one["run"] for of in entries.document["report"]["databases"] for one in of["entries"]
    }


@on_sqlite
async def test_a_downgrade_that_would_lose_rows_changes_nothing(two: Two) -> None:
    project = two.folder.project
    await bootstrap.migrate_each(two.urls, project=project)
    async with bootstrap.Database.of(two.urls["engine2"]).connect() as connection:
        await connection.execute(text("INSERT INTO two_one (id) VALUES (1)"))
        await connection.commit()

    with pytest.raises(bootstrap.RowsWouldBeLost, match=r"two_one \(1 row\)"):
        await bootstrap.downgrade_each(two.urls, "base", project=project)

    current = await bootstrap.current_each(two.urls, project=project)
    assert current.at_heads


@on_all
async def test_a_database_that_is_not_listed_is_refused_and_nothing_runs(two: Two) -> None:
    only = {"engine1": two.urls["engine1"]}

    with pytest.raises(bootstrap.SettingsError, match="none of the databases") as refused:
        await bootstrap.migrate_each(only, project=two.folder.project)

    assert 3 == refused.value.exit_code
    assert set() == await tables_of(two.urls["engine1"])
    assert set() == await tables_of(two.twins["engine2"])


@on_sqlite
async def test_one_that_env_py_leaves_out_is_named_and_nothing_runs(
    two: Two, tmp_path: Path
) -> None:
    other = f"sqlite:///{tmp_path}/other.db"
    await bootstrap.create(other)

    with pytest.raises(bootstrap.SettingsError, match=r"configure\(\) for sqlite:.*other\.db"):
        await bootstrap.migrate_each({**two.urls, "third": other}, project=two.folder.project)

    assert set() == await tables_of(two.urls["engine1"])


@on_sqlite
async def test_a_database_listed_twice_is_refused(two: Two) -> None:
    twice = {"engine1": two.urls["engine1"], "engine2": two.urls["engine1"]}

    with pytest.raises(bootstrap.SettingsError, match="engine1 and engine2 are the same database"):
        await bootstrap.migrate_each(twice, project=two.folder.project)


@pytest.mark.parametrize("pair", [("sqlite", "sqlite"), ("postgresql", "postgresql")], ids="-".join)
async def test_a_failure_in_the_second_database_leaves_the_first_as_it_was(two: Two) -> None:
    """As the template has it: it commits all of them at the end."""
    two.revision("three", down="two", two="op.execute('DROP TABLE nowhere')")

    with pytest.raises(bootstrap.StatementFailed, match="revision three"):
        await bootstrap.migrate_each(two.urls, project=two.folder.project)

    for url in two.urls.values():
        assert set() == await tables_of(url) - {"alembic_version"}


@on_sqlite
async def test_an_error_that_env_py_swallows_for_one_database_is_raised_all_the_same(
    two: Two,
) -> None:
    env = two.folder.root / "migrations" / "env.py"
    source = env.read_text()
    run = "context.run_migrations(engine_name=name)\n\n        if"
    swallowed = (
        "try:\n                context.run_migrations(engine_name=name)\n"
        "            except Exception:\n                pass\n\n        if"
    )
    assert run in source
    env.write_text(source.replace(run, swallowed))
    two.revision("three", down="two", one="op.execute('DROP TABLE nowhere')")

    with pytest.raises(bootstrap.StatementFailed, match="revision three"):
        await bootstrap.migrate_each(two.urls, project=two.folder.project)


@on_all
async def test_runs_side_by_side_wait_for_each_other(two: Two) -> None:
    run = Command(folder=two.folder.root)
    listing = ", ".join(f'{name} = "{url}"' for name, url in two.urls.items())
    (two.folder.root / "pyproject.toml").write_text(
        f"[tool.bootstrap]\ndatabases = {{{listing}}}\n"
    )

    done = await asyncio.gather(
        *(asyncio.to_thread(run, "migrate", "--format", "json") for _ in range(4))
    )

    assert [0] * 4 == [one.code for one in done], [one.err for one in done]
    steps = sorted(
        tuple(len(of["steps"]) for of in one.document["report"]["databases"]) for one in done
    )
    assert [(0, 0), (0, 0), (0, 0), (2, 2)] == steps
    for url in two.urls.values():
        assert [("two",)] == await rows(url, "SELECT version_num FROM alembic_version")


@pytest.mark.parametrize("pair", [("postgresql", "sqlite")], ids="-".join)
def test_the_commands_take_the_databases_from_the_settings(two: Two) -> None:
    run = Command(folder=two.folder.root)
    (two.folder.root / "pyproject.toml").write_text(
        f'[tool.bootstrap.databases]\nengine1 = "$FIRST_URL"\nengine2 = "{two.urls["engine2"]}"\n'
    )
    unset = run("migrate")
    first = {"FIRST_URL": two.urls["engine1"]}
    migrated = run("migrate", **first)
    status = run("status", "--format", "json", **first)
    current = run("current", "--check-heads", **first)
    down = run("downgrade", "-1", "--yes", "--format", "json", **first)
    behind = run("current", "--check-heads", **first)
    shown = run("config", "--format", "json", **first)

    assert (3, True) == (unset.code, "FIRST_URL, which is not set" in unset.err)
    assert [0] * 5 == [one.code for one in (migrated, status, current, down, shown)]
    assert 2 == migrated.out.count("none → two (2 steps)")
    assert [["two"]] * 2 == [one["current"] for one in status.document["report"]["databases"]]
    assert [["one"]] * 2 == [one["after"] for one in down.document["report"]["databases"]]
    assert (1, 2) == (behind.code, current.out.count("two (head)"))
    [listed] = [
        one["value"] for one in shown.document["report"]["settings"] if one["name"] == "databases"
    ]
    assert listed.startswith("engine1 = $FIRST_URL, engine2 = sqlite:///")


@on_sqlite
def test_what_works_on_one_database_names_those_that_are_listed(two: Two) -> None:
    run = Command(folder=two.folder.root)
    listing = ", ".join(f'{name} = "{url}"' for name, url in two.urls.items())
    (two.folder.root / "pyproject.toml").write_text(
        f"[tool.bootstrap]\ndatabases = {{{listing}}}\n"
    )
    commands = ("migrate --sql", "repair --accept-changed", "check")

    done = [run(*command.split()) for command in commands]

    assert {3} == {one.code for one in done}
    for one in done:
        assert "error: several databases are listed (engine1, engine2)" in one.err
        assert "--url" in one.err


@on_sqlite
def test_a_url_option_hides_the_list(two: Two, tmp_path: Path) -> None:
    run = Command(folder=two.folder.root)
    listing = ", ".join(f'{name} = "{url}"' for name, url in two.urls.items())
    (two.folder.root / "pyproject.toml").write_text(
        f"[tool.bootstrap]\ndatabases = {{{listing}}}\n"
    )
    other = tmp_path / "other.db"
    other.touch()

    done = run("migrate", "--url", f"sqlite:///{other}")

    assert (3, True) == (done.code, "env.py connects to" in done.err)


SCHEMAS = """
import asyncio
from alembic import context
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

def run(connection):
    for name in ("a", "b"):
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {name}"))
        connection.execute(text(f"SET search_path TO {name}"))
        connection.commit()
        transaction = connection.begin()
        context.configure(connection=connection, version_table_schema=name)
        context.run_migrations()
        transaction.rollback() if name == LOST else transaction.commit()

async def connect():
    engine = create_async_engine(context.config.get_main_option("sqlalchemy.url"))
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()

LOST = None
asyncio.run(connect())
"""


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_each_version_table_of_one_database_is_verified(
    empty_url: str, tmp_path: Path
) -> None:
    """An env.py may call `configure()` for each schema of one database."""
    folder = new_project(tmp_path / "project")
    folder.revision("one", down=None, upgrade=create("t_one"))

    folder.env(SCHEMAS.replace("LOST = None", "LOST = 'a'"))
    with pytest.raises(bootstrap.RevisionError, match=r"a\.alembic_version .* is at no revision"):
        await bootstrap.migrate(empty_url, project=folder.project)
    folder.env(SCHEMAS)
    await bootstrap.migrate(empty_url, project=folder.project)

    for name in ("a", "b"):
        version = f"SELECT version_num FROM {name}.alembic_version"
        assert [("one",)] == await rows(empty_url, version)

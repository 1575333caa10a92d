"""The pytest plugin: what tests of other projects get from it, each in a pytest of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap import backends
from tests import available
from tests.available import BACKENDS, Missing, Servers
from tests.projects import ProjectFolder, create, three_tables

_ROWS = "table: t_one\nkey: id\nrows:\n  - id: 1\n  - id: 2\n"
_SETTINGS = '[tool.bootstrap]\ndatasets = "seeds"\n'
_STRICT = "[pytest]\nasyncio_mode = strict\nasyncio_default_fixture_loop_scope = function\n"
_MODELS = "".join(
    f'sa.Table("{name}", metadata, sa.Column("id", sa.Integer, primary_key=True))\n'
    for name in ("t_one", "t_two", "t_three")
)
_HEAD = """
import pytest
from sqlalchemy import text

COUNT, DELETE = text("SELECT count(*) FROM t_one"), text("DELETE FROM t_one")
"""
_OWN = """
@pytest.mark.asyncio
@pytest.mark.parametrize("time", [1, 2])
async def test_with_a_database_of_its_own(time, bootstrap_session, bootstrap_engine):
    assert 2 == await bootstrap_session.scalar(COUNT)
    await bootstrap_session.execute(DELETE)
    await bootstrap_session.commit()
    async with bootstrap_engine.connect() as another:
        assert 0 == await another.scalar(COUNT)

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_with_anyio(anyio_backend, bootstrap_session):
    assert 2 == await bootstrap_session.scalar(COUNT)
    await bootstrap_session.execute(DELETE)
    await bootstrap_session.commit()

@pytest.mark.parametrize("time", [1, 2])
def test_without_a_loop(time, bootstrap_sync_session, bootstrap_database):
    assert 2 == bootstrap_sync_session.scalar(COUNT)
    bootstrap_sync_session.execute(DELETE)
    bootstrap_sync_session.commit()
"""
_SHARED = """
@pytest.mark.asyncio
@pytest.mark.parametrize("time", [1, 2, 3])
async def test_with_savepoints(time, bootstrap_savepoint_session):
    assert 2 == await bootstrap_savepoint_session.scalar(COUNT)
    await bootstrap_savepoint_session.execute(DELETE)
    await bootstrap_savepoint_session.commit()
    assert 0 == await bootstrap_savepoint_session.scalar(COUNT)
    await bootstrap_savepoint_session.rollback()
    assert 0 == await bootstrap_savepoint_session.scalar(COUNT)

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("time", [1, 2])
async def test_with_savepoints_and_anyio(time, anyio_backend, bootstrap_savepoint_session):
    assert 2 == await bootstrap_savepoint_session.scalar(COUNT)
    await bootstrap_savepoint_session.execute(DELETE)
    await bootstrap_savepoint_session.commit()
"""


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    """A project with three revisions, rows, and models that say the same."""
    made = three_tables(tmp_path / "project")
    made.models(_MODELS)
    (made.root / "seeds").mkdir()
    (made.root / "seeds" / "t_one.yaml").write_text(_ROWS)
    (made.root / "pyproject.toml").write_text(_SETTINGS)
    (made.root / "pytest.ini").write_text(_STRICT)
    return made


@pytest.fixture
def where(backend_name: str, servers: Servers) -> list[str]:
    """The options that lead to a server of the tests."""
    if backends.named(backend_name).server is None:
        return [f"--bootstrap-backends={backend_name}"]
    url = servers.url(backend_name).set(drivername=backend_name)
    return [f"--bootstrap-url={url.render_as_string(hide_password=False)}"]


def ran(folder: ProjectFolder, tests: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs pytest in the project."""
    (folder.root / "test_it.py").write_text(_HEAD + tests)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:randomly", "--tb=short", *options],
        cwd=folder.root,
        capture_output=True,
        text=True,
        check=False,
    )


def outcome(run: subprocess.CompletedProcess[str]) -> str:
    """The last line, without colours and seconds."""
    return re.sub(r" in .*| ?=+ ?", "", run.stdout.strip().splitlines()[-1])


@pytest.mark.parametrize(
    "backend_name", ["sqlite", "postgresql", "mysql", "mariadb"], indirect=True
)
def test_no_test_sees_what_another_has_written(folder: ProjectFolder, where: list[str]) -> None:
    run = ran(folder, _OWN + _SHARED, *where)

    assert "10 passed" == outcome(run), run.stdout
    assert "" == run.stderr


@pytest.mark.parametrize(
    "backend_name", ["sqlite", "postgresql", "mysql", "mariadb"], indirect=True
)
def test_the_checks_pass_where_all_is_well(folder: ProjectFolder, where: list[str]) -> None:
    run = ran(folder, "", "--bootstrap-checks", "-v", *where)

    assert "6 passed" == outcome(run), run.stdout


def test_the_checks_say_what_is_wrong(folder: ProjectFolder) -> None:
    folder.revision("west", down="one", upgrade=create("t_four"))

    run = ran(folder, "", "--bootstrap-checks")

    assert "the history has 2 heads: three, west" in run.stdout
    assert "t_four" in run.stdout  # neither in the models nor removed by the downgrade
    assert "3 failed, 3 passed" == outcome(run), run.stdout


def test_workers_share_servers_and_templates(folder: ProjectFolder) -> None:
    found = available.look_for("postgresql")
    assert not isinstance(found, Missing)

    run = ran(folder, _OWN + _SHARED, "-n2", "--bootstrap-backends=sqlite,postgresql")

    assert "20 passed" == outcome(run), run.stdout
    kept = list((folder.root / ".pytest_cache" / "d" / "bootstrap").glob("*.db"))
    assert 1 == len(kept)


_ALONE = """
@pytest.mark.parametrize("number", range({count}))
def test_alone(number, bootstrap_sync_session):
    ids = text("SELECT id FROM t_one ORDER BY id")
    assert [1, 2] == list(bootstrap_sync_session.scalars(ids))
    bootstrap_sync_session.execute(text(f"INSERT INTO t_one VALUES ({{number + 10}})"))
    bootstrap_sync_session.commit()
    assert [1, 2, number + 10] == list(bootstrap_sync_session.scalars(ids))
"""


_AGAIN = """
@pytest.mark.parametrize("time", range(6))
def test_it(time, bootstrap_sync_session, bootstrap_database):
    number = "SELECT oid FROM pg_database WHERE datname = current_database()"
    with open("seen", "a") as file:
        file.write(f"{bootstrap_database.name} {bootstrap_sync_session.scalar(text(number))}\\n")
    assert 2 == bootstrap_sync_session.scalar(COUNT)
    bootstrap_sync_session.execute(text("INSERT INTO t_one VALUES (10)"))
    bootstrap_sync_session.commit()
"""


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
@pytest.mark.parametrize("reuse", [True, False])
def test_a_database_has_a_new_name_and_is_a_new_one_where_that_is_asked_for(
    folder: ProjectFolder, where: list[str], reuse: bool
) -> None:
    with (folder.root / "pytest.ini").open("a") as file:
        file.write(f"bootstrap_reuse = {reuse}\n")

    run = ran(folder, _AGAIN, *where)

    assert "6 passed" == outcome(run), run.stdout
    lines = (folder.root / "seen").read_text().splitlines()
    names, numbers = zip(*(line.split() for line in lines), strict=True)
    assert 6 == len(set(names))
    assert reuse == (len(set(numbers)) < 6)


def test_many_tests_on_two_workers_are_alone(folder: ProjectFolder, servers: Servers) -> None:
    """1,000 of them in `make test-full`, on all backends."""
    total = int(os.environ.get("BOOTSTRAP_TEST_FIXTURES", "40"))
    names = [*BACKENDS] if total > 40 else ["sqlite", "postgresql"]
    made = _counting(folder)
    urls = [
        servers.url(name).set(drivername=name).render_as_string(hide_password=False)
        for name in names
        if name != "sqlite"
    ]

    run = ran(
        folder,
        _ALONE.format(count=total // len(names)),
        "-n2",
        f"--bootstrap-backends={','.join(names)}",
        *(f"--bootstrap-url={url}" for url in urls),
    )

    assert f"{total} passed" == outcome(run), run.stdout
    assert "x" * len(names) == made.read_text()


def _counting(folder: ProjectFolder) -> Path:
    """A file that gets an x each time that the first revision is applied."""
    revision = folder.files[0]
    counter = "Path(__file__).with_name('made').open('a').write('x')"
    counting = f"from pathlib import Path\ndef upgrade():\n    {counter}"
    revision.write_text(revision.read_text().replace("def upgrade():", counting))
    return revision.with_name("made")


def test_workers_load_nothing_for_tests_without_the_fixtures(folder: ProjectFolder) -> None:
    (folder.root / "conftest.py").write_text(
        "import os, sys\n"
        "def pytest_sessionfinish(session):\n"
        "    heavy = sorted({'alembic', 'filelock', 'sqlalchemy'} & set(sys.modules))\n"
        "    with open('loaded', 'a') as file: file.write(f'{heavy}\\n')\n"
    )
    (folder.root / "test_plain.py").write_text("def test_it(): pass\n")

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-n2", "test_plain.py"],
        cwd=folder.root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "1 passed" == outcome(run), run.stdout
    assert ["[]"] * 3 == (folder.root / "loaded").read_text().splitlines()


def test_a_template_is_kept_until_something_changes_that_it_follows_from(
    folder: ProjectFolder,
) -> None:
    kept = folder.root / ".pytest_cache" / "d" / "bootstrap"
    made = _counting(folder)

    ran(folder, _OWN)
    ran(folder, _OWN)
    assert "x" == made.read_text()
    assert 1 == len(list(kept.glob("*.db")))

    (folder.root / "seeds" / "t_one.yaml").write_text(_ROWS.replace("  - id: 2\n", ""))
    run = ran(folder, _OWN.replace("2 ==", "1 =="))
    assert "5 passed" == outcome(run), run.stdout
    assert "xx" == made.read_text()

    ran(folder, _OWN.replace("2 ==", "1 =="), "--bootstrap-fresh")
    assert "xxx" == made.read_text()


def test_a_template_that_was_not_finished_is_made_anew(folder: ProjectFolder) -> None:
    ran(folder, _OWN)
    [template] = (folder.root / ".pytest_cache" / "d" / "bootstrap").glob("*.db")
    template.chmod(0o644)
    template.write_bytes(b"")  # as a process leaves it that is killed at once

    run = ran(folder, _OWN)

    assert "5 passed" == outcome(run), run.stdout


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--bootstrap-backends=oracle", "there is no backend 'oracle'"),
        ("--bootstrap-url=postgresql://geheim:geheim@127.0.0.1:1/app", "cannot connect to"),
    ],
)
def test_what_cannot_be_had_is_an_error_and_not_skipped(
    folder: ProjectFolder, option: str, said: str
) -> None:
    run = ran(folder, "def test_it(bootstrap_database): pass", option)

    assert "1 error" == outcome(run), run.stdout
    assert said in run.stdout
    assert ":geheim@" not in run.stdout


def test_a_test_may_name_its_backends(folder: ProjectFolder) -> None:
    tests = """
@pytest.mark.parametrize("bootstrap_backend", ["sqlite"], indirect=True)
def test_it(bootstrap_database):
    assert "sqlite" == bootstrap_database.backend.name
"""
    assert "1 passed" == outcome(ran(folder, tests, "--bootstrap-backends=all"))


def test_a_run_without_the_fixtures_makes_nothing(folder: ProjectFolder) -> None:
    run = ran(folder, "def test_it(): pass", "--bootstrap-backends=all")

    assert "1 passed" == outcome(run)
    assert not (folder.root / ".pytest_cache" / "d" / "bootstrap").exists()

"""A history that does not begin with an empty database: the project's own function comes first."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

import bootstrap
from bootstrap.project import Project
from bootstrap.schema.compare import compare
from tests.cli.conftest import Command
from tests.conformance.test_moves import tables_of
from tests.conformance.test_same_as_alembic import on_all, on_postgresql, rows
from tests.projects import ProjectFolder, create, env, new_project

on_sqlite = pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
VERSION = "SELECT version_num FROM alembic_version"
# The first of these revisions alters what no revision has made.
MODELS = """
import os
import signal
import sqlalchemy as sa

metadata = sa.MetaData()
sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True),
         sa.Column("email", sa.String(50)), sa.Column("age", sa.Integer))
sa.Table("items", metadata, sa.Column("id", sa.Integer, primary_key=True))

initial = sa.MetaData()
sa.Table("users", initial, sa.Column("id", sa.Integer, primary_key=True))


def newest(connection):
    metadata.create_all(connection)
    if "DIE_HERE" in os.environ:
        os.kill(os.getpid(), signal.SIGKILL)


def older(connection):
    initial.create_all(connection)
    connection.execute(sa.text("ALTER TABLE users ADD email VARCHAR(50)"))
    return "one"


def base(connection):
    initial.create_all(connection)
    return "base"


def unknown(connection):
    initial.create_all(connection)
    return "nowhere"


def useless(connection):
    return 7


def broken(connection):
    initial.create_all(connection)
    connection.execute(sa.text("INSERT INTO nowhere VALUES (1)"))


def commits(connection):
    initial.create_all(connection)
    connection.commit()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    folder = new_project(tmp_path / "project")
    folder.env(env())
    folder.revision(
        "one",
        down=None,
        upgrade="op.add_column('users', sa.Column('email', sa.String(50)))",
    )
    folder.revision(
        "two",
        down="one",
        upgrade="op.add_column('users', sa.Column('age', sa.Integer))\n" + create("items"),
    )
    (folder.root / "models.py").write_text(MODELS)
    monkeypatch.syspath_prepend(str(folder.root))
    monkeypatch.delitem(sys.modules, "models", raising=False)
    return folder


def first(folder: ProjectFolder, name: str) -> Project:
    return Project.at(folder.root / "alembic.ini", first=f"models:{name}")


@on_all
@pytest.mark.parametrize("name", ["newest", "older", "base"])
async def test_the_function_makes_the_schema_and_the_rest_is_run(
    empty_url: str, folder: ProjectFolder, name: str
) -> None:
    project = first(folder, name)
    with pytest.raises(bootstrap.StatementFailed, match="revision one"):
        await bootstrap.migrate(empty_url, project=folder.project)  # the control

    report = await bootstrap.migrate(empty_url, project=project)
    again = await bootstrap.migrate(empty_url, project=project)

    expected = {"newest": ["two"], "older": ["one", "two"], "base": ["one", "two"]}[name]
    assert expected == [step.revision for step in report.steps]
    assert ((), ("two",), ()) == (report.before, report.after, again.steps)
    assert [("two",)] == await rows(empty_url, VERSION)
    assert {"users", "items", "alembic_version"} == await tables_of(empty_url)
    await rows(empty_url, "SELECT id, email, age FROM users")


@on_sqlite
async def test_a_later_revision_is_run_as_ever(empty_url: str, folder: ProjectFolder) -> None:
    await bootstrap.migrate(empty_url, project=first(folder, "newest"))
    folder.revision("three", down="two", upgrade=create("later"))

    report = await bootstrap.migrate(empty_url, project=first(folder, "newest"))

    assert ["three"] == [step.revision for step in report.steps]


@on_all
async def test_killed_between_create_and_stamp(empty_url: str, folder: ProjectFolder) -> None:
    run = Command(folder=folder.root)
    (folder.root / "pyproject.toml").write_text('[tool.bootstrap]\nfirst = "models:newest"\n')

    killed = run("migrate", "--url", empty_url, DIE_HERE="1", PYTHONPATH=".")
    left = await tables_of(empty_url) - {"alembic_version"}
    again = run("migrate", "--url", empty_url, PYTHONPATH=".")

    assert -signal.SIGKILL == killed.code
    if left:  # the backend commits DDL by itself
        assert 6 == again.code
        assert "at no revision, but has tables (items, users)" in again.err
        stamped = run("stamp", "head", "--url", empty_url)
        assert 0 == stamped.code
        again = run("migrate", "--url", empty_url, PYTHONPATH=".")
    assert 0 == again.code, again.err
    assert [("two",)] == await rows(empty_url, VERSION)


@pytest.mark.parametrize("backend_name", ["sqlite", "postgresql"], indirect=True)
async def test_where_ddl_has_transactions_nothing_stays_of_a_killed_first_time(
    empty_url: str, folder: ProjectFolder
) -> None:
    run = Command(folder=folder.root)
    (folder.root / "pyproject.toml").write_text('[tool.bootstrap]\nfirst = "models:newest"\n')

    killed = run("migrate", "--url", empty_url, DIE_HERE="1", PYTHONPATH=".")

    assert -signal.SIGKILL == killed.code
    assert set() == await tables_of(empty_url) - {"alembic_version"}


@on_postgresql
@pytest.mark.parametrize(
    ("name", "error", "match"),
    [
        ("unknown", bootstrap.RevisionError, "no revision 'nowhere'"),
        ("useless", bootstrap.RevisionError, "gave int, which is no revision"),
        (
            "broken",
            bootstrap.StatementFailed,
            'statement of models:broken failed .*relation "nowhere"',
        ),
        ("gone", bootstrap.SettingsError, "names no function"),
    ],
)
async def test_a_function_that_does_not_work_leaves_nothing(
    empty_url: str,
    folder: ProjectFolder,
    name: str,
    error: type[bootstrap.BootstrapError],
    match: str,
) -> None:
    with pytest.raises(error, match=match):
        await bootstrap.migrate(empty_url, project=first(folder, name))

    assert set() == await tables_of(empty_url)


@on_sqlite
async def test_a_function_must_not_commit(empty_url: str, folder: ProjectFolder) -> None:
    with pytest.raises(bootstrap.RevisionError, match="models:commits commits before it is done"):
        await bootstrap.migrate(empty_url, project=first(folder, "commits"))

    assert set() == await tables_of(empty_url) - {"alembic_version"}


@on_sqlite
@pytest.mark.parametrize("target", ["one", "+1", "base"])
async def test_an_empty_database_goes_to_the_heads_only(
    empty_url: str, folder: ProjectFolder, target: str
) -> None:
    with pytest.raises(bootstrap.RevisionError, match="goes to the heads then, not to"):
        await bootstrap.migrate(empty_url, target, project=first(folder, "newest"))

    assert set() == await tables_of(empty_url)


@on_sqlite
async def test_several_heads_need_a_revision_from_the_function(
    empty_url: str, folder: ProjectFolder
) -> None:
    folder.revision("side", down="one", upgrade=create("aside"))

    with pytest.raises(bootstrap.RevisionError, match="the history has 2 heads"):
        await bootstrap.migrate(empty_url, "heads", project=first(folder, "newest"))
    report = await bootstrap.migrate(empty_url, "heads", project=first(folder, "older"))

    assert ("side", "two") == report.after


@on_all
async def test_a_database_with_tables_and_no_revision_is_refused(
    empty_url: str, folder: ProjectFolder
) -> None:
    async with bootstrap.Database.of(empty_url).connect() as connection:
        await connection.execute(text("CREATE TABLE others (id INTEGER)"))
        await connection.commit()

    with pytest.raises(bootstrap.RevisionError, match=r"has tables \(others\), so models:newest"):
        await bootstrap.migrate(empty_url, project=first(folder, "newest"))

    assert {"others"} == await tables_of(empty_url)


@on_all
async def test_status_says_that_it_will_be_called(empty_url: str, folder: ProjectFolder) -> None:
    project = first(folder, "newest")

    before = await bootstrap.status(empty_url, project=project)
    await bootstrap.migrate(empty_url, project=project)
    after = await bootstrap.status(empty_url, project=project)

    assert ("models:newest", None) == (before.first, after.first)
    assert (2, ()) == (len(before.pending), after.pending)


@on_sqlite
def test_the_command_says_so_too_and_writes_no_script(
    empty_url: str, folder: ProjectFolder
) -> None:
    run = Command(folder=folder.root, environ={"BOOTSTRAP_FIRST": "models:base", "PYTHONPATH": "."})
    status = run("status", "--url", empty_url)
    script = run("migrate", "--sql", "--url", empty_url)
    migrated = run("migrate", "--url", empty_url)

    assert "models:base makes the schema of this empty database" in status.out
    assert (6, True) == (script.code, "cannot be written as a script" in script.err)
    assert (0, True) == (migrated.code, "one  the schema of models:base" in migrated.err)


@on_sqlite
async def test_a_history_without_a_beginning_can_be_verified_with_it(
    empty_url: str, folder: ProjectFolder
) -> None:
    with_env = Project.at(folder.root / "alembic.ini", first="models:older")

    report = await bootstrap.verify(project=with_env, backends=["sqlite"])

    [server] = report.servers
    assert {"users", "items"} == {one.removesuffix(" ") for one in server.tables}


@on_all
async def test_the_schema_is_the_one_of_create_all(empty_url: str, folder: ProjectFolder) -> None:
    """What such projects do, before they stamp it."""
    await bootstrap.migrate(empty_url, project=first(folder, "newest"))
    ours = (await bootstrap.snapshot(empty_url)).schema
    async with bootstrap.Database.of(empty_url).connect() as connection:
        for name in ("users", "items", "alembic_version"):
            await connection.execute(text(f"DROP TABLE {name}"))
        from models import metadata  # type: ignore[import-not-found]  # written by the fixture

        await connection.run_sync(metadata.create_all)
        await connection.commit()

    assert () == compare((await bootstrap.snapshot(empty_url)).schema, ours)

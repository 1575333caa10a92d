"""`bootstrap revision` as people see it."""

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.projects import ProjectFolder, new_project

MODELS = """
sa.Table('items', metadata, sa.Column('id', sa.Integer, primary_key=True))
"""
BROKEN = """
from alembic.operations import ops

def broken(context, revision, directives):
    for one in directives:
        if one.upgrade_ops.ops:
            one.upgrade_ops.ops.append(ops.ExecuteSQLOp('SELECT * FROM nowhere'))

config = context.config
"""
ONE_WAY = """
def broken(context, revision, directives):
    directives[0].downgrade_ops.ops.clear()
    for operation in directives[0].upgrade_ops.ops:
        operation.if_not_exists = True

config = context.config
"""


@pytest.fixture
def project(tmp_path: Path) -> ProjectFolder:
    """A project whose models have a table, and which has no revision."""
    folder = new_project(tmp_path / "project")
    folder.models(MODELS)
    return folder


def hooked(project: ProjectFolder, code: str) -> None:
    env = (project.root / "migrations" / "env.py").read_text()
    env = env.replace(
        "target_metadata=metadata,",
        "target_metadata=metadata, process_revision_directives=broken,",
    )
    project.env(env.replace("config = context.config", code, 1))


def calm(text: str) -> str:
    """Without times and versions."""
    return re.sub(r"SQLite [\d.]+", "SQLite 0", re.sub(r"\d+\.\d\d s", "0.00 s", text))


def test_a_revision_is_written_and_tried(run: Command, project: ProjectFolder) -> None:
    done = run("revision", "--autogenerate", "-m", "Add items", "--rev-id", "items")

    (path,) = project.files
    assert (0, "tried     SQLite: works  0.00 s\n") == (done.code, calm(done.err))
    assert [
        "Revision items",
        "  create table items (id)",
        "SQLite 0: works, up and down",
        f"Wrote {path}",
    ] == calm(done.out).splitlines()
    assert "bootstrap" not in path.read_text()


def test_it_looks_as_the_documentation_shows(run: Command, project: ProjectFolder) -> None:
    page = (Path(__file__).parents[2] / "docs" / "revisions.md").read_text(encoding="utf-8")
    shown = page.partition("```text\n$ bootstrap ")[2].partition("```")[0]
    arguments, _, output = shown.partition("\n")

    done = run(*shlex.split(arguments))

    said = (done.err + done.out).replace(str(project.root), "/srv/shop")
    dates = re.compile(r"\d{8}_\d{4}")
    assert dates.sub("", calm(output)) == dates.sub("", calm(said))


def test_nothing_is_written_where_there_is_nothing_to_do(
    run: Command, project: ProjectFolder
) -> None:
    run("revision", "--autogenerate", "-m", "Add items")

    done = run("revision", "--autogenerate", "-m", "Again")

    assert (0, "", 1) == (done.code, done.err, len(project.files))
    said = "The models have nothing that the history has not. Nothing was left to do.\n"
    assert said == done.out


def test_the_database_of_the_settings_is_neither_needed_nor_touched(
    run: Command, project: ProjectFolder
) -> None:
    nobody = {"DATABASE_URL": "postgresql://nobody:geheim@127.0.0.1:1/none"}

    done = run("revision", "--autogenerate", "--backend", "sqlite", **nobody)
    by_hand = run("revision", "-m", "By hand", **nobody)

    assert (0, 0, 2) == (done.code, by_hand.code, len(project.files)), done.err
    assert "geheim" not in done.out + done.err


def test_only_the_option_names_a_database_to_compare_with(
    run: Command, project: ProjectFolder
) -> None:
    url = f"sqlite:///{project.root}/dev.db"
    run("create", "--url", url)
    with_table = "op.create_table('items', sa.Column('id', sa.Integer, primary_key=True))"
    project.revision("one", down=None)
    run("stamp", "one", "--url", url)

    by_option = run("revision", "--autogenerate", "--no-try", "--url", url)
    project.files[0].unlink()
    project.revision("one", down=None, upgrade=with_table)
    by_environment = run("revision", "--autogenerate", DATABASE_URL=url)

    assert (0, True) == (by_option.code, "create table items" in by_option.out), by_option.err
    assert "not tried" not in by_option.out
    assert "The models have nothing" in by_environment.out


def test_a_failed_statement_is_exit_code_7(run: Command, project: ProjectFolder) -> None:
    hooked(project, BROKEN)

    done = run("revision", "--autogenerate", "-m", "Add items", "--rev-id", "items")

    first, second, third, hint = done.err.splitlines()[1:]
    assert (7, "", []) == (done.code, done.out, project.files)
    assert "error: the new revision items does not work" == first
    assert second.startswith(
        "SQLite, upgrade: a statement of revision items failed (sqlite SQLITE_ERROR: "
    )
    assert re.search(r"_add_items\.py:\d+   SELECT \* FROM nowhere$", third)
    assert "hint: the file was removed; with --keep it stays, to be corrected" == hint


def test_a_schema_that_is_not_what_it_should_be_is_exit_code_1(
    run: Command, project: ProjectFolder
) -> None:
    hooked(project, ONE_WAY)

    removed = run("revision", "--autogenerate")
    files = project.files
    kept = run("revision", "--autogenerate", "--keep")

    assert (1, [], 1) == (removed.code, files, kept.code)
    assert "SQLite 0: after the downgrade the schema is not what it was:\n" in calm(removed.out)
    assert "\nRemoved " in removed.out
    assert f"\nWrote {project.files[0]}\n" in kept.out
    assert removed.err.endswith("The schema is not what it should be.\n")


def test_as_json_every_fact_is_there(run: Command, project: ProjectFolder) -> None:
    done = run("revision", "--autogenerate", "--format", "json", BOOTSTRAP_BACKENDS="sqlite")

    report = done.document["report"]
    (revision,) = report.pop("revisions")
    (attempt,) = report.pop("attempts")
    assert str(project.files[0]) == revision["path"]
    assert {
        "kept": True,
        "compared_on": "sqlite",
        "operations": [
            {"kind": "create_table", "table": "items", "text": "create table items (id)"}
        ],
        "not_tried": [],
        "works": True,
    } == report
    del attempt["server_version"]
    assert {
        "backend": "sqlite",
        "pending": [],
        "not_undone": [],
        "not_repeated": [],
        "works": True,
    } == attempt


def test_an_unknown_backend_is_told_with_those_there_are(run: Command) -> None:
    done = run("revision", "--autogenerate", "--backend", "oracle")

    assert 3 == done.code
    assert "there is no backend 'oracle'" in done.err
    assert "hint: use one of: mariadb, mysql, postgresql, sqlite" in done.err

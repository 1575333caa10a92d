"""Alembic's options for all commands: -x, -q, -c, --raiseerr, and --tag."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.projects import ProjectFolder

TELL = """
import json, os
from alembic import context
said = [
    context.get_x_argument(), context.get_x_argument(as_dictionary=True),
    context.get_tag_argument(), context.get_revision_argument(),
]
with open("said.json", "w") as file:
    json.dump(said, file)
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/a.db"


@pytest.fixture
def telling(project: ProjectFolder, run: Command, url: str) -> ProjectFolder:
    """A project whose env.py tells what it was called with."""
    run("create", "--url", url)
    env = project.root / "migrations" / "env.py"
    source = env.read_text()
    start = "config = context.config\n"
    assert start in source
    env.write_text(source.replace(start, start + TELL))
    return project


@pytest.mark.parametrize(
    ("command", "destination"),
    [(["migrate"], "three"), (["stamp", "one"], "one"), (["downgrade", "base"], None)],
)
def test_env_py_gets_its_arguments_and_the_tag(
    run: Command, url: str, telling: ProjectFolder, command: list[str], destination: object
) -> None:
    more = ["--tag", "tuesday", "-x", "tenant=blue", "-x", "fast"]

    done = run(*command, "--url", url, *more)

    assert 0 == done.code, done.err
    said = json.loads((telling.root / "said.json").read_text())
    arguments = ["tenant=blue", "fast"]
    assert [arguments, {"tenant": "blue", "fast": ""}, "tuesday", destination] == said


def test_without_them_env_py_finds_none(run: Command, url: str, telling: ProjectFolder) -> None:
    done = run("migrate", "+1", "--url", url)

    assert 0 == done.code, done.err
    assert [[], {}, None, "+1"] == json.loads((telling.root / "said.json").read_text())


def test_a_password_among_the_arguments_is_not_shown(
    run: Command, url: str, project: ProjectFolder
) -> None:
    run("create", "--url", url)
    project.env("from alembic import context\nraise ValueError(context.get_x_argument())")

    done = run("migrate", "--url", url, "-x", "other=mysql://me:geheim@db/app", "--raiseerr")

    assert 6 == done.code
    assert "Traceback" in done.err
    assert "mysql://me:***@db/app" in done.err
    assert "geheim" not in done.err + done.out


def test_quiet_leaves_the_result_alone(run: Command, url: str) -> None:
    done = run("up", "--url", url, "-q")

    assert (0, "") == (done.code, done.err)
    assert "Revision  none → three (3 steps)" in done.out


def test_quiet_still_shows_errors_and_keeps_the_exit_code(run: Command, url: str) -> None:
    missing = run("migrate", "--url", url, "--quiet")
    run("create", "--url", url)
    behind = run("current", "--check-heads", "--url", url, "--quiet")
    unanswered = run("drop", "--url", url, "--quiet")

    assert (4, "error: ") == (missing.code, missing.err[:7])
    assert (1, "") == (behind.code, behind.err)
    assert (2, "error: ") == (unanswered.code, unanswered.err[:7])


def test_ini_and_pyproject_may_be_in_two_places(run: Command, project: ProjectFolder) -> None:
    """The ini file has nothing but the section for loggers; the rest stands in the other."""
    elsewhere = project.root / "elsewhere"
    elsewhere.mkdir()
    (project.root / "alembic.ini").rename(elsewhere / "a.ini")
    (elsewhere / "a.ini").write_text("[alembic]\n")
    deploy = project.root / "deploy"
    deploy.mkdir()
    (deploy / "pyproject.toml").write_text(
        '[tool.alembic]\nscript_location = "%(here)s/../migrations"\n'
        '[tool.bootstrap]\nurl = "sqlite:///here.db"\n'
    )
    both = ["-c", "elsewhere/a.ini", "-c", "deploy/pyproject.toml"]

    heads = run("heads", *both)
    shown = run("config", *both)
    done = run("up", *both)

    assert (0, "three (head)\n") == (heads.code, heads.out)
    assert "deploy/pyproject.toml" in shown.out
    assert 0 == done.code, done.err
    assert (project.root / "here.db").is_file()


@pytest.mark.parametrize("name", ["a.ini", "pyproject.toml"])
def test_two_of_a_kind_are_refused(run: Command, name: str) -> None:
    done = run("heads", "-c", name, "-c", f"b/{name}")

    assert 2 == done.code
    assert "--config takes one ini file and one pyproject.toml." in done.err


def test_pyproject_cannot_name_itself(run: Command, project: ProjectFolder) -> None:
    (project.root / "pyproject.toml").write_text('[tool.bootstrap]\npyproject = "b.toml"\n')

    done = run("heads")

    assert 3 == done.code
    assert "'pyproject'" in done.err

"""Bad data sets: file and line, exit code 8, and no row is written."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.projects import ProjectFolder

BAD = {
    "unknown column": (
        "people.yaml",
        "table: people\nkey: email\nrows:\n  - email: a@b\n    nmae: Ada\n",
        "people.yaml:5",
        "nmae",
    ),
    "missing key": (
        "people.yaml",
        "table: people\nkey: email\nrows:\n  - name: Ada\n",
        "people.yaml:4",
        "email",
    ),
    "duplicate key": (
        "people.yaml",
        "table: people\nkey: email\nrows:\n  - email: a@b\n  - email: a@b\n",
        "people.yaml:5",
        "email",
    ),
    "broken YAML": (
        "people.yaml",
        "table: people\nkey: email\nrows:\n  - email: [a@b\n",
        "people.yaml:",
        "YAML",
    ),
    "broken JSON": ("people.json", '{"table": "people",\n "key": }', "people.json:2", "JSON"),
    "cells in a row": ("10_people.csv", "email (key),name\na@b\n", "10_people.csv:2", ""),
    "no such table": (
        "people.yaml",
        "table: poeple\nkey: email\nrows:\n  - email: a@b\n",
        "people.yaml:1",
        "poeple",
    ),
}


@pytest.fixture
def seeds(project: ProjectFolder, run: Command) -> Path:
    """A folder of data sets of which the first is good, and a database with its table."""
    project.revision(
        "four",
        down="three",
        upgrade="op.create_table('people', sa.Column('id', sa.Integer, primary_key=True),"
        " sa.Column('email', sa.String(50), unique=True, nullable=False),"
        " sa.Column('name', sa.String(50)))",
    )
    assert 0 == run("up", "--url", "sqlite:///app.db").code
    folder = project.root / "seeds"
    folder.mkdir()
    (folder / "00_good.yaml").write_text(
        "table: people\nkey: email\nrows:\n  - email: good@example.com\n"
    )
    return folder


@pytest.mark.parametrize("case", BAD)
def test_a_bad_data_set_is_named_with_its_line(
    run: Command, seeds: Path, project: ProjectFolder, case: str
) -> None:
    name, text, place, word = BAD[case]
    (seeds / name).write_text(text)

    done = run("seed", "seeds", "--url", "sqlite:///app.db")

    assert 8 == done.code, done.err
    assert place in done.err
    assert word in done.err
    assert "Traceback" not in done.err
    assert "\nhint: " in done.err
    with closing(sqlite3.connect(project.root / "app.db")) as connection:
        assert [(0,)] == connection.execute("SELECT count(*) FROM people").fetchall()


def test_the_control_a_good_one_is_written(
    run: Command, seeds: Path, project: ProjectFolder
) -> None:
    done = run("seed", "seeds", "--url", "sqlite:///app.db")

    assert 0 == done.code, done.err
    with closing(sqlite3.connect(project.root / "app.db")) as connection:
        assert [(1,)] == connection.execute("SELECT count(*) FROM people").fetchall()


def test_json_says_what_was_wrong(run: Command, seeds: Path) -> None:
    (seeds / "people.yaml").write_text(BAD["unknown column"][1])

    done = run("seed", "seeds", "--url", "sqlite:///app.db", "--format", "json")

    error = done.document["error"]
    assert ("SeedError", 8) == (error["kind"], error["exit_code"])
    assert "people.yaml:5" in error["message"]

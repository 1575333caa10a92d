"""Bad data sets: file and line, exit code 8, and no row is written."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pexpect
import pytest

from tests.cli.conftest import Command
from tests.projects import ProjectFolder

BAD: dict[str, tuple[str, str | bytes, str, str]] = {
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
    "wrong type": ("people.csv", "id (key),email\nsix,a@b\n", "people.csv:2", "whole number"),
    "too long a text": (
        "people.csv",
        f"email (key),name\na@b,Ada\nc@d,{'x' * 51}\n",
        "people.csv:3",
        "at most 50 characters",
    ),
    "broken quotes": ("people.csv", 'email (key),name\na@b,"Ada" L\n', "people.csv:2", "CSV"),
    "an open quote": ("people.csv", 'email (key),name\na@b,"Ada\n', "people.csv:2", "CSV"),
    "mixed encodings": (
        "people.csv",
        "email (key),name\na@b,Zoë\n".encode() + "c@d,Zoë\n".encode("latin-1"),
        "people.csv:3",
        "UTF-8",
    ),
    "an endless line": (
        "people.csv",
        "email (key),name\na@b,Ada\n" + "x" * 2_000_000,
        "people.csv:3",
        "",
    ),
    "a reference to nobody": (
        "people.yaml",
        "table: people\nkey: email\nrows:\n  - {email: a@b, boss_id: {email: no@b}}\n",
        "people.yaml:4",
        "no row of people has this email",
    ),
    "a key of another file": (
        "people.csv",
        "email (key),name\ngood@example.com,Ada\n",
        "people.csv:2",
        "same natural key (email) as seeds/00_good.yaml:4",
    ),
    "a variable that is not set": (
        "people.yaml",
        "table: people\nkey: email\nrows:\n  - {email: a@b, name: {env: NOT_SET}}\n",
        "people.yaml:4",
        "NOT_SET",
    ),
    "a manifest that is no TOML": ("manifest.toml", "order = [\n]]\n", "manifest.toml:2", "TOML"),
    "a manifest with another word": ("manifest.toml", "ordr = []\n", "manifest.toml", "ordr"),
    "a manifest with another file": ("manifest.toml", 'order = ["a"]\n', "manifest.toml", "'a'"),
}


@pytest.fixture
def seeds(project: ProjectFolder, run: Command) -> Path:
    """A folder of data sets of which the first is good, and a database with its table."""
    project.revision(
        "four",
        down="three",
        upgrade="op.create_table('people', sa.Column('id', sa.Integer, primary_key=True),"
        " sa.Column('email', sa.String(50), unique=True, nullable=False),"
        " sa.Column('name', sa.String(50)),"
        " sa.Column('boss_id', sa.Integer, sa.ForeignKey('people.id')))",
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
    (seeds / name).write_bytes(text if isinstance(text, bytes) else text.encode())

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
    (seeds / "people.yaml").write_text(str(BAD["unknown column"][1]))

    done = run("seed", "seeds", "--url", "sqlite:///app.db", "--format", "json")

    error = done.document["error"]
    assert ("SeedError", 8) == (error["kind"], error["exit_code"])
    assert "people.yaml:5" in error["message"]


def test_an_unknown_environment_is_a_setting(run: Command, seeds: Path) -> None:
    (seeds / "dev").mkdir()
    (seeds / "dev" / "people.csv").write_text("email (key)\ndev@example.com\n")

    done = run("seed", "seeds", "--url", "sqlite:///app.db", BOOTSTRAP_ENV="stage")

    assert 3 == done.code
    assert "error: no data sets are for the environment 'stage'\nhint: known are dev\n" == done.err


def test_rows_are_not_deleted_without_an_answer(run: Command, seeds: Path) -> None:
    url = ("--url", "sqlite:///app.db")
    run("seed", "seeds", *url)
    (seeds / "00_good.yaml").write_text("table: people\nkey: email\nrows: []\n")

    asked = run("seed", "seeds", *url, "--prune-table", "people")
    looked = run("seed", "seeds", *url, "--prune-table", "people", "--dry-run", "--format", "json")
    answered = run("seed", "seeds", *url, "--prune-table", "people", "--yes", "--format", "json")
    both = run("seed", *url, "--prune-table", "people", "--prune")

    assert (2, 2) == (asked.code, both.code)
    assert "Delete 1 row of SQLite file app.db that no data set has (1 of people)?" in asked.err
    report = looked.document["report"]
    assert [("delete", {"email": "good@example.com"})] == [
        (one["action"], one["key"]) for one in report["differences"]
    ]
    assert [{"table": "people", "deleted": 1}] == answered.document["report"]["pruned"]


def test_a_person_is_asked_before_rows_are_deleted(
    run: Command, seeds: Path, project: ProjectFolder
) -> None:
    url = ("--url", "sqlite:///app.db")
    run("seed", "seeds", *url)
    (seeds / "00_good.yaml").write_text("table: people\nkey: email\nrows: []\n")
    arguments = ["-m", "bootstrap", "seed", "seeds", *url, "--prune-table", "people"]

    for answer, code, left in (("n", 1, 1), ("y", 0, 0)):
        child = pexpect.spawn(
            sys.executable, arguments, cwd=str(project.root), encoding="utf-8", timeout=60
        )
        child.expect(r"Delete 1 row of .* that no data set has \(1 of people\)\? \[y/N\]")
        child.sendline(answer)
        child.expect(pexpect.EOF)
        child.close()

        assert code == child.exitstatus
        with closing(sqlite3.connect(project.root / "app.db")) as connection:
            assert [(left,)] == connection.execute("SELECT count(*) FROM people").fetchall()

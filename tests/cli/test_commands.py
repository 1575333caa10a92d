"""The command as people see it."""

import re
import sys
from pathlib import Path

import pexpect
import pytest

from bootstrap.cli import cli
from bootstrap.cli.group import leaves
from tests.cli.conftest import Command
from tests.projects import ProjectFolder


@pytest.fixture
def url(project: ProjectFolder) -> str:
    return f"sqlite:///{project.root}/app.db"


def calm(text: str) -> str:
    """Times out of a transcript."""
    return re.sub(r"\d+\.\d\d? s", "0.00 s", text)


def test_up_shows_what_happened_and_then_that_nothing_was_left(run: Command, url: str) -> None:
    first = run("up", "--url", url)
    second = run("up", "--url", url)

    assert (0, 0) == (first.code, second.code), first.err + second.err
    place = url.removeprefix("sqlite:///")
    assert [
        f"created   SQLite file {place}",
        "upgrade   1/3  one  one title  0.00 s",
        "upgrade   2/3  two  two title  0.00 s",
        "upgrade   3/3  three  three title  0.00 s",
    ] == calm(first.err).splitlines()
    assert f"Database  {url} (SQLite" in first.out
    assert "Revision  none → three (3 steps)" in first.out
    assert "" == second.err
    assert second.out.endswith("Nothing was left to do.\n")


def test_status_lists_what_is_pending(run: Command, url: str) -> None:
    run("create", "--url", url)
    run("migrate", "+1", "--url", url)

    done = run("status", "--url", url)

    assert 0 == done.code
    words = [line.split() for line in done.out.splitlines()]
    assert ["Revision", "one"] in words
    assert ["Pending", "2"] in words
    assert ["three", "three", "title"] in words


def test_json_is_one_document_on_standard_output(run: Command, url: str) -> None:
    done = run("up", "--url", url, "--format", "json", "--echo")

    document = done.document
    assert (1, "up") == (document["version"], document["command"])
    assert document["report"]["changed"] is True
    assert ["one", "two", "three"] == [
        step["revision"] for step in document["report"]["migration"]["steps"]
    ]
    assert "CREATE TABLE t_one" in done.err


def test_minus_one_is_a_revision_and_not_an_option(run: Command, url: str) -> None:
    run("up", "--url", url)

    done = run("downgrade", "-1", "--url", url)

    assert (0, True) == (done.code, "three → two (1 step)" in done.out), done.err


def test_stamp_and_drop(run: Command, url: str, project: ProjectFolder) -> None:
    run("create", "--url", url)

    stamped = run("stamp", "two", "--url", url)
    dropped = run("drop", "--yes", "--url", url)
    again = run("drop", "--yes", "--url", url)

    assert "none → two (1 step)" in stamped.out
    assert (0, f"Dropped {url}\n") == (dropped.code, dropped.out)
    assert (0, True) == (again.code, "does not exist" in again.out)
    assert not list(project.root.glob("app.db*"))


def test_wait_answers(run: Command, url: str) -> None:
    done = run("wait", "--url", url, "--timeout", "5")

    assert 0 == done.code
    assert "The database itself does not exist yet." in done.out


def test_wait_for_the_heads_says_whether_they_were_reached(run: Command, url: str) -> None:
    run("create", "--url", url)
    run("migrate", "two", "--url", url)
    too_long = run("wait", "--heads", "--timeout", "0", "--url", url, "--format", "json")
    run("migrate", "--url", url)

    done = run("wait", "--heads", "--url", url)

    assert (1, "did not come to the heads: three") == (too_long.code, too_long.err[-33:].strip())
    assert (["two"], ["three"], False) == tuple(
        too_long.document["report"][name] for name in ("current", "heads", "at_heads")
    )
    assert (0, True) == (done.code, "is at three after" in done.out)


def test_config_shows_where_each_value_comes_from(run: Command) -> None:
    done = run("config", DATABASE_URL="postgresql://app:geheim@db/app")

    assert 0 == done.code
    assert "environment DATABASE_URL" in done.out
    assert "postgresql://app:***@db/app" in done.out
    assert "geheim" not in done.out + done.err


def test_the_environment_names_the_database(run: Command, url: str) -> None:
    done = run("up", DATABASE_URL=url)

    assert 0 == done.code, done.err


@pytest.mark.parametrize("name", sorted(name for name, _ in leaves(cli)))
def test_help_has_an_example(run: Command, name: str) -> None:
    done = run(*name.split(), "--help")

    assert 0 == done.code
    assert re.search(rf"Example:\n.*bootstrap (.* )?{name}", done.out, re.DOTALL)


def test_a_person_is_asked_before_a_drop(run: Command, url: str, project: ProjectFolder) -> None:
    run("create", "--url", url)
    arguments = ["-m", "bootstrap", "drop", "--url", url]
    for answer, left in (("n", True), ("y", False)):
        child = pexpect.spawn(
            sys.executable, arguments, cwd=str(project.root), encoding="utf-8", timeout=60
        )
        child.expect(r"Drop SQLite file .* with all that is in it\? \[y/N\]")
        child.sendline(answer)
        child.expect(pexpect.EOF)
        child.close()
        assert (1 if left else 0) == child.exitstatus
        assert left == (project.root / "app.db").exists()


def test_a_person_is_asked_before_rows_are_lost(
    run: Command, url: str, project: ProjectFolder
) -> None:
    import sqlite3

    run("up", "--url", url)
    with sqlite3.connect(project.root / "app.db") as connection:
        connection.execute("INSERT INTO t_two VALUES (1)")
    connection.close()
    child = pexpect.spawn(
        sys.executable,
        ["-m", "bootstrap", "downgrade", "base", "--url", url],
        cwd=str(project.root),
        encoding="utf-8",
        timeout=60,
    )

    child.expect(r"This downgrade drops tables that have rows: t_two \(1 row\). Go on\? \[y/N\]")
    child.sendline("y")
    child.expect("three → none")
    child.expect(pexpect.EOF)
    child.close()

    assert 0 == child.exitstatus


def test_init_starts_a_project_that_is_up_in_one_command(tmp_path: Path) -> None:
    started = Command(folder=tmp_path)("init", "shop")
    up = Command(folder=tmp_path / "shop")("up")
    again = Command(folder=tmp_path / "shop")("up")

    assert (0, 0, 0) == (started.code, up.code, again.code), started.err + up.err + again.err
    assert "cd shop && bootstrap up" in started.out
    assert again.out.endswith("Nothing was left to do.\n")


def test_init_starts_an_empty_project(tmp_path: Path) -> None:
    here = Command(folder=tmp_path)

    started = here("init", "--empty")
    up = here("up")

    assert (0, 0) == (started.code, up.code), started.err + up.err
    assert [] == list((tmp_path / "migrations" / "versions").glob("*.py"))


def test_init_joins_an_alembic_project_and_changes_none_of_its_files(
    run: Command, project: ProjectFolder
) -> None:
    (project.root / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n')
    before = {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()}

    done = run("init", "--url", "sqlite:///shop.db")
    up = run("up")

    assert (0, 0) == (done.code, up.code), done.err + up.err
    changed = [path.name for path, content in before.items() if path.read_bytes() != content]
    assert ["pyproject.toml"] == changed
    text = (project.root / "pyproject.toml").read_text()
    assert text.startswith('[project]\nname = "shop"')
    assert '[tool.bootstrap]\nurl = "sqlite:///shop.db"\n' in text


def test_init_overwrites_nothing_and_writes_no_password(tmp_path: Path) -> None:
    here = Command(folder=tmp_path)
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "env.py").write_text("# mine\n")

    in_the_way = here("init")
    secret = here("init", "--url", "postgresql://a:geheim@h/db")

    assert (3, 3) == (in_the_way.code, secret.code)
    assert "env.py would be overwritten" in in_the_way.err
    assert "geheim" not in secret.err
    assert ["migrations"] == [path.name for path in tmp_path.iterdir()]
    assert 3 == here("init").code


def test_init_twice_says_so(run: Command) -> None:
    run("init")

    done = run("init")

    assert (3, True) == (done.code, "set up already" in done.err)

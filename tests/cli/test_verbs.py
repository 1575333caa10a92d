"""Alembic's verbs beside Alembic itself, and what bootstrap's own add."""

import os
import re
import sys
from pathlib import Path

import pexpect
import pytest

from tests import commands
from tests.cli.conftest import Command, Done
from tests.projects import ProjectFolder, new_project

LISTINGS = [
    "heads",
    "heads --verbose",
    "heads -v --resolve-dependencies",
    "branches",
    "branches -v",
    "history",
    "history --verbose",
    "history --rev-range root:joined",
    "history -i -r left:current",
    "history -i",
    "show needy",
    "show root",
    "show heads",
    "current",
]


@pytest.fixture
def branched(tmp_path: Path) -> ProjectFolder:
    """A history with all that a listing can show."""
    folder = new_project(tmp_path / "branched")
    folder.revision("root", down=None)
    folder.revision("left", down="root", extra="branch_labels = ('west', 'occident')")
    folder.revision("right", down="root")
    folder.revision("joined", down=("left", "right"))
    folder.revision("alone", down=None, extra="branch_labels = ('solo',)")
    folder.revision("needy", down="joined", extra="depends_on = ('alone',)")
    return folder


@pytest.fixture
def url(project: ProjectFolder) -> str:
    return f"sqlite:///{project.root}/app.db"


def alembic(folder: ProjectFolder, *arguments: str, **environ: str) -> str:
    done = commands.run("alembic", *arguments, cwd=folder.root, environ=os.environ | environ)
    assert 0 == done.returncode, done.stderr
    return done.stdout


def ordered(text: str) -> list[str]:
    """The lines, without what Alembic orders by the hash of a string."""

    def sorted_names(found: re.Match[str]) -> str:
        return ", ".join(sorted(found[0].split(", ")))

    lines = [re.sub(r"\b\w+(, \w+)+", sorted_names, line) for line in text.splitlines()]
    return sorted(line for line in lines if line.strip())


@pytest.mark.parametrize("listing", LISTINGS)
def test_a_listing_is_what_alembic_shows(branched: ProjectFolder, listing: str) -> None:
    run = Command(folder=branched.root, environ={"DATABASE_URL": "sqlite:///x.db"})
    assert 0 == run("create").code
    assert 0 == run("migrate", "joined").code

    done = run(*listing.split())

    expected = alembic(branched, *listing.split(), DATABASE_URL="sqlite:///x.db")
    assert (0, "") == (done.code, done.err)
    assert len(ordered(expected)) > 0
    assert ordered(expected) == ordered(done.out)


def test_current_says_which_database_when_it_is_verbose(run: Command, url: str) -> None:
    run("up", "--url", url)

    done = run("current", "--url", url, "-v")

    assert f"Current revision(s) for {url}:\nRev: three (head) (current)\n" in done.out


def test_listings_need_no_database(run: Command) -> None:
    nowhere = {"DATABASE_URL": "postgresql://nobody:geheim@127.0.0.1:1/none"}

    for listing in ("heads", "branches", "history", "show two"):
        done = run(*listing.split(), **nowhere)

        assert (0, "") == (done.code, done.err)


def test_a_listing_as_json_has_every_fact(run: Command, project: ProjectFolder) -> None:
    report = run("show", "two", "--format", "json").document["report"]

    assert [
        {
            "revision": "two",
            "title": "two title",
            "text": "two title",
            "path": str(project.root / "migrations" / "versions" / "two.py"),
            "down_revisions": ["one"],
            "next_revisions": ["three"],
            "depends_on": [],
            "labels": [],
            "is_head": False,
            "is_depended_on": False,
            "is_current": False,
            "is_branch_point": False,
            "is_merge_point": False,
        }
    ] == report["revisions"]


def test_brackets_in_a_title_are_no_markup(run: Command, project: ProjectFolder) -> None:
    path = project.revision("four", down="three")
    path.write_text(path.read_text().replace("four title", "[bold]four[/] title"))

    assert "three -> four (head), [bold]four[/] title\n" in run("history").out


def test_check_heads_answers_with_the_exit_code(run: Command, url: str) -> None:
    run("create", "--url", url)
    run("migrate", "two", "--url", url)
    plain = run("current", "--url", url)
    no = run("current", "--check-heads", "--url", url)
    as_json = run("current", "--check-heads", "--url", url, "--format", "json")
    run("migrate", "--url", url)
    yes = run("current", "--check-heads", "--url", url)

    said = "The database is not at the heads: three\n"
    assert (0, "two\n", "") == (plain.code, plain.out, plain.err)
    assert (1, "two\n", said) == (no.code, no.out, no.err)
    assert (1, False) == (as_json.code, as_json.document["report"]["at_heads"])
    assert (0, "three (head)\n", "") == (yes.code, yes.out, yes.err)


def test_check_lists_what_is_pending(run: Command, url: str) -> None:
    run("up", "--url", url)

    done = run("check", "--url", url)  # the project has tables and no models

    assert 1 == done.code
    assert [
        "Pending operations:",
        "  drop table t_one",
        "  drop table t_three",
        "  drop table t_two",
    ] == sorted(done.out.splitlines(), key=str.lstrip)
    assert "The database does not have what the models say.\n" == done.err


def test_check_as_json_has_the_operations_as_data(run: Command, url: str) -> None:
    run("up", "--url", url)

    done = run("check", "--url", url, "--format", "json")

    report = done.document["report"]
    assert (1, False) == (done.code, report["is_clean"])
    assert {"kind": "drop_table", "table": "t_one", "text": "drop table t_one"} in report[
        "operations"
    ]


def test_check_says_that_nothing_is_pending(run: Command, url: str, project: ProjectFolder) -> None:
    for path in (project.root / "migrations" / "versions").glob("*.py"):
        path.unlink()
    run("create", "--url", url)

    done = run("check", "--url", url)

    assert (0, "") == (done.code, done.err)
    assert "No operation is pending: the database has what the models say.\n" == done.out


def test_check_of_a_database_that_is_behind_is_an_error(run: Command, url: str) -> None:
    run("create", "--url", url)

    done = run("check", "--url", url)

    assert (6, "") == (done.code, done.out)
    assert "not at the heads" in done.err


def test_merge_writes_a_file(run: Command, project: ProjectFolder) -> None:
    project.revision("four", down="two")

    done = run("merge", "heads", "-m", "Join both", "--rev-id", "both")
    (path,) = (project.root / "migrations" / "versions").glob("*_join_both.py")

    assert (0, "") == (done.code, done.err)
    merged, wrote = done.out.splitlines()
    assert merged in {"Revision both merges three, four", "Revision both merges four, three"}
    assert f"Wrote {path}" == wrote
    assert "both (head)\n" == run("heads").out


def test_merge_as_json_is_one_document_although_a_hook_prints(
    run: Command, project: ProjectFolder
) -> None:
    project.revision("four", down="two")
    ini = project.root / "alembic.ini"
    hook = "\n[post_write_hooks]\nhooks = say\nsay.type = exec\nsay.executable = /bin/echo\n"
    ini.write_text(ini.read_text() + hook)

    done = run("merge", "three", "four", "--format", "json")

    revision = done.document["report"]["revision"]
    assert ["three", "four"] == revision["down_revisions"]
    assert revision["path"] in done.err  # what the hook said


def test_stamp_takes_several_revisions_and_purges(
    branched: ProjectFolder,
) -> None:
    run = Command(folder=branched.root, environ={"DATABASE_URL": "sqlite:///x.db"})
    run("create")

    several = run("stamp", "left", "alone")
    purged = run("stamp", "--purge", "base")

    assert "none → alone, left (2 steps)" in several.out
    assert "alone, left → none (0 steps)" in purged.out


def edited(project: ProjectFolder, revision: str, *, editor: Path) -> tuple[int | None, str]:
    """Runs `bootstrap edit` in a terminal."""
    child = pexpect.spawn(
        sys.executable,
        ["-m", "bootstrap", "edit", revision],
        cwd=str(project.root),
        env={**os.environ, "EDITOR": str(editor), "NO_COLOR": "1", "COLUMNS": "300"},
        encoding="utf-8",
        timeout=60,
    )
    shown = child.read()
    child.close()
    return child.exitstatus, shown


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_edit_opens_the_file_in_the_editor(project: ProjectFolder, tmp_path: Path) -> None:
    editor = program(tmp_path / "editor", 'echo "# seen" >> "$1"')
    path = project.root / "migrations" / "versions" / "two.py"

    code, shown = edited(project, "two", editor=editor)

    assert 0 == code, shown
    assert path.read_text().endswith("# seen\n")
    assert f"Edited {path}" in shown


def test_an_editor_that_fails_is_an_error(project: ProjectFolder, tmp_path: Path) -> None:
    code, shown = edited(project, "two", editor=program(tmp_path / "editor", "exit 3"))

    assert 3 == code, shown
    assert "two.py cannot be edited" in shown
    assert "EDITOR" in shown


def test_edit_needs_a_terminal(run: Command) -> None:
    done: Done = run("edit", "two", EDITOR="/bin/cat")

    assert (2, "") == (done.code, done.out)
    assert "There is no terminal for the editor." in done.err

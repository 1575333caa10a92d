"""Several heads, and a database that newer code has migrated."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Command
from tests.projects import ProjectFolder

_URL = ("--url", "sqlite:///x.db")


@pytest.fixture
def rolled_back(run: Command, project: ProjectFolder) -> Command:
    """The command of older code, on a database at `four`."""
    newer = project.revision("four", down="three")
    assert 0 == run("create", *_URL).code
    assert 0 == run("migrate", *_URL).code
    newer.unlink()
    return run


@pytest.mark.parametrize("command", ["migrate", "status", "current"])
def test_a_database_of_newer_code_is_refused_by_its_revision(
    rolled_back: Command, command: str
) -> None:
    done = rolled_back(command, *_URL)

    assert 6 == done.code
    assert "revision four, which this project does not have" in done.err
    assert "--allow-ahead" in done.err


@pytest.mark.parametrize("command", ["migrate", "status", "current"])
def test_it_is_let_be_where_that_is_allowed(rolled_back: Command, command: str) -> None:
    said = rolled_back(command, "--allow-ahead", *_URL)
    document = rolled_back(
        command, "--format", "json", *_URL, BOOTSTRAP_ALLOW_AHEAD="true"
    ).document

    assert 0 == said.code, said.err
    assert "Newer code has migrated this database: no file here has four." in " ".join(
        said.out.split()
    )
    assert ["four"] == document["report"]["ahead"]
    if command == "migrate":
        assert (["four"], ["four"], []) == tuple(
            document["report"][name] for name in ("before", "after", "steps")
        )


def test_older_code_beside_newer_has_all_its_heads_applied(rolled_back: Command) -> None:
    assert 0 == rolled_back("current", "--check-heads", "--allow-ahead", *_URL).code


def test_nothing_is_lost_where_the_code_is_not_older(run: Command) -> None:
    assert 0 == run("create", *_URL).code

    done = run("migrate", "--allow-ahead", "--format", "json", *_URL)

    assert (3, []) == (len(done.document["report"]["steps"]), done.document["report"]["ahead"])


def test_several_heads_are_shown_with_the_ways_out_and_all_applied_when_asked(
    run: Command, project: ProjectFolder
) -> None:
    project.revision("other", down="two")
    assert 0 == run("create", *_URL).code

    refused = run("migrate", *_URL)
    applied = run("migrate", "--heads", "--format", "json", *_URL)
    both = run("migrate", "--heads", "head", *_URL)

    assert 6 == refused.code
    for word in ("three", "other", "`heads` for all", "bootstrap merge"):
        assert word in refused.err
    assert ["other", "three"] == applied.document["report"]["after"]
    assert 2 == both.code


def test_all_branches_can_be_written_as_a_script(run: Command, project: ProjectFolder) -> None:
    project.revision("other", down="two", upgrade="op.execute('SELECT 1')")

    done = run("migrate", "--heads", "--sql", "--url", "postgresql://u@h/x")

    assert 0 == done.code, done.err
    assert "t_three" in done.out
    assert "SELECT 1" in done.out

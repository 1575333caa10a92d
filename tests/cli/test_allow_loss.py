"""`--allow-loss`, on a database where batch mode loses a trigger."""

from __future__ import annotations

import sqlite3

import pytest

from tests.cli.conftest import Command
from tests.projects import ProjectFolder


@pytest.fixture
def run(project: ProjectFolder, run: Command) -> Command:
    """The command, where the next revision makes a table with a trigger anew."""
    again = "with op.batch_alter_table('t_one', recreate='always'):\n    pass"
    project.revision("four", down="three", upgrade=again, downgrade=again)
    run.environ["DATABASE_URL"] = "sqlite:///app.db"
    assert 0 == run("create").code
    assert 0 == run("migrate", "three").code
    connection = sqlite3.connect(project.root / "app.db")
    connection.execute("CREATE TRIGGER tr AFTER DELETE ON t_one BEGIN SELECT 1; END")
    connection.close()
    return run


@pytest.mark.parametrize("command", ["migrate", "up"])
def test_a_loss_is_refused_until_it_is_allowed(run: Command, command: str) -> None:
    refused = run(command, "--format", "json")

    assert 7 == refused.code
    error = refused.document["error"]
    assert "PartsWouldBeLost" == error["kind"]
    assert "trigger tr of t_one" in error["message"]
    assert "--allow-loss" in error["hint"]
    assert 0 == run(command, "--allow-loss").code
    assert "four" in run("status").out


def test_a_downgrade_may_lose_something_too(run: Command, project: ProjectFolder) -> None:
    assert 0 == run("migrate", "--allow-loss").code
    connection = sqlite3.connect(project.root / "app.db")
    connection.execute("CREATE TRIGGER tr AFTER DELETE ON t_one BEGIN SELECT 1; END")
    connection.close()

    refused = run("downgrade", "-1", "--yes")

    assert 7 == refused.code
    assert "revision four would lose trigger tr of t_one" in refused.err
    assert 0 == run("downgrade", "-1", "--yes", "--allow-loss").code

"""`--log-format json`: each line on standard error is an object, and none has a secret."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import URL, make_url

from tests import available
from tests.cli.conftest import Command, Done
from tests.projects import ProjectFolder, env

_JSON = ("--log-format", "json")


@pytest.fixture
def run(project: ProjectFolder) -> Command:
    available.create(make_url(f"sqlite:///{project.root / 'app.db'}"))
    return Command(folder=project.root, environ={"DATABASE_URL": "sqlite:///app.db"})


def lines(done: Done) -> list[Any]:
    return [json.loads(line) for line in done.err.splitlines()]


def test_each_event_is_a_line_with_its_fields(run: Command) -> None:
    begun = datetime.now(UTC)

    done = run("up", *_JSON)

    found = lines(done)
    steps = [one for one in found if one["event"] == "step_finished"]
    assert ["one", "two", "three"] == [one["revision"] for one in steps]
    assert {"info"} == {one["level"] for one in found}
    assert {"up"} == {one["command"] for one in found}
    assert {"sqlite:///app.db"} == {one["database"] for one in found}
    assert 1 == len({one["run_id"] for one in found})
    times = [datetime.fromisoformat(one["time"]) for one in found]
    assert sorted(times) == times
    assert begun.replace(microsecond=0) <= times[0] <= times[-1] <= datetime.now(UTC)
    assert ("ended", 0) == (found[-1]["event"], found[-1]["exit_code"])
    assert "Revision" in done.out


def test_each_run_has_an_id_of_its_own(run: Command) -> None:
    ids = {lines(run("heads", *_JSON))[-1]["run_id"] for _ in range(2)}

    assert 2 == len(ids)


def test_the_lines_and_the_log_in_the_database_have_one_id(run: Command) -> None:
    first = lines(run("migrate", "two", *_JSON))[-1]["run_id"]
    second = lines(run("migrate", *_JSON))[-1]["run_id"]

    entries = run("log", "--format", "json").document["report"]["entries"]

    assert [("three", second), ("two", first), ("one", first)] == [
        (one["revision"], one["run"]) for one in entries
    ]


def test_an_error_is_a_line_too(run: Command) -> None:
    (run.folder / "app.db").unlink()

    done = run("migrate", *_JSON, "--format", "json")

    error, ended = lines(done)
    assert ("error", "error") == (error["level"], error["event"])
    assert done.document["error"]["message"] == error["message"]
    assert done.document["error"]["hint"] == error["hint"]
    assert (4, 4) == (done.code, ended["exit_code"])


def test_a_setting_that_cannot_be_read_is_a_line(run: Command) -> None:
    (run.folder / "pyproject.toml").write_text('[tool.bootstrap]\nlog_format = "json"\necho = 7\n')

    done = run("status")

    # The table was read; what stands in it is wrong.
    assert (3, "error") == (done.code, lines(done)[0]["event"])


def test_an_unknown_format_is_said_as_text(run: Command) -> None:
    done = run("status", BOOTSTRAP_LOG_FORMAT="xml")

    assert 3 == done.code
    assert done.err.startswith("error: log_format cannot be 'xml'")


def test_what_env_py_prints_and_logs_is_lines(run: Command, project: ProjectFolder) -> None:
    first = "import logging, sys; print('printed\\nin two lines', file=sys.stderr)"
    project.env(
        env(first=first, before="logging.getLogger('app').warning('logged %s', 'too')")
        + "\nprint('without an end', end='', file=sys.stderr)\n"
    )

    found = lines(run("migrate", *_JSON))

    printed = [one["message"] for one in found if one["event"] == "output"]
    assert ["printed", "in two lines", "without an end"] == printed
    (logged,) = [one for one in found if one["event"] == "log"]
    assert ("warning", "app", "logged too") == (
        logged["level"],
        logged["logger"],
        logged["message"],
    )


def test_statements_are_lines_with_echo(run: Command) -> None:
    found = lines(run("migrate", *_JSON, "--echo"))

    assert any("CREATE TABLE t_one" in one.get("sql", "") for one in found)


def test_quiet_leaves_warnings_and_errors(run: Command) -> None:
    done = run("migrate", *_JSON, "--quiet")

    assert (0, "") == (done.code, done.err)


def test_a_command_that_would_ask_wants_yes(run: Command) -> None:
    done = run("drop", *_JSON)

    assert 2 == done.code
    assert "--yes" in lines(done)[0]["message"]


@pytest.mark.parametrize("secret", ["geheim", 'quo"te', "back\\slash", "grün"])
def test_no_line_has_a_secret(run: Command, project: ProjectFolder, secret: str) -> None:
    project.env(f"raise RuntimeError('it is ' + {secret!r})")
    url = URL.create("postgresql", username="app", password=secret, host="db", database="app")

    done = run("migrate", *_JSON, "--traceback", "-x", f"url={url.render_as_string(False)}")

    assert 6 == done.code
    assert "it is ***" in done.err
    assert secret not in done.err
    assert json.dumps(secret)[1:-1] not in done.err


def test_what_a_hook_writes_is_lines(run: Command) -> None:
    found = lines(run("migrate", *_JSON, BOOTSTRAP_BEFORE_MIGRATE="echo hello"))

    assert ["hello"] == [one["message"] for one in found if one["event"] == "hook_output"]

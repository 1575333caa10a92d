"""Hooks: what they get, when they run, and what becomes of a run when one fails or hangs."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from tests import available
from tests.cli.conftest import Command
from tests.projects import ProjectFolder

_RECORDS = """
import json, os, pathlib, sys
given = json.load(sys.stdin)
with open("hooks.log", "a") as log:
    print(json.dumps([sys.argv[1], given]), file=log)
print("said by", sys.argv[1])
sys.exit(int(os.environ.get("FAILS_" + sys.argv[1], "0")))
"""
_FAILS = "op.execute('nonsense')"


@pytest.fixture
def run(project: ProjectFolder) -> Command:
    """The command, with a hook at each place that writes down what it was given."""
    (project.root / "hook.py").write_text(_RECORDS)
    places = ("before_migrate", "after_migrate", "on_failure")
    hooks = [f'{name} = ["{sys.executable}", "hook.py", "{name}"]' for name in places]
    settings = ["[tool.bootstrap]", 'url = "sqlite:///app.db"', "hook_timeout = 30", *hooks]
    (project.root / "pyproject.toml").write_text("\n".join(settings) + "\n")
    available.create(make_url(f"sqlite:///{project.root / 'app.db'}"))
    return Command(folder=project.root)


def recorded(run: Command) -> list[tuple[str, Any]]:
    """Which hooks have run, and what each has read."""
    log = run.folder / "hooks.log"
    if not log.exists():
        return []
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    log.unlink()
    return [(name, given) for name, given in lines]


def tables(run: Command) -> list[str]:
    with closing(sqlite3.connect(run.folder / "app.db")) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM sqlite_master")]


def hooked(run: Command, name: str, script: str) -> dict[str, str]:
    """The variable for a hook that is a script of Python's."""
    path = run.folder / f"{name}.py"
    path.write_text(script)
    return {f"BOOTSTRAP_{name.upper()}": f"{sys.executable} {path}"}


def test_hooks_get_what_is_planned_and_what_was_done(run: Command) -> None:
    done = run("migrate", "two", "--format", "json")

    (before, planned), (after, report) = recorded(run)
    assert ["before_migrate", "after_migrate"] == [before, after]
    steps = [(one["revision"], one["direction"]) for one in planned["planned"]["steps"]]
    assert [("one", "upgrade"), ("two", "upgrade")] == steps
    assert ([], "migrate") == (planned["planned"]["before"], planned["command"])
    assert done.document == report
    assert "said by before_migrate\n" in done.err


def test_where_nothing_is_to_be_done_no_hook_runs(run: Command) -> None:
    assert 0 == run("up").code
    assert ["before_migrate", "after_migrate"] == [name for name, _ in recorded(run)]

    assert (0, 0) == (run("up").code, run("migrate").code)

    assert [] == recorded(run)


def test_hooks_run_for_a_downgrade_too(run: Command) -> None:
    assert 0 == run("up").code
    recorded(run)

    assert 0 == run("downgrade", "-1").code

    (_, planned), (_, report) = recorded(run)
    assert ["downgrade"] == [one["direction"] for one in planned["planned"]["steps"]]
    assert ["two"] == report["report"]["after"]


def test_a_hook_that_fails_before_leaves_the_database_as_it_was(run: Command) -> None:
    done = run("migrate", "--format", "json", FAILS_before_migrate="3")

    assert (9, "HookFailed") == (done.code, done.document["error"]["kind"])
    assert "the hook before_migrate failed with exit code 3" in done.err
    assert [] == tables(run)
    (_, _), (failure, given) = recorded(run)
    assert ("on_failure", done.document) == (failure, given)


def test_a_hook_that_fails_after_leaves_the_migration_and_says_so(run: Command) -> None:
    done = run("migrate", "--format", "json", FAILS_after_migrate="3")

    assert (9, ["three"]) == (done.code, done.document["report"]["after"])
    assert "the hook after_migrate failed with exit code 3" in done.err
    assert ["before_migrate", "after_migrate"] == [name for name, _ in recorded(run)]


def test_a_hook_that_fails_on_failure_does_not_hide_the_failure(
    run: Command, project: ProjectFolder
) -> None:
    project.revision("four", down="three", upgrade=_FAILS)
    done = run("migrate", "--format", "json", FAILS_on_failure="3")

    assert (7, "StatementFailed") == (done.code, done.document["error"]["kind"])
    assert "the hook on_failure failed with exit code 3" in done.err
    assert ("on_failure", done.document) == recorded(run)[-1]


@pytest.mark.parametrize("name", ["before_migrate", "after_migrate", "on_failure"])
def test_a_program_that_is_missing_is_told_before_anything_runs(run: Command, name: str) -> None:
    done = run("migrate", **{f"BOOTSTRAP_{name.upper()}": "no-such-program --now"})

    assert 3 == done.code
    assert f"the program of the hook {name} is not found: no-such-program" in done.err
    assert 1 == done.err.count("no-such-program")
    assert ([], []) == (tables(run), recorded(run))


def test_a_program_that_cannot_be_run_is_told(run: Command) -> None:
    program = run.folder / "hook.txt"
    program.write_text("not a program")
    program.chmod(0o755)
    done = run("migrate", BOOTSTRAP_BEFORE_MIGRATE=str(program))

    assert 9 == done.code
    assert "the hook before_migrate cannot be run" in done.err
    assert [] == tables(run)


def test_no_hooks_runs_none(run: Command) -> None:
    assert 0 == run("migrate", "--no-hooks", BOOTSTRAP_ON_FAILURE="no-such-program").code

    assert [] == recorded(run)


def test_a_script_runs_no_hooks(run: Command) -> None:
    assert 0 == run("migrate", "--sql").code
    assert 0 != run("migrate", "--sql", "nowhere").code

    assert [] == recorded(run)


_HANGS = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path("pids").write_text(f"{child.pid}")
print("hanging", flush=True)
time.sleep(600)
"""


def is_running(pid: int) -> bool:
    """Whether a process is at work: one that has ended and is not waited for is not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def gone(pid: int) -> bool:
    """Waits until a process has ended, which it was told to."""
    deadline = time.monotonic() + 30
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not is_running(pid)


def test_a_hook_that_hangs_is_ended_with_all_that_it_has_started(run: Command) -> None:
    done = run("migrate", **hooked(run, "before_migrate", _HANGS), BOOTSTRAP_HOOK_TIMEOUT="2")

    assert 9 == done.code
    assert "the hook before_migrate did not end within 2 seconds" in done.err
    assert "hanging\n" in done.err
    assert gone(int((run.folder / "pids").read_text()))
    assert [] == tables(run)


def test_a_run_that_is_ended_while_a_hook_works_ends_it_too(run: Command) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bootstrap", "migrate"],
        cwd=run.folder,
        env={**os.environ, **hooked(run, "before_migrate", _HANGS)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "hanging\n" == process.stderr.readline()

    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)

    assert 143 == process.returncode
    assert gone(int((run.folder / "pids").read_text()))
    assert [] == tables(run)
    (failure,) = recorded(run)
    assert ("on_failure", "Terminated") == (failure[0], failure[1]["error"]["kind"])


def test_a_hook_that_is_ended_by_a_signal_is_said(run: Command) -> None:
    script = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    done = run("migrate", **hooked(run, "before_migrate", script))

    assert 9 == done.code
    assert "the hook before_migrate was ended by SIGKILL" in done.err


def test_a_hook_need_not_read_what_it_is_given(run: Command) -> None:
    assert 0 == run("migrate", **hooked(run, "before_migrate", "pass")).code


def test_no_secret_gets_out_of_a_hook_and_none_of_ours_into_it(run: Command) -> None:
    script = "import os, sys; print(sys.stdin.read(), sorted(os.environ), 'geheim')"
    url = "url=postgresql://app:geheim@db/app"

    done = run(
        *("migrate", "--env-var", "APP_DATABASE", "-x", url),
        **hooked(run, "before_migrate", script),
    )

    assert 0 == done.code
    assert "BOOTSTRAP_BEFORE_MIGRATE" in done.err
    assert "APP_DATABASE" not in done.err
    assert "***" in done.err
    assert "geheim" not in done.out + done.err


def test_a_command_that_is_ended_in_its_last_hook_ends_that_too(run: Command) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bootstrap", "migrate", "--format", "json"],
        cwd=run.folder,
        env={**os.environ, **hooked(run, "after_migrate", _HANGS)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    while "hanging\n" != (line := process.stderr.readline()):
        assert line

    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)

    assert (143, ["three"]) == (process.returncode, json.loads(out)["report"]["after"])
    assert gone(int((run.folder / "pids").read_text()))

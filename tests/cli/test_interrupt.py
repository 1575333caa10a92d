"""Ctrl-C reaches the migration, and env.py gets the main thread."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

import bootstrap
from tests.cli.conftest import Command
from tests.projects import ProjectFolder

ONCE = """
import pathlib, time
marker = pathlib.Path({marker!r})
if not marker.exists():
    marker.touch()
    {slow}
op.create_table('t_four', sa.Column('id', sa.Integer, primary_key=True))
"""


def wait_for(path: Path) -> None:
    for _ in range(600):
        if path.exists():
            return
        time.sleep(0.05)
    pytest.fail(f"{path} did not appear")


# A statement on the server is cancelled at once. Code that never waits for the database keeps the
# event loop of env.py busy, so that asyncio can only stop it at the second time.
@pytest.mark.parametrize(
    ("slow", "times"), [("op.execute({sleep!r})", 1), ("time.sleep(60)", 2)], ids=["server", "code"]
)
@pytest.mark.parametrize("backend_name", ["postgresql", "mysql", "mariadb"], indirect=True)
async def test_an_interrupted_run_ends_with_130_and_goes_on_next_time(
    run: Command, project: ProjectFolder, empty_url: str, backend_name: str, slow: str, times: int
) -> None:
    marker = project.root / "started"
    sleep = "SELECT pg_sleep(60)" if backend_name == "postgresql" else "SELECT SLEEP(60)"
    source = ONCE.format(marker=str(marker), slow=slow.format(sleep=sleep))
    project.revision("four", down="three", upgrade=source)
    child = subprocess.Popen(
        [sys.executable, "-m", "bootstrap", "migrate", "--url", empty_url],
        cwd=project.root,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
        # A shell ignores SIGINT in what it runs in the background, and children inherit that.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads
    )
    wait_for(marker)
    time.sleep(0.3)  # the statement is on its way to the server
    assert child.poll() is None  # the control: it is running when the signal comes
    for _ in range(times):
        child.send_signal(signal.SIGINT)
        time.sleep(0.3)
    out, err = child.communicate(timeout=30)
    again = run("migrate", "--url", empty_url)

    assert (130, "") == (child.returncode, out), err
    assert err.endswith("interrupted\n")
    assert "Traceback" not in err
    assert 0 == again.code, again.err
    status = await bootstrap.status(empty_url, project=project.project)
    assert ("four",) == status.current


def test_env_py_may_do_what_only_the_main_thread_can(run: Command, project: ProjectFolder) -> None:
    env = project.root / "migrations" / "env.py"
    env.write_text(
        "import signal\nsignal.signal(signal.SIGUSR1, signal.SIG_IGN)\n"
        + env.read_text().replace("from __future__ import annotations\n", "")
    )

    done = run("up", "--url", "sqlite:///x.db")

    assert 0 == done.code, done.err

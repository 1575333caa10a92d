"""Streams, signals and names that are not as one expects them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.projects import ProjectFolder

URL = "sqlite:///app.db"


def test_what_a_revision_prints_does_not_get_into_the_json(
    run: Command, project: ProjectFolder
) -> None:
    project.revision("four", down="three", upgrade="print('hello from the revision')")

    done = run("up", "--url", URL, "--format", "json")

    assert "up" == done.document["command"]
    assert "hello from the revision" in done.err


def test_a_question_that_nobody_can_answer_is_one_document_too(run: Command) -> None:
    run("create", "--url", URL)

    done = run("drop", "--url", URL, "--format", "json")

    assert (2, 2) == (done.code, done.document["error"]["exit_code"])


@pytest.mark.parametrize("name", ["x[b].db", "x[/b].db", ":smile:.db"])
def test_a_name_is_no_markup(run: Command, project: ProjectFolder, name: str) -> None:
    done = run("create", "--url", f"sqlite:///{name}")

    assert (0, f"Created sqlite:///{name}\n") == (done.code, done.out)
    assert (project.root / name).exists()


def test_a_terminal_without_unicode_gets_escapes(run: Command) -> None:
    done = run("up", "--url", URL, PYTHONIOENCODING="ascii")

    assert 0 == done.code, done.err
    assert "\\u2192 three" in done.out


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_a_closed_stream_is_no_failure(run: Command, closed: str) -> None:
    command = f'"{sys.executable}" -m bootstrap up --url {URL} {closed}'
    done = subprocess.run(["/bin/sh", "-c", command], cwd=run.folder, check=False, timeout=60)

    assert 0 == done.returncode


def test_a_mistyped_option_is_not_taken_for_a_revision(run: Command) -> None:
    done = run("migrate", "--chekc", "--url", URL)

    assert (2, True) == (done.code, "--chekc" in done.err)
    assert "revision" not in done.err


def test_values_are_never_cut_in_a_pipe(run: Command) -> None:
    url = f"sqlite:///{'long/' * 30}app.db"

    done = run("config", "--url", url, COLUMNS="40")

    assert url in done.out


def test_parameters_are_in_no_traceback(run: Command, project: ProjectFolder) -> None:
    project.revision(
        "four",
        down="three",
        upgrade="insert = sa.text('INSERT INTO nowhere VALUES (:a)')\n"
        "op.get_bind().execute(insert, {'a': 'geheim'})",
    )

    done = run("up", "--url", URL, "--traceback", "--echo")

    assert 7 == done.code
    assert "Traceback" in done.err
    # The traceback shows the line of the revision itself; the driver's part must not add it.
    assert done.err.count("geheim") == done.err.count("{'a': 'geheim'}")
    assert "[parameters: " not in done.err or "hidden" in done.err


def test_sigterm_ends_a_run_as_a_container_wants_it(
    run: Command, project: ProjectFolder, tmp_path: Path
) -> None:
    marker = tmp_path / "started"
    project.revision(
        "four",
        down="three",
        upgrade=f"import pathlib, time\npathlib.Path({str(marker)!r}).touch()\ntime.sleep(60)",
    )
    run("create", "--url", URL)
    child = subprocess.Popen(
        [sys.executable, "-m", "bootstrap", "migrate", "--url", URL],
        cwd=project.root,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    while not marker.exists():
        assert child.poll() is None
        time.sleep(0.05)
    child.send_signal(signal.SIGTERM)
    _, err = child.communicate(timeout=30)

    assert 143 == child.returncode, err
    assert err.endswith("terminated\n")
    assert "Traceback" not in err


def test_colours_are_for_terminals_only(run: Command) -> None:
    done = run("up", "--url", URL, NO_COLOR="")

    assert "\x1b[" not in done.out + done.err

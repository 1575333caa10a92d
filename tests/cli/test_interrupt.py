"""A signal ends a run cleanly: the statement on the server, the lock, the exit code."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import bootstrap
from tests import commands
from tests.cli.conftest import Command
from tests.commands import Run
from tests.conformance.test_moves import tables_of
from tests.conformance.test_run_lock import until
from tests.long_statements import long_ones, long_revisions, until_it_runs, with_sync_driver
from tests.projects import ProjectFolder

SERVERS = ("postgresql", "mysql", "mariadb")
_INTERRUPTED, _TERMINATED = 130, 143


def begun(folder: ProjectFolder, *arguments: str, program: str = "bootstrap") -> Run:
    environ = {**os.environ, "NO_COLOR": "1"}
    return commands.start(program, *arguments, cwd=folder.root, environ=environ)


@contextmanager
def at_last_killed(child: Run) -> Iterator[Run]:
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


async def stopped_and_run_again(
    project: ProjectFolder, run: Command, url: str, *, marker: Path, at: str = "rows"
) -> None:
    """Stops a run in its long statement, and looks at all that has to be true then."""
    with at_last_killed(begun(project, "migrate", "--url", url)) as child:
        await until_it_runs(url, marker)
        assert child.poll() is None  # the control: it is running when the signal comes

        child.send_signal(signal.SIGTERM)

        out, err = child.communicate(timeout=60)
    assert (_TERMINATED, "") == (child.returncode, out), err
    assert err.endswith("terminated\n")
    assert f"the database is at {at}" in err
    assert "Traceback" not in err
    assert [] == long_ones(url)
    again = run("migrate", "--wait-lock", "0", "--url", url)
    assert 0 == again.code, again.err
    status = await bootstrap.status(url, project=project.project)
    assert ("long",) == status.current


async def test_a_signal_ends_the_statement_on_the_server(
    run: Command, project: ProjectFolder, empty_url: str, backend_name: str
) -> None:
    marker = long_revisions(project, backend_name)

    await stopped_and_run_again(project, run, empty_url, marker=marker)


@pytest.mark.parametrize(
    ("backend_name", "driver"),
    [
        ("postgresql", "postgresql+psycopg2"),
        ("postgresql", "postgresql+psycopg"),
        ("mysql", "mysql+pymysql"),
        ("mariadb", "mysql+pymysql"),
        ("sqlite", "sqlite"),
    ],
    indirect=["backend_name"],
)
async def test_a_signal_ends_the_statement_of_a_driver_that_waits_in_c(
    run: Command, project: ProjectFolder, empty_url: str, backend_name: str, driver: str
) -> None:
    marker = long_revisions(project, backend_name)
    with_sync_driver(project, driver)
    # This env.py has all revisions in one transaction, where the server can do that.
    at = "no revision; nothing of this run stays" if backend_name == "postgresql" else "rows"

    await stopped_and_run_again(project, run, empty_url, marker=marker, at=at)


@pytest.mark.parametrize("backend_name", SERVERS, indirect=True)
async def test_a_signal_ends_a_long_change_of_a_table(
    run: Command, project: ProjectFolder, empty_url: str, backend_name: str
) -> None:
    marker = long_revisions(project, backend_name, alter=True)

    await stopped_and_run_again(project, run, empty_url, marker=marker)


@pytest.mark.parametrize("backend_name", SERVERS, indirect=True)
async def test_the_control_plain_alembic_leaves_the_server_at_work(
    project: ProjectFolder, empty_url: str, backend_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = long_revisions(project, backend_name)
    monkeypatch.setenv("DATABASE_URL", empty_url)
    with at_last_killed(begun(project, "upgrade", "head", program="alembic")) as child:
        await until_it_runs(empty_url, marker)

        child.send_signal(signal.SIGTERM)

        child.communicate(timeout=60)
    assert -signal.SIGTERM == child.returncode
    assert 1 == len(long_ones(empty_url))


@pytest.mark.parametrize("backend_name", ["postgresql", "mysql"], indirect=True)
async def test_a_document_says_where_the_database_is_and_what_may_stay(
    project: ProjectFolder, empty_url: str, backend_name: str
) -> None:
    marker = long_revisions(project, backend_name)
    arguments = ("migrate", "--url", empty_url, "--format", "json")
    with at_last_killed(begun(project, *arguments)) as child:
        await until_it_runs(empty_url, marker)

        child.send_signal(signal.SIGINT)

        out, err = child.communicate(timeout=60)
    error = json.loads(out)["error"]
    assert ("KeyboardInterrupt", _INTERRUPTED) == (error["kind"], error["exit_code"]), err
    assert _INTERRUPTED == child.returncode
    assert "the database is at rows; " in error["message"]
    stays = {"postgresql": "was rolled back", "mysql": "no statement of revision long is applied"}
    assert stays[backend_name] in error["message"]


@pytest.mark.parametrize("backend_name", ["postgresql", "mariadb", "sqlite"], indirect=True)
async def test_a_signal_ends_code_that_waits_for_nothing(
    run: Command, project: ProjectFolder, empty_url: str
) -> None:
    marker = project.root / "begun"
    source = f"""
        import pathlib, time
        marker = pathlib.Path({str(marker)!r})
        if not marker.exists():
            marker.touch()
            time.sleep(600)
        """
    project.revision("four", down="three", upgrade=source)
    with at_last_killed(begun(project, "migrate", "--url", empty_url)) as child:
        await until(marker)

        child.send_signal(signal.SIGINT)

        _, err = child.communicate(timeout=60)
    assert _INTERRUPTED == child.returncode, err
    assert err.endswith("interrupted\n")
    assert 0 == run("migrate", "--wait-lock", "0", "--url", empty_url).code


@pytest.mark.parametrize("backend_name", ["sqlite", "postgresql"], indirect=True)
async def test_the_second_signal_ends_what_will_not_end(
    project: ProjectFolder, empty_url: str
) -> None:
    marker = project.root / "begun"
    source = f"""
        import pathlib, time
        pathlib.Path({str(marker)!r}).touch()
        while True:
            try:
                time.sleep(600)
            except BaseException:
                pass
        """
    project.revision("four", down="three", upgrade=source)
    with at_last_killed(begun(project, "migrate", "--url", empty_url)) as child:
        await until(marker)

        child.send_signal(signal.SIGINT)
        child.send_signal(signal.SIGTERM)

        _, err = child.communicate(timeout=60)
    # Which of two that come together is the second one, the kernel decides.
    assert child.returncode in {_INTERRUPTED, _TERMINATED}
    assert "stopped at once; a statement may still run on the server\n" in err


@pytest.mark.parametrize("backend_name", ["mysql", "mariadb"], indirect=True)
async def test_a_revision_that_is_done_is_recorded_before_a_run_ends(
    run: Command, project: ProjectFolder, empty_url: str
) -> None:
    """The signal comes after its last statement, and before Alembic writes that it is applied."""
    marker = project.root / "begun"
    source = f"""
        import os, pathlib, signal
        op.create_table('t_four', sa.Column('id', sa.Integer, primary_key=True))
        pathlib.Path({str(marker)!r}).touch()
        os.kill(os.getpid(), signal.SIGTERM)
        """
    project.revision("four", down="three", upgrade=source)
    project.revision("five", down="four")

    with at_last_killed(begun(project, "migrate", "--url", empty_url)) as child:
        _, err = child.communicate(timeout=60)

    assert _TERMINATED == child.returncode, err
    status = await bootstrap.status(empty_url, project=project.project)
    assert ("four",) == status.current
    assert "t_four" in await tables_of(empty_url)


async def test_a_signal_ends_the_waiting_for_another_run(
    project: ProjectFolder, empty_url: str, backend_name: str
) -> None:
    marker = long_revisions(project, backend_name)
    with (
        at_last_killed(begun(project, "migrate", "--url", empty_url)) as first,
        at_last_killed(begun(project, "migrate", "--url", empty_url)) as second,
    ):
        await until_it_runs(empty_url, marker)
        assert None is first.poll()
        assert None is second.poll()

        first.send_signal(signal.SIGINT)
        second.send_signal(signal.SIGINT)

        ends = [one.communicate(timeout=60)[1] for one in (first, second)]
    assert [_INTERRUPTED] * 2 == [first.returncode, second.returncode], ends


def test_env_py_may_do_what_only_the_main_thread_can(run: Command, project: ProjectFolder) -> None:
    env = project.root / "migrations" / "env.py"
    env.write_text(
        "import signal\nsignal.signal(signal.SIGUSR1, signal.SIG_IGN)\n"
        + env.read_text().replace("from __future__ import annotations\n", "")
    )

    done = run("up", "--url", "sqlite:///x.db")

    assert 0 == done.code, done.err

"""A throwaway server is there for the time of a block, and leaves nothing behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, text

from bootstrap.database import Database
from bootstrap.errors import DatabaseError, SettingsError
from bootstrap.testing import RunningServer, ThrowawayServer, servers, throwaway_server
from tests import available
from tests.available import Found

with_server = pytest.mark.parametrize(
    "backend_name", ["postgresql", "mysql", "mariadb"], indirect=True
)
one_server = pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)

OWNER = """
import os, sys
from pathlib import Path
from bootstrap.testing import ThrowawayServer

running = ThrowawayServer(sys.argv[1], programs=Path(sys.argv[2])).start()
print(os.geteuid(), running.pid, running.folder, flush=True)
sys.stdin.read()
"""
WITHIN = 20.0  # seconds, on a machine that does much else


@pytest.fixture
def programs(backend_name: str) -> Path:
    found = available.look_for(backend_name)
    assert isinstance(found, Found)
    if found.programs is None:
        pytest.skip(f"{found.description} was not started here")
    return found.programs


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files; unlike pytest's, other accounts may pass through it."""
    folder = Path(tempfile.mkdtemp(prefix="b-"))
    folder.chmod(0o777)
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def owner(backend_name: str, programs: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that starts a server and keeps it."""
    with _owner(backend_name, programs) as process:
        yield process
        process.kill()


def _owner(backend_name: str, programs: Path, *wrapper: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*wrapper, sys.executable, "-c", OWNER, backend_name, str(programs)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        text=True,
    )


def _said(process: subprocess.Popen[str]) -> tuple[int, int, Path]:
    assert process.stdout is not None
    user, pid, folder = process.stdout.readline().split()
    return int(user), int(pid), Path(folder)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _becomes_true(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + WITHIN
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def _processes(folder: Path) -> list[str]:
    """The processes whose command line names a folder, each with its pid first."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, check=True, text=True
    )
    return [line for line in listed.stdout.splitlines() if str(folder) in line]


async def _asked(url: URL, query: str) -> object:
    async with Database.of(url).connect() as connection:
        return await connection.scalar(text(query))


def _is_gone(server: RunningServer) -> bool:
    return not _alive(server.pid) and not server.folder.exists()


@with_server
async def test_a_server_answers_and_is_gone_after_the_block(
    backend_name: str, programs: Path
) -> None:
    async with throwaway_server(backend_name, programs=programs) as server:
        assert await _asked(server.url, "SELECT 6 * 7") == 42
        assert server.version in str(await _asked(server.url, "SELECT version()"))
        assert _alive(server.pid)
        assert server.folder.is_dir()
    assert _is_gone(server)


@one_server
async def test_a_server_is_gone_after_an_exception(programs: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with throwaway_server("postgresql", programs=programs) as server:
            raise ZeroDivisionError
    assert _is_gone(server)


@one_server
def test_a_server_is_gone_after_a_with_statement(programs: Path) -> None:
    with ThrowawayServer("postgresql", programs=programs) as server:
        assert _alive(server.pid)
    assert _is_gone(server)


@with_server
def test_a_server_is_gone_when_its_owner_is_killed(owner: subprocess.Popen[str]) -> None:
    _, pid, folder = _said(owner)
    time.sleep(0.5)
    assert _alive(pid)  # the control: nothing but the kill ends it
    assert folder.is_dir()

    owner.kill()

    assert owner.wait() == -signal.SIGKILL
    assert _becomes_true(lambda: not _alive(pid))
    assert _becomes_true(lambda: not folder.exists())


@with_server
def test_nothing_stays_when_the_owner_is_killed_while_the_server_is_made(
    temporary: Path, owner: subprocess.Popen[str]
) -> None:
    assert _becomes_true(lambda: any(temporary.glob("bootstrap-*/data/*")))
    assert _processes(temporary)

    owner.kill()

    assert owner.wait() == -signal.SIGKILL
    assert _becomes_true(lambda: not any(temporary.iterdir()))
    assert _becomes_true(lambda: not _processes(temporary))


@one_server
def test_a_server_is_gone_when_its_watchdog_is_terminated(owner: subprocess.Popen[str]) -> None:
    _, pid, folder = _said(owner)
    (watchdog,) = (line for line in _processes(folder) if "watchdog.py" in line)

    os.kill(int(watchdog.split()[0]), signal.SIGTERM)

    assert _becomes_true(lambda: not _alive(pid))
    assert _becomes_true(lambda: not folder.exists())


@with_server
@pytest.mark.skipif(os.geteuid() != 0, reason="all tests run as an ordinary user already")
def test_a_server_runs_for_an_ordinary_user(
    backend_name: str, programs: Path, temporary: Path
) -> None:
    # It keeps the right to read everything, for the interpreter may be in root's home.
    capability = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
    wrapper = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *capability)
    with _owner(backend_name, programs, *wrapper) as owner:
        user, pid, folder = _said(owner)
        assert user != 0
        assert folder.stat().st_uid == user
        assert folder.parent == temporary
        owner.communicate()
    assert _becomes_true(lambda: not _alive(pid))
    assert _becomes_true(lambda: not folder.exists())


@one_server
async def test_two_servers_run_side_by_side(programs: Path) -> None:
    async with (
        throwaway_server("postgresql", programs=programs) as one,
        throwaway_server("postgresql", programs=programs) as other,
    ):
        assert one.url.port != other.url.port
        assert await _asked(one.url, "SHOW data_directory") == str(one.folder / "data")
        assert await _asked(other.url, "SHOW data_directory") == str(other.folder / "data")


@one_server
def test_another_server_on_the_port_is_not_taken_for_ours(
    monkeypatch: pytest.MonkeyPatch, programs: Path
) -> None:
    with ThrowawayServer("postgresql", programs=programs) as first:
        free = servers._free_port()
        ports = iter([first.url.port, free])
        monkeypatch.setattr(servers, "_free_port", lambda: next(ports))
        with ThrowawayServer("postgresql", programs=programs) as second:
            assert second.url.port == free
            assert _alive(first.pid)


@one_server
def test_a_port_that_is_taken_each_time_is_an_error(
    monkeypatch: pytest.MonkeyPatch, programs: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setattr(servers, "_free_port", lambda: taken.getsockname()[1])
        with pytest.raises(DatabaseError, match="its port was always taken"):
            ThrowawayServer("postgresql", programs=programs).start()


@with_server
async def test_a_durable_server_waits_for_the_disk(backend_name: str, programs: Path) -> None:
    query, expected = {
        "postgresql": ("SHOW fsync", "on"),
        "mysql": ("SELECT @@innodb_flush_log_at_trx_commit", 1),
        "mariadb": ("SELECT @@innodb_flush_log_at_trx_commit", 1),
    }[backend_name]
    async with throwaway_server(backend_name, programs=programs, durable=True) as server:
        assert await _asked(server.url, query) == expected


@one_server
async def test_options_reach_the_server(programs: Path) -> None:
    options = ("-c", "max_connections=7")
    async with throwaway_server("postgresql", programs=programs, options=options) as server:
        assert await _asked(server.url, "SHOW max_connections") == "7"


@with_server
def test_a_server_that_does_not_start_shows_its_log(
    backend_name: str, programs: Path, temporary: Path
) -> None:
    server = ThrowawayServer(backend_name, programs=programs, options=("--nonsense=1",))
    with pytest.raises(DatabaseError) as caught:
        server.start()
    assert "did not start" in caught.value.message
    assert "nonsense" in caught.value.message
    assert list(temporary.iterdir()) == []


@one_server
def test_a_server_that_is_not_ready_in_time_is_stopped(programs: Path, temporary: Path) -> None:
    with pytest.raises(DatabaseError, match="no connection was accepted for 0 seconds"):
        ThrowawayServer("postgresql", programs=programs, timeout=0).start()
    assert list(temporary.iterdir()) == []


@one_server
def test_a_running_server_is_not_started_again(programs: Path) -> None:
    server = ThrowawayServer("postgresql", programs=programs)
    with server, pytest.raises(SettingsError, match="runs already"):
        server.start()


@pytest.mark.parametrize("name", ["postgresql", "mysql", "mariadb"])
def test_no_programs_are_an_error_that_says_how_to_install_them(
    monkeypatch: pytest.MonkeyPatch, name: str, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(f"bootstrap.backends.{name}.server._USUAL", ())
    monkeypatch.delenv(f"BOOTSTRAP_{name.upper()}_PROGRAMS", raising=False)
    with pytest.raises(SettingsError) as caught:
        ThrowawayServer(name)
    assert "were not found" in caught.value.message
    assert f"BOOTSTRAP_{name.upper()}_PROGRAMS" in caught.value.hint


def test_a_variable_that_names_the_wrong_folder_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BOOTSTRAP_MYSQL_PROGRAMS", str(tmp_path))
    with pytest.raises(SettingsError, match=f"BOOTSTRAP_MYSQL_PROGRAMS names {tmp_path}"):
        ThrowawayServer("mysql")


def test_sqlite_has_no_server() -> None:
    with pytest.raises(SettingsError, match="SQLite has no server to be started"):
        ThrowawayServer("sqlite")


def test_an_unknown_backend_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="there is no backend 'oracle'") as caught:
        ThrowawayServer("oracle")
    assert "mariadb, mysql, postgresql, sqlite" in caught.value.hint

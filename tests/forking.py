"""Processes that are forked from one that has imported, once, what would take their time.

Each is a process of its own, with a pid, an exit code, signals; any number runs at the same time.
"""

from __future__ import annotations

import gc
import io
import itertools
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_DIALECTS = ("sqlite", "postgresql", "mysql")
_DRIVERS = ("aiosqlite", "asyncpg", "psycopg", "aiomysql", "asyncmy")
_PATIENCE = 60.0  # seconds for the process that forks, which may have to import first


class Forks:
    """The process that forks: it reads JSON lines, and forks a process for each.

    Args:
        module: What it runs; it calls `serve`.
        arguments: For that.
        environ: Its environment, for what Python reads there when it starts.
    """

    def __init__(
        self, module: str, *arguments: str, environ: Mapping[str, str] | None = None
    ) -> None:
        self._folder = TemporaryDirectory(prefix="bootstrap-forks-")
        self._numbers = itertools.count(1)
        self._asking = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
            env=environ,
        )

    def start(self, document: Mapping[str, Any]) -> Forked:
        """Has a process forked, which runs beside this one."""
        assert self._process.stdin is not None
        told = Path(self._folder.name) / f"{next(self._numbers)}.told"
        os.mkfifo(told)
        forked = Forked(os.open(told, os.O_RDONLY | os.O_NONBLOCK))
        with self._asking:
            self._process.stdin.write(json.dumps([str(told), {**document}]) + "\n")
            self._process.stdin.flush()
        forked.begin(_PATIENCE)
        told.unlink()
        return forked

    def ask(self, document: Mapping[str, Any]) -> int:
        """Has a process forked, and gives its exit code; negative for the signal that ended it."""
        return self.start(document).wait()

    def file(self, suffix: str) -> Path:
        """A new path for what a process writes."""
        return Path(self._folder.name) / f"{next(self._numbers)}.{suffix}"

    def close(self) -> None:
        """Ends it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._folder.cleanup()


class Forked:
    """A process that was forked, in the words of `subprocess.Popen`.

    Attributes:
        pid: Its number.
        returncode: Its exit code, negative for the signal that ended it; None before somebody has
            heard of its end.

    Args:
        told: The pipe on which the process that forks says the pid, and then the exit code.
    """

    def __init__(self, told: int) -> None:
        self.pid = 0
        self.returncode: int | None = None
        self._told = told
        self._heard = b""

    def begin(self, seconds: float) -> None:
        """Waits until it was forked."""
        self._listen(lines=1, seconds=seconds)
        assert self._heard, "nothing was forked"
        self.pid = int(self._heard.split()[0])

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        if self.returncode is None:
            self._listen(lines=2, seconds=0)
            if self._heard.count(b"\n") == 2:
                self.returncode = int(self._heard.split()[1])
                os.close(self._told)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Waits until it has ended, and gives the exit code.

        Raises:
            subprocess.TimeoutExpired: It runs for longer than that.
        """
        if self.returncode is None:
            self._listen(lines=2, seconds=timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired(f"the forked process {self.pid}", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Sends it a signal if it is still there."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Ends it by SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _listen(self, *, lines: int, seconds: float | None) -> None:
        """Hears what is said until there are so many lines, or until the time is over."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while self._heard.count(b"\n") < lines:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not select.select((self._told,), (), (), left)[0]:
                return
            said = os.read(self._told, 64)
            assert said, "the process that forks has ended"
            self._heard += said


def serve(child: Callable[[Mapping[str, Any]], int]) -> None:
    """Forks a process for each line, which ends with what `child` returns.

    There is no thread, so it can fork; to take down all that was imported would take longer than
    most of what a child does.
    """
    gc.freeze()
    bell = _bell()
    running: dict[int, int] = {}  # where to tell the end of a process, by its pid
    rest = b""
    while True:
        ready = select.select((0, bell), (), ())[0]
        if bell in ready:
            os.read(bell, 512)
            _reap(running)
        if 0 in ready:
            if not (read := os.read(0, 2**16)):
                return
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                told, document = json.loads(line)
                _fork(told, document, child, running)


def _bell() -> int:
    """Becomes readable when a process has ended."""
    bell, rung = os.pipe()
    os.set_blocking(rung, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # only a signal with a handler rings
    signal.set_wakeup_fd(rung)
    return bell


def _fork(
    told: str,
    document: Mapping[str, Any],
    child: Callable[[Mapping[str, Any]], int],
    running: dict[int, int],
) -> None:
    telling = os.open(told, os.O_WRONLY)
    process = os.fork()
    if process == 0:
        _leave(*running.values(), telling)
        os._exit(_outcome(child, document))
    running[process] = telling
    os.write(telling, b"%d\n" % process)


def _outcome(child: Callable[[Mapping[str, Any]], int], document: Mapping[str, Any]) -> int:
    try:
        return child(document)
    except BaseException:  # noqa: BLE001 - it is the end of this process
        traceback.print_exc()
        return 1


def _leave(*pipes: int) -> None:
    """Has nothing more of the process that forks: neither its signals nor its pipes.

    A shell ignores SIGINT in what it runs in the background, and children inherit that.
    """
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for one in pipes:
        os.close(one)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def write_to(out: str, err: str) -> None:
    """Gives this process standard streams of its own, which are files."""
    for number, name in ((1, out), (2, err)):
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False), encoding="utf-8")
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), encoding="utf-8")
    sys.stderr = io.TextIOWrapper(
        io.FileIO(2, "w", closefd=False),
        encoding="utf-8",
        errors="backslashreplace",
        write_through=True,
    )


def _reap(running: dict[int, int]) -> None:
    for process in [*running]:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            telling = running.pop(process)
            os.write(telling, b"%d\n" % os.waitstatus_to_exitcode(status))
            os.close(telling)


def import_library() -> None:
    """What a run by the library would import."""
    import bootstrap

    _import("logging.config", "sqlalchemy.orm", "bootstrap.backends", "bootstrap.reference")
    for name in bootstrap.__all__:
        getattr(bootstrap, name)
    for backend in bootstrap.backends.all_backends():
        for driver in backend.drivers:
            _import(driver.module)


def import_command() -> None:
    """What some command would import: all of ours, and with it what they are made of."""
    import bootstrap

    import_library()
    for module in pkgutil.walk_packages(bootstrap.__path__, "bootstrap."):
        if not module.name.startswith(("bootstrap.integrations", "bootstrap.__main__")):
            _import(module.name)


def import_alembic() -> None:
    """What Alembic's command would import, and then an env.py; nothing of ours."""
    _import("logging.config", "alembic.config", "alembic.command", "alembic.autogenerate")
    _import("sqlalchemy.orm", "sqlalchemy.ext.asyncio")
    _import(*(f"sqlalchemy.dialects.{name}" for name in _DIALECTS), *_DRIVERS)


def _import(*names: str) -> None:
    for name in names:
        import_module(name)

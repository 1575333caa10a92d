"""Forks a process for each command: `python -m tests.commands PROGRAM`.

A process that is started imports for most of its time; several at once then wait for each other's
imports, and hardly ever for the database.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.forking import Forked, Forks, import_alembic, import_command, serve, write_to

# What Python, and what measures it, reads when it starts.
OF_PYTHON = ("PYTHON", "LANG", "LC_", "TZ", "COVERAGE")
_IMPORTS = {"bootstrap": import_command, "alembic": import_alembic}


class Run:
    """A command in a process of its own, in the words of `subprocess.Popen`.

    Args:
        forked: The process.
        out: What it writes to its standard output.
        err: What it writes to its standard error.
    """

    def __init__(self, forked: Forked, *, out: Path, err: Path) -> None:
        self.pid = forked.pid
        self.poll, self.wait = forked.poll, forked.wait
        self.send_signal, self.kill = forked.send_signal, forked.kill
        self._forked = forked
        self._streams = (out, err)

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None before its end was heard of."""
        return self._forked.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Waits until it has ended: standard output, standard error.

        Raises:
            subprocess.TimeoutExpired: It runs for longer than that.
        """
        self.wait(timeout)
        out, err = (path.read_text(encoding="utf-8") for path in self._streams)
        return out, err


class Commands:
    """Runs the commands of one program; any number at the same time.

    Args:
        program: `bootstrap`; or `alembic`, in processes that have imported nothing of ours.
        environ: That of the process that forks them: what Python reads when it starts.
    """

    def __init__(self, program: str, environ: Mapping[str, str]) -> None:
        self._forks = Forks("tests.commands", program, environ=environ)
        self.close = self._forks.close

    def start(self, arguments: Sequence[str], *, cwd: Path, environ: Mapping[str, str]) -> Run:
        """Starts a command."""
        out, err = self._forks.file("out"), self._forks.file("err")
        asked = {"arguments": [*arguments], "cwd": str(cwd), "environ": {**environ}}
        forked = self._forks.start({**asked, "out": str(out), "err": str(err)})
        return Run(forked, out=out, err=err)


def start(
    program: str, *arguments: str, cwd: Path, environ: Mapping[str, str] | None = None
) -> Run:
    """Starts `python -m bootstrap`, or `alembic`, without the time that the imports take.

    Args:
        program: Which of them.
        arguments: For it.
        cwd: The folder that it runs in.
        environ: Its environment; None for the one of this process.
    """
    environ = os.environ if environ is None else environ
    ours = frozenset(pair for pair in environ.items() if pair[0].startswith(OF_PYTHON))
    return _commands(program, ours).start(arguments, cwd=cwd, environ=environ)


def run(
    program: str,
    *arguments: str,
    cwd: Path,
    environ: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """The same, in the words of `subprocess.run`.

    Raises:
        subprocess.TimeoutExpired: It ran for longer than that, and was killed.
    """
    running = start(program, *arguments, cwd=cwd, environ=environ)
    try:
        out, err = running.communicate(timeout)
    finally:
        running.kill()
    return subprocess.CompletedProcess((program, *arguments), running.wait(), out, err)


@cache
def _commands(program: str, of_python: frozenset[tuple[str, str]]) -> Commands:
    """Those of this process, for as long as it lives."""
    rest = {name: value for name, value in os.environ.items() if not name.startswith(OF_PYTHON)}
    found = Commands(program, {**rest, **dict(of_python)})
    atexit.register(found.close)
    return found


def _child(program: str) -> Callable[[Mapping[str, Any]], int]:
    def child(asked: Mapping[str, Any]) -> int:
        _become(asked)
        sys.argv[0] = program
        try:
            return _ended(_main(program))
        finally:
            _finish()

    return child


def _finish() -> None:
    """Does what an interpreter does at its end: it waits for its threads first."""
    shutdown: Callable[[], None] = vars(threading)["_shutdown"]
    shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()


def _main(program: str) -> Callable[[], object]:
    if program == "alembic":
        from alembic.config import main as alembic

        return lambda: alembic(prog="alembic")
    from bootstrap.cli import main

    return main


def _ended(main: Callable[[], object]) -> int:
    """The exit code of a program, as Python ends with it."""
    try:
        main()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
            return 1
        return ended.code or 0
    except BaseException:  # noqa: BLE001 - it is the end of this process
        traceback.print_exc()
        return 1
    return 0


def _become(asked: Mapping[str, Any]) -> None:
    """Has the streams, the folder, the environment and the arguments of a process of its own."""
    write_to(asked["out"], asked["err"])
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["environ"])
    sys.path[0] = asked["cwd"]
    sys.argv = ["", *asked["arguments"]]


if __name__ == "__main__":
    _IMPORTS[sys.argv[1]]()
    serve(_child(sys.argv[1]))

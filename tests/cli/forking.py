"""Forks a process for each command: `python -m tests.cli.forking`.

What takes most of a command's time, its imports, is done once. It reads commands from standard
input, one JSON document on each line, and answers each with its exit code. It has no thread, so
it can fork.
"""

from __future__ import annotations

import atexit
import gc
import io
import json
import os
import pkgutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

import bootstrap

_STREAMS = ("out", "err")


class Forks:
    """The process that forks."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.forking"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self._folder = TemporaryDirectory(prefix="bootstrap-forks-")
        self._busy = threading.Lock()

    def run(
        self, arguments: Sequence[str], *, cwd: Path, environ: Mapping[str, str]
    ) -> tuple[int, str, str] | None:
        """Runs a command: exit code, standard output, standard error; None while another runs."""
        if not self._busy.acquire(blocking=False):
            return None
        try:
            return self._ran(arguments, cwd=cwd, environ=environ)
        finally:
            self._busy.release()

    def _ran(
        self, arguments: Sequence[str], *, cwd: Path, environ: Mapping[str, str]
    ) -> tuple[int, str, str]:
        send, answer = self._process.stdin, self._process.stdout
        assert send is not None
        assert answer is not None
        files = {name: str(Path(self._folder.name) / name) for name in _STREAMS}
        asked = {"arguments": list(arguments), "cwd": str(cwd), "environ": dict(environ), **files}
        send.write(json.dumps(asked) + "\n")
        send.flush()
        code = int(answer.readline())
        out, err = (Path(files[name]).read_text(encoding="utf-8") for name in _STREAMS)
        return code, out, err

    def close(self) -> None:
        """Ends it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)
        self._folder.cleanup()


@cache
def forks() -> Forks:
    """That of this process, for as long as it lives."""
    found = Forks()
    atexit.register(found.close)
    return found


def _serve(source: TextIO) -> None:
    _import_everything()
    gc.freeze()
    for line in source:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(_child(asked))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _child(asked: Mapping[str, Any]) -> int:
    """Runs the command; to take down all that was imported would take longer than that."""
    from bootstrap.cli import main

    _become(asked)
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()


def _import_everything() -> None:
    """What some command would import: all of ours, and with it what they are made of."""
    from tests.chaos.runner import import_everything

    import_everything()
    for module in pkgutil.walk_packages(bootstrap.__path__, "bootstrap."):
        if not module.name.startswith(("bootstrap.integrations", "bootstrap.__main__")):
            import_module(module.name)


def _become(asked: Mapping[str, Any]) -> None:
    """Has the streams, the folder, the environment and the arguments of a process of its own."""
    new = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    opened = (
        os.open(os.devnull, os.O_RDONLY),
        os.open(asked["out"], new),
        os.open(asked["err"], new),
    )
    for number, file in enumerate(opened):
        os.dup2(file, number)
        os.close(file)
    sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False), encoding="utf-8")
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), encoding="utf-8")
    sys.stderr = io.TextIOWrapper(
        io.FileIO(2, "w", closefd=False), encoding="utf-8", write_through=True
    )
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["environ"])
    sys.path[0] = asked["cwd"]
    sys.argv = ["bootstrap", *asked["arguments"]]


if __name__ == "__main__":
    _serve(sys.stdin)

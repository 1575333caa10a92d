"""Forks a process for each command: `python -m tests.cli.forking`."""

from __future__ import annotations

import atexit
import io
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.forking import Forks, import_command, serve

_STREAMS = ("out", "err")


class Commands(Forks):
    """Runs commands in processes of their own, one at a time."""

    def __init__(self) -> None:
        super().__init__("tests.cli.forking")
        self._folder = TemporaryDirectory(prefix="bootstrap-forks-")
        self._busy = threading.Lock()

    def run(
        self, arguments: Sequence[str], *, cwd: Path, environ: Mapping[str, str]
    ) -> tuple[int, str, str] | None:
        """Runs a command: exit code, standard output, standard error; None while another runs."""
        if not self._busy.acquire(blocking=False):
            return None
        try:
            files = {name: str(Path(self._folder.name) / name) for name in _STREAMS}
            asked = {"arguments": [*arguments], "cwd": str(cwd), "environ": {**environ}}
            code = self.ask(asked | files)
            out, err = (Path(files[name]).read_text(encoding="utf-8") for name in _STREAMS)
        finally:
            self._busy.release()
        return code, out, err

    def close(self) -> None:
        """Ends it."""
        super().close()
        self._folder.cleanup()


@cache
def commands() -> Commands:
    """Those of this process, for as long as it lives."""
    found = Commands()
    atexit.register(found.close)
    return found


def _child(asked: Mapping[str, Any]) -> int:
    from bootstrap.cli import main

    _become(asked)
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()


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
    import_command()
    serve(_child)

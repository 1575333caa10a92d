"""Processes that are forked from one that has imported, once, what would take their time."""

from __future__ import annotations

import gc
import json
import os
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any


class Forks:
    """The process that forks: it reads JSON lines, and answers each with an exit code.

    Args:
        module: What it runs; it calls `serve`.
        arguments: For that.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
        )

    def ask(self, document: Mapping[str, Any]) -> int:
        """Has a process forked, and gives its exit code; negative for the signal that ended it."""
        send, answer = self._process.stdin, self._process.stdout
        assert send is not None
        assert answer is not None
        send.write(json.dumps(document) + "\n")
        send.flush()
        return int(answer.readline())

    def close(self) -> None:
        """Ends it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)


def serve(child: Callable[[Mapping[str, Any]], int]) -> None:
    """Forks a process for each line, which ends with what `child` returns.

    There is no thread, so it can fork; to take down all that was imported would take longer than
    most of what a child does.
    """
    gc.freeze()
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            os._exit(child(json.loads(line)))
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


def import_library() -> None:
    """What a run by the library would import."""
    import sqlalchemy.orm  # noqa: F401 - here and below: for the children

    import bootstrap
    import bootstrap.backends
    import bootstrap.reference

    for name in bootstrap.__all__:
        getattr(bootstrap, name)
    for backend in bootstrap.backends.all_backends():
        for driver in backend.drivers:
            __import__(driver.module)


def import_command() -> None:
    """What some command would import: all of ours, and with it what they are made of."""
    import bootstrap

    import_library()
    for module in pkgutil.walk_packages(bootstrap.__path__, "bootstrap."):
        if not module.name.startswith(("bootstrap.integrations", "bootstrap.__main__")):
            import_module(module.name)

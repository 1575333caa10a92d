"""Forks a process for each run: what takes time is imported once, before.

`python -m tests.chaos.runner [MODULE]...` imports these too, reads runs from standard input, one
JSON document on each line, and answers each with how it ended. It has no thread, so it can fork.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from tests.chaos.killing import LOG, POINT

if TYPE_CHECKING:
    from bootstrap import Project


class Tool(StrEnum):
    """What migrates."""

    BOOTSTRAP = "bootstrap"
    ALEMBIC = "alembic"
    REPAIR = "repair"  # takes the first choice that it is given, and migrates then


TOOLS = (Tool.BOOTSTRAP, Tool.ALEMBIC)  # that are compared; the third repairs what the second left
NOT_TOLD = 7  # the exit code where a person would have to say what there is


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run in a process of its own.

    Attributes:
        tool: What migrates.
        ini: The project.
        url: The database, with its driver.
        log: Gets a line for each statement that was reached.
        output: Gets what is printed.
        point: Where to die; empty for nowhere.
        target: The revision to migrate to.
    """

    tool: Tool
    ini: str
    url: str
    log: str
    output: str
    point: str = ""
    target: str = "head"


class Runner:
    """The process that forks.

    Args:
        modules: What is imported before.
    """

    def __init__(self, *modules: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.runner", *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def __call__(self, run: Run) -> int:
        """Runs, and gives the exit code; negative for the signal that ended it."""
        send, answer = self._process.stdin, self._process.stdout
        assert send is not None
        assert answer is not None
        send.write(json.dumps(asdict(run)) + "\n")
        send.flush()
        return int(answer.readline())

    def close(self) -> None:
        """Ends it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)


@contextmanager
def running(*modules: str) -> Iterator[Runner]:
    """A runner for the time of the block, which imports these modules first."""
    runner = Runner(*modules)
    try:
        yield runner
    finally:
        runner.close()


def _serve(source: TextIO, modules: Sequence[str]) -> None:
    import_everything()
    for module in modules:
        __import__(module)
    for line in source:
        fields = json.loads(line)
        run = Run(**{**fields, "tool": Tool(fields["tool"])})
        child = os.fork()
        if child == 0:
            os._exit(_child(run))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def import_everything() -> None:
    """What a run would import."""
    import sqlalchemy.orm  # noqa: F401 - here and below: for the children

    import bootstrap
    import bootstrap.backends
    import bootstrap.reference

    for name in bootstrap.__all__:
        getattr(bootstrap, name)
    for backend in bootstrap.backends.all_backends():
        for driver in backend.drivers:
            __import__(driver.module)


def _child(run: Run) -> int:
    output = os.open(run.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.environ[LOG] = run.log
    if run.point:
        os.environ[POINT] = run.point
    try:
        return _migrate(run)
    except BaseException:  # noqa: BLE001 - it is the end of this process
        os.write(2, traceback.format_exc().encode())
        return 1


def _migrate(run: Run) -> int:
    import alembic.command
    from alembic.config import Config

    import bootstrap

    project = bootstrap.Project.at(Path(run.ini))
    if run.tool is Tool.BOOTSTRAP:
        asyncio.run(bootstrap.migrate(run.url, run.target, project=project))
        return 0
    if run.tool is Tool.REPAIR:
        return asyncio.run(_repair(run.url, project))
    config = Config(run.ini)
    config.set_main_option("sqlalchemy.url", run.url.replace("%", "%%"))
    alembic.command.upgrade(config, run.target)
    return 0


async def _repair(url: str, project: Project) -> int:
    import bootstrap

    looked = await bootstrap.repair(url, project=project)
    print(looked)
    if looked.unrecorded is not None:
        if len(looked.unrecorded.stops) != 1 or not looked.unrecorded.choices:
            return NOT_TOLD
        _, _, option, *_ = looked.unrecorded.choices[0].split()
        try:
            await bootstrap.repair(url, option.removeprefix("--"), project=project)
        except bootstrap.HalfApplied as error:
            print(error.message)
            return NOT_TOLD
    await bootstrap.migrate(url, project=project)
    return 0


if __name__ == "__main__":
    _serve(sys.stdin, sys.argv[1:])

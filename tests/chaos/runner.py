"""Forks a process for each run: what takes time is imported once, before.

`python -m tests.chaos.runner [MODULE]...` imports these too.
"""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.chaos.killing import LOG, POINT
from tests.forking import Forks, import_library, serve

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


class Runner(Forks):
    """The process that forks.

    Args:
        modules: What is imported before.
    """

    def __init__(self, *modules: str) -> None:
        super().__init__("tests.chaos.runner", *modules)

    def __call__(self, run: Run) -> int:
        """Runs, and gives the exit code; negative for the signal that ended it."""
        return self.ask(asdict(run))


@contextmanager
def running(*modules: str) -> Iterator[Runner]:
    """A runner for the time of the block, which imports these modules first."""
    runner = Runner(*modules)
    try:
        yield runner
    finally:
        runner.close()


def _child(fields: Mapping[str, Any]) -> int:
    run = Run(**{**fields, "tool": Tool(fields["tool"])})
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
    import_library()
    for module in sys.argv[1:]:
        __import__(module)
    serve(_child)

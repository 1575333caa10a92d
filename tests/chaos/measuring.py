"""Kills a scenario at each of its points, runs it once more, and says what is lost."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from operator import eq
from pathlib import Path

from sqlalchemy import URL, text

import bootstrap
from bootstrap.database import Database
from tests.chaos.comparing import Contents, contents
from tests.chaos.killing import Moment, Point, ended, killed, reached
from tests.chaos.places import Place
from tests.chaos.runner import NOT_TOLD, Run, Runner, Tool
from tests.chaos.scenarios import Scenario
from tests.projects import ProjectFolder


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a database at one kill point.

    Attributes:
        point: Where the first run died.
        statement: The statement there.
        exit_code: That of the second run.
        same: Whether the database then is the one of an undisturbed run.
        output: What the second run printed.
    """

    point: Point
    statement: str
    exit_code: int
    same: bool
    output: str

    @property
    def untold(self) -> bool:
        """Whether it was said that nobody can tell how far it got, and nothing was done."""
        return self.exit_code == NOT_TOLD

    @property
    def lost(self) -> bool:
        """Whether somebody would have to repair it by hand."""
        return self.exit_code != 0 or not self.same


def measure(
    scenario: Scenario,
    *,
    tool: Tool,
    place: Place,
    runner: Runner,
    folder: Path,
    every: int = 1,
    then: Tool | None = None,
    alike: Callable[[Contents, Contents], bool] = eq,
) -> list[Outcome]:
    """Kills one run of the scenario at each of its points, or at every so many.

    The second run is the same tool's, or another's. What a database ends with is the same as it is
    without a disturbance, or at least alike.
    """
    project = scenario.write(folder / "project")
    asyncio.run(_begin(scenario, project, place.template))
    attempt = Attempts(
        runner=runner, tool=tool, then=then, project=project, folder=folder, target=scenario.end
    )
    with place.copy() as url:
        assert attempt.run(url) == 0, attempt.output
        points, expected = list(_points(attempt.reached, attempt.ended)), contents(url)
    outcomes = []
    for point in points[::every]:
        with place.copy() as url:
            outcomes.append(_killed(attempt, point, url, partial(alike, expected)))
    return outcomes


async def _begin(scenario: Scenario, project: ProjectFolder, template: URL) -> None:
    if scenario.start:
        await bootstrap.migrate(template, scenario.start, project=project.project)
    async with Database.of(template).connect() as connection:
        for statement in scenario.rows:
            await connection.execute(text(statement))
        await connection.commit()


def _points(statements: list[str], ended: frozenset[int]) -> Iterator[Point]:
    """Before and after each statement; after a commit is before the next one."""
    for number in range(1, len(statements) + 1):
        yield Point(moment=Moment.BEFORE, number=number)
        if number in ended:
            yield Point(moment=Moment.AFTER, number=number)


def _killed(
    attempt: Attempts, point: Point, url: URL, is_expected: Callable[[Contents], bool]
) -> Outcome:
    code = attempt.run(url, point)
    # The control: it died there, and nowhere else.
    assert (-signal.SIGKILL, str(point)) == (code, attempt.killed), attempt.output
    statement = attempt.reached[point.number - 1]
    exit_code = attempt.again(url)
    return Outcome(
        point=point,
        statement=statement,
        exit_code=exit_code,
        same=exit_code == 0 and is_expected(contents(url)),
        output=attempt.output,
    )


class Attempts:
    """Runs one after the other; `reached` and `output` are those of the last one."""

    def __init__(
        self,
        *,
        runner: Runner,
        tool: Tool,
        project: ProjectFolder,
        folder: Path,
        then: Tool | None = None,
        target: str = "head",
    ) -> None:
        self._target = target
        self._runner = runner
        self._tool = tool
        self._then = then or tool
        self._ini = project.root / "alembic.ini"
        self._log = folder / "reached.txt"
        self._output = folder / "output.txt"

    def run(self, url: URL, point: Point | None = None) -> int:
        """Runs to the end, or to a point."""
        return self._run(self._tool, url, point)

    def again(self, url: URL) -> int:
        """Runs after a run that was killed."""
        return self._run(self._then, url, None)

    def _run(self, tool: Tool, url: URL, point: Point | None) -> int:
        self._log.unlink(missing_ok=True)
        self._output.unlink(missing_ok=True)
        run = Run(
            tool=tool,
            ini=str(self._ini),
            url=url.render_as_string(hide_password=False),
            log=str(self._log),
            output=str(self._output),
            point=str(point) if point else "",
            target=self._target,
        )
        return self._runner(run)

    @property
    def reached(self) -> list[str]:
        return reached(self._log)

    @property
    def ended(self) -> frozenset[int]:
        return ended(self._log)

    @property
    def killed(self) -> str:
        return killed(self._log)

    @property
    def output(self) -> str:
        return self._output.read_text(encoding="utf-8") if self._output.exists() else ""

"""Any history that is killed at any statement, once or twice, ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.available import Servers
from tests.chaos.comparing import contents
from tests.chaos.killing import Moment, Point
from tests.chaos.measuring import Attempts
from tests.chaos.places import Durable, Files, Place, Templates
from tests.chaos.runner import Runner, Tool, running
from tests.property.histories import history, written

# The numbers of examples, and with them the seeds, are the same in each `make test`.
EXAMPLES = {"sqlite": 8, "postgresql": 6, "mariadb": 6, "mysql": 2}
if more := os.environ.get("BOOTSTRAP_TEST_EXAMPLES"):
    EXAMPLES = dict.fromkeys(EXAMPLES, int(more))


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with running() as started:
        yield started


@contextmanager
def _place(backend_name: str, servers: Servers, folder: Path) -> Iterator[Place]:
    """Where commits outlive the process, and on servers of its own the machine."""
    match backend_name:
        case "sqlite":
            yield Files(folder)
        case "postgresql":
            with closing(Templates(servers.url(backend_name))) as templates:
                yield templates
        case _:
            with closing(Durable(backend_name)) as durable:
                yield durable


@pytest.mark.parametrize("backend_name", EXAMPLES, indirect=True)
def test_any_history_that_is_killed_anywhere_loses_nothing(
    backend_name: str, servers: Servers, runner: Runner, tmp_path: Path
) -> None:
    with _place(backend_name, servers, tmp_path) as place:
        for seed in range(EXAMPLES[backend_name]):
            _example(seed, place, runner, tmp_path / f"example{seed}")


def _example(seed: int, place: Place, runner: Runner, folder: Path) -> None:
    chance = random.Random(seed)
    project = written(folder / "project", history(chance))
    attempt = Attempts(
        runner=runner, tool=Tool.BOOTSTRAP, project=project, folder=folder, target="heads"
    )
    with place.copy() as url:
        assert attempt.run(url) == 0, attempt.output
        count, ended, expected = len(attempt.reached), attempt.ended, contents(url)
    with place.copy() as url:
        point = _point(chance, count, ended)
        assert attempt.run(url, point) == -signal.SIGKILL, (seed, attempt.output)
        assert str(point) == attempt.killed  # the control: it died there, and nowhere else
        if chance.random() < 0.5:
            second = _point(chance, count // 2, ended)
            # What is left may be less than that.
            assert attempt.run(url, second) in {0, -signal.SIGKILL}, (seed, point, attempt.output)
        assert attempt.run(url) == 0, (seed, point, attempt.output)
        assert expected == contents(url), (seed, point)


def _point(chance: random.Random, count: int, ended: frozenset[int]) -> Point:
    number = chance.randint(1, count)
    moments = [*Moment] if number in ended else [Moment.BEFORE]
    return Point(moment=chance.choice(moments), number=number)

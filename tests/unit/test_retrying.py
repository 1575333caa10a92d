"""How long a run is tried again for, by a clock of the test's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from bootstrap.errors import BootstrapError, DatabaseUnreachable, Fault
from bootstrap.events import Event
from bootstrap.running import retrying
from bootstrap.running.retrying import Retries


@dataclass
class _Work:
    """As much of a work as the tries want to know."""

    mark: tuple[str, int] | None = None
    repeatable: bool = True
    applied: tuple[()] = ()
    running: None = None
    connection: None = None
    cancellable: None = None

    def again(self) -> None:
        pass


class _Course:
    """Tries that all fail, each at a moment and at a mark."""

    def __init__(
        self, *tries: tuple[float, tuple[str, int] | None], fault: Fault | None = Fault.LOST
    ) -> None:
        self._tries = tries
        self._fault = fault
        self._work: Any = _Work()
        self.made = 0
        self.emitted: list[Event] = []

    async def run(self, *, seconds: float, repeatable: bool = True) -> None:
        self._work.repeatable = repeatable
        retries = Retries(
            seconds=seconds, works=[self._work], places=[self._work], emit=self.emitted.append
        )
        retries._now = lambda: self._tries[self.made - 1][0]
        await retries.until_done(self._attempt)

    async def _attempt(self) -> None:
        if self.made == len(self._tries):
            return
        _, self._work.mark = self._tries[self.made]
        self.made += 1
        error = DatabaseUnreachable("no")
        error.fault = self._fault
        raise error


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "_FIRST_PAUSE", 0)


ONE, TWO = ("one", 0), ("two", 0)


@pytest.mark.parametrize(
    ("tries", "made"),
    [
        ([(0, ONE), (9, ONE), (10, ONE), (11, ONE)], 3),  # the time is over
        ([(0, ONE), (9, TWO), (18, TWO), (19, TWO), (20, TWO)], 4),  # it got further, and no more
        ([(0, ONE), (9, TWO), (18, ONE), (19, TWO), (30, ONE)], 4),  # back is not further
        ([(0, None), (9, None), (10, None), (11, None)], 3),  # it never got anywhere
        ([(0, ONE), (5, None), (10, None), (11, None)], 3),  # nor when the server is down
        ([(0, ("one", 1)), (9, ("one", 2)), (18, ("one", 2)), (19, ("one", 2))], 4),  # a statement
    ],
)
async def test_the_time_begins_anew_only_when_the_run_got_further(
    tries: Sequence[tuple[float, tuple[str, int] | None]], made: int
) -> None:
    course = _Course(*tries)

    with pytest.raises(DatabaseUnreachable):
        await course.run(seconds=10)

    assert made == course.made


@pytest.mark.parametrize(
    ("fault", "seconds", "repeatable"),
    [(None, 10, True), (Fault.LOST, 0, True), (Fault.LOST, 10, False), (Fault.READ_ONLY, 10, True)],
)
async def test_what_does_not_pass_is_raised_at_once(
    fault: Fault | None, seconds: float, repeatable: bool
) -> None:
    course = _Course((0, ONE), (1, ONE), fault=fault)

    with pytest.raises(BootstrapError):
        await course.run(seconds=seconds, repeatable=repeatable)

    assert (1, []) == (course.made, course.emitted)

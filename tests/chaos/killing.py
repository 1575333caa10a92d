"""Counts the statements of a run, and kills the process at one of them."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event

POINT = "CHAOS_POINT"  # the moment and the number: `before 7`
LOG = "CHAOS_LOG"  # a file that gets a line for each statement that was reached
_ENDED, _KILLED = "ended", "killed"
_READS = re.compile(r"\s*(SELECT|PRAGMA|SHOW|DESCRIBE)\b")


class Moment(StrEnum):
    """When to die."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, kw_only=True)
class Point:
    """Where to die: at a statement, counted from 1."""

    moment: Moment
    number: int

    def __str__(self) -> str:
        return f"{self.moment} {self.number}"

    @classmethod
    def of(cls, text: str) -> Point:
        moment, _, number = text.partition(" ")
        return cls(moment=Moment(moment), number=int(number))


def attach(connection: Connection) -> None:
    """Called by env.py of a scenario with its connection; does nothing outside of these tests.

    A commit counts as a statement, too: it is what makes the others durable. What only reads does
    not: to die before or after it is to die after the statement before it.
    """
    if LOG not in os.environ:
        return
    counter = _Counter()
    event.listen(connection, "before_cursor_execute", counter.before)
    event.listen(connection, "after_cursor_execute", counter.after)
    event.listen(connection, "commit", counter.commit)


class _Counter:
    def __init__(self) -> None:
        self._number = 0
        self._begun: dict[int, int] = {}  # a statement may be sent in the middle of another one
        self._log = Path(os.environ[LOG])
        self._point = Point.of(os.environ[POINT]) if POINT in os.environ else None

    def before(self, _connection: object, cursor: object, sql: str, *_more: Any) -> None:
        if not _READS.match(sql):
            self._begun[id(cursor)] = self._number + 1
            self._reach(" ".join(sql.split())[:60])

    def after(self, _connection: object, cursor: object, sql: str, *_more: Any) -> None:
        if not _READS.match(sql):
            number = self._begun[id(cursor)]
            self._write(f"{_ENDED} {number}")
            self._die(Point(moment=Moment.AFTER, number=number))

    def commit(self, _connection: object) -> None:
        self._reach("COMMIT")

    def _reach(self, what: str) -> None:
        self._number += 1
        self._write(f"{self._number} {what}")
        self._die(Point(moment=Moment.BEFORE, number=self._number))

    def _die(self, point: Point) -> None:
        if self._point == point:
            self._write(f"{_KILLED} {point}")
            os.kill(os.getpid(), signal.SIGKILL)

    def _write(self, line: str) -> None:
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"{line}\n")


def reached(log: Path) -> list[str]:
    """What was reached, one line for each statement."""
    return [line for line in _lines(log) if not line.startswith((_ENDED, _KILLED))]


def ended(log: Path) -> frozenset[int]:
    """The statements that the server took; one that it refuses has no moment after it."""
    lines = (line.split() for line in _lines(log) if line.startswith(_ENDED))
    return frozenset(int(number) for _, number in lines)


def killed(log: Path) -> str:
    """The point at which the process has killed itself; empty when it has not."""
    last = (_lines(log) or [""])[-1]
    return last.removeprefix(f"{_KILLED} ") if last.startswith(_KILLED) else ""


def _lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8").splitlines() if log.exists() else []

"""What happens while a command runs, as values for whoever wants to show it.

Public functions take an `emit` callable and hand it one of these at a time; the core itself
prints nothing. With `await`, `emit` is called in the caller's event loop, never in a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The root of all events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseCreated(Event):
    """A database was made."""

    database: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseDropped(Event):
    """A database was dropped."""

    database: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionTried(Event):
    """The server did not accept a connection yet; the next try is in `pause` seconds."""

    attempt: int
    reason: str
    pause: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted(Event):
    """A revision is about to be applied in one direction."""

    revision: str
    title: str
    direction: str
    number: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished(Event):
    """A revision was applied; committed too, where each has a transaction of its own."""

    revision: str
    title: str
    direction: str
    number: int
    total: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSetStarted(Event):
    """The rows of a data set are about to be compared and written."""

    data_set: str
    table: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSetFinished(Event):
    """A data set was committed; the counts are rows."""

    data_set: str
    table: str
    inserted: int
    updated: int
    unchanged: int
    seconds: float


Emit: TypeAlias = Callable[[Event], None]


def silent(_event: Event) -> None:
    """The default `emit`: shows nothing."""

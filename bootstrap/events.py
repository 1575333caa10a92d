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
class HeadsAwaited(Event):
    """The database is not at the heads yet; the next look is in `pause` seconds."""

    current: tuple[str, ...]
    pause: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LockAwaited(Event):
    """Another run holds the run lock; this one asks again, for `left` seconds more."""

    holder: str
    left: float


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
class StatementBlocked(Event):
    """A statement of a revision waits for the lock of somebody else.

    Attributes:
        revision: Whose statement.
        blockers: Who is in the way, each in words; empty where nobody can tell.
        seconds: How long it has waited.
    """

    revision: str
    blockers: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRetried(Event):
    """A statement of a revision got no lock in time; what it needs is tried again after a pause.

    Attributes:
        revision: Whose statement.
        blockers: As they were last seen.
        pause: Seconds until then.
        left: How many tries there are.
    """

    revision: str
    blockers: tuple[str, ...]
    pause: float
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRetried(Event):
    """A run was ended by what may pass by itself; it begins again after a pause.

    Attributes:
        revision: The one that was being applied; None between two, or before the first.
        fault: What happened, in words.
        attempt: How many tries there were until now.
        pause: Seconds until the next one.
        left: Seconds until there is none any more, unless the run gets further before.
    """

    revision: str | None
    fault: str
    attempt: int
    pause: float
    left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInterrupted(Event):
    """A run was cancelled, and its statement with it.

    Attributes:
        revision: The one that was being applied; None between two.
        current: Where the database is; None when that could not be read.
        stays: What of the revision may stay, in words; empty when nothing was half done.
    """

    revision: str | None
    current: tuple[str, ...] | None
    stays: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TryStarted(Event):
    """A new revision is about to be tried on a throwaway database."""

    backend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TryFinished(Event):
    """A new revision was tried there, with or without success."""

    backend: str
    works: bool
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyStarted(Event):
    """The history is about to be verified on a server."""

    backend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyFinished(Event):
    """It was run to its end there, or not."""

    backend: str
    server_version: str
    works: bool
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSetStarted(Event):
    """The rows of a data set are about to be compared and written.

    Attributes:
        rows: How many; None for a large file, which was not read yet.
    """

    data_set: str
    table: str
    rows: int | None


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

"""Every error that `bootstrap` raises on purpose, each with the exit code of the command.

    BootstrapError                  70  a defect in bootstrap, unless a subclass says otherwise
    ├── SettingsError                3  a setting is missing, contradictory or cannot be read
    ├── DatabaseError                4  the database could not be used
    │   ├── DatabaseUnreachable      4  nobody answers: unknown host, closed port, time-out
    │   ├── DatabaseRefused          4  the server says no: wrong password, missing right, read-only
    │   ├── DatabaseMissing          4  the server is there, the database is not
    │   ├── DatabaseExists           4  the database to be created is there already
    │   └── DatabaseInUse            4  others are connected to the database to be dropped
    ├── LockNotObtained              5  another run held the run lock for too long
    ├── LockLost                     5  the run lock was lost while revisions ran
    ├── RevisionError                6  unknown revision, several heads, a broken revision file
    ├── StatementFailed              7  the server refused a statement of a revision
    ├── HalfApplied                  7  a half-applied revision needs a decision
    ├── RowsWouldBeLost              7  a downgrade would drop tables that have rows
    ├── PartsWouldBeLost             7  a revision lost rows or parts of a table by accident
    ├── SeedError                    8  a data set cannot be read, or does not fit the schema
    └── HookFailed                   9  a hook of the settings failed

A message is one sentence that says what was tried and on what; a hint is what to do next, most
often a command to paste. Neither ever holds a secret: URLs are rendered with the password hidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a file something is wrong; `line` counts from 1, None stands for the whole file."""

    path: Path
    line: int | None = None

    def __str__(self) -> str:
        try:
            path = self.path.relative_to(Path.cwd())
        except ValueError:
            path = self.path
        return str(path) if self.line is None else f"{path}:{self.line}"


class Fault(StrEnum):
    """What may pass by itself, so that the same may work a moment later."""

    LOST = "the connection was lost"
    UNREACHABLE = "the server takes no connection"
    CONFLICT = "another transaction was in the way, and this one was rolled back"
    READ_ONLY = "the server is read-only"


class BootstrapError(Exception):
    """The root of all errors raised on purpose.

    Args:
        message: One sentence: what was tried, on what, and why it did not work.
        hint: What to do next; empty when there is nothing better to say than the message.
        place: The file and line to look at, where one is to blame.

    Attributes:
        fault: What is behind it, where that may pass by itself.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, *, hint: str = "", place: Place | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = place
        self.fault: Fault | None = None


class SettingsError(BootstrapError):
    """A setting is missing, contradictory or cannot be read."""

    exit_code = 3


class DatabaseError(BootstrapError):
    """The database could not be used."""

    exit_code = 4


class DatabaseUnreachable(DatabaseError):
    """Nobody answers: unknown host, closed port, time-out."""


class DatabaseRefused(DatabaseError):
    """The server answers and says no: wrong password, missing right, read-only."""


class DatabaseMissing(DatabaseError):
    """The server is there, the database is not."""


class DatabaseExists(DatabaseError):
    """The database to be created is there already."""


class DatabaseInUse(DatabaseError):
    """Others are connected to the database that should be dropped."""


class LockNotObtained(BootstrapError):
    """Another run held the run lock for longer than this one was to wait; nothing was changed."""

    exit_code = 5


class LockLost(BootstrapError):
    """The run lock was lost while revisions ran; none was begun after that was noticed."""

    exit_code = 5


class RevisionError(BootstrapError):
    """Unknown revision, several heads, or a revision file that cannot be used."""

    exit_code = 6


class StatementFailed(BootstrapError):
    """The server refused a statement of a revision.

    Attributes:
        busy: Whether it only got no lock, and may come through later.
    """

    exit_code = 7

    def __init__(
        self, message: str, *, hint: str = "", place: Place | None = None, busy: bool = False
    ) -> None:
        super().__init__(message, hint=hint, place=place)
        self.busy = busy


class HalfApplied(BootstrapError):
    """A revision is half-applied, and how to go on is for a person to decide."""

    exit_code = 7


class RowsWouldBeLost(BootstrapError):
    """A downgrade would drop tables that have rows; nothing was changed.

    Attributes:
        tables: Names of the tables with how many rows each has, at most 1001.
    """

    exit_code = 7

    def __init__(
        self,
        message: str,
        *,
        tables: Mapping[str, int],
        hint: str = "",
        place: Place | None = None,
    ) -> None:
        super().__init__(message, hint=hint, place=place)
        self.tables = dict(tables)


class PartsWouldBeLost(BootstrapError):
    """A revision lost what it did not mean to, when a table was made anew; it was not committed.

    Attributes:
        losses: What of which table, in words.
    """

    exit_code = 7

    def __init__(
        self,
        message: str,
        *,
        losses: Sequence[str],
        hint: str = "",
        place: Place | None = None,
    ) -> None:
        super().__init__(message, hint=hint, place=place)
        self.losses = tuple(losses)


class SeedError(BootstrapError):
    """A data set cannot be read, or does not fit the schema that is there."""

    exit_code = 8


class HookFailed(BootstrapError):
    """A hook of the settings could not be run, failed, or took too long."""

    exit_code = 9

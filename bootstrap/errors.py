"""Every error that `bootstrap` raises on purpose, each with the exit code of the command.

    BootstrapError                  70  a defect in bootstrap, unless a subclass says otherwise
    ├── SettingsError                3  a setting is missing, contradictory or cannot be read
    ├── DatabaseError                4  the database could not be used
    │   ├── DatabaseUnreachable      4  nobody answers: unknown host, closed port, time-out
    │   ├── DatabaseRefused          4  the server says no: wrong password, missing right, read-only
    │   ├── DatabaseMissing          4  the server is there, the database is not
    │   ├── DatabaseExists           4  the database to be created is there already
    │   └── DatabaseInUse            4  others are connected to the database to be dropped
    ├── RevisionError                6  unknown revision, several heads, a broken revision file
    ├── StatementFailed              7  the server refused a statement of a revision
    ├── RowsWouldBeLost              7  a downgrade would drop tables that have rows
    └── SeedError                    8  a data set cannot be read, or does not fit the schema

A message is one sentence that says what was tried and on what; a hint is what to do next, most
often a command to paste. Neither ever holds a secret: URLs are rendered with the password hidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class BootstrapError(Exception):
    """The root of all errors raised on purpose.

    Args:
        message: One sentence: what was tried, on what, and why it did not work.
        hint: What to do next; empty when there is nothing better to say than the message.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


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


class RevisionError(BootstrapError):
    """Unknown revision, several heads, or a revision file that cannot be used."""

    exit_code = 6


class StatementFailed(BootstrapError):
    """The server refused a statement of a revision."""

    exit_code = 7


class RowsWouldBeLost(BootstrapError):
    """A downgrade would drop tables that have rows; nothing was changed.

    Attributes:
        tables: Names of the tables with how many rows each has, at most 1001.
    """

    exit_code = 7

    def __init__(self, message: str, *, tables: Mapping[str, int], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.tables = dict(tables)


class SeedError(BootstrapError):
    """A data set cannot be read, or does not fit the schema that is there."""

    exit_code = 8

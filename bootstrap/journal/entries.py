"""What the journal holds: one entry for each statement of a revision, in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

NAME = "bootstrap_journal"  # of the table
# The execution options of a statement that bootstrap adds to a revision's.
UNSEEN = {"bootstrap_unseen": True}
# One row of a DBAPI cursor's `description`.
Column: TypeAlias = tuple[Any, ...]


class Kind(StrEnum):
    """What is known of a statement once its entry is durable, and what a resumed run does."""

    READ = "read"  # it changed nothing; returns what it returned
    WRITE = "write"  # its effect became durable together with the entry; returns what it returned
    INTENT = "intent"  # it was about to be sent; it was applied if anything follows
    SESSION = "session"  # what a new connection needs again; sent again
    FAILED = "failed"  # the server refused it, and the revision went on; raises again
    UNDONE = "undone"  # it was rolled back by the revision; returns what it returned
    PARTIAL = "partial"  # the server refused it, but something of it stays; needs a decision
    SETTLED = "settled"  # no statement: what is before it was applied


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A revision in one direction, as it is being applied.

    Attributes:
        revision: Its id.
        direction: `upgrade`, `downgrade` or `stamp`.
        path: Its file; None for what has none.
    """

    revision: str
    direction: str
    path: Path | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What its entries are kept under."""
        return self.revision, self.direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a revision came that is not applied as a whole.

    Attributes:
        statement: The one that was sent last, counted from 1; 0 for none.
        applied: How many are applied and recorded; the next run goes on after them.
    """

    statement: int
    applied: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An exception of the driver, so that it can be raised again.

    Attributes:
        names: Its class and what that is derived from, as the driver's module has them.
        arguments: Most often the server's number and text.
        state: Its SQLSTATE, where the driver keeps that apart.
    """

    names: tuple[str, ...]
    arguments: tuple[Any, ...]
    state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a statement returned.

    Attributes:
        columns: The cursor's description; None when it returned no rows.
        rows: None when there were too many to keep.
        rowcount: The cursor's.
        lastrowid: The cursor's.
        refusal: What it raised.
        variables: The session's variables that it set, with their values.
    """

    columns: tuple[Column, ...] | None = None
    rows: Sequence[tuple[Any, ...]] | None = ()
    rowcount: int = -1
    lastrowid: int | None = None
    refusal: Refusal | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One statement of a revision.

    Attributes:
        number: Counted from 1.
        kind: See there.
        statement: Its text without the values in it, to be shown.
        digest: Of its text and parameters.
        line: Where in the revision's file it was sent; None when that is not known.
        evidence: What the backend looked at before it sent an intent.
        outcome: What it returned.
    """

    number: int
    kind: Kind
    statement: str
    digest: str
    line: int | None
    evidence: str | None = None
    outcome: Outcome = field(default_factory=Outcome)

"""What is known of a half-applied revision, and what a person may decide about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bootstrap.journal.course import without_tail
from bootstrap.journal.entries import Entry, Kind
from bootstrap.journal.statements import Decision


class Repair(StrEnum):
    """What a person says of a half-applied revision."""

    APPLIED = "applied"  # the statement in doubt was applied
    NOT_APPLIED = "not applied"  # it was not, or has been undone
    DONE = "done"  # all of the revision is, by hand where need be
    FORGET = "forget"  # nothing of it is; it begins anew
    RECORD = "record"  # what is there of it, so that it goes on after that
    UNDO = "undo"  # what is there of it is to be taken away


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """A half-applied revision.

    Attributes:
        revision: Its id.
        direction: `upgrade` or `downgrade`.
        applied: How many of its statements are applied.
        last: The last one that is recorded.
        state: Whether that one was applied.
    """

    revision: str
    direction: str
    applied: int
    last: Entry
    state: Decision

    @property
    def is_in_doubt(self) -> bool:
        """Whether a person has to say what became of the last statement."""
        return self.state is Decision.IN_DOUBT


def half_of(
    key: tuple[str, str], entries: Sequence[Entry], decide: Callable[[str], Decision]
) -> Half | None:
    """What the entries of a revision say; None when nothing of it is recorded.

    Args:
        key: The revision and the direction.
        entries: Its entries, in order.
        decide: Looks whether an intent was carried out.
    """
    statements = [one for one in without_tail(entries) if one.kind is not Kind.SETTLED]
    if not statements:
        return None
    last = statements[-1]
    state = Decision.APPLIED
    if last.kind is Kind.PARTIAL:
        state = Decision.IN_DOUBT
    elif last.kind is Kind.INTENT and entries[-1].kind is not Kind.SETTLED:
        state = decide(last.evidence or "")
    return Half(
        revision=key[0],
        direction=key[1],
        applied=len(statements) - (state is not Decision.APPLIED),
        last=last,
        state=state,
    )

"""What a statement means for a journal; how it is told from its text is each backend's to know."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Nature(StrEnum):
    """What a statement does to the data and to the transaction."""

    READS = "reads"
    WRITES = "writes"  # becomes durable with the transaction
    COMMITS = "commits"  # takes effect for good at once, and commits what was before it
    SESSION = "session"  # changes what a new connection does not have
    ENDS = "ends"  # begins or ends a transaction: what was before it is committed
    UNDOES = "undoes"  # rolls back, as far as the savepoint that it names


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A statement, read.

    Attributes:
        nature: See there.
        sql: Its text.
        shown: Its text without the values in it, on one line.
        words: All words and names in it, in lower case.
        target: The table whose rows it writes, in lower case.
        savepoint: The one that it makes or rolls back to.
        variables: Those of the session that it sets.
        only_variables: Whether it sets nothing else.
        sent: What is sent in its place; empty for itself.
        finish: What is sent in its place when it was done in part; empty for the same.
        commits: Whether it commits what was before it, whatever else it does.
        only_once: Whether a new connection needs what it did, and sending it again is no way to it.
        unsure: Whether nobody can see from outside how far it got.
    """

    nature: Nature
    sql: str
    shown: str
    words: frozenset[str] = frozenset()
    target: str = ""
    savepoint: str = ""
    variables: tuple[str, ...] = ()
    only_variables: bool = False
    sent: str = ""
    finish: str = ""
    commits: bool = False
    only_once: bool = False
    unsure: bool = False


class Decision(StrEnum):
    """Whether an intent was carried out."""

    APPLIED = "applied"
    NOT_APPLIED = "not applied"
    AGAIN = "again"  # it may have been, and does the same when it is sent once more
    IN_DOUBT = "in doubt"

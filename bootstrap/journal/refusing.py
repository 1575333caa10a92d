"""What cannot be resumed, in words: which statement, where, and what there is to choose from."""

from __future__ import annotations

from dataclasses import dataclass

from bootstrap.errors import HalfApplied, Place
from bootstrap.journal.entries import Entry, Part

_ANEW = (
    "when you have made the schema what it should be by hand: bootstrap repair --done; when you "
    "have undone what the revision did: bootstrap repair --forget"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The revision, and the number of the statement in it."""

    part: Part
    statement: int

    def at(self, entry: Entry) -> Place | None:
        """The place of a statement in the revision's file."""
        return Place(path=self.part.path, line=entry.line) if self.part.path else None

    def shown(self, entry: Entry) -> str:
        """A statement with its place."""
        place = self.at(entry)
        return f"\n  {place or ''}   {entry.statement}".rstrip()


def another(where: Where, recorded: Entry, met: Entry) -> HalfApplied:
    """The revision was edited before the statement at which it goes on."""
    return HalfApplied(
        f"revision {where.part.revision} is half-applied, and its statement {where.statement} is "
        f"another one than the one that was applied{where.shown(recorded)}"
        f"\nis now{where.shown(met)}",
        hint="restore the statements that are applied, and change only what comes after them; "
        + _ANEW,
        place=where.at(met),
    )


def left_over(where: Where, recorded: Entry) -> HalfApplied:
    """The revision ended before all that is recorded was met."""
    return HalfApplied(
        f"revision {where.part.revision} is half-applied, and ends before a statement that was "
        f"applied{where.shown(recorded)}",
        hint="restore the statements that are applied; " + _ANEW,
        place=where.at(recorded),
    )


def not_kept(where: Where, recorded: Entry) -> HalfApplied:
    """It returned more than is kept."""
    return HalfApplied(
        f"revision {where.part.revision} is half-applied, and its statement {where.statement} "
        "cannot be done again: it returned more rows than are kept, filled a temporary table from "
        "another one, or went past env.py's connection" + where.shown(recorded),
        hint=_ANEW,
        place=where.at(recorded),
    )


def in_doubt(where: Where, recorded: Entry) -> HalfApplied:
    """Nobody can tell whether it was applied."""
    return HalfApplied(
        f"whether statement {where.statement} of revision {where.part.revision} was applied "
        f"before the run was interrupted cannot be told{where.shown(recorded)}",
        hint="look at what it changes, then either: bootstrap repair --applied, which goes on "
        "after it; or: bootstrap repair --not-applied, which sends it again",
        place=where.at(recorded),
    )


def partial(where: Where, recorded: Entry) -> HalfApplied:
    """The server refused it, and kept something of it."""
    return HalfApplied(
        f"statement {where.statement} of revision {where.part.revision} failed, but the server "
        f"has kept a part of what it did{where.shown(recorded)}",
        hint="finish it by hand, then: bootstrap repair --applied; or undo what is there of it, "
        "then: bootstrap repair --not-applied",
        place=where.at(recorded),
    )

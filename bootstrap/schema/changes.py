"""One difference between two schemas, as a value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Action(StrEnum):
    """What a change does, from the first schema to the second."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Kind(StrEnum):
    """What is different."""

    DATABASE = "database"
    TABLE = "table"
    COLUMN = "column"
    PRIMARY_KEY = "primary key"
    UNIQUE = "unique"
    CHECK = "check"
    FOREIGN_KEY = "foreign key"
    EXCLUSION = "exclusion"
    INDEX = "index"
    TRIGGER = "trigger"
    POLICY = "policy"
    ENUM = "enum"
    SEQUENCE = "sequence"
    VIEW = "view"
    OTHER = "other"


class Weight(StrEnum):
    """How much a change matters.

    REPRESENTATION is the same schema in other words, and is not shown. POLICY is a difference
    that the backends bring with them and that a project decides on. DEFINITION is another schema.
    """

    REPRESENTATION = "representation"
    POLICY = "policy"
    DEFINITION = "definition"


def named(kind: Kind | str, name: str, *, table: str) -> str:
    """What is different, in words: `column email of users`, `view totals`."""
    if kind in (Kind.TABLE, Kind.VIEW):
        return f"{kind} {table or name}"
    return f"{kind} {name} of {table}" if table else f"{kind} {name}"


_INVERSE = {
    Action.ADDED: Action.REMOVED,
    Action.REMOVED: Action.ADDED,
    Action.CHANGED: Action.CHANGED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference from a schema to another.

    Attributes:
        action: Added and removed are as seen from the first schema.
        kind: What is different.
        table: The path of the table or view; empty for what stands beside tables.
        name: The object; for a constraint without a name, its columns in brackets.
        attribute: What of it differs; empty when all of it was added or removed.
        before: The first schema's side, in words; None where it has nothing.
        after: The second's.
        weight: How much it matters.
        why: Why it matters, in one sentence.
    """

    action: Action
    kind: Kind
    table: str = ""
    name: str = ""
    attribute: str = ""
    before: str | None = None
    after: str | None = None
    weight: Weight = Weight.DEFINITION
    why: str = ""

    def inverse(self) -> Change:
        """The same difference, seen from the other schema."""
        return replace(self, action=_INVERSE[self.action], before=self.after, after=self.before)

    @property
    def order(self) -> tuple[str, ...]:
        """For sorting: by table, then by what is different."""
        sides = sorted((self.before or "", self.after or ""))
        return (self.table, self.kind, self.name, self.attribute, *sides)

    def __str__(self) -> str:
        what = named(self.kind, self.name, table=self.table)
        if not self.attribute:
            return f"{what} {self.action}"
        return f"{what}: {self.attribute} {self.before or 'none'} → {self.after or 'none'}"

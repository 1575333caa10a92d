"""How much a difference matters, and why: rules as values, the first that fits decides.

The rules for two backends follow what the same history leaves on each of them
(`docs/canonical-schema.md`). On one backend only the names that the server made are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bootstrap.schema import circumstances
from bootstrap.schema.changes import Change, Kind, Weight

_Test = Callable[[Change, Any, Any], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A kind of difference, and what it means.

    Attributes:
        kinds: What is different; none is everything.
        attributes: What of it; none is all of it.
        applies: Looks closer.
    """

    weight: Weight
    why: str
    kinds: frozenset[Kind] = frozenset()
    attributes: frozenset[str] = frozenset()
    applies: _Test = lambda _change, _old, _new: True

    def fits(self, change: Change, old: Any, new: Any) -> bool:
        """Whether the rule is about this change."""
        if self.kinds and change.kind not in self.kinds:
            return False
        if self.attributes and change.attribute not in self.attributes:
            return False
        return self.applies(change, old, new)


def weighed(change: Change, old: Any, new: Any, *, across: bool) -> Change:
    """The change with its weight and the reason; `old` and `new` are the parts it is about."""
    rules = _ACROSS if across else _ALIKE
    for rule in rules:
        if rule.fits(change, old, new):
            return replace(change, weight=rule.weight, why=rule.why)
    return replace(change, why=_reason(change))


def _reason(change: Change) -> str:
    specific = _REASONS.get((change.kind, change.attribute))
    return specific or _REASONS.get((change.kind, ""), "the definition differs")


_REASONS = {
    (Kind.TABLE, ""): "a table that is on one side only cannot be used on the other",
    (Kind.COLUMN, ""): "a column that is on one side only cannot be used on the other",
    (Kind.COLUMN, "type"): "values of one type may not fit into the other",
    (Kind.COLUMN, "length"): "a value that fits on one side is refused or cut on the other",
    (Kind.COLUMN, "precision"): "a number that fits on one side is refused on the other",
    (Kind.COLUMN, "scale"): "numbers are rounded differently",
    (Kind.COLUMN, "bits"): "a number that fits on one side is refused on the other",
    (Kind.COLUMN, "values"): "a value of the enum is refused on one side",
    (Kind.COLUMN, "nullable"): "NULL is refused on one side only",
    (Kind.COLUMN, "default"): "a row that leaves the column out gets another value",
    (Kind.COLUMN, "identity"): "only one side gives numbers by itself",
    (Kind.COLUMN, "computed"): "the column has other values",
    (Kind.COLUMN, "computed expression"): "the column has other values",
    (Kind.PRIMARY_KEY, ""): "rows are identified differently",
    (Kind.UNIQUE, ""): "duplicates are refused on one side only",
    (Kind.CHECK, ""): "rows are refused on one side only",
    (Kind.FOREIGN_KEY, ""): "references are kept on one side only",
    (Kind.FOREIGN_KEY, "on delete"): "deleting a row does something else to those that refer to it",
    (Kind.FOREIGN_KEY, "on update"): "changing a key does something else to rows that refer to it",
    (Kind.INDEX, ""): "queries that need the index are slow on one side",
    (Kind.TRIGGER, ""): "writing rows does something else",
    (Kind.POLICY, ""): "rows are visible to others",
    (Kind.VIEW, ""): "queries of the view have another result",
    (Kind.SEQUENCE, ""): "numbers are given differently",
    (Kind.ENUM, ""): "a value is refused on one side",
}


_SAME, _POLICY = Weight.REPRESENTATION, Weight.POLICY
_NAMED = frozenset({Kind.INDEX, Kind.UNIQUE, Kind.CHECK, Kind.FOREIGN_KEY, Kind.PRIMARY_KEY})
_COLUMN = frozenset({Kind.COLUMN})
_TABLE = frozenset({Kind.TABLE})
_INDEX = frozenset({Kind.INDEX})
_OWN_OF_TABLES = frozenset(
    {"engine", "charset", "unlogged", "partitioning", "partition of", "row security"}
)
_ACTIONS = frozenset({"on delete", "on update"})
_BY_SERVER = Rule(
    weight=_SAME,
    why="the server made the names",
    attributes=frozenset({"name"}),
    applies=circumstances.both_by_server,
)
_ALIKE = (_BY_SERVER,)
_ACROSS = (
    Rule(
        weight=_SAME,
        why="each database has defaults of its own, which its tables name",
        kinds=frozenset({Kind.DATABASE}),
    ),
    Rule(
        weight=_SAME,
        why="a default for columns, which name their own",
        kinds=_TABLE,
        attributes=frozenset({"collation"}),
    ),
    Rule(
        weight=_SAME,
        why="one side keeps the values in another type, which has no collation",
        kinds=_COLUMN,
        attributes=frozenset({"collation"}),
        applies=circumstances.one_is_empty,
    ),
    Rule(
        weight=_SAME,
        why="names are made by the server, or shortened to what it takes",
        kinds=_NAMED,
        attributes=frozenset({"name"}),
    ),
    Rule(
        weight=_SAME,
        why="columns are numbered as they came",
        attributes=frozenset({"column order"}),
    ),
    Rule(
        weight=_SAME,
        why="a foreign key needs it there",
        kinds=_INDEX,
        applies=circumstances.implied,
    ),
    Rule(
        weight=_SAME,
        why="each backend gives numbers in its own way",
        kinds=_COLUMN,
        attributes=frozenset({"identity"}),
        applies=circumstances.same_numbering,
    ),
    Rule(
        weight=_SAME,
        why="each backend gives numbers in its own way",
        kinds=_COLUMN,
        applies=lambda change, _old, _new: change.attribute.startswith("identity "),
    ),
    Rule(
        weight=_SAME,
        why="the values are the same in another type",
        kinds=_COLUMN,
        attributes=frozenset({"type"}),
        applies=circumstances.stands_in,
    ),
    Rule(
        weight=_POLICY,
        why="one backend has a type of its own for such values, and refuses all others",
        kinds=_COLUMN,
        attributes=frozenset({"type"}),
        applies=circumstances.is_own_type,
    ),
    Rule(
        weight=Weight.DEFINITION,
        why="a value that is not in the list is refused on one side only",
        kinds=_COLUMN,
        attributes=frozenset({"type"}),
        applies=circumstances.is_list_of_values,
    ),
    Rule(
        weight=_POLICY,
        why="the backends take texts of different length",
        kinds=_COLUMN,
        attributes=frozenset({"type"}),
        applies=circumstances.unbounded,
    ),
    Rule(
        weight=_POLICY,
        why="the backends take values of different length",
        kinds=_COLUMN,
        attributes=frozenset({"length"}),
        applies=circumstances.is_large,
    ),
    Rule(
        weight=_SAME,
        why="one backend does not say how much fits",
        kinds=_COLUMN,
        attributes=frozenset({"bits", "fraction", "precision", "scale", "fixed", "values"}),
        applies=circumstances.one_is_empty,
    ),
    Rule(
        weight=_POLICY,
        why="a float of single precision loses digits after the seventh",
        kinds=_COLUMN,
        attributes=frozenset({"bits"}),
        applies=circumstances.is_float,
    ),
    Rule(
        weight=_POLICY,
        why="fractions of a second are cut on one side",
        kinds=_COLUMN,
        attributes=frozenset({"fraction"}),
    ),
    Rule(
        weight=_POLICY,
        why="times without a zone are read in another one",
        kinds=_COLUMN,
        attributes=frozenset({"time zone"}),
    ),
    Rule(
        weight=_POLICY,
        why="one backend has no numbers without a sign",
        kinds=_COLUMN,
        attributes=frozenset({"unsigned"}),
    ),
    Rule(
        weight=_SAME,
        why="padding is part of the type on one backend only",
        kinds=_COLUMN,
        attributes=frozenset({"fixed", "element"}),
    ),
    Rule(
        weight=_POLICY,
        why="both take the present time, perhaps in another zone or with other digits",
        kinds=_COLUMN,
        attributes=frozenset({"default"}),
        applies=circumstances.both_now,
    ),
    Rule(
        weight=_POLICY,
        why="one backend writes the expression in words that are not understood",
        kinds=_COLUMN | {Kind.CHECK},
        attributes=frozenset({"default", "expression", "computed expression"}),
        applies=circumstances.server_words,
    ),
    Rule(
        weight=_POLICY,
        why="a computed column is stored on one side and computed again on the other",
        kinds=_COLUMN,
        attributes=frozenset({"computed stored", "computed"}),
    ),
    Rule(
        weight=_POLICY,
        why="strings compare and sort differently: by case, accents or trailing spaces",
        attributes=frozenset({"collation"}),
    ),
    Rule(
        weight=_SAME,
        why="the character set belongs to one backend",
        attributes=frozenset({"charset"}),
    ),
    Rule(
        weight=_SAME,
        why="one backend keeps no comments",
        attributes=frozenset({"comment"}),
        applies=circumstances.one_is_empty,
    ),
    Rule(
        weight=_SAME,
        why="the tables of the other backend have no such property",
        kinds=_TABLE,
        attributes=_OWN_OF_TABLES,
    ),
    Rule(
        weight=_SAME,
        why="both refuse while rows refer to it",
        kinds=frozenset({Kind.FOREIGN_KEY}),
        attributes=_ACTIONS,
        applies=lambda change, _old, _new: circumstances.sides(change) == {"RESTRICT", "NO ACTION"},
    ),
    Rule(
        weight=_POLICY,
        why="the other backend checks at once, not at the end of the transaction",
        kinds=frozenset({Kind.FOREIGN_KEY, Kind.UNIQUE, Kind.PRIMARY_KEY}),
        attributes=frozenset({"deferrable", "initially deferred"}),
    ),
    Rule(
        weight=_SAME,
        why="both are an index",
        kinds=_INDEX,
        attributes=frozenset({"method", "visible"}),
        applies=lambda change, _old, _new: (
            circumstances.sides(change) <= {"btree", "hash", "yes", "no"}
        ),
    ),
    Rule(
        weight=_POLICY,
        why="one backend keeps further columns in an index, so that it answers more queries alone",
        kinds=_INDEX | {Kind.UNIQUE},
        attributes=frozenset({"include"}),
        applies=circumstances.one_is_empty,
    ),
    Rule(
        weight=_POLICY,
        why="partial, expression, prefix and full-text indexes are not the same everywhere",
        kinds=_INDEX | {Kind.UNIQUE},
        applies=circumstances.is_special,
    ),
    Rule(
        weight=_SAME,
        why="each backend has its own words for the keys of an index",
        kinds=_INDEX,
        attributes=frozenset({"keys"}),
        applies=circumstances.same_columns,
    ),
    Rule(
        weight=_POLICY,
        why="triggers are written in the language of their backend",
        kinds=frozenset({Kind.TRIGGER}),
    ),
    Rule(
        weight=_POLICY,
        why="exclusion constraints exist on one backend only",
        kinds=frozenset({Kind.EXCLUSION}),
    ),
    Rule(
        weight=_POLICY,
        why="row-level security exists on one backend only",
        kinds=frozenset({Kind.POLICY}),
    ),
    Rule(
        weight=_SAME,
        why="each server writes the query of a view in its own words",
        kinds=frozenset({Kind.VIEW}),
        applies=lambda change, _old, _new: bool(change.attribute),
    ),
    Rule(
        weight=_SAME,
        why="it belongs to columns, where it is compared",
        kinds=frozenset({Kind.ENUM}),
    ),
    Rule(
        weight=_SAME,
        why="it belongs to a column, where it is compared",
        kinds=frozenset({Kind.SEQUENCE}),
        applies=circumstances.owned,
    ),
    Rule(
        weight=_POLICY,
        why="not every backend has such objects",
        kinds=frozenset({Kind.SEQUENCE, Kind.OTHER}),
    ),
    Rule(
        weight=_SAME,
        why="the other backend has no such property",
        applies=circumstances.is_option,
    ),
)

"""What is tried, in groups of one cause each; a group is explained by one sentence."""

from __future__ import annotations

from dataclasses import dataclass

from bootstrap.schema.changes import Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One cause for which servers answer differently.

    Attributes:
        attribute: A word for it; that of the catalogue's comparison, where it has one.
        why: Why it matters, in one sentence.
        weight: Whether backends bring it with them, or the schema is another one.
    """

    attribute: str
    why: str
    weight: Weight = Weight.POLICY


LENGTH = Case(
    attribute="length",
    why="the length is not checked, or counted in another unit: a text is kept on one side and "
    "refused on the other",
)
SPACES = Case(
    attribute="length",
    why="spaces that are too many are cut on one side, as the SQL standard wants it, and refused "
    "or kept on the other",
)
PADDING = Case(
    attribute="padding",
    why="spaces at the end are part of the text on one side only",
)
COLLATION = Case(
    attribute="collation",
    why="the collation decides what is the same: by case, accents, normalisation or spaces at "
    "the end, for unique values as in WHERE",
)
CHARACTERS = Case(
    attribute="characters",
    why="not every character can be stored on each side: U+0000 nowhere on PostgreSQL, those "
    "of four bytes not in every character set",
)
EMPTY = Case(
    attribute="empty string",
    why="an empty string is refused, or becomes something else, on one side",
)
NULLS = Case(
    attribute="nullable",
    why="NULL is refused on one side only, or is made another value",
    weight=Weight.DEFINITION,
)
DEFAULT = Case(
    attribute="default",
    why="a column that is left out gets another value, or is refused, on one side",
    weight=Weight.DEFINITION,
)
RANGE = Case(
    attribute="range",
    why="the type holds more on one side: a number or time is kept there that is refused "
    "elsewhere, or comes back as another one",
)
SCALE = Case(
    attribute="scale",
    why="decimals beyond the scale are rounded on one side, and kept or refused on the other",
)
PRECISION = Case(
    attribute="precision",
    why="digits are lost on one side, where the number is kept as a float",
)
NOT_FINITE = Case(
    attribute="not finite",
    why="NaN and Infinity are values on one side, and refused or NULL on the other",
)
AFFINITY = Case(
    attribute="type",
    why="the type is only a hint on one side: what is no such value is kept there as it is, and "
    "refused or converted elsewhere",
)
ROUNDED = Case(
    attribute="type",
    why="a number with decimals is rounded to an integer on one side, and refused or kept as it "
    "is on the other",
)
DAYS = Case(
    attribute="type",
    why="a day that is in no calendar, or a text that is no time, is kept on the side that has "
    "no type for times",
)
BOOLEAN = Case(
    attribute="type",
    why="a boolean is a small number on one side, which may be another than 0 and 1",
)
FRACTION = Case(
    attribute="fraction",
    why="fractions of a second are cut or rounded on one side",
)
ZONE = Case(
    attribute="time zone",
    why="a time with an offset is converted on one side, and cut, kept or refused on the other",
)
VALUES = Case(
    attribute="values",
    why="a value that is not in the list is refused on one side only, or the list does not look "
    "at case",
)
BYTES = Case(attribute="bytes", why="bytes come back as others, or padded with zeros")
JSON = Case(
    attribute="json",
    why="JSON is kept as text on one side and parsed on the other: order, twin keys and digits "
    "of numbers are lost there",
)
NUMBERING = Case(
    attribute="numbering",
    why="0 in a numbered column becomes the next number on one side (NO_AUTO_VALUE_ON_ZERO)",
)
ORPHANS = Case(
    attribute="orphans",
    why="a row that refers to nothing is refused on one side only",
    weight=Weight.DEFINITION,
)
ON_DELETE = Case(
    attribute="on delete",
    why="when the row that others refer to is deleted, something else happens to them",
    weight=Weight.DEFINITION,
)
ON_UPDATE = Case(
    attribute="on update",
    why="when the key that others refer to is changed, something else happens to them",
    weight=Weight.DEFINITION,
)
ENFORCED = Case(
    attribute="enforced",
    why="a row that breaks the condition is refused on one side only",
    weight=Weight.DEFINITION,
)
TWICE = Case(
    attribute="twice",
    why="the same values are taken twice on one side only",
    weight=Weight.DEFINITION,
)
ROW = Case(
    attribute="row",
    why="an ordinary row is refused on one side, so that nothing else could be asked there",
    weight=Weight.DEFINITION,
)

"""What a statement does to others while it runs, as the server's documentation has it.

Each backend has its facts in a table of patterns. A statement that none of them knows is unknown:
nothing here is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from sqlalchemy import Connection

NAME = r"""(?:"(?:[^"]|"")+"|`[^`]+`|[\w$]+)"""
TABLE = rf"(?P<table>{NAME}(?:\.{NAME})?)"
_LITERAL = re.compile(r"""'(?:[^'\\]|''|\\.)*'|\$(\w*)\$.*?\$\1\$""", re.DOTALL)
_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)
_ALTER = re.compile(
    rf"ALTER (?:IGNORE )?TABLE (?:IF EXISTS )?(?:ONLY )?{TABLE} (?P<actions>.+)", re.IGNORECASE
)


class Blocks(StrEnum):
    """Who has to wait while the statement runs, or until its transaction ends."""

    NOBODY = "nobody"
    WRITERS = "writers"
    EVERYBODY = "readers and writers"
    UNKNOWN = "unknown"


_ORDER = (Blocks.NOBODY, Blocks.WRITERS, Blocks.EVERYBODY, Blocks.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a statement does to a table and to those who use it.

    Attributes:
        lock: In the server's own words: a lock mode, or the algorithm of the change.
        blocks: Who waits.
        rewrites: Whether the table is written anew; None where nobody can tell from the text.
        scans: Whether all its rows are read; None as above.
        note: What else is to be known; empty when there is nothing.
    """

    lock: str = "unknown"
    blocks: Blocks = Blocks.UNKNOWN
    rewrites: bool | None = None
    scans: bool | None = None
    note: str = ""

    @property
    def is_known(self) -> bool:
        """Whether the documentation says something about such a statement."""
        return self.blocks is not Blocks.UNKNOWN


UNKNOWN = Effect()
Rule = tuple[re.Pattern[str], Effect]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A statement, read as far as that is needed.

    Attributes:
        text: On one line, without comments; each literal is `''`.
        table: The table that it is about, without quotes; empty where there is none.
        actions: Of an ALTER TABLE; empty for other statements.
    """

    text: str
    table: str = ""
    actions: tuple[str, ...] = ()


class Effects(Protocol):
    """Knows what statements do on one backend."""

    def of(self, sql: str, version: Sequence[int]) -> Effect:
        """What a statement does on a server of a version.

        Args:
            sql: One statement.
            version: As SQLAlchemy has it; empty where it is not known.
        """

    def estimated_rows(self, connection: Connection, schema: str | None, name: str) -> int | None:
        """How many rows the catalogue believes a table to have; None where it does not tell."""


def read(sql: str) -> Said:
    """Reads a statement."""
    text = " ".join(_LITERAL.sub("''", _COMMENT.sub(" ", sql)).split()).rstrip("; ")
    found = _ALTER.fullmatch(text)
    if found is None:
        return Said(text=text)
    return Said(text=text, table=plain(found["table"]), actions=tuple(_split(found["actions"])))


def plain(name: str) -> str:
    """A name without the quotes around its parts."""
    return re.sub(r'["`]', "", name)


def _split(actions: str) -> Iterator[str]:
    """What stands between the commas outside of brackets."""
    depth, begin = 0, 0
    for place, letter in enumerate(actions):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            yield actions[begin:place].strip()
            begin = place + 1
    yield actions[begin:].strip()


def rules(*pairs: tuple[str, Effect]) -> tuple[Rule, ...]:
    """The patterns, which a statement or action must begin with; the first that fits counts."""
    return tuple(
        (re.compile(pattern + r"(?![\w$])", re.IGNORECASE), found) for pattern, found in pairs
    )


def first(text: str, known: Iterable[Rule]) -> Effect:
    """The effect of the first rule that fits, or that nobody knows."""
    return next((effect for pattern, effect in known if pattern.match(text)), UNKNOWN)


def together(effects: Sequence[Effect]) -> Effect:
    """What several actions of one statement do: the strongest lock, and all the work."""
    strongest = max(effects, key=lambda one: _ORDER.index(one.blocks))
    notes = dict.fromkeys(one.note for one in effects if one.note)
    return replace(
        strongest,
        rewrites=_any([one.rewrites for one in effects]),
        scans=_any([one.scans for one in effects]),
        note="; ".join(notes),
    )


def _any(known: Sequence[bool | None]) -> bool | None:
    if True in known:
        return True
    return None if None in known else False

"""What a statement means for the transaction of a revision, told from its first words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from bootstrap.backends.sqlite.catalog.declarations import Token, tokens_of

_FIRST = 12  # tokens: as many as ALTER TABLE "a"."b" RENAME TO "c" needs, and some
_READS = frozenset({"SELECT", "VALUES", "EXPLAIN", "SAVEPOINT", "RELEASE", "ATTACH"})
_BEGUN_FOR = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE"})
_ENDS = frozenset({"BEGIN", "COMMIT", "END", "ROLLBACK"})
# "pragma.html": these refuse to change, or change nothing, while a transaction is open.
_OUTSIDE_WHEN_SET = frozenset({"JOURNAL_MODE", "SYNCHRONOUS", "TEMP_STORE", "AUTO_VACUUM"})
_OUTSIDE = frozenset({"WAL_CHECKPOINT"})


class Effect(StrEnum):
    """What a statement does to a transaction."""

    READS = "reads"
    WRITES = "writes"
    OUTSIDE = "cannot run in a transaction"
    ENDS = "begins or ends a transaction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the first words say.

    Attributes:
        effect: What it does to a transaction.
        words: Its first keywords in capitals, for messages.
        drops: The table that it drops; empty when it drops none.
        drops_part: The index or trigger that it drops.
        renames: The table that it renames, and to what.
        makes: Whether it only makes something new, which nothing refers to yet.
        names: All names and words among the first, in lower case.
    """

    effect: Effect
    words: str
    drops: str = ""
    drops_part: str = ""
    renames: tuple[str, str] | None = None
    makes: bool = False
    names: frozenset[str] = frozenset()


def read(sql: str) -> Statement:
    """Reads the first words of a statement; comments before and between them do not count."""
    found = list(islice(tokens_of(sql), _FIRST))
    return Statement(
        effect=_effect(found),
        words=" ".join(token.word for token in found[:2] if token.word.isidentifier()),
        drops=_dropped(found, "TABLE"),
        drops_part=_dropped(found, "INDEX", "TRIGGER"),
        renames=_renamed(found),
        makes=_word(found, 0) == "CREATE",
        names=frozenset(token.name.lower() for token in found),
    )


def begins_in_python(sql: str) -> bool:
    """Whether Python's driver begins a transaction before it ("sqlite3", `isolation_level`)."""
    return _word(list(islice(tokens_of(sql), 1)), 0) in _BEGUN_FOR


def folded(name: str) -> str:
    """A name as SQLite compares it: the letters A to Z are the same in both cases, no others."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in name)


def _word(found: Sequence[Token], place: int) -> str:
    return found[place].word if place < len(found) else ""


def _effect(found: Sequence[Token]) -> Effect:
    first = _word(found, 0)
    if first in ("VACUUM", "DETACH"):
        return Effect.OUTSIDE
    if first == "PRAGMA":
        return _pragma(found)
    if first == "ROLLBACK" and "TO" in (_word(found, 1), _word(found, 2)):
        return Effect.READS
    if first in _ENDS:
        return Effect.ENDS
    return Effect.READS if first in _READS or not first else Effect.WRITES


def _pragma(found: Sequence[Token]) -> Effect:
    """`PRAGMA [schema.]name [= value | (value)]`; `foreign_keys` does nothing in a transaction."""
    place = 3 if _word(found, 2) == "." else 1
    name = _word(found, place)
    sets = _word(found, place + 1) in ("=", "(")
    if name in _OUTSIDE or (sets and name in _OUTSIDE_WHEN_SET):
        return Effect.OUTSIDE
    return Effect.WRITES if sets and name.endswith("_VERSION") else Effect.READS


def _dropped(found: Sequence[Token], *kinds: str) -> str:
    if _word(found, 0) != "DROP" or _word(found, 1) not in kinds:
        return ""
    place = 4 if (_word(found, 2), _word(found, 3)) == ("IF", "EXISTS") else 2
    return _name(found, place)[0]


def _renamed(found: Sequence[Token]) -> tuple[str, str] | None:
    if (_word(found, 0), _word(found, 1)) != ("ALTER", "TABLE"):
        return None
    name, place = _name(found, 2)
    if (_word(found, place), _word(found, place + 1)) != ("RENAME", "TO"):
        return None
    return name, _name(found, place + 2)[0]


def _name(found: Sequence[Token], place: int) -> tuple[str, int]:
    """The name of a table, with or without a schema before it, and where it goes on."""
    if _word(found, place + 1) == ".":
        place += 2
    return (found[place].name if place < len(found) else ""), place + 1

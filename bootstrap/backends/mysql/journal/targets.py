"""Which tables a statement is about, told from where their names stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from bootstrap.journal.tokens import Token

Name: TypeAlias = tuple[str, ...]  # with the database before it, where that is said


def targets(found: Sequence[Token]) -> list[Name] | None:
    """The tables that a statement makes, changes or drops; None where it is about other things."""
    words = [token.word for token in found]
    place: int = 0
    between: tuple[str, ...] = ()
    match words[:1]:
        case ["RENAME"] if words[1:2] in (["TABLE"], ["TABLES"]):
            place, between = 2, ("TO", ",")
        case ["TRUNCATE"]:
            place = 2 if words[1:2] == ["TABLE"] else 1
        case ["DROP"] if words[1:2] in (["TABLE"], ["TABLES"], ["VIEW"]):
            place, between = 2, (",",)
        case ["CREATE" | "DROP"] if "INDEX" in words[1:4] and "ON" in words:
            place = words.index("ON") + 1
        case ["CREATE" | "ALTER"] if "TABLE" in words[1:4]:
            place = words.index("TABLE") + 1
    named = _names(found, place, between=between) if place else []
    return named + _exchanged(found, words) if named else None


def _exchanged(found: Sequence[Token], words: Sequence[str]) -> list[Name]:
    """The other table of EXCHANGE PARTITION p WITH TABLE t."""
    if "EXCHANGE" not in words or "TABLE" not in words[words.index("EXCHANGE") :]:
        return []
    return _names(found, words.index("TABLE", words.index("EXCHANGE")) + 1)


def _names(found: Sequence[Token], place: int, *, between: Sequence[str] = ()) -> list[Name]:
    """The names from a place on, each with its database where that is said."""
    names: list[Name] = []
    while place < len(found) and found[place].word in ("IF", "NOT", "EXISTS"):
        place += 1
    while place < len(found) and found[place].name:
        name = [found[place].name]
        place += 1
        while place + 1 < len(found) and found[place].text == "." and found[place + 1].name:
            name.append(found[place + 1].name)
            place += 2
        names.append(tuple(name))
        if place >= len(found) or found[place].word not in between:
            break
        place += 1
    return names

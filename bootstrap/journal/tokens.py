"""The words, names, literals and signs that a statement is made of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_SHOWN = 300  # characters
_WORDS = {"word", "sign"}


class Token(NamedTuple):
    """A word, name, literal, variable or sign; a tuple, since a run makes very many.

    Attributes:
        kind: Which of these.
        text: As it stands in the statement.
        word: A keyword in capitals, or a sign; empty for what is in quotes.
    """

    kind: str
    text: str
    word: str

    @property
    def name(self) -> str:
        """What it names; empty for a literal and a sign."""
        if self.kind == "quoted":
            quote = self.text[0]
            return self.text[1:-1].replace(quote * 2, quote)
        return self.text if self.kind in ("word", "number") else ""


def found_by(pattern: re.Pattern[str], sql: str) -> list[Token]:
    """All tokens of a statement.

    Args:
        pattern: Has a group for each kind; what is in none of them is left out.
        sql: The statement.
    """
    return [
        Token(kind, text := found[0], text.upper() if kind in _WORDS else "")
        for found in pattern.finditer(sql)
        if (kind := found.lastgroup)
    ]


def shown(found: Sequence[Token]) -> str:
    """A statement on one line, without its literals, which may be secrets."""
    parts: list[str] = []
    for token in found:
        text = "'…'" if token.kind == "text" else token.text
        tight = text in (",", ")", ";", ".") or (bool(parts) and parts[-1][-1:] in ("(", "."))
        parts.append(text if tight or not parts else f" {text}")
        if sum(map(len, parts)) > _SHOWN:
            return "".join(parts)[:_SHOWN] + "…"
    return "".join(parts)

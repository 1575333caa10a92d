"""Cuts statements into words, names, literals and signs, as MySQL and MariaDB do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# `/*! ... */` and MariaDB's `/*M! ... */` are comments for other servers only; `--` begins one
# before a blank ("Comments" in both manuals).
_TOKEN = re.compile(
    r"""\s+|/\*M?!\d*|\*/|/\*.*?(?:\*/|\Z)|--(?=\s|\Z)[^\n]*|\#[^\n]*"""  # left out
    r"""|(?P<text>[nNxXbB]?'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*")"""
    r"""|(?P<quoted>`(?:[^`]|``)*`)"""
    r"""|(?P<variable>@@?[\w$.`]+|@'[^']*')"""
    r"""|(?P<word>[^\W\d][\w$]*|\d+[^\W\d][\w$]*)|(?P<number>\.?\d[\d.]*)"""
    r"""|(?P<sign>:=|.)""",
    re.DOTALL,
)
_SHOWN = 300  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A word, name, literal, variable or sign."""

    kind: str
    text: str

    @property
    def word(self) -> str:
        """A keyword in capitals, or a sign; empty for what is in quotes."""
        return self.text.upper() if self.kind in ("word", "sign") else ""

    @property
    def name(self) -> str:
        """What it names; empty for a literal and a sign."""
        if self.kind == "quoted":
            return self.text[1:-1].replace("``", "`")
        return self.text if self.kind in ("word", "number") else ""


def tokens(sql: str) -> list[Token]:
    """All tokens of a statement."""
    return [
        Token(kind=found.lastgroup, text=found[0])
        for found in _TOKEN.finditer(sql)
        if found.lastgroup
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

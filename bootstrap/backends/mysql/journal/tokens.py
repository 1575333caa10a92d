"""Cuts statements into words, names, literals and signs, as MySQL and MariaDB do."""

from __future__ import annotations

import re

from bootstrap.journal.tokens import Token, found_by

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


def tokens(sql: str) -> list[Token]:
    """All tokens of a statement."""
    return found_by(_TOKEN, sql)

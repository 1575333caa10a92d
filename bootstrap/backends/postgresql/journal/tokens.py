"""Cuts statements into words, names, literals and signs, as PostgreSQL does.

"Lexical Structure" in its manual. A comment inside of a comment is not known here: what is left of
the outer one only adds words.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bootstrap.journal.tokens import Token, found_by

_TOKEN = re.compile(
    r"""\s+|--[^\n]*|/\*.*?(?:\*/|\Z)"""  # left out
    r"""|(?P<text>[eE]'(?:[^'\\]|''|\\.)*'|(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'"""
    r"""|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)"""
    r"""|(?P<quoted>"(?:[^"]|"")*")"""
    r"""|(?P<word>[^\W\d][\w$]*)|(?P<number>\.?\d[\w.]*)"""
    r"""|(?P<sign>::|.)""",
    re.DOTALL,
)


@lru_cache(maxsize=8)  # a statement is read for several ends, one after the other
def tokens(sql: str) -> tuple[Token, ...]:
    """All tokens of a statement."""
    return tuple(token for token in found_by(_TOKEN, sql) if token.kind != "tag")

"""Expressions in normal form: parsed SQL, written again in one way for every backend.

Each rule here keeps the meaning. Where the parser does not know an expression, or would lose a
part of it, the text stays as it is but for white space, and is marked so: two expressions that
mean different things are never made one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.tokenizer_core import Token

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_NO_COLUMNS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """An expression of SQL.

    Attributes:
        text: In normal form.
        parsed: Whether it was understood; else the text is the server's but for white space.
    """

    text: str
    parsed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """How a backend writes SQL.

    Attributes:
        dialect: sqlglot's name for it.
        case_matters: Whether `"A"` and `"a"` are two columns.
        string_types: Raw types whose conversion to text changes nothing.
    """

    dialect: str
    case_matters: bool = False
    string_types: frozenset[str] = field(default=frozenset())


def verbatim(text: str) -> Expression:
    """The server's text, with white space outside of quotes made single blanks."""
    parts = re.split(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`)", text.strip())
    parts[::2] = [re.sub(r"\s+", " ", part) for part in parts[::2]]
    return Expression(text="".join(parts), parsed=False)


def normal(text: str, grammar: Grammar, *, columns: Mapping[str, str] = _NO_COLUMNS) -> Expression:
    """Brings an expression into normal form.

    Args:
        text: As the server gives it.
        grammar: How that server writes.
        columns: Raw types of the table's columns, so that casts to them can go.
    """
    if _NUMBER.fullmatch(text):
        return Expression(text=text)
    # Types matter for casts alone; the fewer there are, the more tables share what was parsed.
    has_cast = "::" in text or "cast" in text.lower()
    named = [(name, raw) for name, raw in columns.items() if name in text] if has_cast else []
    return _cached(text, grammar, tuple(named))


@lru_cache(maxsize=8192)
def _cached(text: str, grammar: Grammar, columns: tuple[tuple[str, str], ...]) -> Expression:
    return _normal(text, grammar, dict(columns))


def _normal(text: str, grammar: Grammar, columns: Mapping[str, str]) -> Expression:
    # Imported here: most commands read no schema, and need not wait for it.
    from sqlglot import parse_one  # noqa: PLC0415
    from sqlglot.errors import SqlglotError  # noqa: PLC0415

    from bootstrap.schema import rewriting  # noqa: PLC0415

    try:
        parsed = parse_one(text, read=grammar.dialect)
        if _is_foreign(parsed) or not _is_whole(text, parsed, grammar):
            return verbatim(text)
        tree = rewriting.rewritten(parsed, grammar, columns)
        written = tree.sql()
        # `length(a)` of MySQL counts bytes, and would be written as that of the others.
        if parse_one(written) != tree:
            return verbatim(text)
    except (SqlglotError, ValueError, RecursionError):
        return verbatim(text)
    return Expression(text=written)


def _is_foreign(parsed: exp.Expr) -> bool:
    """Whether it holds statements that the parser does not look into."""
    from sqlglot import exp  # noqa: PLC0415

    return isinstance(parsed, exp.Command) or parsed.find(exp.Command) is not None


def _is_whole(text: str, parsed: exp.Expr, grammar: Grammar) -> bool:
    """Whether all literals and names of the text are still there in the neutral writing.

    sqlglot drops what it has no place for, such as the 6 of `utc_timestamp(6)`.
    """
    return _content(text, grammar.dialect) <= _content(parsed.sql(), None)


def _content(text: str, dialect: str | None) -> Counter[tuple[str, str]]:
    return Counter(_said(token) for token in _tokens(dialect).tokenize(text) if _counts(token))


@cache
def _tokens(dialect: str | None) -> Any:
    from sqlglot import Dialect  # noqa: PLC0415

    return Dialect.get_or_raise(dialect)


def _counts(token: Token) -> bool:
    from sqlglot.tokenizer_core import TokenType  # noqa: PLC0415

    kinds = {
        TokenType.STRING,
        TokenType.NUMBER,
        TokenType.HEX_STRING,
        TokenType.BIT_STRING,
        TokenType.BYTE_STRING,
        TokenType.NATIONAL_STRING,
        TokenType.IDENTIFIER,
    }
    return token.token_type in kinds


def _said(token: Token) -> tuple[str, str]:
    return token.token_type.name, token.text

"""The definitions in a CREATE TABLE, one by one: some of one statement, the rest of another."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bootstrap.backends.altering import Part
from bootstrap.backends.sqlite.catalog.declarations import CONSTRAINTS, Token, tokens
from bootstrap.schema.changes import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Definition:
    """A column or a constraint, as it is written."""

    part: Part
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Definitions:
    """A CREATE TABLE, taken apart: what stands before the list, in it, and after it."""

    head: str
    inner: tuple[_Definition, ...]
    tail: str


def mixed(own: str, other: str, parts: Collection[Part]) -> str:
    """One CREATE TABLE with some definitions of another.

    Args:
        own: Whose parts are kept.
        other: Whose is all else.
        parts: Which, by kind and lower-case name; those without a name cannot be told apart.
    """
    mine, theirs = _apart(own), _apart(other)
    if mine is None or theirs is None:
        return other
    kept = {one.part: one for one in mine.inner if one.part in parts}
    inner = [
        kept.pop(one.part, one) for one in theirs.inner if one.part not in parts or one.part in kept
    ]
    inner = sorted((*inner, *kept.values()), key=lambda one: one.part[0] is not Kind.COLUMN)
    if not inner or inner[0].part[0] is not Kind.COLUMN:
        return other
    return theirs.head + ", ".join(one.text for one in inner) + theirs.tail


def _apart(sql: str) -> _Definitions | None:
    """None where there is no list."""
    found = tokens(sql)
    opening = next((n for n, token in enumerate(found) if token.word == "("), None)
    if opening is None:
        return None
    lists: list[list[Token]] = [[]]
    depth, end = 0, len(sql)
    for token in found[opening + 1 :]:
        depth += {"(": 1, ")": -1}.get(token.word, 0)
        if depth < 0:
            end = token.start
            break
        if token.word == "," and not depth:
            lists.append([])
        else:
            lists[-1].append(token)
    return _Definitions(
        head=sql[: found[opening].end],
        inner=tuple(_definition(sql, one) for one in lists if one),
        tail=sql[end:],
    )


def _definition(sql: str, found: Sequence[Token]) -> _Definition:
    text = sql[found[0].start : found[-1].end]
    if found[0].word not in CONSTRAINTS:
        return _Definition(part=(Kind.COLUMN, found[0].name.lower()), text=text)
    name = found[1].name.lower() if found[0].word == "CONSTRAINT" else ""
    return _Definition(part=(Kind.INDEX, name), text=text)

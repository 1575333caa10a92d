"""What differs between values that are shown side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import groupby
from typing import TypeAlias

Marked: TypeAlias = tuple[tuple[str, bool], ...]  # pieces of a text, and whether each differs

_TOKENS = re.compile(r"\w+|\s+|.", re.DOTALL)
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_MANY = 1500  # tokens; comparing takes the product of both numbers at the worst


def marked(values: Sequence[str]) -> tuple[Marked, ...]:
    """Each value in pieces, those marked that the first value and it do not share.

    Where two values have no word in common nothing is marked: all of it differs, as anybody sees.
    """
    if not values:
        return ()
    pieces = _pieces(values)
    differing: list[set[int]] = [set() for _ in values]
    for number in range(1, len(values)):
        here, there = _differing(pieces[0], pieces[number])
        differing[0] |= here
        differing[number] |= there
    return tuple(
        _joined(of_value, marks) for of_value, marks in zip(pieces, differing, strict=True)
    )


def _pieces(values: Sequence[str]) -> list[list[str]]:
    words = [_TOKENS.findall(value) for value in values]
    if max(map(len, words)) <= _MANY:
        return words
    return [_LINES.findall(value) for value in values]


def _differing(one: Sequence[str], other: Sequence[str]) -> tuple[set[int], set[int]]:
    """The places of what one has and the other has not, in each."""
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    changes = [change for change in matcher.get_opcodes() if change[0] != "equal"]
    here = {place for _, begin, end, _, _ in changes for place in range(begin, end)}
    there = {place for _, _, _, begin, end in changes for place in range(begin, end)}
    shared = (piece for place, piece in enumerate(one) if place not in here)
    if not any(re.search(r"\w", piece) for piece in shared):
        return set(), set()
    return here, there


def _joined(pieces: Sequence[str], differing: set[int]) -> Marked:
    """Neighbours that are alike as one piece, with the blanks between them."""
    blanks = {place for place, piece in enumerate(pieces) if piece.isspace()}
    between = {place for place in blanks if {place - 1, place + 1} <= differing}
    numbered = enumerate(pieces)
    return tuple(
        ("".join(piece for _, piece in group), differs)
        for differs, group in groupby(numbered, key=lambda one: one[0] in differing | between)
    )

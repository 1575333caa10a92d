"""Pairs the parts of two schemas: by name, or by what they say where nobody chose the name."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, TypeAlias

Pair: TypeAlias = tuple[Any, Any]  # a part of the first and one of the second; None is no partner

_PLACING = frozenset({"name", "by_server", "comment", "implied"})


def by_name(old: Sequence[Any], new: Sequence[Any]) -> Iterator[Pair]:
    """Pairs parts of the same kind, schema and name."""
    left = {_path(part): part for part in old}
    right = {_path(part): part for part in new}
    for path in sorted(left.keys() | right.keys()):
        yield left.get(path), right.get(path)


def by_name_or_content(old: Sequence[Any], new: Sequence[Any]) -> Iterator[Pair]:
    """Pairs by the name that was chosen, then by all that a part says.

    What is left is paired by names that a server made, and by the columns of what has such a name.
    """
    left, right = list(old), list(new)
    for key in (_chosen_name, _content, _any_name, _columns):
        yield from _paired(left, right, key)
    yield from ((part, None) for part in left)
    yield from ((None, part) for part in right)


def _paired(
    left: list[Any], right: list[Any], key: Callable[[Any], Hashable | None]
) -> Iterator[Pair]:
    """Takes those out of both lists that have the same key, in order."""
    waiting = defaultdict(list)
    for part in right:
        waiting[key(part)].append(part)
    waiting.pop(None, None)
    for part in list(left):
        partners = waiting.get(key(part))
        if partners:
            partner = partners.pop(0)
            left.remove(part)
            right.remove(partner)
            yield part, partner


def _path(part: Any) -> tuple[str, ...]:
    return (getattr(part, "kind", ""), getattr(part, "schema", ""), part.name)


def _chosen_name(part: Any) -> Hashable | None:
    if getattr(part, "by_server", False) or not part.name:
        return None
    return str(part.name)


def _content(part: Any) -> Hashable | None:
    return tuple(
        getattr(part, field.name)
        for field in dataclasses.fields(part)
        if field.name not in _PLACING
    )


def _any_name(part: Any) -> Hashable | None:
    return part.name or None


def _columns(part: Any) -> Hashable | None:
    """The columns of a part whose name nobody chose."""
    if not getattr(part, "by_server", False):
        return None
    return getattr(part, "columns", ()) or None

"""Which column of a drawing each table stands in: to the right of those that it refers to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias

Parents: TypeAlias = dict[str, list[str]]

_WIDE = 1.6  # how much wider than high a drawing should be


def layers(
    sizes: Mapping[str, tuple[float, float]], references: Iterable[tuple[str, str]]
) -> list[list[str]]:
    """The columns, from the left.

    Args:
        sizes: Width and height of each table, with the space around it.
        references: A table that refers, and the one that it refers to.
    """
    parents = _without_cycles(sizes, references)
    depths = _depths(parents)
    columns: list[list[str]] = [[] for _ in range(max(depths.values(), default=-1) + 1)]
    for name in sizes:
        columns[depths[name]].append(name)
    most = _most(sizes)
    return [part for column in columns for part in _split(column, sizes, parents, most=most)]


def _without_cycles(names: Iterable[str], references: Iterable[tuple[str, str]]) -> Parents:
    """What each table stands to the right of; in a circle one reference goes the other way."""
    parents: Parents = {name: [] for name in names}
    for child, parent in references:
        if child != parent and parent not in parents[child]:
            parents[child].append(parent)
    while (cycle := _cycle(parents)) is not None:
        parent, child = cycle[:2]
        parents[child].remove(parent)
    return parents


def _cycle(parents: Parents) -> Sequence[str] | None:
    try:
        TopologicalSorter(parents).prepare()
    except CycleError as error:
        found: Sequence[str] = error.args[1]
        return found
    return None


def _depths(parents: Parents) -> dict[str, int]:
    """How many tables stand to the left of each; those that refer to none are near their first."""
    order = list(TopologicalSorter(parents).static_order())
    depths: dict[str, int] = {}
    for name in order:
        depths[name] = max((depths[one] + 1 for one in parents[name]), default=0)
    nearest: dict[str, int] = {}
    for child in order:
        for parent in parents[child]:
            nearest[parent] = min(nearest.get(parent, depths[child]), depths[child])
    return {
        name: depth if parents[name] or name not in nearest else nearest[name] - 1
        for name, depth in depths.items()
    }


def _most(sizes: Mapping[str, tuple[float, float]]) -> float:
    """How high a column may be so that the drawing gets the form of a screen."""
    area = sum(width * height for width, height in sizes.values())
    return max((math.sqrt(area / _WIDE), *(height for _, height in sizes.values())))


def _split(
    column: Sequence[str],
    sizes: Mapping[str, tuple[float, float]],
    parents: Parents,
    *,
    most: float,
) -> Iterator[list[str]]:
    """A column that is too high as several, which tables of one parent share."""
    total = sum(sizes[name][1] for name in column)
    share = total / max(1, math.ceil(total / most))
    part: list[str] = []
    height = 0.0
    for name in sorted(column, key=lambda one: (parents[one], one)):
        if part and height + sizes[name][1] / 2 > share:
            yield part
            part, height = [], 0.0
        part.append(name)
        height += sizes[name][1]
    yield part

"""Tells which large files can stay on disk, and reads the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set

from bootstrap.datasets.checking.fitting import CheckedDataSet


def with_companions(
    data_sets: Sequence[CheckedDataSet], *, pruned: Set[str]
) -> tuple[CheckedDataSet, ...]:
    """Reads the rows of large files that have to be seen together with others.

    Those are files of a table that has others too, or whose rows that are in no file are deleted,
    or that leads back to itself by foreign keys. All others go through a temporary table.

    Args:
        data_sets: All that are applied.
        pruned: The tables of which rows may be deleted.

    Raises:
        SeedError: A row does not fit.
    """
    files = Counter(one.table.name for one in data_sets)
    links = {one.table.name: {link.table for link in one.links} for one in data_sets}
    return tuple(
        one.in_memory()
        if files[one.table.name] > 1 or one.table.name in pruned | _reached(one.table.name, links)
        else one
        for one in data_sets
    )


def _reached(table: str, links: Mapping[str, Set[str]]) -> set[str]:
    """The tables to which foreign keys lead, directly or by others."""
    reached: set[str] = set()
    following = set(links.get(table, ()))
    while following:
        reached |= following
        following = {one for name in following for one in links.get(name, ())} - reached
    return reached

"""Sorts data sets and their rows, so that what a foreign key refers to is written first.

A circle is opened where a column of it may be NULL: the rows are written without it, and get it
when all are there.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from bootstrap.datasets.checking.fitting import CheckedDataSet, CheckedRow, Reference
from bootstrap.datasets.checking.needs import Index, needs
from bootstrap.datasets.checking.tables import Link
from bootstrap.errors import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A data set in its turn.

    Attributes:
        data_set: Its rows, without the columns that must wait.
        late: The same rows with these columns alone, for when all others are written.
    """

    data_set: CheckedDataSet
    late: CheckedDataSet | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edge:
    """Something of one node that needs another node first; no link for an order that is given."""

    first: int
    line: int
    link: Link | None


_Edges = dict[int, list[_Edge]]


def ordered(data_sets: Sequence[CheckedDataSet]) -> tuple[Step, ...]:
    """Sorts data sets, as far as foreign keys leave it open in the order in which they are given.

    Raises:
        SeedError: They, or rows of one, need each other in a circle that cannot be opened.
    """
    work = _Work(data_sets)
    order = work.order()
    return tuple(work.step(at) for at in order)


class _Work:
    """The data sets while they are sorted, with the columns that must wait."""

    def __init__(self, data_sets: Sequence[CheckedDataSet]) -> None:
        self._data_sets = data_sets
        self._index = Index(data_sets)
        self._late: list[set[str]] = [set() for _ in data_sets]

    def order(self) -> list[int]:
        """The data sets in their order, each by its place in what was given."""
        edges: _Edges = {at: list(self._edges(at)) for at in range(len(self._data_sets))}
        for before, after in self._given():
            edges[after].append(_Edge(first=before, line=1, link=None))
        while True:
            found, left = _sorted(edges)
            if not left:
                return found
            circle = _circle(edges, left)
            if not any(self._opened(at, edge, edges) for at, edge in circle):
                raise self._circle_of_files(circle)

    def step(self, at: int) -> Step:
        """The step of a data set, its rows in groups that need those before them."""
        data_set = self._data_sets[at]
        while True:
            edges = self._edges_of_rows(at)
            order, left = _sorted(edges)
            if not left:
                break
            circle = _circle(edges, left)
            if not any(self._waits(at, edge) for _, edge in circle):
                raise self._circle_of_rows(data_set, circle)
        late = self._late[at]
        levels: dict[int, int] = {}
        for row in order:
            levels[row] = max((levels[edge.first] + 1 for edge in edges[row]), default=0)
        rows = tuple(
            _without(row, late, level=levels[number]) for number, row in enumerate(data_set.rows)
        )
        return Step(
            data_set=replace(data_set, rows=rows),
            late=_late(data_set, late) if late else None,
        )

    def _given(self) -> Iterator[tuple[int, int]]:
        """Neighbours in an order that a manifest gives."""
        placed = [
            (one.file.place, one.file.layer, at)
            for at, one in enumerate(self._data_sets)
            if one.file.ordered
        ]
        placed.sort()
        for before, after in pairwise(placed):
            if before[0][0] == after[0][0]:  # of one manifest
                yield before[2], after[2]

    def _edges(self, at: int) -> Iterator[_Edge]:
        """Which data sets one needs: each of another table, of its own where the row is there."""
        data_set = self._data_sets[at]
        if data_set.large:
            for link in data_set.links:
                for first in self._index.of_table(link.table):
                    yield _Edge(first=first, line=1, link=link)
            return
        seen = set()
        for row in data_set.rows:
            for need in needs(data_set, row):
                if need.link.table != data_set.table.name:
                    found = self._index.of_table(need.link.table)
                else:
                    found = [
                        one.data_set for one in self._index.find(need.link.table, need.by, need.key)
                    ]
                for first in found:
                    if first != at and (first, need.link) not in seen:
                        seen.add((first, need.link))
                        yield _Edge(first=first, line=row.line, link=need.link)

    def _edges_of_rows(self, at: int) -> _Edges:
        data_set = self._data_sets[at]
        own = [link for link in data_set.table.links if link.table == data_set.table.name]
        if not own:
            return {number: [] for number in range(len(data_set.rows))}
        return {
            number: list(self._edges_of_row(at, number, row))
            for number, row in enumerate(data_set.rows)
        }

    def _edges_of_row(self, at: int, number: int, row: CheckedRow) -> Iterator[_Edge]:
        data_set = self._data_sets[at]
        for need in needs(data_set, row):
            if need.link.table != data_set.table.name or self._late[at] & {*need.link.columns}:
                continue
            for found in self._index.find(need.link.table, need.by, need.key):
                # A row may have its own id in a foreign key: the database takes it.
                given = row.values[need.link.columns[0]]
                itself = found.row == number and not isinstance(given, Reference)
                if found.data_set == at and not itself:
                    yield _Edge(first=found.row, line=row.line, link=need.link)

    def _opened(self, at: int, edge: _Edge, edges: _Edges) -> bool:
        """Opens a circle at a column that may wait."""
        if not self._waits(at, edge):
            return False
        late = self._late[at]
        edges[at] = [one for one in edges[at] if not (one.link and late & {*one.link.columns})]
        return True

    def _waits(self, at: int, edge: _Edge) -> bool:
        data_set = self._data_sets[at]
        if data_set.large:
            return False
        for name in edge.link.columns if edge.link else ():
            if data_set.table.columns[name].nullable and name not in data_set.key:
                self._late[at].add(name)
                return True
        return False

    def _circle_of_files(self, circle: Sequence[tuple[int, _Edge]]) -> Exception:
        at, edge = circle[0]
        named = ", ".join(self._named(one, reason) for one, reason in circle)
        return self._data_sets[at].file.fault(
            edge.line,
            f"data sets need each other in a circle: {named}",
            hint="nothing was written; a circle can be opened where a column of it may be NULL",
        )

    def _named(self, at: int, edge: _Edge) -> str:
        place = Place(path=self._data_sets[at].file.path, line=edge.line if edge.link else None)
        first = self._data_sets[edge.first].file.name
        if edge.link is None:
            return f"{place} comes after {first} by the manifest"
        return f"{place} ({', '.join(edge.link.columns)}) needs {first}"

    def _circle_of_rows(
        self, data_set: CheckedDataSet, circle: Sequence[tuple[int, _Edge]]
    ) -> Exception:
        _, edge = circle[0]
        lines = " and ".join(str(one.line) for _, one in circle)
        columns = ", ".join(edge.link.columns) if edge.link else ""
        return data_set.file.fault(
            edge.line,
            f"rows need each other in a circle by {columns}: those on the lines {lines}",
            hint="nothing was written; a circle can be opened where a column of it may be NULL",
        )


def _sorted(edges: Mapping[int, Sequence[_Edge]]) -> tuple[list[int], set[int]]:
    """The nodes in an order in which each comes after those it needs; those for which none is."""
    waiting = {at: {edge.first for edge in found} for at, found in edges.items()}
    followers: dict[int, list[int]] = {}
    for at, firsts in waiting.items():
        for first in firsts:
            followers.setdefault(first, []).append(at)
    ready = [at for at, firsts in waiting.items() if not firsts]
    heapq.heapify(ready)
    order = []
    while ready:
        at = heapq.heappop(ready)
        order.append(at)
        for one in followers.get(at, ()):
            waiting[one].discard(at)
            if not waiting[one]:
                heapq.heappush(ready, one)
    return order, edges.keys() - set(order)


def _circle(edges: Mapping[int, Sequence[_Edge]], left: set[int]) -> list[tuple[int, _Edge]]:
    """A circle among nodes of which each needs another one of them."""
    path: list[tuple[int, _Edge]] = []
    seen: dict[int, int] = {}
    at = min(left)
    while at not in seen:
        seen[at] = len(path)
        edge = next(one for one in edges[at] if one.first in left)
        path.append((at, edge))
        at = edge.first
    return path[seen[at] :]


def _without(row: CheckedRow, late: set[str], *, level: int) -> CheckedRow:
    values = {
        name: value for name, value in row.values.items() if name not in late or value is None
    }
    return replace(row, values=values, level=level)


def _late(data_set: CheckedDataSet, late: set[str]) -> CheckedDataSet:
    named = {*data_set.key, *late}
    rows = tuple(
        replace(row, values={name: row.values[name] for name in row.values if name in named})
        for row in data_set.rows
        if any(row.values.get(name) is not None for name in late)
    )
    return replace(data_set, rows=rows)

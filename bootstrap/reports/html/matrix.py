"""What is the same and what differs, at a glance: tables by servers, revisions by servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias
from xml.etree.ElementTree import Element

from bootstrap import backends
from bootstrap.checking.differences import Comparison, Difference
from bootstrap.checking.drifting import DriftReport
from bootstrap.checking.verifying import VerifyReport
from bootstrap.reports import verified
from bootstrap.reports.html.elements import code, element
from bootstrap.reports.html.groups import Group

_Linked: TypeAlias = tuple[Difference, str]  # and where it is shown
_There: TypeAlias = Mapping[str, Sequence[str]]  # what there is, by the name of the server

_BESIDE = ""  # the table of what stands beside tables
_LONG = 40  # rows; of a longer matrix only those that differ are shown at first


class State(StrEnum):
    """What a cell says."""

    SAME = "same"
    ACCEPTED = "accepted"
    DIFFERS = "differs"
    MISSING = "not there"


_SIGNS = {State.SAME: "✓", State.ACCEPTED: "≈", State.DIFFERS: "≠", State.MISSING: "∅"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A table or a revision on one server.

    Attributes:
        state: What it is.
        count: How many differences make it so.
        link: Where the first of them is shown; empty without any.
        is_open: Whether nobody has accepted them.
    """

    state: State
    count: int = 0
    link: str = ""
    is_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A table or a revision."""

    name: str
    cells: tuple[Cell, ...]

    @property
    def is_same(self) -> bool:
        """Whether nothing in it is open."""
        return not any(cell.is_open for cell in self.cells)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Rows by servers; `of` is what the rows are."""

    of: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def of_tables(report: verified.Compared, groups: Sequence[Group]) -> Matrix:
    """The tables, on each server or in the live database."""
    there = _tables(report)
    if isinstance(report, DriftReport):
        names = report.tables
    else:
        names = tuple(sorted({name for tables in there.values() for name in tables}))
    found = [
        (one.table, (one, group.link))
        for group in groups
        for one in group.differences
        if one.comparison is not Comparison.STAIRWAY
    ]
    return Matrix(of="Table", columns=tuple(there), rows=tuple(_rows(names, there, found)))


def of_revisions(report: VerifyReport, groups: Sequence[Group]) -> Matrix:
    """The revisions, on each server."""
    there = {one.name: one.revisions for one in report.servers}
    names = tuple(dict.fromkeys(name for revisions in there.values() for name in revisions))
    found = [
        (one.revision, (one, group.link))
        for group in groups
        for one in group.differences
        if one.comparison is Comparison.STAIRWAY
    ]
    return Matrix(of="Revision", columns=tuple(there), rows=tuple(_rows(names, there, found)))


def shown(matrix: Matrix) -> Iterator[Element]:
    """The matrix as a table, and a box to tick for those rows alone that differ."""
    same = sum(row.is_same for row in matrix.rows)
    if 0 < same < len(matrix.rows):
        said = f"Only what differs ({len(matrix.rows) - same} of {len(matrix.rows)})"
        yield choice(said, checked=len(matrix.rows) > _LONG)
    head = element(
        "tr",
        element("th", matrix.of, scope="col"),
        *(element("th", name, scope="col") for name in matrix.columns),
    )
    body = element("tbody", *map(_row, matrix.rows))
    table = element("table", element("thead", head), body, class_="matrix")
    yield scrolled(table, label=f"{matrix.of}s by server")


def choice(said: str, *, checked: bool = False) -> Element:
    """A box to tick; the style sheet knows what it does to what follows."""
    box = element("input", type="checkbox", checked="" if checked else None)
    return element("label", box, f" {said}", class_="choice")


def scrolled(content: Element, *, label: str) -> Element:
    """What may be wider than the page, to be moved with the arrow keys too."""
    return element("div", content, class_="scrolled", tabindex="0", role="region", aria_label=label)


def _row(row: Row) -> Element:
    name = code(row.name) if row.name != _BESIDE else element("em", "beside tables")
    return element(
        "tr",
        element("th", name, scope="row"),
        *(_shown(cell) for cell in row.cells),
        class_="same" if row.is_same else None,
    )


def _shown(cell: Cell) -> Element:
    said = f"{cell.count} {'differ' if cell.count > 1 else 'differs'}" if cell.count else cell.state
    if cell.state is State.ACCEPTED:
        said = f"{cell.count} accepted"
    sign = element("span", _SIGNS[cell.state], class_="sign", aria_hidden="true")
    shown = element("a", said, href=cell.link) if cell.link else said
    return element("td", sign, " ", shown, class_=cell.state.name.lower())


def _tables(report: verified.Compared) -> _There:
    """The tables by the name of the server."""
    if isinstance(report, DriftReport):
        title = f"{backends.named(report.backend).title} {report.server_version}"
        return {title: [table.path for table in report.live.tables]}
    return {one.name: one.tables for one in report.servers}


def _rows(
    names: Sequence[str], there: _There, found: Iterable[tuple[str, _Linked]]
) -> Iterator[Row]:
    """One for each name, and for whatever else differences are about, such as views.

    Of the latter nobody says where it is; a difference does where it is missing.
    """
    known = frozenset(names)
    by_name: dict[str, list[_Linked]] = {name: [] for name in names}
    for name, one in found:
        by_name.setdefault(name, []).append(one)
    for name, linked in by_name.items():
        cells = (
            _cell(linked, column, tuple(there), there=name in present or name not in known)
            for column, present in there.items()
        )
        yield Row(name=name, cells=tuple(cells))


def _cell(linked: Iterable[_Linked], column: str, columns: tuple[str, ...], *, there: bool) -> Cell:
    found = [(one, link) for one, link in linked if column in _concerned(one, columns)]
    left = [(one, link) for one, link in found if not one.accepted]
    decisive = left or found
    link = decisive[0][1] if decisive else ""
    if not there:
        return Cell(state=State.MISSING, link=link, is_open=bool(left))
    if not decisive:
        return Cell(state=State.SAME)
    state = State.DIFFERS if left else State.ACCEPTED
    return Cell(state=state, count=len(decisive), link=link, is_open=bool(left))


def _concerned(one: Difference, columns: tuple[str, ...]) -> Sequence[str]:
    """The columns that a difference is charged to.

    Between servers these are the ones that have not what more than half of them have; where no
    value has so many friends, all.
    """
    of_servers = [side for side in one.sides if side.where in columns]
    if not of_servers:
        return one.servers or columns
    value, count = Counter(side.value for side in of_servers).most_common(1)[0]
    if 2 * count <= len(columns):
        return [side.where for side in of_servers]
    return [side.where for side in of_servers if side.value != value]

"""A schema as SVG: tables with their columns, and a line for each foreign key."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from xml.etree.ElementTree import Element

from bootstrap.reports.html import layout
from bootstrap.reports.html.elements import element
from bootstrap.schema.model import Column, Schema, Table

_SMALL = 60  # tables; with more of them only the columns of keys are drawn
_LONGEST = 24  # columns of one table
_HEAD, _ROW = 32.0, 21.0  # pixels
_CHARACTER, _TITLE = 7.3, 8.2  # how wide one is, in a column and in the name of a table
_KEY, _SPACE, _SIDE = 26.0, 20.0, 12.0
_NAME, _TYPE = 28, 24  # characters
_MARGIN = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is said of a table that differs: how it is shown, in words, and where to read more."""

    said: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    key: str
    name: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    """A table as it is drawn; `more` is how many columns are not."""

    path: str
    rows: tuple[_Row, ...]
    more: int

    @property
    def height(self) -> float:
        return _HEAD + _ROW * (len(self.rows) + bool(self.more)) + (6 if self.rows else 0)

    @property
    def width(self) -> float:
        rows = [
            _KEY + _SPACE + _CHARACTER * (_long(row.name, _NAME) + _long(row.type, _TYPE))
            for row in self.rows
        ]
        return 2 * _SIDE + max(140.0, _TITLE * _long(self.path, _NAME + 6), *rows, 0.0)

    def at(self, column: str) -> float:
        """Where a line to the column ends, below the top of the table."""
        for number, row in enumerate(self.rows):
            if row.name == column:
                return _HEAD + _ROW * (number + 0.5)
        return _HEAD / 2


def union(schemas: Iterable[Schema]) -> tuple[Table, ...]:
    """The tables of several schemas, each as the first one has it that has it."""
    found: dict[str, Table] = {}
    for schema in schemas:
        for table in schema.tables:
            found.setdefault(table.path, table)
    return tuple(found[path] for path in sorted(found))


def drawn(tables: Sequence[Table], findings: Mapping[str, Finding]) -> Element:
    """The drawing.

    Args:
        tables: What to draw.
        findings: Of the tables that differ, by their paths.
    """
    boxes = {table.path: _box(table, keys_alone=len(tables) > _SMALL) for table in tables}
    found = layout.laid_out(
        [
            layout.Table(name=path, width=box.width, height=box.height)
            for path, box in boxes.items()
        ],
        list(_references(tables, boxes)),
    )
    width, height = found.width + 2 * _MARGIN, found.height + 2 * _MARGIN
    return element(
        "svg",
        element(
            "g",
            *(_line(one) for one in found.lines),
            *(_end(one) for one in found.ends),
            *(_start(*one) for one in found.starts),
            *(
                _table(boxes[name], place, findings.get(name))
                for name, place in found.places.items()
            ),
            transform=f"translate({_n(_MARGIN)} {_n(_MARGIN)})",
        ),
        viewBox=f"0 0 {_n(width)} {_n(height)}",
        width=_n(width),
        height=_n(height),
        role="group",
        aria_label="The tables, with lines for references",
    )


def _references(tables: Iterable[Table], boxes: Mapping[str, _Box]) -> Iterator[layout.Reference]:
    for table in tables:
        for key in table.foreign_keys:
            target = f"{key.schema}.{key.table}" if key.schema else key.table
            if target in boxes:
                yield layout.Reference(
                    table=table.path,
                    at=boxes[table.path].at(next(iter(key.columns), "")),
                    to=target,
                    to_at=boxes[target].at(next(iter(key.references), "")),
                )


def _box(table: Table, *, keys_alone: bool) -> _Box:
    rows = [_row(column, table) for column in table.columns]
    few = keys_alone or len(rows) > _LONGEST
    shown = [row for row in rows if row.key] if few else rows
    if not keys_alone:
        others = (row for row in rows if row not in shown)
        kept = {*shown, *islice(others, max(0, _LONGEST - len(shown)))}
        shown = [row for row in rows if row in kept]
    return _Box(path=table.path, rows=tuple(shown), more=len(rows) - len(shown))


def _row(column: Column, table: Table) -> _Row:
    primary = table.primary_key is not None and column.name in table.primary_key.columns
    refers = any(column.name in key.columns for key in table.foreign_keys)
    key = "PK" if primary else "FK" if refers else ""
    return _Row(
        key=key, name=column.name, type=f"{column.type.raw}{'?' if column.nullable else ''}"
    )


def _table(box: _Box, place: layout.Place, finding: Finding | None) -> Element:
    content = (
        element("rect", width=_n(place.width), height=_n(place.height), rx="7", class_="box"),
        _text(box.path, x=_SIDE, y=21, longest=_NAME + 6, class_="name"),
        *_rows(box, place.width),
    )
    where = f"translate({_n(place.x)} {_n(place.y)})"
    if finding is None:
        return element("g", *content, transform=where, class_="table")
    label = element("title", f"{box.path}: {finding.said}")
    linked = element("a", label, *content, href=finding.link)
    return element("g", linked, transform=where, class_="table differs")


def _rows(box: _Box, width: float) -> Iterator[Element]:
    if box.rows or box.more:
        yield element("path", d=f"M0 {_n(_HEAD)}H{_n(width)}", class_="rule")
    for number, row in enumerate(box.rows):
        y = _HEAD + _ROW * number + 15
        if row.key:
            yield element("text", row.key, x=_n(_SIDE), y=_n(y), class_="key")
        yield _text(row.name, x=_SIDE + _KEY, y=y, longest=_NAME, class_="column")
        yield _text(row.type, x=width - _SIDE, y=y, longest=_TYPE, class_="type")
    if box.more:
        y = _HEAD + _ROW * len(box.rows) + 15
        said = f"{box.more} more" if box.rows else f"{box.more} columns"
        yield element("text", said, x=_n(_SIDE + _KEY), y=_n(y), class_="more")


def _text(said: str, *, x: float, y: float, longest: int, class_: str) -> Element:
    """A text, and all of it on demand where it had to be cut."""
    cut = _cut(said, longest)
    made = element("text", cut, x=_n(x), y=_n(y), class_=class_)
    if cut != said:
        made.append(element("title", said))
    return made


def _line(one: layout.Line) -> Element:
    bend = layout.GUTTER / 2
    start, end = f"{_n(one.x)} {_n(one.y)}", f"{_n(one.to_x)} {_n(one.to_y)}"
    if one.looped:
        far = _n(max(one.x, one.to_x) + bend)
        way = f"M{start}C{far} {_n(one.y)} {far} {_n(one.to_y)} {end}"
    elif one.y == one.to_y:
        way = f"M{start}H{_n(one.to_x)}"
    else:
        way = f"M{start}C{_n(one.x + bend)} {_n(one.y)} {_n(one.to_x - bend)} {_n(one.to_y)} {end}"
    return element("path", d=way, class_="line")


def _end(one: layout.End) -> Element:
    """The head of an arrow."""
    back = -7 if one.left else 7
    way = f"M{_n(one.x)} {_n(one.y)}l{back} -4v8z"
    return element("path", d=way, class_="head")


def _start(x: float, y: float) -> Element:
    return element("circle", cx=_n(x), cy=_n(y), r="3", class_="head")


def _long(text: str, longest: int) -> int:
    """How many characters of the ordinary width a text takes when it is shown."""
    return sum(map(_wide, _cut(text, longest)))


def _cut(text: str, longest: int) -> str:
    if sum(map(_wide, text)) <= longest:
        return text
    kept, left = "", longest - 1
    for character in text:
        left -= _wide(character)
        if left < 0:
            break
        kept += character
    return f"{kept}…"


def _wide(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _n(number: float) -> str:
    """A length as SVG has it, no longer than it must be."""
    return f"{number:.1f}".removesuffix(".0")

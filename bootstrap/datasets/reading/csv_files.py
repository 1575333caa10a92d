"""Reads CSV: the name of the file gives the table, marks in the header the key.

    name (key),price,owner_id.email (key)

`owner_id.email` is a reference: the row of the table that owner_id refers to, found by its email.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from io import StringIO
from itertools import islice
from pathlib import PurePath

from bootstrap.datasets.reading.batches import ROWS, Batch, Batches, Slot
from bootstrap.datasets.reading.form import Cell, DataSet, Row, SeedFile
from bootstrap.datasets.reading.opening import lines_of, plain_name
from bootstrap.errors import SeedError

_TABLE = re.compile(r"(?:\d+[-_])?(?P<table>.+)")
_HEADING = re.compile(r"(?P<column>[^.()]+)(?:\.(?P<referred>[^.()]+))?(?:\((?P<mark>[^()]*)\))?")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_FORM = "the first line names the columns: name (key),price,owner_id.email (key)"


class _Mark(StrEnum):
    NONE = ""
    KEY = "key"
    ARGON2 = "argon2"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heading:
    column: str
    inner: str  # the column of the table referred to, or the marker of a password; often empty
    mark: _Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    number: int
    cells: list[str]


def read(file: SeedFile, text: str) -> DataSet:
    """Reads a data set.

    Raises:
        SeedError: The quotes are broken, a row has too many or too few cells, or the header does
            not say what the columns are.
    """
    lines = _lines(file, StringIO(text, newline=""))
    header, headings = _begun(file, lines)
    return DataSet(
        file=file,
        line=header.number,
        table=_table(file),
        key=_key(file, header, headings),
        rows=tuple(_row(file, line, headings) for line in lines),
        columns=tuple(heading.column for heading in headings),
    )


def read_large(file: SeedFile) -> DataSet:
    """Reads the header of a data set, whose rows come in batches.

    Raises:
        SeedError: It does not say what the columns are.
    """
    header, headings = _begun(file, _lines(file, lines_of(file)))
    return DataSet(
        file=file,
        line=header.number,
        table=_table(file),
        key=_key(file, header, headings),
        rows=(),
        columns=tuple(heading.column for heading in headings),
        batches=Batches(read=partial(_batches, file), slots=_slots(headings)),
    )


def _batches(file: SeedFile) -> Iterator[Batch]:
    reader = csv.reader(lines_of(file), strict=True)
    cells: list[str] = []
    while not any(cells):
        cells = next(reader)  # the header is there: it was read before
    header = _Line(number=reader.line_num, cells=cells)
    slots = _slots(_headings(file, header))
    before = reader.line_num
    while rows := _rows(file, reader):
        lines: Sequence[int] = range(before + 1, before + 1 + len(rows))
        if reader.line_num - before != len(rows) or [] in rows:
            numbered = [one for one in _numbered(before, rows) if any(one.cells)]
            lines, rows = [one.number for one in numbered], [one.cells for one in numbered]
        before = reader.line_num
        if set(map(len, rows)) - {len(slots)}:
            _refuse_width(file, zip(lines, rows, strict=True), len(slots))
        if rows:
            yield Batch(lines=lines, slots=slots, columns=list(zip(*rows, strict=True)), unsaid="")


def _slots(headings: list[_Heading]) -> tuple[Slot, ...]:
    return tuple(Slot(one.column, one.inner) for one in headings)


def _rows(file: SeedFile, reader: Iterator[list[str]]) -> list[list[str]]:
    try:
        return list(islice(reader, ROWS))
    except csv.Error:
        # It says where it ended, not where the row began.
        for _ in _lines(file, lines_of(file)):
            pass
        raise


def _numbered(before: int, rows: Iterable[list[str]]) -> Iterator[_Line]:
    """Rows of which some are longer than a line, and some are empty."""
    for cells in rows:
        yield _Line(number=before + 1, cells=cells)
        before += 1 + sum(len(_LINE_BREAK.findall(cell)) for cell in cells)


def _refuse_width(file: SeedFile, rows: Iterable[tuple[int, list[str]]], width: int) -> None:
    for number, cells in rows:
        if any(cells) and len(cells) != width:
            raise _wrong_width(file, number, len(cells), width)


def _begun(file: SeedFile, lines: Iterator[_Line]) -> tuple[_Line, list[_Heading]]:
    header = next(lines, None)
    if header is None:
        raise file.fault(1, "the file is empty", hint=_FORM)
    return header, _headings(file, header)


def _table(file: SeedFile) -> str:
    """`20_items.csv` has the rows of the table `items`, unless a manifest says otherwise."""
    if file.table:
        return file.table
    stem = PurePath(plain_name(file)).stem
    found = _TABLE.fullmatch(stem)
    return found["table"] if found else stem


def _lines(file: SeedFile, text: Iterable[str]) -> Iterator[_Line]:
    """The lines with something in them, each with the number on which it begins."""
    reader = csv.reader(text, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise file.fault(
                number, f"this is not valid CSV: {error}", hint='a quote inside quotes is ""'
            ) from error
        if cells is None:
            return
        if any(cells):
            yield _Line(number=number, cells=cells)


def _headings(file: SeedFile, header: _Line) -> list[_Heading]:
    headings = [_heading(file, header.number, cell) for cell in header.cells]
    names = [(heading.column, heading.inner) for heading in headings]
    for column, inner in names:
        if names.count((column, inner)) > 1 or (inner and (column, "") in names):
            raise file.fault(header.number, f"the header names {column} twice")
    return headings


def _heading(file: SeedFile, line: int, cell: str) -> _Heading:
    found = _HEADING.fullmatch(cell.strip())
    if not found:
        raise file.fault(line, f"the header has {cell!r}, which names no column", hint=_FORM)
    column, referred, mark = (found[name] or "" for name in ("column", "referred", "mark"))
    if mark not in list(_Mark):
        raise file.fault(
            line, f"the header marks {column.strip()} with ({mark})", hint="use (key) or (argon2)"
        )
    inner = _Mark.ARGON2.value if mark == _Mark.ARGON2 else referred.strip()
    return _Heading(column=column.strip(), inner=inner, mark=_Mark(mark))


def _key(file: SeedFile, header: _Line, headings: list[_Heading]) -> tuple[str, ...]:
    # A reference by two columns stands twice in the header, and once in the key.
    key = dict.fromkeys(one.column for one in headings if one.mark is _Mark.KEY)
    if not key and (known := file.keys.get(_table(file))):
        return known
    if not key:
        raise file.fault(
            header.number,
            "the header does not say which columns tell the rows apart",
            hint=f"mark them with (key), such as: {headings[0].column} (key)",
        )
    return tuple(key)


def _row(file: SeedFile, line: _Line, headings: list[_Heading]) -> Row:
    if len(line.cells) != len(headings):
        raise _wrong_width(file, line.number, len(line.cells), len(headings))
    values: dict[str, Cell] = {}
    inner: dict[str, dict[str, Cell]] = {}
    for heading, text in zip(headings, line.cells, strict=True):
        if not text:
            continue  # said nothing: as a column that a YAML row does not name
        cell = Cell(content=text, line=line.number)
        if heading.inner:
            inner.setdefault(heading.column, {})[heading.inner] = cell
        else:
            values[heading.column] = cell
    mappings = {name: Cell(content=parts, line=line.number) for name, parts in inner.items()}
    return Row(line=line.number, values=values | mappings)


def _wrong_width(file: SeedFile, line: int, cells: int, width: int) -> SeedError:
    return file.fault(
        line,
        f"this row has {cells} cells, the header has {width}",
        hint="put a value with a comma in quotes",
    )

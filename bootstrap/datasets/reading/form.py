"""What a file of seed data says, before a schema gives it a meaning.

Messages name file, line and column, and never a value: any value can be a secret.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from bootstrap.errors import Place, SeedError

if TYPE_CHECKING:
    from bootstrap.datasets.reading.batches import Batches

Scalar: TypeAlias = str | Decimal | bool | None
Content: TypeAlias = "Scalar | Mapping[str, Cell] | list[Cell]"

FORM = "a data set has a table, its key, the columns that tell its rows apart, and rows"
ENVIRONMENT, FILE = "env", "file"  # a value stands in a variable, or in another file
_MEMBERS = ("table", "key", "rows")
_CORRECT_IT = "nothing of this data set was written; correct the file and run it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Something that stands in a file, and the line on which it begins."""

    content: Content = field(repr=False)
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row as the file has it: a column that it does not name is left as it is."""

    line: int
    values: Mapping[str, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedFile:
    """A file of seed data, by its path as it was given.

    Attributes:
        path: Where it is.
        within: The same from the folder on of which it is a part; empty for a file alone.
        table: The table of a file that does not name it; empty for the one of its name.
        keys: The natural keys of tables, for a file that does not name its own.
        layer: Whose rows go over those of others; 0 for the rows that all environments have.
        place: Its folder, and its place in an order that was given for it.
        ordered: Whether it has such a place.
    """

    path: Path
    within: str = ""
    table: str = ""
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)
    layer: int = 0
    place: tuple[int, int] = (0, 0)
    ordered: bool = False

    @property
    def name(self) -> str:
        """Its name, with the folder of an environment: `dev/users.csv`."""
        return self.within or self.path.name

    def fault(self, line: int | None, message: str, *, hint: str = _CORRECT_IT) -> SeedError:
        """Makes the error for something in this file; None where no line is to blame."""
        place = Place(path=self.path, line=line)
        return SeedError(f"{place}: {message}", hint=hint, place=place)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """The rows for one table.

    Attributes:
        file: Where it stands.
        line: Where table and key are named.
        table: The name of the table.
        key: The columns of the natural key: they tell which row in the database is meant.
        rows: In the order of the file.
        columns: What a header names, also where no row has a value for it.
        batches: Reads the rows of a file that is too large for memory; `rows` is empty then.
    """

    file: SeedFile
    line: int
    table: str
    key: tuple[str, ...]
    rows: tuple[Row, ...]
    columns: tuple[str, ...] = ()
    batches: Batches | None = field(default=None, compare=False)


def nearest(name: str, known: Iterable[str]) -> str:
    """The hint for a name that is not known."""
    names = sorted(known)
    found = difflib.get_close_matches(name, names, n=1)
    if found:
        return f"did you mean {found[0]}?"
    return f"known are {', '.join(names)}" if names else ""


def data_set(file: SeedFile, root: Cell) -> DataSet:
    """Makes a data set of a document: a mapping of `table`, `key` and `rows`.

    Raises:
        SeedError: It has another form.
    """
    if not isinstance(root.content, Mapping):
        raise file.fault(root.line, "this is no data set", hint=FORM)
    members = root.content
    for name, cell in members.items():
        if name not in _MEMBERS:
            hint = nearest(name, _MEMBERS)
            raise file.fault(cell.line, f"a data set has no {name!r}", hint=hint)
    if "key" not in members and "table" in members:
        known = file.keys.get(_name(file, members["table"]))
    else:
        known = None
    for name in _MEMBERS:
        if name not in members and not (name == "key" and known):
            raise file.fault(root.line, f"the data set has no {name!r}", hint=FORM)
    return DataSet(
        file=file,
        line=members["table"].line,
        table=_name(file, members["table"]),
        key=known or tuple(_key(file, members["key"])),
        rows=tuple(_rows(file, members["rows"])),
    )


def _name(file: SeedFile, cell: Cell) -> str:
    if not isinstance(cell.content, str) or not cell.content:
        raise file.fault(cell.line, "the name of a table or a column must stand here")
    return cell.content


def _key(file: SeedFile, cell: Cell) -> Iterator[str]:
    if not isinstance(cell.content, list):
        yield _name(file, cell)
        return
    if not cell.content:
        raise file.fault(cell.line, "the key has no column", hint=FORM)
    for one in cell.content:
        yield _name(file, one)


def _rows(file: SeedFile, cell: Cell) -> Iterator[Row]:
    if not isinstance(cell.content, list):
        raise file.fault(cell.line, "rows must be a list", hint="write [] for no rows")
    for row in cell.content:
        if not isinstance(row.content, Mapping):
            raise file.fault(row.line, "a row must be a mapping of columns to values")
        for name, value in row.content.items():
            _check_value(file, name, value)
        yield Row(line=row.line, values=row.content)


def _check_value(file: SeedFile, name: str, cell: Cell) -> None:
    """A value, a mapping of values, or one in which a value is named: `{argon2: {env: NAME}}`."""
    parts = cell.content.values() if isinstance(cell.content, Mapping) else (cell,)
    if any(isinstance(part.content, Mapping | list) and not is_named(part) for part in parts):
        raise file.fault(
            cell.line,
            f"{name} has a value of an unknown form",
            hint="a value is a text, a number, true, false, null or a reference such as"
            " {email: ada@example.com}",
        )


def is_named(cell: Cell) -> bool:
    """Tells whether a value stands elsewhere: `{env: NAME}`, `{file: path}`."""
    content = cell.content
    if not isinstance(content, Mapping) or len(content) != 1:
        return False
    ((marker, named),) = content.items()
    return marker in (ENVIRONMENT, FILE) and not isinstance(named.content, Mapping | list)

"""Checks data sets against the tables that are there, before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, String

from bootstrap.datasets.checking.kinds import UNFIT
from bootstrap.datasets.checking.passwords import MARKER, ClearPassword
from bootstrap.datasets.checking.secret_values import HIDDEN, value_of
from bootstrap.datasets.checking.tables import Key, Link, SeedTable, TableColumn, Tables
from bootstrap.datasets.reading.batches import Batches
from bootstrap.datasets.reading.form import Cell, DataSet, Row, SeedFile, is_named, nearest
from bootstrap.errors import Place, SeedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The row of another table, by its natural key.

    Attributes:
        table: The table that has it.
        wanted: The column whose value is needed.
        columns: The columns of the natural key, with `key` as their values.
        file: Where it stands, with the line.
        line: See there.
    """

    table: SeedTable = field(compare=False, repr=False)
    wanted: str
    columns: tuple[str, ...]
    key: Key = field(repr=False)
    file: SeedFile = field(compare=False, repr=False)
    line: int = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRow:
    """A row whose values are Python's; some are a Reference or a ClearPassword still.

    Attributes:
        line: Where it stands.
        values: By column.
        secrets: The texts among them that stand outside of the file, by column.
        named: The natural key as it may be shown: as the file has it, without what it only names.
        level: How many rows of the same file must be written one after the other before it.
    """

    line: int
    values: Mapping[str, Any] = field(repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    named: Mapping[str, str] = field(default_factory=dict, repr=False)
    level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeRows:
    """The rows of a file that is too large for memory, and what they are checked by.

    Attributes:
        batches: Reads them.
        check: Checks one as those of small files are; it may lack values still.
        referred: The tables that columns refer to.
        columns: Those that a header names; none where each row says for itself.
    """

    batches: Batches
    check: Callable[[Row], CheckedRow]
    referred: Mapping[str, SeedTable]
    columns: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedDataSet:
    """A data set that fits its table; the rows of a large one are still to be checked."""

    file: SeedFile
    table: SeedTable
    key: tuple[str, ...]
    rows: tuple[CheckedRow, ...]
    large: LargeRows | None = field(default=None, compare=False, repr=False)

    def key_of(self, values: Mapping[str, Any]) -> Key:
        """The natural key in a row's values, in the form in which keys are compared."""
        return tuple(
            values[name]
            if isinstance(values[name], Reference)
            else self.table.columns[name].normal_form(values[name])
            for name in self.key
        )

    def levels(self) -> Iterator[CheckedDataSet]:
        """Its rows in groups, each after those that it refers to."""
        by_level: dict[int, list[CheckedRow]] = {}
        for row in self.rows:
            by_level.setdefault(row.level, []).append(row)
        for level in sorted(by_level):
            yield replace(self, rows=tuple(by_level[level]))

    def refuse_repeated_keys(self) -> None:
        """Refuses two rows with the same natural key.

        Raises:
            SeedError: There are two.
        """
        seen: dict[Key, int] = {}
        for row in self.rows:
            key = self.key_of(row.values)
            if key in seen:
                raise self.repeated(row.line, earlier=seen[key])
            seen[key] = row.line

    def taken(self, line: int, *, earlier: Place) -> SeedError:
        """Makes the error for a row that another file of the same layer has."""
        return self.file.fault(
            line,
            f"this row has the same natural key ({', '.join(self.key)}) as {earlier}",
            hint="remove one of them; only an environment can say more of a row",
        )

    def repeated(self, line: int, *, earlier: int) -> SeedError:
        """Makes the error for a natural key that stands in the file twice."""
        return self.file.fault(
            line,
            f"this row has the same natural key ({', '.join(self.key)})"
            f" as the one on line {earlier}",
            hint="remove one of them, or add a column to the key",
        )

    @property
    def links(self) -> tuple[Link, ...]:
        """The foreign keys of the table that rows can fill."""
        named = self.large.columns if self.large else frozenset()
        return tuple(one for one in self.table.links if not named or named >= {*one.columns})

    def complete(self, row: CheckedRow) -> CheckedRow:
        """Refuses a row without a value for a column that needs one.

        Raises:
            SeedError: It lacks one.
        """
        for column in self.table.columns.values():
            if column.required and column.name not in row.values:
                raise self.file.fault(
                    row.line, f"this row has no value for {column.name}, which has no default"
                )
        return row

    def in_memory(self) -> CheckedDataSet:
        """The same with the rows of a large file, which have to be seen with others.

        Raises:
            SeedError: A row does not fit, or two have the same natural key.
        """
        if self.large is None:
            return self
        rows = (row for batch in self.large.batches.read() for row in batch.rows())
        read = replace(self, rows=tuple(map(self.large.check, rows)), large=None)
        read.refuse_repeated_keys()
        return read


def check_all(data_sets: Iterable[DataSet], connection: Connection) -> tuple[CheckedDataSet, ...]:
    """Checks all data sets against the tables of a database, each for itself.

    Raises:
        SeedError: One does not fit.
    """
    tables = Tables(connection)
    return tuple(_Check(data_set, tables).checked() for data_set in data_sets)


def without_secrets(text: str, data_set: CheckedDataSet) -> str:
    """A text of the database, which can quote a value, without those that a file only names."""
    secrets = {secret for row in data_set.rows for secret in row.secrets.values() if secret}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


class _Check:
    """The check of one data set."""

    def __init__(self, data_set: DataSet, tables: Tables) -> None:
        self._data_set = data_set
        self._file = data_set.file
        self._tables = tables
        self._table = self._known_table(data_set.table, data_set.line)
        self._secrets: dict[str, str] = {}  # of the row that is looked at

    def checked(self) -> CheckedDataSet:
        for name in self._data_set.key + self._data_set.columns:
            self._column(self._table, name, self._data_set.line)
        checked = CheckedDataSet(
            file=self._file,
            table=self._table,
            key=self._data_set.key,
            rows=tuple(self._row(row) for row in self._data_set.rows),
            large=self._large(),
        )
        checked.refuse_repeated_keys()
        return checked

    def _large(self) -> LargeRows | None:
        if self._data_set.batches is None:
            return None
        references = self._table.references.items()
        found = {name: self._tables.find(referred) for name, (referred, _) in references}
        return LargeRows(
            batches=self._data_set.batches,
            check=self._row,
            referred={name: table for name, table in found.items() if table},
            columns=frozenset(self._data_set.columns),
        )

    def _known_table(self, name: str, line: int) -> SeedTable:
        found = self._tables.find(name)
        if found is None:
            hint = nearest(name, self._tables.names()) or "bootstrap migrate"
            raise self._file.fault(line, f"the database has no table {name!r}", hint=hint)
        return found

    def _column(self, table: SeedTable, name: str, line: int) -> TableColumn:
        found = table.columns.get(name)
        if found is None:
            raise self._file.fault(
                line, f"{table.name} has no column {name!r}", hint=nearest(name, table.columns)
            )
        return found

    def _row(self, row: Row) -> CheckedRow:
        self._secrets = {}
        values = {name: self._value(name, cell) for name, cell in row.values.items()}
        for name in self._data_set.key:
            if values.get(name) is None or isinstance(values[name], ClearPassword):
                raise self._file.fault(
                    row.line,
                    f"this row has no value for {name}, which is part of its natural key",
                )
        named = {
            name: text
            for column in self._data_set.key
            for name, text in _shown(column, row.values[column])
        }
        return CheckedRow(line=row.line, values=values, secrets=self._secrets, named=named)

    def _value(self, name: str, cell: Cell) -> Any:
        column = self._column(self._table, name, cell.line)
        referred = self._referred(name, cell.line)
        if not isinstance(cell.content, Mapping) or self._is_named(cell, referred):
            return self._scalar(column, self._given(name, cell), label=name)
        if referred is not None:
            return self._reference(name, cell.content, cell.line, table=referred)
        if cell.content.keys() == {MARKER}:
            return self._password(column, cell.content[MARKER])
        raise self._file.fault(
            cell.line,
            f"{name} cannot refer to another table, for it has no foreign key of its own",
            hint='a password to be hashed is written {argon2: "…"},'
            " a value that stands elsewhere {env: NAME} or {file: path}",
        )

    def _referred(self, name: str, line: int) -> SeedTable | None:
        """The table that a column refers to."""
        found = self._table.references.get(name)
        return self._known_table(found[0], line) if found else None

    def _is_named(self, cell: Cell, referred: SeedTable | None) -> bool:
        """Tells whether the value stands elsewhere; `{file: …}` can be a reference too."""
        if not is_named(cell):
            return False
        return referred is None or not any(name in referred.columns for name in _members(cell))

    def _given(self, name: str, cell: Cell, *, label: str = "") -> Cell:
        """The cell with the value that it may only name."""
        if not is_named(cell):
            return cell
        self._secrets[name] = value_of(cell, self._file, label=label or name)
        return Cell(content=self._secrets[name], line=cell.line)

    def _scalar(self, column: TableColumn, cell: Cell, *, label: str) -> Any:
        content = cell.content
        if content is None:
            if column.nullable:
                return None
            raise self._file.fault(cell.line, f"{label} must have a value")
        if column.kind is None:
            raise self._file.fault(
                cell.line, f"{label} is of type {column.type}, which data sets cannot fill"
            )
        value = column.kind.value(content)
        if value is UNFIT:
            raise self._file.fault(cell.line, f"{label} must be {column.kind.words}")
        return value

    def _reference(
        self, name: str, parts: Mapping[str, Cell], line: int, *, table: SeedTable
    ) -> Reference:
        if not parts:
            raise self._file.fault(line, f"{name} must name the row of {table.name} by a column")
        return Reference(
            table=table,
            wanted=self._table.references[name][1],
            columns=tuple(parts),
            key=tuple(self._key_of_reference(table, name, parts)),
            file=self._file,
            line=line,
        )

    def _key_of_reference(
        self, table: SeedTable, name: str, parts: Mapping[str, Cell]
    ) -> Iterator[Any]:
        for part, cell in parts.items():
            column = self._column(table, part, cell.line)
            label = f"{name}.{part}"
            value = self._scalar(column, self._given(name, cell, label=label), label=label)
            if value is None:
                raise self._file.fault(cell.line, f"{label} must have a value")
            yield column.normal_form(value)

    def _password(self, column: TableColumn, cell: Cell) -> ClearPassword:
        if not isinstance(column.type, String):
            raise self._file.fault(
                cell.line, f"{column.name} is of type {column.type}, which cannot keep a password"
            )
        content = self._given(column.name, cell).content
        if not isinstance(content, str):
            raise self._file.fault(cell.line, f"the password for {column.name} must be a text")
        return ClearPassword(text=content)


def _shown(name: str, cell: Cell) -> Iterator[tuple[str, str]]:
    """A part of a natural key, references as a CSV header writes them: `owner_id.email`."""
    if is_named(cell):
        yield name, HIDDEN
    elif isinstance(cell.content, Mapping):
        for part, one in cell.content.items():
            yield from _shown(f"{name}.{part}", one)
    else:
        yield name, str(cell.content)


def _members(cell: Cell) -> Iterable[str]:
    return cell.content if isinstance(cell.content, Mapping) else ()

"""What a run of seeding did, or would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What is done with a row."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDifference:
    """A row that a dry run found to differ.

    Attributes:
        action: What a run would do with it.
        table: Its table.
        key: Its natural key: columns with their values, those hidden that a file only names.
        columns: The columns that would be written; no values, for any can be a secret.
        data_set: The file that has it; empty for a row that no file has.
        line: Where in the file; None for a row that no file has.
    """

    action: Action
    table: str
    key: Mapping[str, str]
    columns: tuple[str, ...]
    data_set: str
    line: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSetReport:
    """What became of the rows of one data set; `seconds` is what it took."""

    data_set: str
    table: str
    inserted: int
    updated: int
    unchanged: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunedReport:
    """How many rows of a table were deleted, because no data set has them."""

    table: str
    deleted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedReport:
    """What a run did, data set by data set in the order in which they were applied.

    Attributes:
        environment: Whose rows were added; None for those alone that all have.
        dry_run: Whether all of it was undone again.
        data_sets: What became of their rows.
        pruned: What was deleted, table by table.
        differences: In a dry run, the rows that differ, at most 1000 of them.
    """

    database: str
    backend: str
    environment: str | None
    dry_run: bool
    data_sets: tuple[DataSetReport, ...]
    pruned: tuple[PrunedReport, ...]
    differences: tuple[RowDifference, ...]

    @property
    def inserted(self) -> int:
        """Rows that were not there."""
        return sum(one.inserted for one in self.data_sets)

    @property
    def updated(self) -> int:
        """Rows that were there and differed."""
        return sum(one.updated for one in self.data_sets)

    @property
    def unchanged(self) -> int:
        """Rows that were right already and were not written."""
        return sum(one.unchanged for one in self.data_sets)

    @property
    def deleted(self) -> int:
        """Rows that no data set has."""
        return sum(one.deleted for one in self.pruned)

    @property
    def changed(self) -> int:
        """Rows that were inserted, updated or deleted."""
        return self.inserted + self.updated + self.deleted

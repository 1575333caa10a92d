"""The table of the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import (
    Column,
    Connection,
    Delete,
    Insert,
    Integer,
    MetaData,
    Row,
    Select,
    String,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
)
from sqlalchemy.types import TypeEngine

from bootstrap.journal import encoding
from bootstrap.journal.entries import NAME, Entry, Kind, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Types:
    """What the table is made of; what differs by backend.

    Attributes:
        exact: Of ids, which are other ones where they differ by case or accent alone.
        long: Of texts without a limit.
        options: SQLAlchemy's for the table, by its dialects' names for them.
    """

    exact: TypeEngine[str] = field(default_factory=lambda: String(150))
    long: TypeEngine[str] = field(default_factory=Text)
    options: Mapping[str, Any] = field(default_factory=dict)


PLAIN = Types()


def made_of(types: Types, schema: str | None = None) -> Table:
    """The table, in a schema of the database; None for where a session finds it."""
    return Table(
        NAME,
        MetaData(),
        Column("version_table", types.exact, primary_key=True),
        Column("revision", types.exact, primary_key=True),
        Column("direction", String(9), primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("kind", String(10), nullable=False),
        Column("statement", types.long, nullable=False),
        Column("digest", String(64), nullable=False),
        Column("line", Integer),
        Column("evidence", types.long),
        Column("outcome", types.long, nullable=False),
        schema=schema,
        **types.options,
    )


def row(version_table: str, part: Part, entry: Entry) -> dict[str, Any]:
    """An entry as a row."""
    return {
        "version_table": version_table,
        "revision": part.revision,
        "direction": part.direction,
        "number": entry.number,
        "kind": entry.kind.value,
        "statement": entry.statement,
        "digest": entry.digest,
        "line": entry.line,
        "evidence": entry.evidence,
        "outcome": encoding.written(entry.outcome),
    }


def selection(journal: Table, version_table: str) -> Select[Any]:
    """What reads all rows of the revisions that one version table has."""
    return (
        select(journal)
        .where(journal.c.version_table == version_table)
        .order_by(journal.c.revision, journal.c.direction, journal.c.number)
    )


def deletion(
    journal: Table, version_table: str, part: Part | None = None, number: int | None = None
) -> Delete:
    """What deletes the rows of a version table, of one revision, or one row."""
    found = delete(journal).where(journal.c.version_table == version_table)
    if part is not None:
        found = found.where(journal.c.revision == part.revision)
        found = found.where(journal.c.direction == part.direction)
    return found if number is None else found.where(journal.c.number == number)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What each revision sends, made once: to put it together takes as long as to send it.

    Attributes:
        write: Takes rows.
        clear: Takes what `of` gives; deletes the rows of one revision.
    """

    write: Insert
    clear: Delete

    @classmethod
    def on(cls, journal: Table) -> Self:
        """For a table."""
        columns = (journal.c.version_table, journal.c.revision, journal.c.direction)
        mine = (column == bindparam(f"its_{column.name}") for column in columns)
        return cls(insert(journal), delete(journal).where(*mine))

    @staticmethod
    def of(version_table: str, part: Part) -> dict[str, str]:
        """The parameters that name a revision."""
        return {
            "its_version_table": version_table,
            "its_revision": part.revision,
            "its_direction": part.direction,
        }


def entry(found: Row[Any]) -> Entry:
    """A row as an entry."""
    return Entry(
        number=found.number,
        kind=Kind(found.kind),
        statement=found.statement,
        digest=found.digest,
        line=found.line,
        evidence=found.evidence,
        outcome=encoding.read(found.outcome),
    )


def by_part(
    connection: Connection, journal: Table, version_table: str
) -> dict[tuple[str, str], list[Entry]]:
    """All entries by revision and direction; the driver's own exception without the table."""
    found: dict[tuple[str, str], list[Entry]] = {}
    for one in connection.execute(selection(journal, version_table)):
        found.setdefault((one.revision, one.direction), []).append(entry(one))
    return found

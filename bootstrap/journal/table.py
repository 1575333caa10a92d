"""The table of the journal."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Delete,
    Integer,
    MetaData,
    Row,
    Select,
    String,
    Table,
    Text,
    delete,
    select,
)
from sqlalchemy.dialects.mysql import LONGTEXT, VARCHAR

from bootstrap.journal import encoding
from bootstrap.journal.entries import NAME, Entry, Kind, Part

# An id that differs by case or accent alone is another revision.
_EXACT = String(150).with_variant(VARCHAR(150, collation="utf8mb4_bin"), "mysql", "mariadb")
_LONG = Text().with_variant(LONGTEXT(), "mysql", "mariadb")

TABLE = Table(
    NAME,
    MetaData(),
    Column("version_table", _EXACT, primary_key=True),
    Column("revision", _EXACT, primary_key=True),
    Column("direction", String(9), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(10), nullable=False),
    Column("statement", _LONG, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("line", Integer),
    Column("evidence", _LONG),
    Column("outcome", _LONG, nullable=False),
    mysql_charset="utf8mb4",
    mysql_engine="InnoDB",
)


def in_schema(schema: str | None) -> Table:
    """The table, in a schema of the database; None for where a session finds it."""
    return TABLE if schema is None else TABLE.to_metadata(MetaData(), schema=schema)


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

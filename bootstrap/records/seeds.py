"""What large data sets have left: how the table was when all rows of a file were in it.

It is a hint and no record: without it, or with an old one, a file is compared row by row. What was
kept of a table before it was as it is now is deleted when something new is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    insert,
    inspect,
    or_,
    select,
)

from bootstrap.records.names import SEEDS
from bootstrap.types import ExactString, UtcDateTime, utc_now
from bootstrap.version import __version__

FORM = 1  # of the table; rows of another one are not read


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """A file all of whose rows were in its table.

    Attributes:
        table: Which one.
        meaning: SHA-256 of the file, and of what it means for the table.
        fingerprint: Of all rows of the table at that moment.
        rows: How many the file has.
    """

    table: str
    meaning: str
    fingerprint: str
    rows: int


@cache
def table() -> Table:
    """The table, where those of the data sets are."""
    return Table(
        SEEDS,
        MetaData(),
        Column("table_name", ExactString(150), primary_key=True),
        Column("meaning", String(64), primary_key=True),
        Column("form", Integer, nullable=False),
        Column("fingerprint", String(200), nullable=False),
        Column("rows_of_file", BigInteger, nullable=False),
        Column("seeded", UtcDateTime(), nullable=False),
        Column("tool", String(50), nullable=False),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )


def is_there(connection: Connection) -> bool:
    """Whether the table is."""
    return inspect(connection).has_table(SEEDS)


def make(connection: Connection) -> None:
    """Makes the table; on some servers that ends the transaction."""
    table().create(connection)


def find(connection: Connection, name: str, meaning: str) -> Seeded | None:
    """What was kept of a file."""
    rows = table()
    found = connection.execute(
        select(rows.c.fingerprint, rows.c.rows_of_file).where(
            rows.c.table_name == name, rows.c.meaning == meaning, rows.c.form == FORM
        )
    ).first()
    if found is None:
        return None
    return Seeded(table=name, meaning=meaning, fingerprint=found[0], rows=found[1])


def keep(connection: Connection, seeded: Seeded) -> None:
    """Keeps it, and nothing else of its table but what was so at the same moment."""
    rows = table()
    connection.execute(
        delete(rows).where(
            rows.c.table_name == seeded.table,
            or_(rows.c.fingerprint != seeded.fingerprint, rows.c.meaning == seeded.meaning),
        )
    )
    connection.execute(
        insert(rows).values(
            table_name=seeded.table,
            meaning=seeded.meaning,
            form=FORM,
            fingerprint=seeded.fingerprint,
            rows_of_file=seeded.rows,
            seeded=utc_now(),
            tool=__version__,
        )
    )

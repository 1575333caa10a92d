"""The log: one row for each step that was run here, in the transaction that stamps the version.

The order is that of the keys: a clock can jump back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Float,
    Identity,
    Insert,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    false,
    insert,
    inspect,
    literal_column,
    select,
)
from sqlalchemy.schema import CreateTable

from bootstrap.backends import of_dialect
from bootstrap.errors import DatabaseError
from bootstrap.records.names import LOG
from bootstrap.records.spelled import has_backslash, spelled
from bootstrap.types import ExactString, UtcDateTime, utc_now

_CONSTANT = {"id", "form", "database_user"}  # the same in each row of a run
FORM = 1  # of the table; one more for each change that an older bootstrap could not live with


class Outcome(StrEnum):
    """How a step ended."""

    APPLIED = "applied"
    RESUMED = "resumed"  # applied, after an earlier run had begun it
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    SAID_APPLIED = "said applied"  # these are what a person told `bootstrap repair`
    SAID_NOT_APPLIED = "said not applied"
    SAID_DONE = "said done"
    SAID_FORGET = "said forget"
    SAID_RECORD = "said record"
    SAID_UNDO = "said undo"
    SAID_ACCEPTED = "said accepted"  # of the file, as it is since then


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One step that was run here; what nobody could tell is None.

    Attributes:
        id: Its key; a later entry has a larger one.
        run: Which run it belongs to.
        version_table: Whose revision; with its schema where that is not the default one.
        revision: Its id; `base` for a stamp of nothing.
        direction: `upgrade`, `downgrade` or `stamp`.
        outcome: See there.
        started: By the clock of the machine that ran it, in UTC; by that of the server for a step
            of a script.
        seconds: How long it took, by a clock that never jumps.
        statements: How many were sent; when it failed, the number of the last one.
        error: Why it failed: the server's code (`mysql 1060`), or the kind of the exception.
        checksum: SHA-256 of the revision's file, see `bootstrap.revisions.files`.
        database_user: Who was logged in, as the server names that.
        os_user: Whose process.
        host: Where that ran.
        tool: The version of bootstrap.
        git_commit: What the project's folder was at.
    """

    id: int
    run: str
    version_table: str
    revision: str
    direction: str
    outcome: Outcome
    started: datetime
    seconds: float | None = None
    statements: int | None = None
    error: str | None = None
    checksum: str | None = None
    database_user: str | None = None
    os_user: str | None = None
    host: str | None = None
    tool: str
    git_commit: str | None = None


@cache
def table(schema: str | None) -> Table:
    """The table in a schema; None for the default one."""
    return Table(
        LOG,
        MetaData(),
        Column("id", Integer, Identity(), primary_key=True),
        Column("form", Integer, nullable=False),
        Column("run", String(32), nullable=False),
        Column("version_table", ExactString(150), nullable=False),
        Column("revision", ExactString(150), nullable=False),
        Column("direction", String(9), nullable=False),
        Column("outcome", String(20), nullable=False),
        Column("started", UtcDateTime(), nullable=False),
        Column("seconds", Float(53)),
        Column("statements", Integer),
        Column("error", ExactString(100)),
        Column("checksum", String(64)),
        Column("database_user", ExactString(300)),
        Column("os_user", ExactString(255)),
        Column("host", ExactString(255)),
        Column("tool", String(50), nullable=False),
        Column("git_commit", String(64)),
        schema=schema,
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )


def creation(schema: str | None) -> CreateTable:
    """What makes the table in a script, where nobody can look whether it is there."""
    return CreateTable(table(schema), if_not_exists=True)


def insertion(schema: str | None, session_user: str, **values: object) -> Insert:
    """What writes one row; without `started`, the server's time when it is executed.

    Args:
        schema: Where the table is.
        session_user: SQL for who is logged in.
        values: By the names of the columns; what is missing stays unknown.
    """
    return prepared(schema, session_user).values({"started": utc_now()} | values)


@cache
def prepared(schema: str | None, session_user: str) -> Insert:
    """What writes rows whose values are handed over with it, `started` among them.

    It is the same one each time, which spares a run most of what a row costs. Of the arguments see
    `insertion`.
    """
    known: dict[str, ColumnElement[Any]] = {
        "form": literal_column(str(FORM)),
        "database_user": literal_column(session_user),
    }
    # Nobody asks for the key, which RETURNING would print in a script.
    return insert(table(schema)).values(known).inline()


@cache
def _varying() -> tuple[str, ...]:
    return tuple(one.name for one in table(None).c if one.name not in _CONSTANT)


def write(connection: Connection, schema: str | None, values: dict[str, Any]) -> None:
    """Writes one row, in as few round trips as its driver allows.

    Args:
        connection: To the database.
        schema: Where the table is.
        values: By the names of the columns, `started` among them; what is missing stays unknown.
    """
    dialect = connection.dialect
    backend = of_dialect(dialect)
    statement = prepared(schema, backend.session_user)
    prepares = any(one.prepares and one.name == dialect.driver for one in backend.drivers)
    if prepares and not has_backslash(values):
        connection.exec_driver_sql(spelled(statement, _varying(), dialect).text(values))
    else:
        connection.execute(statement, values)


def is_there(connection: Connection, schema: str | None) -> bool:
    """Whether the table is."""
    return inspect(connection).has_table(LOG, schema=schema)


def refuse_newer(connection: Connection, schema: str | None) -> None:
    """Refuses a table that a newer bootstrap has written to.

    Raises:
        DatabaseError: It is one.
    """
    rows = table(schema)
    latest = select(rows.c.form).order_by(rows.c.id.desc()).limit(1)
    form = connection.execute(latest).scalar() or FORM
    if form > FORM:
        raise DatabaseError(
            f"the table {rows.fullname} has the form {form} of a newer bootstrap, and this one "
            f"knows {FORM}; nothing was run",
            hint="upgrade bootstrap; or leave the log alone with log = false in [tool.bootstrap], "
            "or BOOTSTRAP_LOG=false",
        )


def prove_writable(connection: Connection, schema: str | None) -> None:
    """Writes no row: the server refuses that as well where the right is missing."""
    rows = table(schema)
    names = [column.name for column in rows.c if column.name != "id"]
    nothing = select(*(rows.c[name] for name in names)).where(false())
    connection.execute(insert(rows).from_select(names, nothing))


def read(
    connection: Connection,
    schema: str | None,
    *,
    revision: str | None = None,
    limit: int | None = None,
) -> tuple[LogEntry, ...]:
    """The entries, the latest first; none without the table.

    Args:
        connection: To the database.
        schema: Where the table is.
        revision: Only those of this one.
        limit: How many at most.

    Raises:
        DatabaseError: A newer bootstrap has written it.
    """
    if not is_there(connection, schema):
        return ()
    refuse_newer(connection, schema)
    rows = table(schema)
    found = select(rows).order_by(rows.c.id.desc()).limit(limit)
    if revision is not None:
        found = found.where(rows.c.revision == revision)
    return tuple(_entry(row) for row in connection.execute(found))


def _entry(row: Row[Any]) -> LogEntry:
    found = {name: getattr(row, name) for name in LogEntry.__slots__}
    return LogEntry(**found | {"outcome": Outcome(row.outcome)})

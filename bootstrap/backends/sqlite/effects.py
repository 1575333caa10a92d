"""What statements do on SQLite: whoever writes, writes alone.

sqlite.org/lockingv3.html and wal.html: one writer at a time for the whole database. Readers go on
beside it in WAL mode, and wait for its commit otherwise. sqlite.org/lang_altertable.html says what
is written anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from bootstrap.backends.effects import (
    NAME,
    UNKNOWN,
    Blocks,
    Effect,
    first,
    read,
    rules,
)

_WRITES = Effect(
    lock="the database's write lock", blocks=Blocks.WRITERS, rewrites=False, scans=False
)
_READS = Effect(lock="a read lock", blocks=Blocks.NOBODY, rewrites=False, scans=None)
_SCANS = replace(_WRITES, scans=True)
_ACTIONS = rules(
    (rf"ADD (COLUMN )?{NAME} .*(CHECK|GENERATED|NOT NULL)", _SCANS),
    ("ADD", _WRITES),
    ("RENAME", _WRITES),
    ("DROP", replace(_SCANS, rewrites=True)),
)
_STATEMENTS = rules(
    ("CREATE (UNIQUE )?INDEX", _SCANS),
    ("CREATE (TEMP |TEMPORARY )?(TABLE|VIEW|TRIGGER)", _WRITES),
    ("DROP (TABLE|INDEX|VIEW|TRIGGER)", replace(_WRITES, scans=None)),
    ("(INSERT|UPDATE|DELETE|REPLACE)", replace(_WRITES, scans=None)),
    ("(SELECT|VALUES|EXPLAIN)", _READS),
    ("VACUUM", replace(_SCANS, rewrites=True)),
)


class SQLiteEffects:
    """Reads the text of a statement."""

    def of(self, sql: str, version: Sequence[int]) -> Effect:
        """What it does, on each version that Python can have."""
        said = read(sql)
        if not said.actions:
            return first(said.text, _STATEMENTS)
        return first(said.actions[0], _ACTIONS) if len(said.actions) == 1 else UNKNOWN

    def estimated_rows(self, connection: Connection, schema: str | None, name: str) -> int | None:
        """The largest rowid: no more rows than that, where nobody has chosen ids by hand."""
        preparer = connection.dialect.identifier_preparer
        with suppress(DBAPIError):  # WITHOUT ROWID
            found = connection.exec_driver_sql(f"SELECT max(rowid) FROM {preparer.quote(name)}")  # noqa: S608 - quoted
            return int(found.scalar() or 0)
        return None

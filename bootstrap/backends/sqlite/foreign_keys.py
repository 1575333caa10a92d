"""Enforcement of foreign keys, off while revisions run and restored afterwards.

With it on, dropping the old table of a rebuild deletes the rows that refer to it by ON DELETE
CASCADE. The pragma has no effect in a transaction (sqlite.org/pragma.html#pragma_foreign_keys).
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import suppress
from typing import Any, TypeAlias

from sqlalchemy import Connection, event
from sqlalchemy.exc import MissingGreenlet

from bootstrap.backends.sqlite.driver import in_transaction, send, send_raw
from bootstrap.backends.sqlite.statements import folded

Violations: TypeAlias = Counter[tuple[str, str]]  # by the table that refers and the other one

_ON = "PRAGMA foreign_keys = ON"
_OFF = "PRAGMA foreign_keys = OFF"


def enforced(connection: Connection) -> bool:
    """Whether this connection enforces them."""
    return send(connection, "PRAGMA foreign_keys") == [(1,)]


class SwitchedOff:
    """Switches enforcement off, and on again as soon as that can be.

    At the latest when the connection goes back to its pool, for it may be closed before anybody
    else has a chance.

    Attributes:
        possible: False where it is on and must stay so, because a transaction is open.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._engine = connection.engine
        self._raw = connection.connection.dbapi_connection
        self._off = False
        self.possible = True
        if not enforced(connection):
            return
        if in_transaction(connection):
            self.possible = False
            return
        send(connection, _OFF)
        self._off = True
        event.listen(self._engine, "checkin", self._returned)

    def restore(self) -> None:
        """Switches it on; in a transaction that is not ours, as soon as the next one begins."""
        if not self._off:
            return
        if self._connection.closed or self._connection.invalidated:
            self._forget()
        elif in_transaction(self._connection):
            event.listen(self._connection, "begin", self._began, once=True)
        else:
            send(self._connection, _ON)
            self._forget()

    def _began(self, connection: Connection) -> None:
        """The next transaction of the program is about to begin."""
        if self._off and not in_transaction(connection):
            send(connection, _ON)
            self._off = False

    def _returned(self, raw: Any, _record: object) -> None:
        """The connection goes back to its pool."""
        if not self._off or raw is None or raw is not self._raw:
            return
        self._off = False
        with suppress(MissingGreenlet):  # collected as garbage: the pool throws it away
            send_raw(raw, _ON)

    def _forget(self) -> None:
        self._off = False
        event.remove(self._engine, "checkin", self._returned)


def violations(connection: Connection) -> Violations:
    """How many rows of which table refer to no row of which other one."""
    try:
        found = send(connection, "PRAGMA foreign_key_check")
    except sqlite3.OperationalError:  # what is referred to is no key: no row can be looked up
        return Counter()
    return Counter((folded(child), folded(parent)) for child, _, parent, _ in found)


def cascades_to(connection: Connection, name: str) -> tuple[str, ...]:
    """The other tables whose rows are deleted or changed when those of a table go."""
    found = send(
        connection,
        "SELECT DISTINCT m.name FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f "
        'WHERE m.type = \'table\' AND f."table" = ? COLLATE NOCASE AND m.name <> f."table" '
        "AND f.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT')",
        [name],
    )
    return tuple(str(row[0]) for row in found)

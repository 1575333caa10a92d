"""The fingerprint: what SHOW CREATE says, because information_schema does not say all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

_COUNTER = re.compile(r" AUTO_INCREMENT=\d+")
# What was created when, and by which settings of the client, is no part of the schema.
_PASSED_BY = {"Created", "character_set_client", "collation_connection", "Database Collation"}
# All that can be shown: its kind, its name, and the table or view that it belongs to.
NAMES = """
SELECT CASE TABLE_TYPE WHEN 'SEQUENCE' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind,
    TABLE_NAME AS name, TABLE_NAME AS `table`
FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE <> 'VIEW'
UNION ALL SELECT 'VIEW', TABLE_NAME, TABLE_NAME
FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE()
UNION ALL SELECT 'TRIGGER', TRIGGER_NAME, EVENT_OBJECT_TABLE
FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()
UNION ALL SELECT ROUTINE_TYPE, ROUTINE_NAME, ROUTINE_NAME
FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()
    AND ROUTINE_TYPE IN ('PROCEDURE', 'FUNCTION')
UNION ALL SELECT 'EVENT', EVENT_NAME, EVENT_NAME
FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """One object and the statement that makes it."""

    kind: str
    name: str
    statement: str

    def __iter__(self) -> Iterator[str]:
        return iter((self.kind, self.name, self.statement))


def created(connection: Connection, tables: Sequence[str] | None) -> list[Created]:
    """What makes the database and all that is in it, or the objects named with their triggers."""
    wanted = None if tables is None else {name.lower() for name in tables}
    found = [
        row
        for row in connection.execute(text(NAMES))
        if wanted is None or wanted & {row.name.lower(), row.table.lower()}
    ]
    quoted = connection.dialect.identifier_preparer.quote_identifier
    database = connection.execute(text("SELECT DATABASE()")).scalar_one()
    objects = [("DATABASE", database), *((row.kind, row.name) for row in found)]
    return [
        Created(kind=kind, name=name, statement=_statement(connection, kind, quoted(name)))
        for kind, name in objects
    ]


def _statement(connection: Connection, kind: str, quoted: str) -> str:
    shown = connection.exec_driver_sql(f"SHOW CREATE {kind} {quoted}").mappings().one()
    return "\n".join(
        without_counter(str(value)) for name, value in shown.items() if name not in _PASSED_BY
    )


def without_counter(statement: str) -> str:
    """What makes a table, without the next number of its counter."""
    return _COUNTER.sub("", statement)

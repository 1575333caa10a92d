"""What is asked of SQLite: one query for each kind of thing, of all tables at once.

The pragmas are functions that a query can join (SQLite, "PRAGMA functions", since 3.16).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, text

Rows = Mapping[str, Sequence[Any]]

_OURS = r"m.name NOT LIKE 'sqlite\_%' ESCAPE '\'"
_TABLE = f"m.type = 'table' AND {_OURS}"
_NAMED = " AND m.tbl_name IN :names"

MASTER = f"SELECT m.type, m.name, m.tbl_name, m.sql FROM sqlite_master m WHERE {_OURS}"
COLUMNS = f"""
SELECT '' AS schema, m.name AS "table", x.cid AS place, x.name AS name, x.type AS type,
    x."notnull" AS not_null, x.dflt_value AS "default", x.pk AS pk, x.hidden AS hidden
FROM sqlite_master m JOIN pragma_table_xinfo(m.name) x WHERE {_TABLE}
"""
INDEXES = f"""
SELECT '' AS schema, m.name AS "table", l.name AS name, l."unique" AS "unique",
    l.origin AS origin, l.partial AS partial, x.seqno AS place, x.cid AS number,
    x.name AS "column", x."desc" AS descending, x.coll AS collation, s.sql AS sql
FROM sqlite_master m JOIN pragma_index_list(m.name) l JOIN pragma_index_xinfo(l.name) x
LEFT JOIN sqlite_master s ON s.name = l.name AND s.type = 'index'
WHERE x."key" = 1 AND {_TABLE}
"""
FOREIGN_KEYS = f"""
SELECT '' AS schema, m.name AS "table", f.id AS number, f.seq AS place, f."table" AS other_table,
    f."from" AS "column", f."to" AS other_column, f.on_update AS on_update,
    f.on_delete AS on_delete, f."match" AS "match"
FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE {_TABLE}
"""


def rows(connection: Connection, tables: Sequence[str] | None) -> Rows:
    """Asks for everything; all tables unless some are named."""
    return {
        "master": master(connection, tables),
        "columns": _asked(connection, COLUMNS, tables),
        "indexes": _asked(connection, INDEXES, tables),
        "foreign_keys": _asked(connection, FOREIGN_KEYS, tables),
    }


def master(connection: Connection, tables: Sequence[str] | None) -> Sequence[Any]:
    """The statements that made what there is."""
    return _asked(connection, MASTER, tables)


def _asked(connection: Connection, query: str, tables: Sequence[str] | None) -> Sequence[Any]:
    if tables is None:
        return connection.execute(text(query)).all()
    statement = text(query + _NAMED).bindparams(bindparam("names", expanding=True))
    return connection.execute(statement, {"names": list(tables)}).all()

"""Locks and rewrites on PostgreSQL 14 to 18.

From its manual: "Explicit Locking" (13.3.1), the notes of ALTER TABLE, CREATE INDEX and the others
that are named below. A test compares them with `pg_locks` and the files of tables.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, text

from bootstrap.backends.effects import (
    NAME,
    UNKNOWN,
    Blocks,
    Effect,
    first,
    read,
    rules,
    together,
)

_ALL = Effect(lock="ACCESS EXCLUSIVE", blocks=Blocks.EVERYBODY, rewrites=False, scans=False)
_SCANS = replace(_ALL, scans=True)
_REWRITES = replace(_ALL, rewrites=True, scans=True)
_SHARE = Effect(lock="SHARE", blocks=Blocks.WRITERS, rewrites=False, scans=True)
_SHARE_ROW = Effect(lock="SHARE ROW EXCLUSIVE", blocks=Blocks.WRITERS, rewrites=False, scans=False)
_UPDATE = Effect(lock="SHARE UPDATE EXCLUSIVE", blocks=Blocks.NOBODY, rewrites=False, scans=False)
_ROWS = Effect(lock="ROW EXCLUSIVE", blocks=Blocks.NOBODY, rewrites=False, scans=None)
_DML = replace(_ROWS, note="writers of the same rows wait")
_NONE = Effect(lock="none", blocks=Blocks.NOBODY, rewrites=False, scans=False)
_TYPE = replace(
    _ALL,
    rewrites=None,
    scans=None,
    note="writes the table anew, unless the old type is binary coercible to the new one: varchar "
    "to a longer one or to text is",
)
_OR_VOLATILE = "writes the table anew if the default is volatile"
_OR_DOMAIN = "writes the table anew if the type is a domain with constraints"

_ACTIONS = rules(
    (rf"ADD (CONSTRAINT {NAME} )?(FOREIGN KEY|CHECK|NOT NULL).* NOT VALID$", _ALL),
    (rf"ADD (CONSTRAINT {NAME} )?(CHECK|NOT NULL)", _SCANS),
    (rf"ADD (CONSTRAINT {NAME} )?(UNIQUE|PRIMARY KEY) USING INDEX", _ALL),
    (rf"ADD (CONSTRAINT {NAME} )?(UNIQUE|PRIMARY KEY|EXCLUDE)", _SCANS),
    ("DROP", _ALL),
    (rf"VALIDATE CONSTRAINT {NAME}", replace(_UPDATE, scans=True)),
    (rf"ALTER (COLUMN )?{NAME} (SET DATA )?TYPE", _TYPE),
    (rf"ALTER (COLUMN )?{NAME} SET NOT NULL", replace(
        _SCANS, note="reads no rows where a valid CHECK proves it"
    )),
    (rf"ALTER (COLUMN )?{NAME} SET STATISTICS", _UPDATE),
    (rf"ALTER (COLUMN )?{NAME} (SET DEFAULT|DROP DEFAULT|DROP NOT NULL)", _ALL),
    (rf"ALTER (COLUMN )?{NAME} (DROP IDENTITY|DROP EXPRESSION)", _ALL),
    (rf"ALTER (COLUMN )?{NAME} (SET STORAGE|SET COMPRESSION|ADD GENERATED)", _ALL),
    ("RENAME", _ALL),
    ("(SET SCHEMA|OWNER TO|INHERIT|NO INHERIT|REPLICA IDENTITY)", _ALL),
    ("SET (TABLESPACE|LOGGED|UNLOGGED|ACCESS METHOD)", _REWRITES),
    (r"(RE)?SET \((fillfactor|autovacuum_|toast\.|parallel_workers)[^,]*\)$", _UPDATE),
    ("(CLUSTER ON|SET WITHOUT CLUSTER)", _UPDATE),
    ("(ENABLE|DISABLE) (REPLICA |ALWAYS )?TRIGGER", _SHARE_ROW),
    ("(ENABLE|DISABLE|FORCE|NO FORCE) ROW LEVEL SECURITY", _ALL),
    ("ATTACH PARTITION", replace(
        _UPDATE, scans=None, note="ACCESS EXCLUSIVE on the partition, whose rows are read"
    )),
    (rf"DETACH PARTITION {NAME}(\.{NAME})? (CONCURRENTLY|FINALIZE)", _UPDATE),
    ("DETACH PARTITION", _ALL),
)  # fmt: skip
_FOREIGN_KEY = re.compile(rf"ADD (CONSTRAINT {NAME} )?FOREIGN KEY", re.IGNORECASE)
_NOT_VALID = re.compile(r" NOT VALID$", re.IGNORECASE)
_STATEMENTS = rules(
    ("CREATE (UNIQUE )?INDEX CONCURRENTLY", replace(
        _UPDATE, scans=True, note="waits for all transactions that are older"
    )),
    ("CREATE (UNIQUE )?INDEX", _SHARE),
    ("(DROP INDEX|REINDEX (INDEX|TABLE)) CONCURRENTLY", _UPDATE),
    ("DROP INDEX", _ALL),
    ("ALTER INDEX (IF EXISTS )?.* RENAME TO", _UPDATE),
    ("(DROP TABLE|TRUNCATE|LOCK TABLE|CLUSTER|VACUUM FULL)", replace(_ALL, scans=None)),
    ("(VACUUM|ANALYZE)", replace(_UPDATE, scans=None)),
    ("CREATE (OR REPLACE )?(CONSTRAINT )?TRIGGER", _SHARE_ROW),
    ("DROP TRIGGER", _ALL),
    ("COMMENT ON (TABLE|COLUMN|CONSTRAINT)", _UPDATE),
    ("(INSERT|UPDATE|DELETE|MERGE)", _DML),
    ("(SELECT|VALUES|TABLE)", Effect(
        lock="ACCESS SHARE", blocks=Blocks.NOBODY, rewrites=False, scans=None
    )),
    ("(CREATE|DROP|ALTER) (TYPE|SEQUENCE|SCHEMA|EXTENSION|DOMAIN|COLLATION|ROLE|USER)", _NONE),
    ("(CREATE (OR REPLACE )?|DROP |ALTER )(FUNCTION|PROCEDURE|AGGREGATE)", _NONE),
    ("CREATE (OR REPLACE )?(TEMP |TEMPORARY |MATERIALIZED )?VIEW", replace(_NONE, scans=None)),
    ("(SET|RESET|SHOW|GRANT|REVOKE|BEGIN|COMMIT|SAVEPOINT|RELEASE|ROLLBACK)", _NONE),
)  # fmt: skip
_CREATES = re.compile(r"CREATE (UNLOGGED |TEMP |TEMPORARY )?TABLE(?! .* AS )", re.IGNORECASE)
_BUILT_IN = re.compile(
    r"(SMALLINT|INTEGER|INT|INT2|INT4|INT8|BIGINT|REAL|FLOAT|DOUBLE PRECISION|NUMERIC|DECIMAL|"
    r"BOOLEAN|BOOL|TEXT|VARCHAR|CHAR|CHARACTER|BYTEA|DATE|TIME|TIMESTAMP|TIMESTAMPTZ|INTERVAL|"
    r"UUID|JSON|JSONB|INET|CIDR|XML)(?![\w.])",
    re.IGNORECASE,
)
_CONSTANT = re.compile(
    r"DEFAULT \(?(''|-?[\d.]+|TRUE|FALSE|NULL|CURRENT_TIMESTAMP|CURRENT_DATE|NOW\(\))\)?"
    r"(::[\w ]+(\(\d+\))?)?( |$)",
    re.IGNORECASE,
)
_ADDED = re.compile(rf"ADD (COLUMN )?(IF NOT EXISTS )?{NAME} (?P<what>.+)", re.IGNORECASE)


class PostgreSQLEffects:
    """Reads the text of a statement."""

    def of(self, sql: str, version: Sequence[int]) -> Effect:
        """What it does."""
        said = read(sql)
        if said.actions:
            return together([_action(action, version) for action in said.actions])
        if _CREATES.match(said.text):
            if re.search(r"\bREFERENCES\b", said.text, re.IGNORECASE):
                return replace(_SHARE_ROW, note="of the table that is referred to")
            return _NONE
        return first(said.text, _STATEMENTS)

    def estimated_rows(self, connection: Connection, schema: str | None, name: str) -> int | None:
        """What ANALYZE or autovacuum counted last; below zero where nobody has."""
        quote = connection.dialect.identifier_preparer.quote
        path = f"{quote(schema)}.{quote(name)}" if schema else quote(name)
        asked = text("SELECT reltuples FROM pg_class WHERE oid = to_regclass(:path)")
        found = connection.execute(asked, {"path": path}).scalar()
        return None if found is None or found < 0 else int(found)


def _action(action: str, version: Sequence[int]) -> Effect:
    if _FOREIGN_KEY.match(action):
        return replace(
            _SHARE_ROW,
            scans=not _NOT_VALID.search(action),
            note="also of the table that is referred to",
        )
    known = first(action, _ACTIONS)
    if known is UNKNOWN and (added := _ADDED.fullmatch(action)):
        return _added(added["what"], version)
    return known


def _added(what: str, version: Sequence[int]) -> Effect:
    """ADD COLUMN; a default that is no volatile one is not written into the rows (since 11)."""
    upper = what.upper()
    if "GENERATED" in upper and " AS IDENTITY" not in upper:
        virtual = "STORED" not in upper and tuple(version[:1]) >= (18,)
        return _ALL if virtual or upper.endswith("VIRTUAL") else _REWRITES
    if " AS IDENTITY" in upper or re.match(r"(BIG|SMALL)?SERIAL", upper):
        return _REWRITES
    if re.search(r"\b(PRIMARY KEY|UNIQUE|CHECK)\b", upper):
        return replace(_ALL, rewrites=None, scans=True)
    referred = "also SHARE ROW EXCLUSIVE of the table that is referred to"
    base = replace(_ALL, note=referred) if "REFERENCES" in upper else _ALL
    if not _BUILT_IN.match(what):
        return replace(base, rewrites=None, scans=None, note=_OR_DOMAIN)
    if " DEFAULT " in upper and not _CONSTANT.search(what):
        return replace(base, rewrites=None, scans=None, note=_OR_VOLATILE)
    return base

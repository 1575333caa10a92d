"""Algorithms and locks of InnoDB on MySQL 8.0 to 9.

From the manual's "Online DDL Operations" (17.12.1): the least costly algorithm that the server
takes by itself. A test has real servers confirm each: they take that one, and refuse the better.
Whatever the algorithm, the beginning and the end of an ALTER wait for all transactions that have
used the table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, text

from bootstrap.backends.effects import (
    NAME,
    Blocks,
    Effect,
    Rule,
    first,
    read,
    rules,
    together,
)

INSTANT = Effect(lock="INSTANT", blocks=Blocks.NOBODY, rewrites=False, scans=False)
INPLACE = Effect(lock="INPLACE", blocks=Blocks.NOBODY, rewrites=False, scans=False)
BUILDS = replace(INPLACE, scans=True)
REBUILDS = replace(INPLACE, rewrites=True, scans=True)
DROPS_INDEX = replace(INPLACE, note="a COPY where it stands in for a primary key")
COPY = Effect(lock="COPY", blocks=Blocks.WRITERS, rewrites=True, scans=True)
WHAT_CHANGES = Effect(
    note="what the column was before decides: another type is a COPY, another name or default "
    "alone is not"
)
_NONE = Effect(lock="none", blocks=Blocks.NOBODY, rewrites=False, scans=False)
_ROWS = Effect(
    lock="rows", blocks=Blocks.NOBODY, rewrites=False, scans=None,
    note="writers of the same rows wait",
)  # fmt: skip
CONSTRAINT = rf"(CONSTRAINT ({NAME} )?)?"

ACTIONS = rules(
    (rf"ADD {CONSTRAINT}PRIMARY KEY", REBUILDS),
    (rf"ADD {CONSTRAINT}FOREIGN KEY", replace(
        COPY, note="in place where foreign_key_checks is off"
    )),
    (rf"ADD {CONSTRAINT}CHECK", COPY),
    (rf"ADD {CONSTRAINT}UNIQUE", BUILDS),
    ("ADD (INDEX|KEY)", BUILDS),
    ("ADD (FULLTEXT|SPATIAL)", replace(BUILDS, blocks=Blocks.WRITERS)),
    ("DROP PRIMARY KEY", COPY),
    ("DROP (INDEX|KEY)", DROPS_INDEX),
    ("DROP FOREIGN KEY", INPLACE),
    ("RENAME (INDEX|KEY)", INPLACE),
    (rf"ALTER (COLUMN )?{NAME} (SET|DROP) DEFAULT", INSTANT),
    ("(MODIFY|CHANGE)", WHAT_CHANGES),
    ("CONVERT TO CHARACTER SET", COPY),
)  # fmt: skip
STATEMENTS = rules(
    ("CREATE (UNIQUE )?INDEX", BUILDS),
    ("CREATE (FULLTEXT|SPATIAL) INDEX", replace(BUILDS, blocks=Blocks.WRITERS)),
    ("DROP INDEX", DROPS_INDEX),
    ("(DROP TABLE|TRUNCATE|RENAME TABLE)", Effect(
        lock="exclusive metadata lock", blocks=Blocks.EVERYBODY, rewrites=False, scans=False
    )),
    ("(INSERT|UPDATE|DELETE|REPLACE)", _ROWS),
    ("CREATE (TEMPORARY )?TABLE(?! .* SELECT )", _NONE),
    ("(CREATE|DROP|ALTER) (SCHEMA|DATABASE|USER|ROLE)", _NONE),
    ("(CREATE (OR REPLACE )?|DROP )(VIEW|PROCEDURE|FUNCTION|EVENT)", _NONE),
    ("(SELECT|SHOW|SET|DO)", replace(_NONE, scans=None)),
)  # fmt: skip
_ADDED = re.compile(rf"ADD (COLUMN )?{NAME} (?P<what>.+)", re.IGNORECASE)
_COLUMN_DROPPED = re.compile(rf"DROP (COLUMN )?{NAME}$", re.IGNORECASE)
_COLUMN_RENAMED = re.compile("RENAME COLUMN ", re.IGNORECASE)
_WRITTEN = re.compile(
    r"\b(AUTO_INCREMENT|CHECK|REFERENCES|STORED|PERSISTENT|UNIQUE|KEY)\b", re.IGNORECASE
)


class MySQLEffects:
    """Reads the text of a statement."""

    actions: tuple[Rule, ...] = ACTIONS
    statements: tuple[Rule, ...] = STATEMENTS

    def of(self, sql: str, version: Sequence[int]) -> Effect:
        """What it does."""
        said = read(sql)
        if said.actions:
            return together([self._action(action, tuple(version[:3])) for action in said.actions])
        return first(said.text, self.statements)

    def _action(self, action: str, version: tuple[int, ...]) -> Effect:
        known = first(action, self.actions)
        if known.is_known or known.note:
            return known
        if _COLUMN_RENAMED.match(action):
            return self.renamed(version)
        if _COLUMN_DROPPED.match(action):
            return self.dropped(version)
        if (added := _ADDED.fullmatch(action)) and not _WRITTEN.search(added["what"]):
            return self.added(action, version)
        return known

    def added(self, action: str, version: tuple[int, ...]) -> Effect:
        """A new column; anywhere since 8.0.29, only as the last one since 8.0.12."""
        last = not re.search(rf" (FIRST|AFTER {NAME})$", action, re.IGNORECASE)
        return INSTANT if version >= ((8, 0, 12) if last else (8, 0, 29)) else REBUILDS

    def dropped(self, version: tuple[int, ...]) -> Effect:
        """A dropped column."""
        return INSTANT if version >= (8, 0, 29) else REBUILDS

    def renamed(self, version: tuple[int, ...]) -> Effect:
        """Another name for a column."""
        return INSTANT if version >= (8, 0, 28) else INPLACE

    def estimated_rows(self, connection: Connection, schema: str | None, name: str) -> int | None:
        """What InnoDB believes to have; the manual allows it to be wrong by half."""
        asked = text(
            "SELECT table_rows FROM information_schema.tables "
            "WHERE table_schema = coalesce(:schema, database()) AND table_name = :name"
        )
        return connection.execute(asked, {"schema": schema, "name": name}).scalar()

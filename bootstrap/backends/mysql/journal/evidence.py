"""What tells whether a statement that commits by itself was carried out.

What SHOW CREATE says of the objects that it names, before it and now. Where that stays the same,
InnoDB's own number of the table, which TRUNCATE, an exchanged partition and a swap of names
change; it needs the right PROCESS. Read on a connection of its own with fixed settings: each of
sql_mode, time_zone and sql_quote_show_create changes the text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from bootstrap.backends.mysql.catalog import fingerprint
from bootstrap.backends.mysql.errors import MySQLErrors
from bootstrap.backends.mysql.journal.targets import Name, targets
from bootstrap.backends.mysql.journal.tokens import tokens
from bootstrap.journal.statements import Decision, Said

_MISSING = {"1146", "1049", "1347"}  # no such table, no such database, not of this kind
_ROUTINE = text(
    "SELECT ROUTINE_DEFINITION FROM information_schema.ROUTINES "
    "WHERE ROUTINE_SCHEMA = COALESCE(:schema, DATABASE()) AND ROUTINE_NAME = :name"
)
_LOOKS = text("SELECT DATABASE()")


class Rule(StrEnum):
    """How the evidence is read."""

    DIFFERS = "differs"  # applied if it is another than before
    AGAIN = "again"  # does the same when it is sent once more
    IDS = "ids"  # as DIFFERS; in doubt where the numbers could not be read
    LIST = "list"  # as DIFFERS; sent again, with IF EXISTS, while something is left
    REPLACES = "replaces"  # as DIFFERS; but a table that is missing now is made again
    NOBODY_KNOWS = "nobody knows"


REPEATABLE = {
    *("OPTIMIZE", "ANALYZE", "REPAIR", "CHECK", "FLUSH", "RESET", "CACHE", "KILL", "PURGE", "GRANT")
}
_ABOUT_OBJECTS = {"CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE", "EXECUTE"}
_ACCOUNTS = {"USER", "ROLE", "SERVER", "TABLESPACE", "UNDO", "LOGFILE", "RESOURCE"}


class Evidence:
    """Looks at what statements name.

    Args:
        aside: Gives the connection to look on.
    """

    ids: ClassVar[str] = "SELECT NAME, TABLE_ID FROM information_schema.INNODB_TABLES"
    # Whether DROP TABLE a, b may have dropped a alone, and CREATE OR REPLACE TABLE ... SELECT
    # may leave no table at all.
    by_parts: ClassVar[bool] = False

    def __init__(self, aside: Callable[[], Connection]) -> None:
        self._aside = aside

    def before(self, said: Said) -> str:
        """What there is before a statement, as text."""
        found = tokens(said.sql)
        named = targets(found)
        rule = _rule([token.word for token in found], named or [])
        if rule is Rule.IDS:
            named = sorted(set(named or ()))
        evidence: dict[str, Any] = {"rule": rule}
        if named is not None:
            evidence["tables"] = [list(one) for one in named]
        else:
            evidence["words"] = None if said.unsure else sorted(said.words)
        return json.dumps(evidence | self._seen(evidence))

    def decide(self, written: str) -> Decision:
        """Whether the statement was carried out."""
        before = json.loads(written)
        match Rule(before["rule"]):
            case Rule.AGAIN:
                return Decision.AGAIN
            case Rule.NOBODY_KNOWS:
                return Decision.IN_DOUBT
        now = self._seen(before)
        changed = now["objects"] != before["objects"]
        match Rule(before["rule"]):
            case Rule.LIST if self.by_parts and changed and any(now["objects"].values()):
                return Decision.AGAIN
            case Rule.REPLACES if self.by_parts and None in now["objects"].values():
                return Decision.NOT_APPLIED
            case Rule.IDS if not changed:
                if before["ids"] is None or now["ids"] is None:
                    return Decision.IN_DOUBT
                changed = now["ids"] != before["ids"]
        return Decision.APPLIED if changed else Decision.NOT_APPLIED

    def is_changed(self, written: str) -> bool:
        """Whether anything is other than before, as far as that can be seen."""
        before = json.loads(written)
        now = self._seen(before)
        return bool(now["objects"] != before["objects"])

    def _seen(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What the objects look like now."""
        rule = Rule(asked["rule"])
        if rule in (Rule.AGAIN, Rule.NOBODY_KNOWS):
            return {"objects": {}}
        if "tables" in asked:
            found = {".".join(one): self._created(one) for one in asked["tables"]}
        else:
            found = self._named(asked["words"])
        ids = {"ids": self._ids(asked["tables"])} if rule is Rule.IDS else {}
        return {"objects": found} | ids

    def _named(self, words: Sequence[str] | None) -> dict[str, str | None]:
        """All objects whose names are among the words, whatever their kind, and the database."""
        connection = self._aside()
        created = fingerprint.created(connection, words)
        return {f"{one.kind} {one.name}": _hash(one.statement) for one in created}

    def _created(self, name: Sequence[str]) -> str | None:
        """A hash of what makes a table, view or sequence; None when there is none."""
        connection = self._aside()
        quote = connection.dialect.identifier_preparer.quote_identifier
        cursor = connection.connection.cursor()
        try:
            # By the driver: most tables are not there yet, and SQLAlchemy's exception takes longer
            # than the answer.
            cursor.execute(f"SHOW CREATE TABLE {'.'.join(map(quote, name))}")
            row: Any = cursor.fetchone()
        except connection.dialect.loaded_dbapi.Error as error:
            failure = MySQLErrors().translate(error)
            if failure is None or failure.code not in _MISSING:
                raise
            return None
        finally:
            cursor.close()
        return _hash(fingerprint.without_counter(str(row[1])))

    def _ids(self, names: Sequence[Sequence[str]]) -> list[list[Any]] | None:
        """InnoDB's numbers of tables and their partitions; None without the right to see them."""
        connection = self._aside()
        own = connection.execute(_LOOKS).scalar_one()
        found: list[list[Any]] = []
        for name in names:
            path = "/".join(name if len(name) > 1 else (own, *name))
            try:
                rows = connection.exec_driver_sql(
                    f"{self.ids} WHERE NAME = %s OR NAME LIKE %s", (path, f"{path}#%")
                ).all()
            except DBAPIError:
                return None
            found += [[str(row[0]), int(row[1])] for row in rows]
        return sorted(found) or None


def _rule(words: Sequence[str], named: Sequence[Name]) -> Rule:
    """How the evidence of a statement is read: the first that fits."""
    first, second = [*words, "", ""][:2]
    is_swap = len(set(named)) < len(named)
    rules = {
        Rule.AGAIN: first in REPEATABLE,
        Rule.NOBODY_KNOWS: first in ("CALL", "XA", "REVOKE")
        or second in _ACCOUNTS
        or (first == "ALTER" and "SEQUENCE" in words[:4])
        or (first not in _ABOUT_OBJECTS and not named),
        Rule.IDS: first == "TRUNCATE"
        or (first == "ALTER" and bool({"EXCHANGE", "TRUNCATE"} & set(words)))
        or (first == "RENAME" and is_swap),
        Rule.LIST: first == "DROP" and len(named) > 1,
        Rule.REPLACES: list(words[:3]) == ["CREATE", "OR", "REPLACE"] and bool(named),
    }
    return next((rule for rule, fits in rules.items() if fits), Rule.DIFFERS)


def _hash(created: str) -> str:
    return hashlib.sha256(created.encode("utf-8", "surrogatepass")).hexdigest()[:32]

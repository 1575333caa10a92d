"""What the journal has to know of a session on MySQL or MariaDB."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, text

from bootstrap.backends.base import Reason
from bootstrap.backends.mysql.errors import MySQLErrors
from bootstrap.backends.mysql.journal.evidence import REPEATABLE, Evidence
from bootstrap.backends.mysql.journal.statements import read
from bootstrap.errors import RevisionError
from bootstrap.journal.policy import Policy
from bootstrap.journal.statements import Decision, Nature, Said

_DEADLOCK = "1213"
_PLAIN = text(
    "SELECT TABLE_NAME FROM information_schema.TABLES t JOIN information_schema.ENGINES e "
    "ON e.ENGINE = t.ENGINE WHERE TABLE_SCHEMA = DATABASE() AND e.TRANSACTIONS <> 'YES'"
)
_TABLES = text("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()")
_BODY = text(
    "SELECT ROUTINE_DEFINITION FROM information_schema.ROUTINES "
    "WHERE ROUTINE_SCHEMA = DATABASE() AND ROUTINE_TYPE = 'PROCEDURE' AND ROUTINE_NAME = :name"
)
_COMMITTING = re.compile(
    r"\b(CREATE|ALTER|DROP|TRUNCATE|RENAME|COMMIT|ROLLBACK|START|CALL|EXECUTE|LOCK|GRANT|REVOKE"
    r"|ANALYZE|OPTIMIZE|SET\s+autocommit)\b",
    re.IGNORECASE,
)


class MySQLPolicy(Policy):
    """Knows the session.

    Args:
        connection: The migrating one.
        aside: Gives another one.
        evidence: Looks whether a statement was carried out.
    """

    def __init__(
        self, connection: Connection, aside: Callable[[], Connection], evidence: Evidence
    ) -> None:
        self._connection = connection
        self._aside = aside
        self._evidence = evidence
        self._plain: set[str] | None = None
        self._temporary: set[str] = set()
        self._locks_tables = False

    def read(self, sql: str) -> Said:
        """Reads a statement, and knows the tables that have no transactions."""
        said = read(sql)
        first = said.shown.partition(" ")[0].upper()
        if first == "CALL" and not self._commits(said):
            return replace(said, nature=Nature.WRITES, unsure=False, commits=False)
        if said.nature is Nature.WRITES:
            if said.target in self._temporary:
                return replace(said, nature=Nature.SESSION, only_once=self._reads_real(said))
            if self._without_transactions() & said.words:
                return replace(said, nature=Nature.COMMITS, unsure=True)
        makes_temporary = said.nature is Nature.SESSION and "temporary" in said.words
        if makes_temporary and "select" in said.words:
            return replace(said, only_once=self._reads_real(said))
        return said

    def elsewhere(self, sql: str) -> Said:
        """Reads it by its words alone; what may be done twice is no more than reading."""
        try:
            said = read(sql)
        except RevisionError:
            return Said(nature=Nature.COMMITS, sql=sql, shown="several statements in one string")
        is_repeatable = said.shown.partition(" ")[0].upper() in REPEATABLE
        return replace(said, nature=Nature.READS) if is_repeatable else said

    def sent(self, said: Said) -> None:
        """Remembers temporary tables and locks, and looks at engines when a table may be new."""
        words = said.shown.upper().split()
        if words[:1] in (["LOCK"], ["UNLOCK"], ["START"], ["BEGIN"]):
            self._locks_tables = words[:1] == ["LOCK"]
        if words[:2] == ["CREATE", "TEMPORARY"] or words[:4] == [
            "CREATE",
            "OR",
            "REPLACE",
            "TEMPORARY",
        ]:
            self._temporary |= {_temporary_name(said)}
        if "engine" in said.words or "default_storage_engine" in said.words:
            self._plain = None

    def evidence(self, said: Said) -> str:
        """What there is before it."""
        return self._evidence.before(said)

    def decide(self, evidence: str) -> Decision:
        """Whether it was carried out."""
        return self._evidence.decide(evidence)

    def is_changed(self, evidence: str) -> bool:
        """Whether anything is other than before."""
        return self._evidence.is_changed(evidence)

    def in_autocommit(self) -> bool:
        """As the server said last, which each driver keeps."""
        raw: Any = self._connection.connection.dbapi_connection
        detect = getattr(self._connection.dialect, "detect_autocommit_setting", None)
        if detect is not None:
            return bool(detect(raw))
        return bool(self._connection.connection.driver_connection.get_autocommit())  # type: ignore[union-attr]  # the drivers are untyped

    def writes_aside(self) -> bool:
        """Not where that would wait for the session itself, which has locked the journal too."""
        return not self.in_autocommit() and not self._locks_tables

    def is_rolled_back(self, error: BaseException) -> bool:
        """A deadlock is ended by rolling one transaction back; a time-out where that is set."""
        failure = MySQLErrors().translate(error)
        if failure is None:
            return False
        return failure.code == _DEADLOCK or (failure.reason is Reason.BUSY and self._undoes_all())

    def may_come_through(self, error: BaseException) -> bool:
        """Whether the statement alone was undone, for want of a lock; it may be sent again."""
        failure = MySQLErrors().translate(error)
        busy = failure is not None and failure.reason is Reason.BUSY
        return busy and not self._undoes_all()

    def _undoes_all(self) -> bool:
        """MySQL manual, "InnoDB Error Handling"; on MariaDB the same."""
        return bool(self._aside().exec_driver_sql("SELECT @@innodb_rollback_on_timeout").scalar())

    def is_lost(self, error: BaseException) -> bool:
        """Whether the connection broke."""
        failure = MySQLErrors().translate(error)
        return failure is None or failure.reason is Reason.CONNECTION_LOST

    def begin(self) -> None:
        """Begins a transaction."""
        self._connection.exec_driver_sql("START TRANSACTION")

    def variables(self, names: Sequence[str]) -> dict[str, Any]:
        """The values of user variables."""
        row = self._connection.exec_driver_sql(f"SELECT {', '.join(names)}").one()
        return dict(zip(names, row, strict=True))

    def restore(self, variables: dict[str, Any]) -> None:
        """Sets user variables."""
        for name, value in variables.items():
            self._connection.exec_driver_sql(f"SET {name} = %s", (value,))

    def restore_lastrowid(self, value: int) -> None:
        """What LAST_INSERT_ID() returns then."""
        self._connection.exec_driver_sql("SELECT LAST_INSERT_ID(%s)", (value,))

    def _commits(self, said: Said) -> bool:
        """Whether a procedure does more than read and write rows, as far as can be seen."""
        aside = self._aside()
        for word in said.words:
            body = aside.execute(_BODY, {"name": word}).scalar()
            if body is not None:
                return bool(_COMMITTING.search(str(body)))
        return True

    def _reads_real(self, said: Said) -> bool:
        """Whether rows of a temporary table come from one that has others by now."""
        real = {str(name).lower() for name in self._aside().execute(_TABLES).scalars()}
        return bool((real - self._temporary) & said.words)

    def _without_transactions(self) -> set[str]:
        if self._plain is None:
            names = self._aside().execute(_PLAIN).scalars()
            self._plain = {str(name).lower() for name in names}
        return self._plain


def _temporary_name(said: Said) -> str:
    words = said.shown.split()
    place = [word.upper() for word in words].index("TABLE") + 1
    while words[place].upper() in ("IF", "NOT", "EXISTS"):
        place += 1
    return words[place].partition("(")[0].rpartition(".")[2].strip("`").lower()

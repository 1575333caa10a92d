"""What the journal has to know of a session on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from bootstrap.backends.base import Reason
from bootstrap.backends.guards import Terms
from bootstrap.backends.postgresql.errors import PostgreSQLErrors
from bootstrap.backends.postgresql.journal import orphans
from bootstrap.backends.postgresql.journal.evidence import Evidence, Index
from bootstrap.backends.postgresql.journal.sessions import begin, commits_each, sent_plainly
from bootstrap.backends.postgresql.journal.statements import gives_no_rows, is_temporary, read
from bootstrap.journal.policy import Policy
from bootstrap.journal.statements import Decision, Nature, Said

# active_sql_transaction: cannot run inside a transaction block; invalid_transaction_termination:
# a procedure or a DO that commits.
_NOT_IN_TRANSACTION = {"25001", "2D000"}


class PostgreSQLPolicy(Policy):
    """Knows the session.

    Args:
        connection: The migrating one.
        terms: How long others are waited for.
    """

    most_waiting = 5_000  # in a transaction nothing is written before it must be

    def __init__(self, connection: Connection, terms: Terms) -> None:
        self._connection = connection
        self._terms = terms
        self._evidence = Evidence(connection)
        self._temporary: set[str] = set()

    def read(self, sql: str) -> Said:
        """Reads a statement, as it is meant at this moment."""
        said = read(sql)
        if said.nature is Nature.COMMITS and not self.in_autocommit():
            return replace(said, nature=Nature.WRITES, sent="")  # the server will refuse it
        if said.nature is Nature.WRITES and said.target in self._temporary:
            return replace(said, nature=Nature.SESSION, only_once="from" in said.words)
        # A function may do anything.
        is_query = said.nature is Nature.READS and not said.savepoint
        if is_query and said.words & {"select", "table"} and self.in_autocommit():
            return replace(said, nature=Nature.WRITES)
        return said

    def sends(self, sql: str, cursor: Any) -> bool:
        """What gives no rows, in a third of the round trips."""
        return gives_no_rows(sql) and sent_plainly(self._connection, sql, cursor)

    def elsewhere(self, sql: str) -> Said:
        """Reads it by its words alone."""
        return read(sql)

    def sent(self, said: Said) -> None:
        """Remembers temporary tables."""
        if said.nature is Nature.SESSION and is_temporary(said.shown.upper().split()):
            self._temporary.add(said.target)

    def evidence(self, said: Said) -> str:
        """What there is before it; what a build of this index has left goes first."""
        unfinished = self._evidence.unfinished(said)
        if unfinished is not None:
            self._drop(unfinished)
        return self._evidence.before(said)

    def decide(self, evidence: str) -> Decision:
        """Whether it was carried out."""
        return self._evidence.decide(evidence)

    def is_changed(self, evidence: str) -> bool:
        """What stays half done is finished or undone by the next run."""
        return False

    def leaves_behind(self, evidence: str) -> bool:
        """Whether something has to be finished or undone first."""
        return self._evidence.stays_half_done(evidence)

    def undo(self, evidence: str) -> None:
        """Drops what is not valid."""
        for index in self._evidence.leftovers(evidence):
            self._drop(index)

    def _drop(self, index: Index) -> None:
        """Drops an index that is not valid, as soon as nobody builds it any more."""
        orphans.wait_for_builders(self._connection, index.on_table, self._terms)
        if self._evidence.is_valid(index):
            return
        quote = self._connection.dialect.identifier_preparer.quote_identifier
        how = "CONCURRENTLY " if self.in_autocommit() else ""
        self._connection.exec_driver_sql(
            f"DROP INDEX {how}IF EXISTS {quote(index.schema)}.{quote(index.name)}"
        )

    def in_autocommit(self) -> bool:
        """Whether each statement is a transaction at this moment."""
        return commits_each(self._connection)

    def begin(self) -> None:
        """Begins a transaction."""
        begin(self._connection)

    def needs_no_transaction(self, error: BaseException) -> bool:
        """Told by the SQLSTATE."""
        failure = PostgreSQLErrors().translate(error)
        return failure is not None and failure.code in _NOT_IN_TRANSACTION

    def keeps_unseen(self) -> bool:
        """In a transaction nothing is kept that is not committed with the journal."""
        return self.in_autocommit()

    def is_rolled_back(self, error: BaseException) -> bool:
        """A transaction that has failed is rolled back by who began it."""
        return False

    def may_come_through(self, error: BaseException) -> bool:
        """A statement that fails takes its transaction with it."""
        return False

    def is_lost(self, error: BaseException) -> bool:
        """Whether the connection broke."""
        failure = PostgreSQLErrors().translate(error)
        return failure is None or failure.reason is Reason.CONNECTION_LOST

    def variables(self, names: Sequence[str]) -> dict[str, Any]:
        """There are none but settings, which are set again."""
        return {}

    def restore(self, variables: dict[str, Any]) -> None:
        """There are none."""

    def restore_lastrowid(self, value: int) -> None:
        """A key that was just made is known by RETURNING alone."""

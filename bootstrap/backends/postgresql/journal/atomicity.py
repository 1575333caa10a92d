"""Revisions that are applied exactly once, also where they leave their transaction.

An autocommit block commits what came before it, and each of its statements by itself. What is
recorded stays in memory until then: a revision that is one transaction writes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from bootstrap.backends.guards import Atomicity, Guard, Recording, Terms
from bootstrap.backends.journalled import JournalGuard, version_table_of
from bootstrap.backends.postgresql.journal import orphans
from bootstrap.backends.postgresql.journal.evidence import Evidence
from bootstrap.backends.postgresql.journal.policy import PostgreSQLPolicy
from bootstrap.backends.postgresql.journal.statements import begins, read
from bootstrap.backends.postgresql.journal.store import PostgreSQLStore
from bootstrap.backends.postgresql.journal.tokens import tokens
from bootstrap.journal.course import without_tail
from bootstrap.journal.entries import Entry, Kind, Outcome, Part, Progress
from bootstrap.journal.half import Half, Repair, half_of
from bootstrap.journal.recording import Recorder
from bootstrap.journal.tokens import shown

# pg_type.dat: oid, regproc, regclass, regtype.
_NUMBERS = (26, 24, 2205, 2206)


class PostgreSQLAtomicity(Atomicity):
    """The journal."""

    @contextmanager
    def around(self, context: MigrationContext, terms: Terms) -> Iterator[Guard]:
        """Waits for statements of killed runs; each statement of a revision is recorded."""
        if context.connection is None:
            yield Guard()
            return
        with _only_reading(context.connection):
            guard = PostgreSQLGuard(context, context.connection, terms)
            guard.read()
        with _only_reading(context.connection):
            guard.wait()
        yield guard

    def half_applied(self, context: MigrationContext) -> tuple[Half, ...]:
        """What is recorded, and whether the last statement of it was applied."""
        if context.connection is None:
            return ()
        with _only_reading(context.connection):
            found = _store(context, context.connection).read()
            decide = Evidence(context.connection).decide
            halves = [half_of(key, entries, decide) for key, entries in found.items()]
        return tuple(half for half in halves if half is not None)

    def repair(self, context: MigrationContext, half: Half, how: Repair) -> None:
        """Settles the last statement, or deletes what is recorded."""
        connection = context.connection
        assert connection is not None  # noqa: S101 - somebody has read it there
        theirs = connection.in_transaction()
        store = _store(context, connection)
        store.repair(half, how)
        store.drop_if_empty()
        if not theirs:
            connection.commit()

    def tidy(self, context: MigrationContext) -> None:
        """Drops the journal where it is empty."""
        connection = context.connection
        assert connection is not None  # noqa: S101 - somebody has looked there
        theirs = connection.in_transaction()
        _store(context, connection).drop_if_empty()
        if not theirs:
            connection.commit()

    @property
    def recording(self) -> Recording:
        """Into the table that a run would make."""
        return PostgreSQLRecording()

    def stops(self, _connection: Connection, statements: Sequence[str]) -> frozenset[int]:
        """Where a COMMIT was sent as text, and after it: some drivers begin no transaction then."""
        found: set[int] = set()
        is_over = False
        for number, sql in enumerate(statements):
            said = read(sql)
            if said.commits or is_over:
                found |= {number, number + 1}
            is_over = said.commits or (is_over and not begins(said))
        return frozenset(found)

    def shown(self, sql: str) -> str:
        """As the journal has it."""
        return shown(tokens(sql))


class PostgreSQLRecording:
    """Writes a journal."""

    def is_its_own(self, outcome: Outcome) -> bool:
        """Whether there are numbers of objects in it, which another database gives to others."""
        return any(column[1] in _NUMBERS for column in outcome.columns or ())

    def write(self, context: MigrationContext, part: Part, entries: Sequence[Entry]) -> None:
        """Writes the entries in one transaction."""
        connection = context.connection
        assert connection is not None  # noqa: S101 - somebody has read it there
        _store(context, connection).write(part, entries)
        connection.commit()


class PostgreSQLGuard(JournalGuard):
    """Keeps the journal of each revision of a run, where it leaves its transaction."""

    def __init__(self, context: MigrationContext, connection: Connection, terms: Terms) -> None:
        self._connection = connection
        self._terms = terms
        store = _store(context, connection)
        policy = PostgreSQLPolicy(connection, terms)
        super().__init__(context, store, Recorder(connection, store, policy, again=terms.again))

    def wait(self) -> None:
        """Waits for the statement that may still run; not in a transaction, it waits for those."""
        for entries in self._found.values():
            counting = without_tail(entries)
            if counting and counting[-1].kind is Kind.INTENT:
                mark = json.loads(counting[-1].evidence or "{}").get("mark", "")
                orphans.wait_for_statement(self._connection, mark, self._terms)

    @contextmanager
    def during(self) -> Iterator[None]:
        """Records during the block, and leaves no empty table behind."""
        with self.recording():
            yield
        if self._store.is_there:
            theirs = self._connection.in_transaction()
            self._store.drop_if_empty()
            if not theirs:
                self._connection.commit()

    def finished(self) -> None:
        """Commits, where a block has done so in the one transaction of this run already.

        What follows would take the end of this revision with it when it fails.
        """
        transaction = self._context._transaction  # noqa: SLF001 - `autocommit_block` does the same
        if self._store.is_there and transaction is not None:
            transaction.commit()
            self._context._transaction = self._connection.begin()  # noqa: SLF001 - as above

    @property
    def progress(self) -> Progress | None:
        """How far the revision came; None while it is one transaction."""
        found = self._recorder.progress
        return found if found.applied or self._store.is_there else None


@contextmanager
def _only_reading(connection: Connection) -> Iterator[None]:
    """Ends what a statement in the block began: Alembic would take it for env.py's."""
    theirs = connection.in_transaction()
    try:
        yield
    finally:
        if not theirs:
            connection.rollback()


def _store(context: MigrationContext, connection: Connection) -> PostgreSQLStore:
    return PostgreSQLStore(
        connection,
        version_table=version_table_of(context),
        version_schema=context.version_table_schema,
    )

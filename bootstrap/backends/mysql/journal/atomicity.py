"""Revisions that are applied exactly once, where the server commits after each statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, func, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from bootstrap.backends.guards import Atomicity, Guard, Recording, Terms
from bootstrap.backends.journalled import JournalGuard, version_table_of
from bootstrap.backends.mysql.journal import locks
from bootstrap.backends.mysql.journal.evidence import Evidence
from bootstrap.backends.mysql.journal.policy import MySQLPolicy
from bootstrap.backends.mysql.journal.statements import read
from bootstrap.backends.mysql.journal.store import TYPES, MySQLStore
from bootstrap.backends.mysql.journal.tokens import tokens
from bootstrap.journal import beside
from bootstrap.journal.entries import NAME, Entry, Outcome, Part
from bootstrap.journal.half import Half, Repair, half_of
from bootstrap.journal.recording import Recorder
from bootstrap.journal.store import Store
from bootstrap.journal.tokens import shown

_SETTINGS = (
    "SET SESSION sql_mode = '', sql_quote_show_create = 1, time_zone = '+00:00', autocommit = 1"
)


class MySQLAtomicity(Atomicity):
    """The journal.

    Args:
        evidence: What tells whether a statement was carried out.
    """

    def __init__(self, evidence: Callable[[Callable[[], Connection]], Evidence]) -> None:
        self._evidence = evidence

    def around(self, context: MigrationContext, terms: Terms) -> AbstractContextManager[Guard]:
        """Each statement of a revision is recorded on the connection of env.py."""
        if context.connection is None:
            return nullcontext(Guard())
        return nullcontext(MySQLGuard(context, context.connection, terms, self._evidence))

    def half_applied(self, context: MigrationContext) -> tuple[Half, ...]:
        """What is recorded, and whether the last statement of it was applied."""
        connection = context.connection
        if connection is None:
            return ()
        aside = Aside(connection)
        try:
            found = _store(context, connection, aside).read()
            decide = self._evidence(aside).decide
            halves = [half_of(key, entries, decide) for key, entries in found.items()]
            return tuple(half for half in halves if half is not None)
        finally:
            aside.close()

    def repair(self, context: MigrationContext, half: Half, how: Repair) -> None:
        """Settles the last statement, or deletes what is recorded."""
        assert context.connection is not None  # noqa: S101 - somebody has read it there
        aside = Aside(context.connection)
        try:
            store = _store(context, context.connection, aside)
            store.read()
            store.repair(half, how)
            store.drop_if_empty()
        finally:
            aside.close()

    def tidy(self, context: MigrationContext) -> None:
        """Drops the journal where it is empty, and nobody works with it, such as env.py itself."""
        connection = context.connection
        assert connection is not None  # noqa: S101 - somebody has looked there
        theirs = connection.in_transaction()
        there = inspect(connection).has_table(NAME)
        if not theirs:
            connection.rollback()
        if there:
            aside = Aside(connection)
            with suppress(SQLAlchemyError):
                store = _store(context, connection, aside)
                store.read()
                store.drop_if_empty()
            aside.close()

    @property
    def recording(self) -> Recording:
        """Into the table that a run would make."""
        return MySQLRecording()

    def stops(self, _connection: Connection, statements: Sequence[str]) -> frozenset[int]:
        """Before and after each that commits: what was written before it goes with it."""
        commits = [number for number, sql in enumerate(statements) if read(sql).commits]
        return frozenset(commits) | {number + 1 for number in commits}

    def shown(self, sql: str) -> str:
        """As the journal has it."""
        return shown(tokens(sql))


class MySQLRecording:
    """Writes a journal."""

    def is_its_own(self, outcome: Outcome) -> bool:
        """Objects are known by their names here."""
        return False

    def write(self, context: MigrationContext, part: Part, entries: Sequence[Entry]) -> None:
        """Writes the entries in one transaction."""
        assert context.connection is not None  # noqa: S101 - somebody has read it there
        aside = Aside(context.connection)
        try:
            _store(context, context.connection, aside).write(part, entries)
            context.connection.commit()
        finally:
            aside.close()


class Aside:
    """A second connection to the same database, opened when it is first needed.

    Args:
        connection: The one of env.py; whose engine, driver and login are used.
    """

    def __init__(self, connection: Connection) -> None:
        self._like = connection.engine
        self._opened: Connection | None = None

    def __call__(self) -> Connection:
        """The connection, in autocommit mode, with settings that nobody changes."""
        if self._opened is None:
            # With a pool of its own: that of env.py may be no larger than one.
            pool = self._like.pool.recreate()
            engine = Engine(pool, self._like.dialect, self._like.url, hide_parameters=True)
            with beside.unwatched():
                self._opened = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._opened.exec_driver_sql(_SETTINGS)
        return self._opened

    def close(self) -> None:
        """Closes it; never raises: there may be something worse to report."""
        opened, self._opened = self._opened, None
        if opened is None:
            return
        with suppress(Exception):
            opened.detach()
            opened.close()
        with suppress(Exception):
            opened.engine.dispose()


class MySQLGuard(JournalGuard):
    """Keeps the journal of each revision of a run."""

    def __init__(
        self,
        context: MigrationContext,
        connection: Connection,
        terms: Terms,
        evidence: Callable[[Callable[[], Connection]], Evidence],
    ) -> None:
        self._connection = connection
        self._terms = terms
        self._aside = aside = Aside(connection)
        store = _store(context, connection, aside)
        policy = MySQLPolicy(connection, aside, evidence(aside))
        super().__init__(context, store, Recorder(connection, store, policy, again=terms.again))

    @contextmanager
    def during(self) -> Iterator[None]:
        """Waits for statements of killed runs, and listens during the block."""
        with self._lock():
            try:
                self.read()
                with self.recording():
                    yield
            finally:
                with suppress(SQLAlchemyError):
                    self._store.drop_if_empty()
                self._aside.close()

    @contextmanager
    def _lock(self) -> Iterator[None]:
        connection = self._connection
        theirs = connection.in_transaction()
        database = str(connection.execute(select(func.database())).scalar())
        name = locks.name_of(database, version_table_of(self._context))
        locks.wait(connection, name, seconds=self._terms.wait, emit=self._terms.emit)
        if not theirs:
            connection.rollback()  # Alembic would take it for a transaction that env.py began
        try:
            yield
        finally:
            # The connection may live on; one that is broken has given the lock back.
            with suppress(SQLAlchemyError):
                theirs = connection.in_transaction()
                locks.release(connection, name)
                if not theirs:
                    connection.rollback()

    @contextmanager
    def looking(self) -> Iterator[Connection | None]:
        """On a connection whose session no revision changes."""
        with self._recorder.own():
            yield self._aside()


def _store(context: MigrationContext, connection: Connection, aside: Aside) -> Store:
    return MySQLStore(connection, aside, version_table=version_table_of(context), types=TYPES)

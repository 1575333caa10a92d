"""One real transaction for each revision, on one connection.

Python's `sqlite3` begins a transaction before the first INSERT, UPDATE or DELETE only, so CREATE
and ALTER commit one by one. Here BEGIN IMMEDIATE is sent when SQLAlchemy begins: whoever else
writes is waited for then (`timeout` of the driver), and not in the middle of a revision, where
SQLite answers BUSY at once. The driver's own mode stays as it is: `isolation_level` begins
nothing where a transaction is open, and setting it would commit one. With `autocommit` (Python
3.12) the driver's commit() may do nothing, so COMMIT and ROLLBACK are sent as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event

from bootstrap.backends.sqlite import statements
from bootstrap.backends.sqlite.driver import in_transaction, send
from bootstrap.backends.sqlite.statements import Effect, Statement
from bootstrap.errors import RevisionError

Watch = Callable[[Statement], None]


class Transactions:
    """Begins and ends what SQLAlchemy believes to have begun and ended.

    Args:
        connection: The one of env.py.
        version_table: Alembic's; what is written there counts for no revision.
        watch: Told about each statement before it is sent.
    """

    def __init__(self, connection: Connection, *, version_table: str, watch: Watch) -> None:
        self._connection = connection
        self._version_table = version_table.lower()
        self._watch = watch
        self._theirs = connection.in_transaction()
        self._began = False
        self._outside = False
        self._wrote = False
        self._revision = ""
        self._silent = False

    def attach(self) -> None:
        """Begins to listen; what env.py or a program has begun already is begun in earnest."""
        for name, listener in self._listeners():
            event.listen(self._connection, name, listener)
        if self._theirs:
            self._begin(self._connection)

    def detach(self) -> None:
        """Ends listening. What is left of our own transaction is rolled back."""
        if not self._theirs and not self._connection.closed and self._connection.in_transaction():
            self._connection.rollback()
        for name, listener in self._listeners():
            event.remove(self._connection, name, listener)

    def revision(self, revision: str) -> None:
        """A revision begins, or none is running any more."""
        self._revision = revision
        self._wrote = False

    def complete(self) -> None:
        """All of the revision is written, its place in the version table included."""
        self._wrote = False

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Lets statements pass in the block that are not the revision's."""
        self._silent = True
        try:
            yield
        finally:
            self._silent = False

    def _listeners(self) -> tuple[tuple[str, Callable[..., None]], ...]:
        return (
            ("begin", self._begin),
            ("commit", self._commit),
            ("rollback", self._rollback),
            ("before_cursor_execute", self._before),
        )

    def _begin(self, connection: Connection) -> None:
        self._outside = False
        if not in_transaction(connection):  # a driver may begin by itself (autocommit=False)
            send(connection, "BEGIN IMMEDIATE")
            self._began = True

    def _commit(self, connection: Connection) -> None:
        if self._revision and self._wrote:
            raise RevisionError(
                f"revision {self._revision} commits before it is done; it was rolled back",
                hint="leave commit() out of it: each revision is one transaction",
            )
        self._expect(connection)
        self._end(connection, "COMMIT")

    def _rollback(self, connection: Connection) -> None:
        self._wrote = self._outside = False
        self._end(connection, "ROLLBACK")

    def _end(self, connection: Connection, how: str) -> None:
        if self._began and in_transaction(connection):
            send(connection, how)
        self._began = False

    def _before(self, connection: Connection, _cursor: object, sql: str, *_execution: Any) -> None:
        if self._silent:
            return
        self._expect(connection)
        said = statements.read(sql)
        if said.effect is Effect.ENDS:
            raise RevisionError(
                f"{self._where} sends {said.words.partition(' ')[0]}; it was rolled back",
                hint="leave it out: each revision is one transaction",
            )
        if said.effect is Effect.OUTSIDE:
            self._leave(connection, said)
        elif said.effect is Effect.WRITES and self._version_table not in said.names:
            self._wrote = True
        self._watch(said)

    def _expect(self, connection: Connection) -> None:
        """Goes back into a transaction after a statement outside of it.

        Raises:
            RevisionError: Somebody else has ended it, so that nobody knows what is committed.
        """
        if in_transaction(connection):
            return
        if not self._outside:
            raise RevisionError(
                f"the transaction of {self._where} was ended by the driver or by SQLite itself, "
                "and what it did before may be committed",
                hint="use no executescript() and no ON CONFLICT ROLLBACK in a revision; compare "
                "the schema with the file, and undo by hand what is there",
            )
        send(connection, "BEGIN IMMEDIATE")
        self._outside = False

    def _leave(self, connection: Connection, said: Statement) -> None:
        """Lets a statement run outside, where nothing is committed by that but what is whole."""
        if self._theirs or self._wrote:
            why = "after it has written" if self._wrote else "and one was begun before the run"
            raise RevisionError(
                f"{self._where} sends {said.words}, which cannot run in a transaction, {why}; "
                "nothing of it stays",
                hint="give the statement a revision of its own"
                if self._wrote
                else "begin no transaction before the migrations",
            )
        if in_transaction(connection):
            send(connection, "COMMIT")  # the version table, if that was made just now
        self._outside = True

    @property
    def _where(self) -> str:
        return f"revision {self._revision}" if self._revision else "env.py"

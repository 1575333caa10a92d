"""Each revision takes effect as a whole or not at all, and loses nothing by accident."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from itertools import takewhile
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Table

from bootstrap.backends.guards import Atomicity, Guard, Terms
from bootstrap.backends.sqlite.driver import begins_by_itself
from bootstrap.backends.sqlite.foreign_keys import SwitchedOff
from bootstrap.backends.sqlite.losses import Losses
from bootstrap.backends.sqlite.statements import Effect, Statement, begins_in_python, read
from bootstrap.backends.sqlite.transactions import Transactions
from bootstrap.errors import PartsWouldBeLost
from bootstrap.journal.entries import Part


class SQLiteAtomicity(Atomicity):
    """What SQLite can do, and neither Python's driver nor Alembic ask of it."""

    def options(self) -> Mapping[str, bool]:
        """A transaction for each revision."""
        return {"transactional_ddl": True, "transaction_per_migration": True}

    def stops(self, connection: Connection, statements: Sequence[str]) -> frozenset[int]:
        """After each, until the driver begins a transaction, which it does where rows are written.

        Where it is told to begin none, after every one.
        """
        if not begins_by_itself(connection):
            return frozenset(range(len(statements) + 1))
        alone = takewhile(lambda sql: not begins_in_python(sql), statements)
        return frozenset(
            number for number, sql in enumerate(alone, 1) if read(sql).effect is not Effect.READS
        )

    @contextmanager
    def around(self, context: MigrationContext, terms: Terms) -> Iterator[Guard]:
        """Foreign keys are off, and what SQLAlchemy begins is begun in earnest."""
        connection = context.connection
        if connection is None:
            yield Guard()
            return
        foreign_keys = SwitchedOff(connection)
        guard = SQLiteGuard(
            context, allow_loss=terms.allow_loss, enforced=not foreign_keys.possible
        )
        try:
            guard.attach()
            yield guard
        finally:
            guard.detach()
            foreign_keys.restore()


class SQLiteGuard(Guard):
    """Watches over the revisions of a run."""

    def __init__(self, context: MigrationContext, *, allow_loss: bool, enforced: bool) -> None:
        assert context.connection is not None  # noqa: S101 - online there is one
        self._context: Any = context
        self._allow_loss = allow_loss
        self._revision = ""
        self._losses = Losses(context.connection, enforced=enforced)
        self._transactions = Transactions(
            context.connection, version_table=context.version_table, watch=self._watch
        )

    def attach(self) -> None:
        """Begins to watch.

        An autocommit block, which a revision has for another backend's sake, would commit half of
        it; what cannot run in a transaction here is recognised by itself.
        """
        self._transactions.attach()
        self._context.autocommit_block = nullcontext
        self._context.on_version_apply_callbacks += (self._applied,)
        self._see_batches()

    def detach(self) -> None:
        """Ends watching."""
        self._transactions.detach()

    def begin(self, part: Part) -> None:
        """A revision begins."""
        self._revision = part.revision
        self._losses.forget()
        self._transactions.revision(part.revision)

    def finished(self) -> None:
        """It is committed."""
        self._revision = ""
        self._transactions.revision("")

    @contextmanager
    def looking(self) -> Iterator[Connection | None]:
        """On the same connection: nobody else sees what is not committed."""
        with self._transactions.looking():
            yield None

    def _see_batches(self) -> None:
        """Has Alembic tell about each table that batch mode makes anew."""
        prepare = self._context.impl.prep_table_for_batch

        def prepared(batch: Any, table: Table) -> None:
            self._losses.batch(batch)
            prepare(batch, table)

        self._context.impl.prep_table_for_batch = prepared

    def _watch(self, said: Statement) -> None:
        """Before each statement of a revision."""
        if self._revision:
            with self._transactions.looking():
                self._losses.watch(said)

    def _applied(self, **_about: object) -> None:
        """The last moment before the commit."""
        with self._transactions.looking():
            self._refuse_losses()
        self._transactions.complete()

    def _refuse_losses(self) -> None:
        losses = self._losses.found()
        if losses and not self._allow_loss:
            raise PartsWouldBeLost(
                f"revision {self._revision} would lose {', '.join(losses)}; it was not committed",
                losses=losses,
                hint="state in the revision what must stay (batch_alter_table takes table_args "
                "and copy_from; triggers are created anew after it), or add --allow-loss",
            )

"""Looks from inside an env.py where the database is."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import (
    AbstractContextManager,
    ExitStack,
    contextmanager,
    nullcontext,
)
from dataclasses import dataclass, field
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap.backends.sessions import Cancellable
from bootstrap.database import Database
from bootstrap.positions.beginning import is_first_time
from bootstrap.positions.moves import (
    AlembicStep,
)
from bootstrap.positions.position import (
    Position,
    only_reading,
    read_position,
)
from bootstrap.records.names import JOURNAL, LOG
from bootstrap.running.handed import not_handed, refuse_another
from bootstrap.running.turn import StoppedError


@dataclass(slots=True, kw_only=True)
class Look:
    """Looks where the database is, and changes nothing.

    Attributes:
        scripts: The revisions of the project.
        database: The one that was asked for.
        connection: What env.py must use, if a program has handed that over.
        first: The project's function for a database that is empty; see `Project`.
        stop: Set from another thread to end the work before its next step.
        position: Where it was found to be; None until env.py has connected.
        begins: Whether it is empty, and that function is to be called.
        failed: What went wrong inside env.py, which may swallow it.
        cancellable: How its statement is cancelled; None where nobody can.
        watching: What is to be undone at the end, on a connection that may outlive the work.
        reached: Whether the server has answered.
    """

    scripts: ScriptDirectory
    database: Database
    connection: AsyncConnection | None = None
    first: str | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    position: Position | None = None
    begins: bool = False
    failed: BaseException | None = None
    cancellable: Cancellable | None = None
    watching: ExitStack = field(default_factory=ExitStack)
    reached: bool = False

    @property
    def options(self) -> Mapping[str, object]:
        """Options of `context.configure()` that go before those of env.py."""
        return {}

    def look(self, context: MigrationContext) -> None:
        """Reads the position as soon as env.py has connected."""
        with only_reading(context):
            self.watch(context)
            self.position = read_position(context)
            self.begins = self.is_first_time(context)

    def is_first_time(self, context: MigrationContext) -> bool:
        """Whether the project's function is to make the schema."""
        at_none = self.position is not None and not self.position.heads
        return self.first is not None and at_none and is_first_time(context)

    @contextmanager
    def around(self, context: MigrationContext) -> Iterator[None]:
        """Nothing surrounds what only looks."""
        yield

    def told(self, arguments: Mapping[str, Any]) -> None:
        """Who only looks runs no function of a revision."""

    def during(self) -> AbstractContextManager[None]:
        """Nothing surrounds what only looks."""
        return nullcontext()

    def steps(self, heads: Sequence[str], context: MigrationContext) -> Iterator[AlembicStep]:
        """Yields nothing."""
        return iter(())

    def check(self, context: MigrationContext) -> None:
        """Refuses another database than the one that was asked for, and stops when it should.

        Raises:
            SettingsError: env.py has connected somewhere else.
        """
        self.go_on()
        if self.connection is not None:
            if context.connection is not self.connection.sync_connection:
                raise not_handed()
        elif context.connection is not None:
            refuse_another(self.database, context.connection.engine.url)

    def again(self) -> None:
        """Forgets what failed."""
        self.failed = None

    def watch(self, context: MigrationContext) -> None:
        """Finds out how a statement is cancelled, and lets none begin after `leave`.

        But those that record a revision, or what is done of it: that is done.
        """
        connection, table = context.connection, context.version_table
        if connection is None:
            return
        self.cancellable = self.database.backend.cancelling.of(connection, spare=table)

        def refuse(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            if not any(name in statement for name in (table, JOURNAL, LOG)):
                self.go_on()

        event.listen(connection, "before_cursor_execute", refuse)
        self.watching.callback(event.remove, connection, "before_cursor_execute", refuse)

    def leave(self) -> None:
        """Ends the work early; called when the caller is cancelled."""
        self.stop.set()

    def go_on(self) -> None:
        """Raises when the work was stopped."""
        if self.stop.is_set():
            raise StoppedError

"""What SQLAlchemy calls for the statements of one connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, event

from bootstrap.journal.sending import Send


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Hands each statement to a recorder, with what sends it.

    Attributes:
        connection: The one of env.py.
        seen: Takes care of a statement: its cursor, text, parameters, context, and what sends it.
        sends: Sends a statement without parameters in a shorter way, as this cursor would, and
            tells whether it did.
        patient: Has what sends a statement wait for its lock.
        commit: Called before SQLAlchemy commits.
        rollback: Called before it rolls back.
    """

    connection: Connection
    seen: Callable[[Any, str, Any, Any, Send], bool]
    sends: Callable[[str, Any], bool]
    patient: Callable[[Send], Send]
    commit: Callable[[Connection], None]
    rollback: Callable[[Connection], None]

    def attach(self) -> None:
        """Begins to listen."""
        for target, name, listener in self._listeners():
            event.listen(target, name, listener)

    def detach(self) -> None:
        """Ends listening."""
        for target, name, listener in self._listeners():
            event.remove(target, name, listener)

    def _listeners(self) -> tuple[tuple[Any, str, Callable[..., Any]], ...]:
        engine = self.connection.engine
        return (
            (engine, "do_execute", self._do_execute),
            (engine, "do_executemany", self._do_executemany),
            (engine, "do_execute_no_params", self._do_execute_no_params),
            (self.connection, "commit", self.commit),
            (self.connection, "rollback", self.rollback),
        )

    def _do_execute(self, cursor: Any, sql: str, parameters: Any, context: Any) -> bool:
        def send(text: str) -> None:
            if parameters or not self.sends(text, cursor):
                context.dialect.do_execute(cursor, text, parameters, context)

        return self.seen(cursor, sql, parameters, context, self.patient(send)) or (
            not parameters and self._sent(cursor, sql, context)
        )

    def _do_executemany(self, cursor: Any, sql: str, parameters: Any, context: Any) -> bool:
        def send(text: str) -> None:
            context.dialect.do_executemany(cursor, text, parameters, context)

        # Not again when it got no lock: the driver sends one after the other, and some are done.
        return self.seen(cursor, sql, parameters, context, send)

    def _do_execute_no_params(self, cursor: Any, sql: str, context: Any) -> bool:
        def send(text: str) -> None:
            if not self.sends(text, cursor):
                context.dialect.do_execute_no_params(cursor, text, context)

        return self.seen(cursor, sql, (), context, self.patient(send)) or (
            self._sent(cursor, sql, context)
        )

    def _sent(self, cursor: Any, sql: str, context: Any) -> bool:
        """Sends in the shorter way too what the recorder has nothing to do with: the version."""
        ours = context is not None and context.root_connection is self.connection
        return ours and self.sends(sql, cursor)

"""Tells when a statement of one connection is sent, and when it has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, ExceptionContext, event

from bootstrap.journal.entries import UNSEEN


def listen(
    connection: Connection,
    *,
    sent: Callable[[], None],
    done: Callable[[], None],
    refused: Callable[[], None],
) -> Callable[[], None]:
    """Begins to listen; returns what ends that.

    Statements that bootstrap adds to a revision's are passed by.

    Args:
        connection: The one of env.py.
        sent: Called before each statement; one may be sent in the middle of another.
        done: Called when the server has carried it out.
        refused: Called when it has not, or was lost.
    """

    def failed(failure: ExceptionContext) -> None:
        # One dialect may serve several connections.
        if failure.connection is connection and not _is_ours(failure.execution_context):
            refused()

    def told(who: Callable[[], None]) -> Callable[..., None]:
        def tell(
            _connection: object, _cursor: object, _sql: str, _values: Any, about: Any, *_: Any
        ) -> None:
            if not _is_ours(about):
                who()

        return tell

    # Functions of this call: env.py may configure() twice on one connection, and SQLAlchemy
    # knows a method it listens with already.
    watched: tuple[tuple[Any, str, Callable[..., None]], ...] = (
        (connection, "before_cursor_execute", told(sent)),
        (connection, "after_cursor_execute", told(done)),
        (connection.engine, "handle_error", failed),
    )
    for target, name, listener in watched:
        event.listen(target, name, listener)

    def detach() -> None:
        for target, name, listener in watched:
            event.remove(target, name, listener)

    return detach


def _is_ours(context: Any) -> bool:
    return context is not None and UNSEEN.keys() <= context.execution_options.keys()

"""Turns a translated failure of a database into the error that a person reads."""

from __future__ import annotations

from dataclasses import dataclass

from bootstrap.backends.base import Failure, Reason
from bootstrap.errors import (
    DatabaseError,
    DatabaseExists,
    DatabaseInUse,
    DatabaseMissing,
    DatabaseRefused,
    DatabaseUnreachable,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    kind: type[DatabaseError]
    why: str
    hint: str


# {place} is the host and port, or the file; {text} the server's own words.
_WORDS = {
    Reason.UNKNOWN_HOST: _Words(
        kind=DatabaseUnreachable,
        why="{place} cannot be found: {text}",
        hint="check the host name in the URL; `bootstrap config` shows where it comes from",
    ),
    Reason.CLOSED_PORT: _Words(
        kind=DatabaseUnreachable,
        why="nothing listens on {place}",
        hint="start the server or correct host and port; to wait for it: bootstrap wait",
    ),
    Reason.TIMED_OUT: _Words(
        kind=DatabaseUnreachable,
        why="{place} did not answer in time",
        hint="check host, port and firewall; to wait longer: bootstrap wait --timeout 300",
    ),
    Reason.STARTING: _Words(
        kind=DatabaseUnreachable,
        why="the server is still starting or shutting down: {text}",
        hint="bootstrap wait",
    ),
    Reason.CONNECTION_LOST: _Words(
        kind=DatabaseUnreachable,
        why="the connection was lost: {text}",
        hint="look at the server's log, then run the command again",
    ),
    Reason.TOO_MANY_CONNECTIONS: _Words(
        kind=DatabaseUnreachable,
        why="the server takes no more connections: {text}",
        hint="close some, or raise the server's limit",
    ),
    Reason.WRONG_PASSWORD: _Words(
        kind=DatabaseRefused,
        why="the login was refused: {text}",
        hint="correct user and password; `bootstrap config` shows where the URL comes from",
    ),
    Reason.NO_RIGHT: _Words(
        kind=DatabaseRefused,
        why="the right to do that is missing: {text}",
        hint="grant it, or use another account",
    ),
    Reason.READ_ONLY: _Words(
        kind=DatabaseRefused,
        why="it is read-only: {text}",
        hint="use the primary server, or a file that may be written",
    ),
    Reason.TLS: _Words(
        kind=DatabaseRefused,
        why="no secure connection was possible: {text}",
        hint="compare `sslmode` in the URL with what the server offers",
    ),
    Reason.WRONG_PRODUCT: _Words(
        kind=DatabaseRefused,
        why="another product answers there: {text}",
        hint="use mysql:// in the URL",
    ),
    Reason.NO_DATABASE: _Words(
        kind=DatabaseMissing,
        why="it does not exist",
        hint="bootstrap create, or bootstrap up to migrate and seed it too",
    ),
    Reason.DATABASE_EXISTS: _Words(
        kind=DatabaseExists,
        why="it exists already",
        hint="bootstrap migrate brings it to the newest revision",
    ),
    Reason.IN_USE: _Words(
        kind=DatabaseInUse,
        why="others are using it: {text}",
        hint="end their sessions, or use --force",
    ),
    Reason.BUSY: _Words(
        kind=DatabaseInUse,
        why="somebody else holds a lock on it: {text}",
        hint="wait until they are done, then run the command again",
    ),
    Reason.CONFLICT: _Words(
        kind=DatabaseInUse,
        why="another transaction was in the way: {text}",
        hint="run the command again",
    ),
    Reason.NOT_A_DATABASE: _Words(
        kind=DatabaseRefused,
        why="the file is not a SQLite database: {text}",
        hint="name another file; this one was not changed",
    ),
    Reason.CANNOT_OPEN: _Words(
        kind=DatabaseRefused,
        why="it cannot be opened: {text}",
        hint="name a file in a folder that exists and may be written",
    ),
    Reason.ALREADY_THERE: _Words(kind=DatabaseRefused, why="the server refused: {text}", hint=""),
    Reason.STATEMENT: _Words(kind=DatabaseRefused, why="the server refused: {text}", hint=""),
}


def database_error(failure: Failure, *, tried: str, place: str) -> DatabaseError:
    """Makes the error for a failure.

    Args:
        failure: What the backend understood of the driver's exception.
        tried: The first half of the sentence, such as `cannot connect to PostgreSQL database app`.
        place: Host and port, or the file.
    """
    words = _WORDS[failure.reason]
    why = words.why.format(place=place, text=failure.text)
    code = f" ({failure.code})" if failure.code else ""
    error = words.kind(f"{tried}: {why}{code}", hint=words.hint)
    error.fault = failure.fault
    return error

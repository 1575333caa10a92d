"""What the backends share when they translate exceptions: the chain of causes and the network."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Collection, Iterator
from dataclasses import replace

from sqlalchemy.exc import DBAPIError, PendingRollbackError

from bootstrap.backends.base import Failure, Reason
from bootstrap.errors import Fault

# In this order: the first ones are subclasses of later ones.
_NETWORK: dict[type[BaseException], Reason] = {
    socket.gaierror: Reason.UNKNOWN_HOST,
    ssl.SSLError: Reason.TLS,
    ConnectionRefusedError: Reason.CLOSED_PORT,
    FileNotFoundError: Reason.CLOSED_PORT,  # the path of a Unix socket
    TimeoutError: Reason.TIMED_OUT,
    ConnectionError: Reason.CONNECTION_LOST,
    EOFError: Reason.CONNECTION_LOST,
}
_PASSING = {
    Reason.UNKNOWN_HOST: Fault.UNREACHABLE,  # the name of a server that takes over changes
    Reason.CLOSED_PORT: Fault.UNREACHABLE,
    Reason.TIMED_OUT: Fault.UNREACHABLE,
    Reason.STARTING: Fault.UNREACHABLE,
    Reason.TOO_MANY_CONNECTIONS: Fault.UNREACHABLE,
    Reason.CONNECTION_LOST: Fault.LOST,
    Reason.CONFLICT: Fault.CONFLICT,
    Reason.READ_ONLY: Fault.READ_ONLY,  # until another server is promoted, or this one again
}
_NO_WAY = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}


def causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that led to it, the driver's own ones included, outermost first."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop(0)
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [getattr(current, "orig", None), current.__cause__, current.__context__]
        waiting += getattr(current, "exceptions", ())


def one_line(text: object) -> str:
    """The first line of a message that is not blank."""
    return next((line.strip() for line in str(text).splitlines() if line.strip()), "")


def network_failure(error: BaseException) -> Failure | None:
    """Translates what the operating system said on the way to a server; None for other errors."""
    for cause in causes(error):
        reason = _network_reason(cause)
        if reason:
            return Failure(reason=reason, code="", text=one_line(cause) or reason.value)
    return None


def passing(failure: Failure, *, lasting: Collection[str] = ()) -> Failure:
    """The failure of a server, with what may pass of it by itself.

    Args:
        failure: As it was translated.
        lasting: The codes of what would happen again all the same.
    """
    if failure.fault is not None or failure.code in lasting:
        return failure
    return replace(failure, fault=_PASSING.get(failure.reason))


def without_code(error: BaseException) -> Failure | None:
    """Translates what a driver says without the server's code; None for other errors."""
    if isinstance(error, PendingRollbackError):  # what made the transaction useless came before it
        error = next((one for one in causes(error) if isinstance(one, DBAPIError)), error)
    if not isinstance(error, DBAPIError):
        return None
    lost = error.connection_invalidated  # SQLAlchemy asks the driver whether it is still there
    reason = Reason.CONNECTION_LOST if lost else Reason.STATEMENT
    return Failure(reason=reason, code="", text=one_line(error.orig))


def _network_reason(error: BaseException) -> Reason | None:
    for kind, reason in _NETWORK.items():
        if isinstance(error, kind):
            return reason
    no_way = isinstance(error, OSError) and error.errno in _NO_WAY
    return Reason.UNKNOWN_HOST if no_way else None

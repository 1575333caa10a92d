"""What is asked of single connections: the run lock's, and that of the revisions from outside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection

if TYPE_CHECKING:
    from bootstrap.backends.base import Connecting, Engines


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The process that a run lock is taken for."""

    host: str
    pid: int
    user: str  # of the operating system


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a run lock, as far as it can be told.

    Attributes:
        session: What the server calls the connection; empty where the lock is a file.
        owner: The process; None when it has not said so yet.
        since: When it took the lock, in UTC.
    """

    session: str = ""
    owner: Owner | None = None
    since: datetime | None = None


class LockSession(Protocol):
    """A connection of its own that takes one run lock; others wait by asking again."""

    async def acquire(self) -> bool:
        """Tries once, without waiting, and tells whether the lock is held now."""

    async def announce(self) -> None:
        """Writes down who holds it, where only a table can tell; needs the lock."""

    async def is_held(self) -> bool:
        """Asks the server whether the lock is still held; false when there is no answer."""

    def has_gone(self) -> bool:
        """Whether the lock is lost for sure, as far as this process knows; asks no server.

        From any thread.
        """

    async def holder(self) -> Holder | None:
        """Who holds it; None when nobody does."""

    async def end_holder(self) -> bool:
        """Takes it away from whoever holds it; false when nobody did."""

    async def close(self) -> None:
        """Gives the lock back and closes the connection; never raises."""


class Locks(Protocol):
    """Keeps two runs on one database apart."""

    async def open(
        self, engines: Engines, connecting: Connecting, *, name: str, owner: Owner
    ) -> LockSession:
        """Opens the connection for a lock; nothing is taken yet.

        Args:
            engines: Who makes the connection.
            connecting: The database.
            name: What is locked in it: the version table.
            owner: For others to read while they wait.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """Somebody whose lock is in the way of a statement.

    Attributes:
        session: The server's number for the connection.
        user: Of the server; empty where it does not tell.
        application: The name that the client has given itself; empty where it has none.
        age: Seconds since the transaction began that holds the lock; None where nobody tells.
        certain: False where the server only tells whose transactions are open.
    """

    session: str
    user: str
    application: str
    age: float | None
    certain: bool = True


class Cancellable(Protocol):
    """The connection that revisions run on, for somebody else who looks at its statement."""

    async def cancel(self, engines: Engines, connecting: Connecting) -> bool:
        """Has the statement end that runs there, and never that of another connection.

        Raises the driver's own exception when the server cannot be asked.

        Args:
            engines: Who makes a connection for that.
            connecting: The database.

        Returns:
            Whether a statement was running, as far as can be told from outside.
        """

    async def end(self, engines: Engines, connecting: Connecting) -> bool:
        """Has the server give up what it still does for the connection, whose client has lost it.

        Raises the driver's own exception when the server cannot be asked.

        Args:
            engines: Who makes a connection for that.
            connecting: The database.

        Returns:
            Whether something is left, so that one has to ask again; never true where the next run
            finds out by itself.
        """

    async def blockers(self, engines: Engines, connecting: Connecting) -> tuple[Blocker, ...]:
        """Who is in the way of the statement that runs there; nobody when it does not wait.

        Raises the driver's own exception when the server cannot be asked, or does not tell.

        Args:
            engines: Who makes a connection for that.
            connecting: The database.
        """


class Patience(Protocol):
    """How long the statements of one connection wait for the locks of others.

    Attributes:
        configured: Whether somebody has chosen a limit before: env.py, the account, the server.
    """

    configured: bool

    def limit(self, seconds: float | None) -> None:
        """Sets the limit from now on; 0 is none, and None leaves what is there."""

    def close(self) -> None:
        """Puts back what was there before, where the connection goes on."""


class Waits(Protocol):
    """Bounds the time that statements wait."""

    def of(self, connection: Connection) -> Patience:
        """The limit of the connection that env.py opened, not set yet."""


class Cancelling(Protocol):
    """Ends statements that a run has begun."""

    def of(self, connection: Connection, *, spare: str) -> Cancellable | None:
        """What to remember of the connection that env.py opened, whichever its driver is.

        Args:
            connection: That one.
            spare: A name; a statement that mentions it is left alone.

        Returns:
            None when nobody could tell for sure later whose statement would be cancelled.
        """

"""What databases on a server have in common."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import URL

from bootstrap.backends.base import Connecting, Engines, Errors, Reason

_THIS_MACHINE = {"", "127.0.0.1", "::1"}


class ServerAdmin:
    """The part of an Admin that is the same on all servers.

    Attributes:
        port: The one that a URL without a port means.
        errors: How the driver's exceptions are understood.
    """

    port: ClassVar[int]
    errors: ClassVar[Errors]

    def identity(self, url: URL) -> tuple[str, ...]:
        """Host, port and name."""
        host = (url.host or "").lower()
        several = url.normalized_query.get("host", ())
        place = "localhost" if host in _THIS_MACHINE and not several else host
        return (place, str(url.port or self.port), url.database or "", *several)

    async def exists(self, engines: Engines, connecting: Connecting) -> bool:
        """Tells whether the database is there, by a connection to it: that needs no other right."""
        engine = engines.create(connecting)
        try:
            async with engine.connect():
                return True
        except Exception as error:
            if self.reason(error) is Reason.NO_DATABASE:
                return False
            raise
        finally:
            await engine.dispose()

    def reason(self, error: BaseException) -> Reason | None:
        """Why the server said no; None when the error is another's."""
        failure = self.errors.translate(error)
        return failure.reason if failure else None

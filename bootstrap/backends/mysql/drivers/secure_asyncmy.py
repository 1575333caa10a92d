"""asyncmy with a TLS, a time-out and an end that mean what was asked for.

As aiomysql does, asyncmy given an SSLContext goes wrong when the server offers no TLS; its time-out
ends when the port is open, and it does not wait for the end of a login that failed.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from asyncmy.connection import Connection
from asyncmy.constants.CLIENT import SSL
from asyncmy.constants.CR import CR_SSL_CONNECTION_ERROR
from asyncmy.errors import OperationalError

_Connection: Any = Connection  # its stubs leave out what is replaced here
_FAREWELL = 5.0  # seconds that the server may take to close its side
_LONGEST = 31_536_000  # seconds, a year: asyncmy takes no None


class _Preferring(_Connection):  # type: ignore[misc]  # see above
    """Uses TLS where the server offers it."""

    async def _get_server_information(self) -> None:
        """Reads the server's greeting, the last step before anything secret is sent."""
        await super()._get_server_information()
        if self._ssl_context is not None and not self.server_capabilities & SSL:
            self._without_tls()

    def _without_tls(self) -> None:
        self._ssl_context = None
        self._client_flag &= ~SSL

    async def _request_authentication(self) -> Any:
        try:
            return await super()._request_authentication()
        except BaseException:
            await self._closed()
            raise

    async def _closed(self) -> None:
        """Closes a connection to the end; how the other side takes it does not matter any more."""
        transport, protocol = self._transport, self._proto
        self.close()
        if transport is None or protocol is None:
            return
        with suppress(OSError):  # a TimeoutError is one
            async with asyncio.timeout(_FAREWELL):
                await protocol.wait_closed()


class _Requiring(_Preferring):
    """Does not go on without TLS."""

    def _without_tls(self) -> None:
        raise OperationalError(CR_SSL_CONNECTION_ERROR, "the server offers no TLS")


async def connect(*, seconds: float | None, **arguments: Any) -> Connection:
    """Connects as `asyncmy.connect` does, with TLS where the server offers it."""
    return await _opened(_Preferring(connect_timeout=_LONGEST, **arguments), seconds)


async def connect_securely(*, seconds: float | None, **arguments: Any) -> Connection:
    """Connects as `asyncmy.connect` does, with TLS or not at all."""
    return await _opened(_Requiring(connect_timeout=_LONGEST, **arguments), seconds)


async def _opened(connection: _Preferring, seconds: float | None) -> _Preferring:
    try:
        async with asyncio.timeout(seconds):
            await connection.connect()
    except BaseException:
        connection.close()
        raise
    return connection

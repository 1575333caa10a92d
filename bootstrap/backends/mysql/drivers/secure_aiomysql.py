"""aiomysql with a TLS, a time-out, bytes and an end that mean what was asked for.

aiomysql given an SSLContext goes on in clear text when the server offers no TLS, so somebody in
between can switch it off; its time-out ends when the port is open; and it does not wait until a
connection is closed, which takes TLS longer than the event loop may live.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from aiomysql import (  # type: ignore[import-untyped]  # it has no type hints
    Connection,
    OperationalError,
)
from pymysql.constants import CLIENT, CR  # type: ignore[import-untyped]  # no type hints either

_FAREWELL = 5.0  # seconds that the server may take to close its side


class _Preferring(Connection):  # type: ignore[misc]  # aiomysql is untyped
    """Uses TLS where the server offers it."""

    _polite = False  # whether the server is being told goodbye

    async def _get_server_information(self) -> None:
        """Reads the server's greeting, the last step before anything secret is sent."""
        await super()._get_server_information()
        if not self.server_capabilities & CLIENT.SSL:
            self._without_tls()

    def _without_tls(self) -> None:
        self._ssl_context = None
        self.client_flag &= ~CLIENT.SSL

    async def _request_authentication(self) -> None:
        try:
            await super()._request_authentication()
        except BaseException:
            await _closed(self._writer)
            raise

    def escape(self, obj: Any) -> str:
        """Writes a value as SQL; for bytes aiomysql calls what PyMySQL 1.2.4 has no more."""
        if isinstance(obj, bytes):
            return f"_binary X'{obj.hex()}'"
        return str(super().escape(obj))

    def close(self) -> None:
        """Closes the connection without a word, and so at once, also where TLS has more to say."""
        if self._writer is not None and not self._polite:
            self._writer.transport.abort()
        super().close()

    async def ensure_closed(self) -> None:
        """Says goodbye and closes the connection, TLS included."""
        writer, self._polite = self._writer, True
        await super().ensure_closed()
        if writer is not None:
            await _closed(writer)


class _Requiring(_Preferring):
    """Does not go on without TLS."""

    def _without_tls(self) -> None:
        raise OperationalError(CR.CR_SSL_CONNECTION_ERROR, "the server offers no TLS")


async def connect(**arguments: Any) -> Connection:
    """Connects as `aiomysql.connect` does, with TLS where the server offers it."""
    return await _opened(_Preferring(**arguments))


async def connect_securely(**arguments: Any) -> Connection:
    """Connects as `aiomysql.connect` does, with TLS or not at all."""
    return await _opened(_Requiring(**arguments))


async def _opened(connection: Connection) -> Connection:
    try:
        async with asyncio.timeout(connection.connect_timeout):
            await connection._connect()  # noqa: SLF001 - aiomysql.connect makes its own class only
    except BaseException:
        connection.close()
        raise
    return connection


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Closes a connection to the end; how the other side takes it does not matter any more."""
    writer.close()
    try:
        with suppress(OSError):  # a TimeoutError is one
            async with asyncio.timeout(_FAREWELL):
                await writer.wait_closed()
    finally:
        writer.transport.abort()  # TLS would wait for half a minute; what is closed stays so

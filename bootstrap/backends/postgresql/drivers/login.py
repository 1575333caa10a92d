"""psycopg's login, with a time-out for all of it and with the server's code when it is refused.

libpq tells why a login failed by a text in the server's language alone: the SQLSTATE that came
with it is lost (PostgreSQL manual, PQerrorMessage). So asyncpg tries the same login once more, and
its exception becomes the cause of psycopg's.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from psycopg import AsyncConnection, OperationalError

from bootstrap.backends.base import Connecting
from bootstrap.backends.chain import causes
from bootstrap.backends.engine import PlainEngines

_WITHOUT_END = 10_000_000  # seconds; psycopg makes 130 of a zero


async def opened(
    *addresses: Any, asked: Connecting | None, seconds: float | None, **arguments: Any
) -> AsyncConnection:
    """Connects as `AsyncConnection.connect` does.

    Args:
        addresses: psycopg's own.
        asked: The same login for asyncpg; None when there is none.
        seconds: How long all of it may take; None without a limit.
        arguments: psycopg's own.
    """
    arguments |= {"connect_timeout": _WITHOUT_END}
    async with asyncio.timeout(seconds):
        try:
            return await AsyncConnection.connect(*addresses, **arguments)
        except OperationalError as error:
            reason = await _reason(asked, bound=arguments.get("channel_binding") == "require")
            if reason is not None:
                raise error from reason
        # What was in the way has gone, or it is in the way of psycopg alone.
        return await AsyncConnection.connect(*addresses, **arguments)


async def _reason(asked: Connecting | None, *, bound: bool) -> Exception | None:
    """What asyncpg says to the same login; None when it gets in, or may not try."""
    if asked is None:
        return None
    engine = PlainEngines().create(asked)
    try:
        async with engine.connect():
            return None
    except Exception as error:  # noqa: BLE001 - it is not swallowed, but goes into the chain
        # Instead of binding the channel asyncpg checks the certificate, which psycopg does not.
        checked = bound and any(isinstance(cause, ssl.SSLError) for cause in causes(error))
        return None if checked else error
    finally:
        await engine.dispose()

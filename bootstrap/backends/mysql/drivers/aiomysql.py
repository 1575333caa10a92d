"""aiomysql, and what it takes in the place of the options in a URL."""

from __future__ import annotations

from sqlalchemy import URL

from bootstrap.backends.base import Connecting, Driver
from bootstrap.backends.mysql.drivers.options import SSLMode, asked


def connecting(url: URL) -> Connecting:
    """Translates the options of a URL for aiomysql.

    Raises:
        SettingsError: A value cannot be honoured.
    """
    # Not before it is used: the driver may not be installed.
    from bootstrap.backends.mysql.drivers.secure_aiomysql import (  # noqa: PLC0415
        connect,
        connect_securely,
    )

    wanted = asked(url)
    lenient = wanted.context is None or wanted.mode is SSLMode.PREFERRED
    tls = {"ssl": wanted.context} if wanted.context else {}
    return Connecting(
        url=wanted.url,
        arguments={
            **wanted.arguments,
            **tls,
            "connect_timeout": wanted.seconds,
            "async_creator_fn": connect if lenient else connect_securely,
        },
    )


AIOMYSQL = Driver(
    name="aiomysql", module="aiomysql", install="aiomysql[rsa]", connecting=connecting
)

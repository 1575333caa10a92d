"""asyncmy, and what it takes in the place of the options in a URL."""

from __future__ import annotations

from functools import partial

from sqlalchemy import URL

from bootstrap.backends.base import Connecting, Driver
from bootstrap.backends.mysql.drivers.options import SSLMode, asked

_FOREIGN = frozenset({"auth_plugin"})  # asyncmy takes the server's choice


def connecting(url: URL) -> Connecting:
    """Translates the options of a URL for asyncmy.

    Raises:
        SettingsError: A value cannot be honoured.
    """
    # Not before it is used: the driver is an extra.
    from bootstrap.backends.mysql.drivers.secure_asyncmy import (  # noqa: PLC0415
        connect,
        connect_securely,
    )

    wanted = asked(url, foreign=_FOREIGN)
    lenient = wanted.context is None or wanted.mode is SSLMode.PREFERRED
    tls = {"ssl": wanted.context} if wanted.context else {}
    creator = connect if lenient else connect_securely
    return Connecting(
        url=wanted.url,
        arguments={
            **wanted.arguments,
            **tls,
            "async_creator_fn": partial(creator, seconds=wanted.seconds),
        },
    )


ASYNCMY = Driver(name="asyncmy", module="asyncmy", install="asyncmy", connecting=connecting)

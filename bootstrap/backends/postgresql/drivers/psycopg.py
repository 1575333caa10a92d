"""psycopg 3, which hands libpq's options to libpq itself."""

from __future__ import annotations

import os
import ssl
from functools import partial
from typing import Any

from sqlalchemy import URL

from bootstrap.backends.base import Connecting, Driver
from bootstrap.backends.options import number, options_of, switch, without_options
from bootstrap.backends.postgresql.drivers import asyncpg, libpq
from bootstrap.errors import SettingsError

# What asyncpg does not have; libpq reads them.
_OWN = frozenset({"require_auth", "requirepeer", "sslcertmode", "sslcrldir"})
_AS_THEY_ARE = (
    libpq.PLAIN
    | libpq.TUNING
    | _OWN
    | {"options", "sslnegotiation", "channel_binding", "gssencmode"}
)
_DROPPED = libpq.DROPPED | libpq.CACHING
_PSYCOPG = frozenset({"prepare_threshold"})
_ASYNCPG = frozenset({"command_timeout"})
_KNOWN = libpq.STAY | libpq.TRANSLATED | _AS_THEY_ARE | _PSYCOPG
_GSSENCMODES = ("disable", "prefer", "require")
# libpq's variables for what asyncpg does not look at.
_STRICTER = frozenset(
    {"PGREQUIREAUTH", "PGREQUIREPEER", "PGSSLCERTMODE", "PGSSLCRLDIR"}
    | {"PGCHANNELBINDING", "PGGSSENCMODE"}
)
_INSTALL = "psycopg[binary]"


def connecting(url: URL) -> Connecting:
    """Translates the options of a URL for psycopg.

    Raises:
        SettingsError: A value cannot be honoured, or libpq is missing or too old.
    """
    _refuse_foreign(url)
    options = options_of(url, _KNOWN, ignored=_DROPPED)
    libpq.check(options, gssencmode=_GSSENCMODES)
    known = _keywords()
    for name in options.keys() & _AS_THEY_ARE - known:
        raise SettingsError(
            f"the libpq of psycopg is too old for the option {name} in the database URL",
            hint=f"pip install --upgrade '{_INSTALL}'",
        )
    return Connecting(
        url=without_options(url, keep=libpq.STAY),
        arguments={
            **{name: value for name, value in options.items() if name in _AS_THEY_ARE},
            **_tls(options),
            "application_name": libpq.application_name(options),
            "client_encoding": "utf8",
            "prepare_threshold": _prepare_threshold(options),
            "async_creator_fn": _creator(url, options),
        },
    )


def _refuse_foreign(url: URL) -> None:
    for name in url.query.keys() & _ASYNCPG:
        raise SettingsError(
            f"the option {name} in the database URL is one of asyncpg, not of psycopg",
            hint="for the server's own limit: options=-c%20statement_timeout%3D30s",
        )


def _keywords() -> frozenset[str]:
    """What this libpq knows; psycopg without one cannot be imported."""
    # Not before it is used: it is an extra.
    try:
        from psycopg import pq  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            "the driver psycopg finds no libpq", hint=f"pip install '{_INSTALL}'"
        ) from error
    return frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults())


def _prepare_threshold(options: dict[str, str]) -> int | None:
    """After how many times a statement is prepared: never, as a pooler may sit in between."""
    pooled = switch("pgbouncer", options.get("pgbouncer", "false"))
    if pooled or "prepare_threshold" not in options:
        return None
    return number("prepare_threshold", options["prepare_threshold"], kind=int)


def _tls(options: dict[str, str]) -> dict[str, str]:
    mode = libpq.sslmode(options)
    if options.get("sslrootcert") != "system":
        return {"sslmode": mode} if mode else {}
    # The OpenSSL of psycopg[binary] looks into a folder that no machine has.
    machine = ssl.get_default_verify_paths().cafile
    return {"sslmode": "verify-full"} | ({"sslrootcert": machine} if machine else {})


def _creator(url: URL, options: dict[str, str]) -> Any:
    from bootstrap.backends.postgresql.drivers.login import opened  # noqa: PLC0415 - needs psycopg

    return partial(opened, asked=_diagnosis(url, options), seconds=libpq.login_seconds(options))


def _diagnosis(url: URL, options: dict[str, str]) -> Connecting | None:
    """How asyncpg would connect; None where that promises less than what was asked for."""
    if _OWN & options.keys() or options.get("gssencmode") == "require":
        return None
    if _STRICTER & os.environ.keys():
        return None
    ours = url.difference_update_query([*_PSYCOPG, "gssencmode"])
    return asyncpg.connecting(ours.set(drivername="postgresql+asyncpg"))


PSYCOPG = Driver(
    name="psycopg",
    module="psycopg",
    install=_INSTALL,
    connecting=connecting,
    is_sync_too=True,
)

"""asyncpg, and what it takes in the place of libpq's options.

SQLAlchemy gives the options of a URL to asyncpg as keywords, and asyncpg takes libpq's only inside
a DSN of its own: so that is what it gets.
"""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from sqlalchemy import URL

from bootstrap.backends.base import Connecting, Driver
from bootstrap.backends.options import options_of, switch, without_options
from bootstrap.backends.postgresql.drivers import libpq

_NUMBERS: dict[str, type] = {
    "statement_cache_size": int,
    "prepared_statement_cache_size": int,
    "max_cached_statement_lifetime": int,
    "max_cacheable_statement_size": int,
    "command_timeout": float,
}
# asyncpg keeps its sockets alive itself, and always sends the server's name.
_DROPPED = libpq.DROPPED | libpq.TUNING
_KNOWN = libpq.STAY | libpq.PLAIN | libpq.TRANSLATED | _NUMBERS.keys()
_GSSENCMODES = ("disable", "prefer")  # it has no encryption but TLS


def connecting(url: URL) -> Connecting:
    """Translates the options of a URL for asyncpg.

    Raises:
        SettingsError: A value cannot be honoured.
    """
    options = options_of(url, _KNOWN, ignored=_DROPPED)
    return Connecting(
        url=without_options(url, keep=libpq.STAY),
        arguments={
            "timeout": libpq.login_seconds(options),
            **_prepared_statements(options),
            **_tls(options),
            "server_settings": _server_settings(options),
        },
    )


def _prepared_statements(options: dict[str, str]) -> dict[str, Any]:
    """No statement outlives its transaction, unless a URL asks for a cache.

    A pooler may give the next transaction another session, which does not know the statements of
    the one before, or has its own by the same names (PgBouncer, "FAQ"; SQLAlchemy, "Prepared
    Statement Name with PGBouncer"). It cannot be seen from here whether there is one.
    """
    statements: dict[str, Any] = {
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        "prepared_statement_name_func": lambda: f"bootstrap_{uuid4().hex}",
    }
    given = libpq.numbers(options, _NUMBERS)
    pooled = switch("pgbouncer", options.get("pgbouncer", "false"))
    return given | statements if pooled else statements | given


def _server_settings(options: dict[str, str]) -> dict[str, str]:
    """What the server is told at the start; it reads `options` (`-c name=value`) by itself."""
    settings = {"application_name": libpq.application_name(options)}
    if "options" in options:
        settings["options"] = options["options"]
    return settings


def _tls(options: dict[str, str]) -> dict[str, Any]:
    libpq.check(options, gssencmode=_GSSENCMODES)
    options = _with_channel_binding(options)
    mode = libpq.sslmode(options)
    dsn = {name: value for name, value in options.items() if name in libpq.PLAIN}
    if mode:
        dsn["sslmode"] = mode
    arguments: dict[str, Any] = {"dsn": f"postgresql://?{urlencode(dsn)}"} if dsn else {}
    if options.get("sslnegotiation") == "direct":
        arguments["direct_tls"] = True
    if options.get("sslrootcert") == "system":
        arguments["ssl"] = _system_context(options)
    return arguments


def _with_channel_binding(options: dict[str, str]) -> dict[str, str]:
    """Checks the server's certificate where channel binding is required.

    asyncpg has no SCRAM-SHA-256-PLUS (its `protocol/scram.pyx` says so), and Neon's URLs require
    it. It keeps others from listening in between, which a certificate that is checked does too.
    """
    required = options.get("channel_binding") == "require"
    if not required or libpq.sslmode(options) in libpq.VERIFYING:
        return options
    roots = {} if libpq.root_certificates(options) else {"sslrootcert": "system"}
    return options | {"sslmode": "verify-full"} | roots


def _system_context(options: dict[str, str]) -> ssl.SSLContext:
    """What `sslrootcert=system` means in libpq: the machine's authorities, and every check."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["postgresql"])  # PostgreSQL 17 asks for it in direct TLS
    if "sslcert" in options:
        context.load_cert_chain(
            options["sslcert"], options.get("sslkey"), options.get("sslpassword", "")
        )
    if "ssl_min_protocol_version" in options:
        context.minimum_version = libpq.TLS_VERSIONS[options["ssl_min_protocol_version"]]
    if "ssl_max_protocol_version" in options:
        context.maximum_version = libpq.TLS_VERSIONS[options["ssl_max_protocol_version"]]
    return context


ASYNCPG = Driver(
    name="asyncpg", module="asyncpg", install="asyncpg", connecting=connecting, prepares=True
)

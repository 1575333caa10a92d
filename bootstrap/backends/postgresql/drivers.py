"""The async driver of PostgreSQL, and libpq's options in its words.

libpq's options: PostgreSQL manual, "Parameter Key Words". Hosting providers put them into the
URLs that they hand out, SQLAlchemy gives them to asyncpg as keywords, and asyncpg takes them only
inside a DSN of its own: so that is what it gets.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from sqlalchemy import URL

from bootstrap.backends.base import Connecting, Driver
from bootstrap.backends.options import (
    file,
    number,
    options_of,
    refused,
    seconds,
    switch,
    without_options,
    word,
)
from bootstrap.errors import SettingsError

_APPLICATION_NAME = "bootstrap"

# SQLAlchemy reads these itself, several hosts and socket folders included.
_STAY = frozenset({"host", "port", "user", "password", "prepared_statement_cache_size"})

_SSLMODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_VERIFYING = frozenset({"verify-ca", "verify-full"})
_CERTAIN = _VERIFYING | {"require"}
_SSL = {"true": "require", "1": "require", "false": "disable", "0": "disable"}
_TLS_VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
_SESSIONS = ("any", "primary", "standby", "prefer-standby", "read-write", "read-only")

_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")
_VERSIONS = ("ssl_min_protocol_version", "ssl_max_protocol_version")
_WORDS = {name: tuple(_TLS_VERSIONS) for name in _VERSIONS} | {
    "target_session_attrs": _SESSIONS,
    "sslnegotiation": ("postgres", "direct"),
    "gssencmode": ("disable", "prefer"),  # asyncpg has no encryption but TLS
}
_IN_THE_DSN = frozenset(
    {*_FILES, *_VERSIONS, "sslpassword", "target_session_attrs", "krbsrvname", "gsslib"}
)
_NUMBERS = {
    "statement_cache_size": int,
    "max_cached_statement_lifetime": int,
    "max_cacheable_statement_size": int,
    "command_timeout": float,
}
_TRANSLATED = frozenset(
    {"ssl", "sslmode", "sslnegotiation", "channel_binding", "gssencmode", "connect_timeout"}
    | {"timeout", "application_name", "fallback_application_name", "options", "pgbouncer"}
)
# Without a meaning here, and nothing is lost: keep-alives and their like tune a socket; asyncpg
# always sends the server's name and speaks UTF-8; there is no pool whose size could be limited
# (Prisma's words); `supa` is a mark that Supabase leaves in URLs.
_DROPPED = frozenset(
    {"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"}
    | {"tcp_user_timeout", "sslsni", "sslcompression", "gssdelegation", "client_encoding"}
    | {"load_balance_hosts", "connection_limit", "pool_timeout", "supa"}
)
_KNOWN = _STAY | _IN_THE_DSN | _NUMBERS.keys() | _TRANSLATED | _DROPPED


def _asyncpg(url: URL) -> Connecting:
    options = options_of(url, _KNOWN)
    return Connecting(
        url=without_options(url, keep=_STAY),
        arguments={
            **_numbers(options),
            **_prepared_statements(options),
            **_tls(options),
            "server_settings": _server_settings(options),
        },
    )


def _numbers(options: dict[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {
        name: number(name, options[name], kind=kind)
        for name, kind in _NUMBERS.items()
        if name in options
    }
    for name in ("timeout", "connect_timeout"):
        if name in options:
            values["timeout"] = seconds(name, options[name])
    return values


def _prepared_statements(options: dict[str, str]) -> dict[str, Any]:
    """What a pooler needs that gives each transaction another session (Supabase's port 6543)."""
    if not switch("pgbouncer", options.get("pgbouncer", "false")):
        return {}
    return {
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        "prepared_statement_name_func": lambda: f"bootstrap_{uuid4().hex}",
    }


def _server_settings(options: dict[str, str]) -> dict[str, str]:
    """What the server is told at the start; it reads `options` (`-c name=value`) by itself."""
    fallback = options.get("fallback_application_name", _APPLICATION_NAME)
    settings = {"application_name": options.get("application_name", fallback)}
    if "options" in options:
        settings["options"] = options["options"]
    return settings


def _tls(options: dict[str, str]) -> dict[str, Any]:
    options = _with_channel_binding(options)
    mode = _sslmode(options)
    _check(options, mode=mode)
    dsn = {name: value for name, value in options.items() if name in _IN_THE_DSN}
    if mode:
        dsn["sslmode"] = mode
    arguments: dict[str, Any] = {"dsn": f"postgresql://?{urlencode(dsn)}"} if dsn else {}
    if options.get("sslnegotiation") == "direct":
        arguments["direct_tls"] = True
    if options.get("sslrootcert") == "system":
        arguments["ssl"] = _system_context(options)
    return arguments


def _sslmode(options: dict[str, str]) -> str | None:
    if "sslmode" in options:
        return word("sslmode", options["sslmode"].lower(), _SSLMODES)
    if "ssl" not in options:
        return None
    text = options["ssl"].lower()
    return _SSL.get(text) or word("ssl", text, _SSLMODES)


def _with_channel_binding(options: dict[str, str]) -> dict[str, str]:
    """Checks the server's certificate where channel binding is required.

    asyncpg has no SCRAM-SHA-256-PLUS (its `protocol/scram.pyx` says so), and Neon's URLs require
    it. It keeps others from listening in between, which a certificate that is checked does too.
    """
    asked = options.get("channel_binding", "prefer")
    binding = word("channel_binding", asked, ("disable", "prefer", "require"))
    mode = _sslmode(options)
    if binding != "require" or mode in _VERIFYING:
        return options
    if mode == "disable":
        raise SettingsError(
            "the database URL asks for channel_binding=require and sslmode=disable,"
            " but without TLS there is no channel to bind to",
            hint="remove one of the two from the URL",
        )
    roots = {} if _root_certificates(options) else {"sslrootcert": "system"}
    return options | {"sslmode": "verify-full"} | roots


def _root_certificates(options: dict[str, str]) -> bool:
    """Whether asyncpg finds certificates of authorities: it looks where libpq does."""
    if "sslrootcert" in options or os.environ.get("PGSSLROOTCERT"):
        return True
    return Path("~/.postgresql/root.crt").expanduser().is_file()


def _check(options: dict[str, str], *, mode: str | None) -> None:
    """Raises SettingsError for what asyncpg would only refuse while it connects."""
    for name in _FILES:
        if name in options and (name, options[name]) != ("sslrootcert", "system"):
            file(name, options[name])
    for name, words in _WORDS.items():
        if name in options:
            word(name, options[name], words)
    if mode in _VERIFYING and not _root_certificates(options):
        raise SettingsError(
            f"sslmode={mode} in the database URL needs the certificate of an authority to check"
            " the server's with, and there is none",
            hint="add sslrootcert=FILE, or sslrootcert=system for the authorities of this machine",
        )
    if options.get("sslrootcert") == "system" and mode not in {None, "verify-full"}:
        raise refused("sslmode", str(mode), expected="verify-full, beside sslrootcert=system")
    if options.get("sslnegotiation") == "direct" and mode not in _CERTAIN:
        raise refused("sslnegotiation", "direct", expected="sslmode=require or more beside it")


def _system_context(options: dict[str, str]) -> ssl.SSLContext:
    """What `sslrootcert=system` means in libpq: the machine's authorities, and every check."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["postgresql"])  # PostgreSQL 17 asks for it in direct TLS
    if "sslcert" in options:
        context.load_cert_chain(
            options["sslcert"], options.get("sslkey"), options.get("sslpassword", "")
        )
    if "ssl_min_protocol_version" in options:
        context.minimum_version = _TLS_VERSIONS[options["ssl_min_protocol_version"]]
    if "ssl_max_protocol_version" in options:
        context.maximum_version = _TLS_VERSIONS[options["ssl_max_protocol_version"]]
    return context


DRIVERS = (Driver(name="asyncpg", module="asyncpg", install="asyncpg", connecting=_asyncpg),)
# aiopg is async, but SQLAlchemy has had no dialect for it.
SYNC_DRIVERS = frozenset({"psycopg2", "psycopg2cffi", "pg8000", "pygresql", "pypostgresql"}) | {
    "aiopg"
}

"""libpq's options, which every driver of PostgreSQL is asked for in the same words.

PostgreSQL manual, "Parameter Key Words". Hosting providers put them into the URLs that they hand
out.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Any

from bootstrap.backends.options import file, number, refused, seconds, word
from bootstrap.errors import SettingsError

STAY = frozenset({"host", "port", "user", "password"})  # SQLAlchemy reads them itself
FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")
TLS_VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
VERSIONS = ("ssl_min_protocol_version", "ssl_max_protocol_version")
VERIFYING = frozenset({"verify-ca", "verify-full"})
# Both drivers hand them to the server or to TLS as they are.
PLAIN = frozenset(
    {*FILES, *VERSIONS, "sslpassword", "target_session_attrs", "krbsrvname", "gsslib"}
)
# Each driver gives them a meaning of its own.
TRANSLATED = frozenset(
    {"ssl", "sslmode", "sslnegotiation", "channel_binding", "gssencmode", "options", "pgbouncer"}
    | {"connect_timeout", "timeout", "application_name", "fallback_application_name"}
)
# They tune the socket, or how a connection is looked for.
TUNING = frozenset(
    {"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"}
    | {"tcp_user_timeout", "sslsni", "sslcompression", "gssdelegation", "load_balance_hosts"}
)
# Without a meaning here, and nothing is lost: all speak UTF-8; there is no pool whose size could be
# limited (Prisma's words); `supa` is a mark that Supabase leaves in URLs.
DROPPED = frozenset({"client_encoding", "connection_limit", "pool_timeout", "supa"})
# How many prepared statements asyncpg keeps, and for how long.
CACHING = frozenset(
    {"statement_cache_size", "prepared_statement_cache_size"}
    | {"max_cached_statement_lifetime", "max_cacheable_statement_size"}
)

_LOGIN = 60.0  # seconds, as asyncpg has it
_APPLICATION_NAME = "bootstrap"
_SSLMODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_CERTAIN = VERIFYING | {"require"}
_SSL = {"true": "require", "1": "require", "false": "disable", "0": "disable"}
_WORDS = {name: tuple(TLS_VERSIONS) for name in VERSIONS} | {
    "target_session_attrs": (
        *("any", "primary", "standby", "prefer-standby"),
        *("read-write", "read-only"),
    ),
    "sslnegotiation": ("postgres", "direct"),
    "channel_binding": ("disable", "prefer", "require"),
}


def sslmode(options: dict[str, str]) -> str | None:
    """The `sslmode`, or an `ssl` that says the same; None when neither is there.

    Raises:
        SettingsError: It is none of libpq's words.
    """
    if "sslmode" in options:
        return word("sslmode", options["sslmode"].lower(), _SSLMODES)
    if "ssl" not in options:
        return None
    text = options["ssl"].lower()
    return _SSL.get(text) or word("ssl", text, _SSLMODES)


def login_seconds(options: dict[str, str]) -> float | None:
    """How long a login may take; None without a limit.

    Raises:
        SettingsError: It is not a number.
    """
    given = [name for name in ("timeout", "connect_timeout") if name in options]
    return seconds(given[-1], options[given[-1]]) if given else _LOGIN


def application_name(options: dict[str, str]) -> str:
    """What `pg_stat_activity` shows."""
    fallback = options.get("fallback_application_name", _APPLICATION_NAME)
    return options.get("application_name", fallback)


def numbers(options: dict[str, str], kinds: dict[str, type]) -> dict[str, Any]:
    """Those options that are numbers.

    Raises:
        SettingsError: One is not.
    """
    return {
        name: number(name, options[name], kind=kind)
        for name, kind in kinds.items()
        if name in options
    }


def root_certificates(options: dict[str, str]) -> bool:
    """Whether the drivers find certificates of authorities: all look where libpq does."""
    if "sslrootcert" in options or os.environ.get("PGSSLROOTCERT"):
        return True
    return Path("~/.postgresql/root.crt").expanduser().is_file()


def check(options: dict[str, str], *, gssencmode: tuple[str, ...]) -> None:
    """Looks for what a driver would only refuse while it connects.

    Raises:
        SettingsError: A value cannot be honoured, or two contradict each other.
    """
    for name, words in (_WORDS | {"gssencmode": gssencmode}).items():
        if name in options:
            word(name, options[name], words)
    for name in FILES:
        if name in options and (name, options[name]) != ("sslrootcert", "system"):
            file(name, options[name])
    _check_tls(options, mode=sslmode(options))


def _check_tls(options: dict[str, str], *, mode: str | None) -> None:
    if mode == "disable" and options.get("channel_binding") == "require":
        raise SettingsError(
            "the database URL asks for channel_binding=require and sslmode=disable,"
            " but without TLS there is no channel to bind to",
            hint="remove one of the two from the URL",
        )
    if mode in VERIFYING and not root_certificates(options):
        raise SettingsError(
            f"sslmode={mode} in the database URL needs the certificate of an authority to check"
            " the server's with, and there is none",
            hint="add sslrootcert=FILE, or sslrootcert=system for the authorities of this machine",
        )
    if options.get("sslrootcert") == "system" and mode not in {None, "verify-full"}:
        raise refused("sslmode", str(mode), expected="verify-full, beside sslrootcert=system")
    if options.get("sslnegotiation") == "direct" and mode not in _CERTAIN:
        raise refused("sslnegotiation", "direct", expected="sslmode=require or more beside it")

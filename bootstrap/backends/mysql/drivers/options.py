"""The options of the clients of MySQL and MariaDB, which every driver is asked for in one way.

The meaning of `ssl-mode` is that of the `mysql` program (MySQL manual, "Command Options for
Encrypted Connections"); libpq's words for the same are understood too.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import URL

from bootstrap.backends.options import (
    file,
    number,
    options_of,
    refused,
    seconds,
    switch,
    without_options,
)
from bootstrap.errors import SettingsError


class SSLMode(StrEnum):
    """How much of TLS a connection must have."""

    DISABLED = "DISABLED"
    PREFERRED = "PREFERRED"
    REQUIRED = "REQUIRED"
    VERIFY_CA = "VERIFY_CA"
    VERIFY_IDENTITY = "VERIFY_IDENTITY"


_VERIFYING = frozenset({SSLMode.VERIFY_CA, SSLMode.VERIFY_IDENTITY})
_WORDS = {mode.value: mode for mode in SSLMode} | {
    "DISABLE": SSLMode.DISABLED,
    "ALLOW": SSLMode.PREFERRED,
    "PREFER": SSLMode.PREFERRED,
    "REQUIRE": SSLMode.REQUIRED,
    "VERIFY_FULL": SSLMode.VERIFY_IDENTITY,
    "TRUE": SSLMode.REQUIRED,
    "1": SSLMode.REQUIRED,
    "FALSE": SSLMode.DISABLED,
    "0": SSLMode.DISABLED,
    "STRICT": SSLMode.VERIFY_IDENTITY,  # Prisma's words for `sslaccept`
    "ACCEPT_INVALID_CERTS": SSLMode.REQUIRED,
    '{"REJECTUNAUTHORIZED":TRUE}': SSLMode.VERIFY_IDENTITY,  # Node's, in URLs of PlanetScale
    '{"REJECTUNAUTHORIZED":FALSE}': SSLMode.REQUIRED,
}
_ALIASES = {
    "ssl": "ssl_mode",
    "sslmode": "ssl_mode",
    "sslaccept": "ssl_mode",
    "sslrootcert": "ssl_ca",
    "sslcert": "ssl_cert",
    "sslkey": "ssl_key",
    "ssl_verify_identity": "ssl_check_hostname",
    "application_name": "program_name",
    "socket": "unix_socket",
}
_STAY = frozenset({"client_flag"})  # SQLAlchemy adds a flag of its own to it
_TEXTS = frozenset(
    {"charset", "unix_socket", "program_name", "init_command", "sql_mode", "auth_plugin"}
    | {"read_default_file", "read_default_group"}
)
_SSL_FILES = ("ssl_ca", "ssl_cert", "ssl_key")
_SSL = frozenset({*_SSL_FILES, "ssl_mode", "ssl_capath", "ssl_check_hostname", "ssl_verify_cert"})
# Without a meaning here: nothing is connected again unasked, and there is no pool (Prisma's words).
_DROPPED = frozenset({"reconnect", "connection_limit", "pool_timeout"})
_KNOWN = _STAY | _TEXTS | _SSL | {"connect_timeout", "local_infile"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a URL asks for, as all drivers take it.

    Attributes:
        url: With nothing in its query but what SQLAlchemy reads there.
        arguments: The keywords that have the same name everywhere.
        mode: How much of TLS there must be.
        context: TLS as it is asked for; None for a connection without.
        seconds: How long a login may take; None without a limit.
    """

    url: URL
    arguments: dict[str, Any]
    mode: SSLMode
    context: ssl.SSLContext | None
    seconds: float | None


def asked(url: URL, *, foreign: frozenset[str] = frozenset()) -> Asked:
    """Reads the options of a URL.

    Args:
        url: With the options in any spelling.
        foreign: Those that the driver at hand does not have.

    Raises:
        SettingsError: An option is not known, or a value cannot be honoured.
    """
    url = _in_one_spelling(url)
    options = options_of(url, _KNOWN - foreign, ignored=_DROPPED)
    mode = _mode(options)
    limit = options.get("connect_timeout", "0")
    return Asked(
        url=without_options(url, keep=_STAY),
        arguments={
            "charset": "utf8mb4",
            "program_name": "bootstrap",
            **{name: options[name] for name in _TEXTS if name in options},
            **_values(options),
            **_password(url),
        },
        mode=mode,
        context=_context(mode, options),
        seconds=seconds("connect_timeout", limit),
    )


def _in_one_spelling(url: URL) -> URL:
    """The URL with `ssl-ca`, `sslrootcert` and their like as `ssl_ca`."""
    underscored = {name.lower().replace("-", "_"): value for name, value in url.query.items()}
    return url.set(query={_ALIASES.get(name, name): value for name, value in underscored.items()})


def _values(options: dict[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if "local_infile" in options:
        values["local_infile"] = switch("local_infile", options["local_infile"])
    if "client_flag" in options:
        number("client_flag", options["client_flag"], kind=int)
    return values


def _password(url: URL) -> dict[str, str]:
    """The password so that a driver, which encodes it as Latin-1, sends its UTF-8 bytes."""
    if url.password is None or url.password.isascii():
        return {}
    return {"password": url.password.encode().decode("latin-1")}


def _mode(options: dict[str, str]) -> SSLMode:
    """What is asked for; a certificate authority without a mode asks for every check."""
    if "ssl_mode" in options:
        return _mode_of(options["ssl_mode"])
    verify = switch("ssl_verify_cert", options.get("ssl_verify_cert", "false"))
    if not verify and not {"ssl_ca", "ssl_capath"} & options.keys():
        return SSLMode.PREFERRED
    by_name = switch("ssl_check_hostname", options.get("ssl_check_hostname", "true"))
    return SSLMode.VERIFY_IDENTITY if by_name else SSLMode.VERIFY_CA


def _mode_of(text: str) -> SSLMode:
    word = text.upper().replace("-", "_")
    if word not in _WORDS:
        raise refused("ssl_mode", text, expected=f"one of {', '.join(SSLMode)}")
    return _WORDS[word]


def _context(mode: SSLMode, options: dict[str, str]) -> ssl.SSLContext | None:
    socket_is_safe = "unix_socket" in options and mode is SSLMode.PREFERRED
    if mode is SSLMode.DISABLED or socket_is_safe:
        return None
    for name in _SSL_FILES:
        if name in options:
            file(name, options[name])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = mode is SSLMode.VERIFY_IDENTITY
    context.verify_mode = ssl.CERT_REQUIRED if mode in _VERIFYING else ssl.CERT_NONE
    try:
        _load(context, options)
    except (ssl.SSLError, OSError) as error:
        raise SettingsError(
            f"the certificates that the database URL names cannot be used: {error}",
            hint="ssl_ca, ssl_cert and ssl_key name files in PEM format",
        ) from error
    return context


def _load(context: ssl.SSLContext, options: dict[str, str]) -> None:
    authorities = {"cafile": options.get("ssl_ca"), "capath": options.get("ssl_capath")}
    if any(authorities.values()):
        context.load_verify_locations(**authorities)
    elif context.verify_mode is ssl.CERT_REQUIRED:
        context.load_default_certs()
    if "ssl_cert" in options:
        context.load_cert_chain(options["ssl_cert"], options.get("ssl_key"))

"""The async driver of MySQL and MariaDB, and the options of their clients in its words.

The meaning of `ssl-mode` is that of the `mysql` program (MySQL manual, "Command Options for
Encrypted Connections"); libpq's words for the same are understood too.
"""

from __future__ import annotations

import ssl
from enum import StrEnum
from typing import Any

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
}
_ALIASES = {
    "ssl": "ssl_mode",
    "sslmode": "ssl_mode",
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
_KNOWN = _STAY | _TEXTS | _SSL | {"connect_timeout", "local_infile"}


def _aiomysql(url: URL) -> Connecting:
    url = _in_one_spelling(url)
    options = options_of(url, _KNOWN)
    return Connecting(
        url=without_options(url, keep=_STAY),
        arguments={
            "charset": "utf8mb4",
            "program_name": "bootstrap",
            **{name: options[name] for name in _TEXTS if name in options},
            **_values(options),
            **_password(url),
            **_tls(options),
        },
    )


def _in_one_spelling(url: URL) -> URL:
    """The URL with `ssl-ca`, `sslrootcert` and their like as `ssl_ca`."""
    underscored = {name.lower().replace("-", "_"): value for name, value in url.query.items()}
    return url.set(query={_ALIASES.get(name, name): value for name, value in underscored.items()})


def _values(options: dict[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if "connect_timeout" in options:
        values["connect_timeout"] = seconds("connect_timeout", options["connect_timeout"])
    if "local_infile" in options:
        values["local_infile"] = switch("local_infile", options["local_infile"])
    if "client_flag" in options:
        number("client_flag", options["client_flag"], kind=int)
    return values


def _password(url: URL) -> dict[str, str]:
    """The password so that aiomysql, which encodes it as Latin-1, sends its UTF-8 bytes."""
    if url.password is None or url.password.isascii():
        return {}
    return {"password": url.password.encode().decode("latin-1")}


def _tls(options: dict[str, str]) -> dict[str, Any]:
    # Not before it is used: the driver may not be installed.
    from bootstrap.backends.mysql.secure import connect, connect_securely  # noqa: PLC0415

    mode = _mode(options)
    socket_is_safe = "unix_socket" in options and mode is SSLMode.PREFERRED
    if mode is SSLMode.DISABLED or socket_is_safe:
        return {"async_creator_fn": connect}
    creator = connect if mode is SSLMode.PREFERRED else connect_securely
    return {"async_creator_fn": creator, "ssl": _context(mode, options)}


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


def _context(mode: SSLMode, options: dict[str, str]) -> ssl.SSLContext:
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


DRIVERS = (
    Driver(name="aiomysql", module="aiomysql", install="aiomysql[rsa]", connecting=_aiomysql),
)
SYNC_DRIVERS = frozenset(
    {"pymysql", "mysqldb", "mysqlconnector", "mariadbconnector", "cymysql", "oursql", "pyodbc"}
)

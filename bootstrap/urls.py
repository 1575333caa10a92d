"""URLs of databases: as people write them, as SQLAlchemy takes them, and as they may be shown."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from bootstrap import backends
from bootstrap.backends.base import Backend, Driver
from bootstrap.errors import SettingsError

_HIDDEN = "***"
# SQLAlchemy 2.0 takes the name of a database as it is written, 2.1 decodes it as all the rest.
NAMES_ARE_ENCODED = make_url("sqlite:///%25").database == "%"
_SECRET_OPTIONS = frozenset({"password", "passwd", "passfile", "sslpassword"})
_LARGEST_PORT = 65535

# They look at the text and not at what was parsed, to find the secrets of a broken URL too: up to
# the first `@`, where a password ends, and up to the last, where its author thought that it ends.
_PASSWORDS = (re.compile(r"://[^:/]*:([^@]*)@"), re.compile(r"://[^:/]*:(.*)@", re.DOTALL))
_OPTION = re.compile(r"[?&]([^=&]+)=([^&]*)")


def resolve(url: str | URL, *, like: str | URL | None = None) -> tuple[URL, Backend]:
    """Completes a URL as people write it.

    Args:
        url: With or without a driver: `postgres://user@host/app`, `mysql+aiomysql://…`.
        like: A URL whose driver a URL without one takes, where its backend has it.

    Returns:
        The URL with an async driver, and its backend.

    Raises:
        SettingsError: The URL cannot be read, or names nothing that we can work with.
    """
    parsed = _parsed(url)
    backend = _backend(parsed)
    driver = _driver(parsed, backend, like=like)
    if find_spec(driver.module) is None:
        raise SettingsError(
            f"the driver {driver.name} is not installed", hint=f"pip install '{driver.install}'"
        )
    complete = parsed.set(drivername=f"{backend.schemes[0]}+{driver.name}")
    _check_place(complete, backend)
    return complete, backend


def shown(url: str | URL) -> str:
    """A URL for people: without its driver and its secrets, with letters instead of %C3%A9."""
    try:
        parsed = _parsed(url)
    except SettingsError:
        scheme, separator, _ = str(url).partition("://")
        return f"{scheme}://{_HIDDEN}" if separator else _HIDDEN
    reserved = "%?#" if NAMES_ARE_ENCODED else ""
    path = "" if parsed.database is None else "/" + _readable(parsed.database, reserved=reserved)
    scheme = parsed.drivername.partition("+")[0]
    return f"{scheme}://{_shown_place(parsed)}{path}{_shown_options(parsed)}"


def secrets_of(url: str | URL) -> frozenset[str]:
    """Every form in which a secret of a URL may appear in a text: as it is, and encoded."""
    text = url if isinstance(url, str) else url.render_as_string(hide_password=False)
    secrets = {form for found in _secrets_in(text) for form in _forms(found)}
    return frozenset(secrets - {""})


def alembic_option(url: URL) -> str:
    """The URL, password included, as `Config.set_main_option` and alembic.ini take it.

    ConfigParser takes `%` for the begin of an interpolation and strips blanks at the end.
    """
    text = url.render_as_string(hide_password=False)
    if NAMES_ARE_ENCODED:
        text = text.replace(" ", "%20")
    return text.replace("%", "%%")


def driven_like(url: URL, like: str, *, is_sync: bool = False) -> URL:
    """The URL with the driver, or none, that another URL has: that of an env.py's own database.

    An env.py is written for the driver of its own `sqlalchemy.url`, which may be a sync one. For a
    database of another backend a sync env.py gets a sync driver, where one is installed.

    Args:
        url: With an async driver.
        like: The other URL; it may be empty, or a placeholder that names no database.
        is_sync: Whether env.py gets a sync driver where the other URL says nothing.
    """
    ours = backends.of_url(url)
    url = spelled_out(url)
    try:
        own = _parsed(like)
        theirs = backends.of_url(own)
    except (SettingsError, KeyError):
        return _with_sync_driver(url, ours) if is_sync else url
    if theirs.admin is not ours.admin:
        is_sync = not _driver_name(own) or _driver_name(own) in theirs.sync_drivers
        return _with_sync_driver(url, ours) if is_sync else url
    scheme = url.drivername.partition("+")[0]
    driver = _driver_name(own)
    return url.set(drivername=f"{scheme}+{driver}" if driver else scheme)


def spelled_out(url: URL) -> URL:
    """The URL as SQLAlchemy honours it without us: of a file, in the one form that it takes.

    Raises:
        SettingsError: It asks for something that there is not.
    """
    backend = backends.of_url(url)
    if not backend.features.is_file:
        return url
    driver = url.drivername
    named = url.set(drivername=f"{backend.schemes[0]}+{backend.drivers[0].name}")
    return backend.drivers[0].connecting(named).url.set(drivername=driver)


def _with_sync_driver(url: URL, backend: Backend) -> URL:
    if _driver_name(url) in backend.without_asyncio:
        return url
    for name, module in backend.without_asyncio.items():
        with suppress(ModuleNotFoundError):  # the package that a module would be in
            if find_spec(module) is not None:
                return url.set(drivername=f"{backend.schemes[0]}+{name}")
    return url


def _parsed(url: str | URL) -> URL:
    if isinstance(url, URL):
        return url
    with suppress(ArgumentError, ValueError):
        parsed = make_url(url.strip())
        if not _has_raw_at(url) and 0 <= (parsed.port or 0) <= _LARGEST_PORT:
            return parsed
    # Raised out here: those exceptions quote the URL, and this one must not lead to them.
    raise SettingsError(
        "the database URL cannot be read",
        hint="its form is scheme://user:password@host:port/database, with @ : / ? # % in user and "
        "password written as %40 %3A %2F %3F %23 %25; several hosts are written as "
        "?host=first:5432&host=second:5432",
    )


def _has_raw_at(url: str) -> bool:
    """Whether `@` stands in the password as it is, which then ends there too early.

    A second one behind the first means that: in a path or an option it is not to be expected, and
    what comes before it must not be shown as a host or a name.
    """
    _, _, rest = url.partition("://")
    return rest.partition("?")[0].count("@") > 1 or rest.rpartition("@")[0].count("?") > 0


def _backend(url: URL) -> Backend:
    scheme = url.drivername.lower().partition("+")[0]
    try:
        return backends.of_scheme(scheme)
    except KeyError:
        known = [name for backend in backends.all_backends() for name in backend.schemes]
        nearest = difflib.get_close_matches(scheme, known, n=1)
        raise SettingsError(
            f"there is no backend for {scheme}:// URLs",
            hint=f"did you mean {nearest[0]}://?" if nearest else f"known are {', '.join(known)}",
        ) from None


def _driver(url: URL, backend: Backend, *, like: str | URL | None) -> Driver:
    name = _driver_name(url)
    if not name:
        return _driver_like(like, backend) or backend.drivers[0]
    with suppress(KeyError):
        return backend.driver(name)
    scheme = backend.schemes[0]
    known_one = name in backend.sync_drivers
    known = [] if known_one else [driver.name for driver in backend.drivers]
    right = next(iter(difflib.get_close_matches(name, known, n=1)), backend.drivers[0].name)
    what = "does not work with the driver" if known_one else f"has no {backend.title} driver named"
    raise SettingsError(
        f"bootstrap {what} {name}",
        hint=f"write {scheme}+{right}://… or {scheme}://…",
    )


def _driver_name(url: URL) -> str:
    return url.drivername.lower().partition("+")[2]


def _driver_like(like: str | URL | None, backend: Backend) -> Driver | None:
    """The driver of another URL, if it is an async one of this backend; a broken URL has none."""
    if like is None:
        return None
    with suppress(SettingsError, KeyError):
        return backend.driver(_driver_name(_parsed(like)))
    return None


def _check_place(url: URL, backend: Backend) -> None:
    if not backend.features.is_file:
        if not url.database:
            example = shown(url.set(database="NAME"))
            raise SettingsError(
                "the database URL does not say which database", hint=f"complete it: {example}"
            )
        return
    if url.host or url.username or url.port:
        scheme = backend.schemes[0]
        raise SettingsError(
            f"the {backend.title} URL names a host, but its database is a file",
            hint=f"with three slashes the path is relative: {scheme}:///file.db; "
            f"with four it is absolute: {scheme}:////folder/file.db",
        )


def _shown_place(url: URL) -> str:
    user = "" if url.username is None else _readable(url.username, reserved="%:/@?#")
    password = "" if url.password is None else f":{_HIDDEN}"
    host = url.host or ""
    host = f"[{host}]" if ":" in host else host
    port = "" if url.port is None else f":{url.port}"
    return f"{user}{password}{'@' if user or password else ''}{host}{port}"


def _shown_options(url: URL) -> str:
    shown_ones = [
        f"{name}={_HIDDEN if _is_secret(name) else _readable(value, reserved='%&#+')}"
        for name, values in url.normalized_query.items()
        for value in values
    ]
    return f"?{'&'.join(shown_ones)}" if shown_ones else ""


def _readable(text: str, *, reserved: str) -> str:
    """Encodes only what would be read as something else, and what cannot be printed."""
    return "".join(
        char if char.isprintable() and char not in reserved else quote(char, safe="")
        for char in text
    )


def _is_secret(option: str) -> bool:
    return option.lower().replace("-", "_") in _SECRET_OPTIONS


def _secrets_in(text: str) -> Iterator[str]:
    for pattern in _PASSWORDS:
        if found := pattern.search(text):
            yield found[1]
    for option in _OPTION.finditer(text):
        if _is_secret(option[1]):
            yield option[2]


def _forms(secret: str) -> Iterator[str]:
    """What was written, what it means, and how SQLAlchemy, libraries and alembic.ini write it."""
    for plain in {secret, unquote(secret), unquote_plus(secret)}:
        for encoded in (plain, quote(plain, safe=""), quote(plain, safe=" +"), quote_plus(plain)):
            yield encoded
            yield encoded.replace("%", "%%")

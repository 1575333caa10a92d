"""What a database's URL asks for, in the words of the driver that env.py makes an engine of.

An env.py takes the URL as SQLAlchemy does: libpq's and MySQL's options become keywords that an
async driver has never heard of, and nothing tells it that a pooler may sit in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Dialect, Engine, event

from bootstrap import urls
from bootstrap.database import Database

# Which databases the env.py of this context was asked to use: other threads and tasks have theirs.
_ASKED: ContextVar[tuple[Database, ...]] = ContextVar("_ASKED", default=())
_CREATOR = "async_creator_fn"


@contextmanager
def own_words(*databases: Database) -> Iterator[None]:
    """Gives new connections to databases what their URLs ask for, while the block runs.

    Only those that are made in this context, by an async driver that we know, with exactly these
    URLs. What env.py says in `connect_args` goes before it.

    Args:
        databases: Those that were asked for.
    """
    changed: list[tuple[MutableMapping[str, Any], dict[str, Any]]] = []

    def connecting(
        dialect: Dialect, _record: object, _positional: object, keywords: dict[str, Any]
    ) -> None:
        if _ASKED.get() is not databases or any(one is keywords for one, _ in changed):
            return
        found = (_in_words_of(dialect, keywords, database) for database in databases)
        if (wanted := next((one for one in found if one is not None), None)) is not None:
            changed.append((keywords, dict(keywords)))
            _replace(keywords, wanted)

    asked = _ASKED.set(databases)
    event.listen(Engine, "do_connect", connecting)
    try:
        yield
    finally:
        event.remove(Engine, "do_connect", connecting)
        _ASKED.reset(asked)
        for keywords, before in changed:  # the engine may live on: an application's own
            _replace(keywords, before)


def _replace(keywords: MutableMapping[str, Any], wanted: Mapping[str, Any]) -> None:
    keywords.clear()
    keywords.update(wanted)


def _in_words_of(
    dialect: Dialect, keywords: Mapping[str, Any], database: Database
) -> dict[str, Any] | None:
    """The keywords for a driver; None where they are not ours to change."""
    names = {driver.name for driver in database.backend.drivers}
    if not dialect.is_async or dialect.driver not in names:
        return None
    scheme = database.url.get_backend_name()
    url = urls.spelled_out(database.url.set(drivername=f"{scheme}+{dialect.driver}"))
    _, plain = dialect.create_connect_args(url)
    missing = object()
    if any(keywords.get(name, missing) != value for name, value in plain.items()):
        return None
    connecting = database.backend.driver(dialect.driver).connecting(url)
    _, ours = dialect.create_connect_args(connecting.url)
    return _merged(
        {**ours, **connecting.arguments},
        {name: value for name, value in keywords.items() if name not in plain},
    )


def _merged(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any] | None:
    """Ours, with what env.py says itself; None where the two do not go together."""
    own_tls = any(name.startswith("ssl") for name in theirs)
    if own_tls and _CREATOR in ours:  # it would make connections with less TLS than theirs
        return None
    nested = {
        name: {**value, **theirs[name]}
        for name, value in ours.items()
        if isinstance(value, dict) and isinstance(theirs.get(name), dict)
    }
    return {**ours, **theirs, **nested}

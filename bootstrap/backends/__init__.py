"""Everything that differs between databases, one folder each, found by name."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from sqlalchemy import URL, Dialect

from bootstrap.backends.base import Backend


def all_backends() -> tuple[Backend, ...]:
    """Every backend, in the order of their names: each package in this folder has a `BACKEND`."""
    return tuple(map(named, _rooms()))


@cache
def _rooms() -> tuple[str, ...]:
    return tuple(sorted(room.name for room in pkgutil.iter_modules(__path__) if room.ispkg))


def without_server() -> Backend:
    """The one for what any backend is good for: it needs no server to be started."""
    return next(one for one in all_backends() if one.server is None)


@cache
def named(name: str) -> Backend:
    """Finds a backend by its name, which is that of its folder; KeyError when there is none."""
    if name not in _rooms():
        raise KeyError(name)
    backend: Backend = import_module(f"{__name__}.{name}").BACKEND
    return backend


def of_scheme(scheme: str) -> Backend:
    """Finds the backend of a URL's scheme, driver or not; KeyError when there is none."""
    name = scheme.partition("+")[0]
    # The one of that name first: to load them all takes a tenth of a second.
    for room in sorted(_rooms(), key=lambda room: room != name):
        if name in named(room).schemes:
            return named(room)
    raise KeyError(scheme)


def of_url(url: URL) -> Backend:
    """Finds the backend of a URL; KeyError when there is none."""
    return of_scheme(url.drivername)


def of_dialect(dialect: Dialect) -> Backend:
    """Finds the backend of a SQLAlchemy dialect; KeyError when there is none.

    Before the first connection a `mysql` dialect counts as MySQL, afterwards as what is there.
    """
    backend = of_scheme(dialect.name)
    return named(backend.refine(dialect)) if backend.refine else backend

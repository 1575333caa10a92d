"""Everything that differs between databases, one folder each, found by name."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from sqlalchemy import URL, Dialect

from bootstrap.backends.base import Backend


@cache
def all_backends() -> tuple[Backend, ...]:
    """Every backend, in the order of their names: each package in this folder has a `BACKEND`."""
    rooms = sorted(room.name for room in pkgutil.iter_modules(__path__) if room.ispkg)
    return tuple(import_module(f"{__name__}.{room}").BACKEND for room in rooms)


def without_server() -> Backend:
    """The one for what any backend is good for: it needs no server to be started."""
    return next(one for one in all_backends() if one.server is None)


def named(name: str) -> Backend:
    """Finds a backend by its name; KeyError when there is none."""
    for backend in all_backends():
        if backend.name == name:
            return backend
    raise KeyError(name)


def of_scheme(scheme: str) -> Backend:
    """Finds the backend of a URL's scheme, driver or not; KeyError when there is none."""
    name = scheme.partition("+")[0]
    for backend in all_backends():
        if name in backend.schemes:
            return backend
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

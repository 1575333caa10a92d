"""Which servers there are for the tests, and the databases on them.

What is made and dropped here goes through the drivers themselves: the product is under test.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import aiomysql  # type: ignore[import-untyped]  # has no annotations
import asyncpg  # type: ignore[import-untyped]  # has no annotations
from sqlalchemy import URL, make_url

from bootstrap import backends
from bootstrap.errors import SettingsError
from bootstrap.testing import ThrowawayServer
from tests.engines.cache import programs as fetched_programs
from tests.prepared import throwaway

BACKENDS = ("sqlite", "postgresql", "mysql", "mariadb")
FURTHER_DRIVERS = ("postgresql+psycopg", "mysql+asyncmy", "mariadb+asyncmy")
# asyncmy is the same for both; what differs by the server is tested with aiomysql.
_IN_SHORT = frozenset({"mysql+asyncmy"})
_FETCHED = {"postgresql": "postgresql17", "mysql": "mysql", "mariadb": "mariadb11"}
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where a backend's server comes from: one that runs already, or programs to start one.

    Attributes:
        description: For the header of the report.
    """

    description: str
    url: URL | None = None
    programs: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """There is no server of a backend; the hint says how to get one."""

    hint: str


@cache
def look_for(backend_name: str) -> Found | Missing:
    """Finds out what there is of a backend."""
    server = backends.named(backend_name).server
    if server is None:
        return Found(description=sqlite3.sqlite_version)
    variable = f"BOOTSTRAP_TEST_{backend_name.upper()}_URL"
    if named := os.environ.get(variable):
        return Found(description=f"the server that {variable} names", url=make_url(named))
    fetch = f"python -m tests.engines fetch {_FETCHED[backend_name]}"
    try:
        programs = server.programs() or fetched_programs(_FETCHED[backend_name])
    except SettingsError as error:
        return Missing(hint=error.message)
    if programs is None:
        return Missing(hint=f"{fetch}, or: {server.install_hint()}")
    return Found(description=f"{server.version(programs)} in {programs}", programs=programs)


def required() -> frozenset[str]:
    """The backends, and other programs, without which the tests fail."""
    names = os.environ.get("BOOTSTRAP_TEST_REQUIRE", "sqlite,postgresql,mariadb,browser")
    return frozenset(name.strip() for name in names.split(",") if name.strip())


def browser() -> Found | Missing:
    """Finds a browser that the tests can steer: chromium, or one that is made from it."""
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        return Missing(hint="python -m tests.engines ensure, or: apt-get install chromium")
    return Found(description=found, programs=Path(found))


def schemes() -> tuple[str, ...]:
    """How URLs begin: each backend, and then the further drivers that this run is for."""
    every = os.environ.get("BOOTSTRAP_TEST_DRIVERS") == "all"
    further = (name for name in FURTHER_DRIVERS if every or name not in _IN_SHORT)
    return (*BACKENDS, *further)


class Servers:
    """At most one server of each backend, started when it is first asked for.

    Args:
        durable: Whether those that are started wait for the disk, as users' servers do.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._durable = durable
        self._started: dict[str, ThrowawayServer] = {}
        self._urls: dict[str, URL] = {}

    def url(self, backend_name: str) -> URL:
        """Where the server of a backend answers, as its superuser."""
        if backend_name not in self._urls:
            self._urls[backend_name] = self._found_or_started(backend_name)
        return self._urls[backend_name]

    def _found_or_started(self, backend_name: str) -> URL:
        found = look_for(backend_name)
        assert isinstance(found, Found), f"{backend_name} is missing"
        if found.url is not None:
            return found.url
        server = throwaway(backend_name, programs=found.programs, durable=self._durable)
        self._started[backend_name] = server
        return server.start().url

    def stop(self) -> None:
        """Stops what was started here."""
        for server in self._started.values():
            server.stop()


def without_loop(work: Coroutine[object, object, _T]) -> _T:
    """Runs a coroutine to its end in a thread, so that the loop of a test stays as it is."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def create(url: URL) -> None:
    """Creates an empty database."""
    without_loop(_CREATE[_kind(url)](url))


def drop(url: URL) -> None:
    """Drops a database if it is there, also while others are connected."""
    without_loop(_DROP[_kind(url)](url))


def _kind(url: URL) -> str:
    return backends.of_url(url).name


async def _postgresql(url: URL) -> asyncpg.Connection:
    server = url.set(drivername="postgresql", database="postgres")
    return await asyncpg.connect(server.render_as_string(hide_password=False))


async def _create_postgresql(url: URL) -> None:
    connection = await _postgresql(url)
    await connection.execute(f'CREATE DATABASE "{url.database}"')
    await connection.close()


async def _drop_postgresql(url: URL) -> None:
    connection = await _postgresql(url)
    await connection.execute(f'DROP DATABASE IF EXISTS "{url.database}" WITH (FORCE)')
    await connection.close()


async def _mysql(url: URL, *statements: str) -> list[tuple[object, ...]]:
    """Runs statements and gives the rows of the last one."""
    connection = await aiomysql.connect(
        host=url.host or "127.0.0.1",
        port=url.port or 3306,
        user=url.username,
        password=url.password or "",
        autocommit=True,
    )
    rows: list[tuple[object, ...]] = []
    async with connection, connection.cursor() as cursor:
        # The driver makes warnings of the server's notes, and warnings are errors here.
        for statement in ("SET SESSION max_error_count = 0", *statements):
            await cursor.execute(statement)
            rows = list(await cursor.fetchall())
    return rows


async def _create_mysql(url: URL) -> None:
    await _mysql(url, f"CREATE DATABASE `{url.database}` CHARACTER SET utf8mb4")


async def _drop_mysql(url: URL) -> None:
    name = url.database
    sessions = await _mysql(
        url, f"SELECT id FROM information_schema.processlist WHERE db = '{name}'"
    )
    for (pid,) in sessions:
        with suppress(aiomysql.MySQLError):  # it has ended meanwhile
            await _mysql(url, f"KILL {pid}")
    await _mysql(url, f"DROP DATABASE IF EXISTS `{name}`")


def statements(url: str | URL) -> list[str]:
    """What the server does in a database at this moment, but for this question."""
    url = make_url(url)
    return without_loop(_STATEMENTS[_kind(url)](url))


async def _statements_of_postgresql(url: URL) -> list[str]:
    connection = await _postgresql(url)
    rows = await connection.fetch(
        "SELECT query FROM pg_stat_activity WHERE datname = $1 AND state = 'active'", url.database
    )
    await connection.close()
    return [row["query"] for row in rows]


async def _statements_of_mysql(url: URL) -> list[str]:
    rows = await _mysql(
        url,
        "SELECT info FROM information_schema.processlist"
        f" WHERE db = '{url.database}' AND command <> 'Sleep'",
    )
    return [str(info) for (info,) in rows]


async def _create_sqlite(url: URL) -> None:
    connection = sqlite3.connect(str(url.database))
    # A file without a page would not be a database yet.
    connection.executescript("CREATE TABLE t (id INTEGER); DROP TABLE t;")
    connection.close()


async def _drop_sqlite(url: URL) -> None:
    """Leaves that to pytest, which removes the temporary folder."""


_STATEMENTS = {
    "postgresql": _statements_of_postgresql,
    "mysql": _statements_of_mysql,
    "mariadb": _statements_of_mysql,
}
_CREATE = {
    "sqlite": _create_sqlite,
    "postgresql": _create_postgresql,
    "mysql": _create_mysql,
    "mariadb": _create_mysql,
}
_DROP = {
    "sqlite": _drop_sqlite,
    "postgresql": _drop_postgresql,
    "mysql": _drop_mysql,
    "mariadb": _drop_mysql,
}

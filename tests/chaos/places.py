"""Where the databases of a scenario are: as many copies of one as there are kill points."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import URL, Connection, text

import bootstrap
from bootstrap import backends
from bootstrap.database import Database
from bootstrap.testing import ThrowawayServer
from tests import available
from tests.prepared import throwaway


class Place(Protocol):
    """Makes databases for the scenarios of one backend, durable as that is out of the box."""

    @property
    def template(self) -> URL:
        """The database that a scenario begins with."""

    def copy(self) -> AbstractContextManager[URL]:
        """A copy of it, for the time of the block."""


class Files:
    """Databases that are files; `PRAGMA synchronous` is FULL unless somebody changes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self.template = self._url("template")
        available.create(self.template)

    @contextmanager
    def copy(self) -> Iterator[URL]:
        url = self._url(f"copy{next(self._numbers)}")
        shutil.copy(str(self.template.database), str(url.database))
        yield url
        for path in self._folder.glob(f"{Path(str(url.database)).name}*"):
            path.unlink()

    def _url(self, name: str) -> URL:
        return URL.create("sqlite+aiosqlite", database=str(self._folder / f"{name}.db"))


class Templates:
    """Databases on a server that can copy one (`CREATE DATABASE ... TEMPLATE`)."""

    def __init__(self, server: URL) -> None:
        self._server = server
        self.template = self._url()
        available.create(self.template)

    @contextmanager
    def copy(self) -> Iterator[URL]:
        url = self._url()
        asyncio.run(bootstrap.create(url, template=str(self.template.database)))
        yield url
        available.drop(url)

    def close(self) -> None:
        """Drops the template."""
        available.drop(self.template)

    def _url(self) -> URL:
        return self._server.set(database=f"b_{secrets.token_hex(8)}")


class DurableTemplates(Templates):
    """The same on a server of its own that forgets nothing."""

    def __init__(self, backend_name: str) -> None:
        self._throwaway = _durable(backend_name)
        super().__init__(self._throwaway.start().url)

    def close(self) -> None:
        """Stops the server."""
        self._throwaway.stop()


class Durable:
    """Databases on a server of its own that forgets nothing, copied table by table."""

    def __init__(self, backend_name: str, *, driver: str = "") -> None:
        self._server = _durable(backend_name)
        url = self._server.start().url
        name = f"{url.get_backend_name()}+{driver}" if driver else url.drivername
        self._url = Database.of(url.set(drivername=name)).url
        self.template = self._new()

    @contextmanager
    def copy(self) -> Iterator[URL]:
        url = self._new()
        asyncio.run(_copy(self.template, url))
        yield url
        available.drop(url)

    def close(self) -> None:
        """Stops the server."""
        self._server.stop()

    def _new(self) -> URL:
        url = self._url.set(database=f"b_{secrets.token_hex(8)}")
        available.create(url)
        return url


def durable(backend_name: str) -> Durable | DurableTemplates:
    """Databases on a server of its own that forgets nothing."""
    can_copy = backends.named(backend_name).features.transactional_ddl
    return DurableTemplates(backend_name) if can_copy else Durable(backend_name)


def _durable(backend_name: str) -> ThrowawayServer:
    found = available.look_for(backend_name)
    assert isinstance(found, available.Found), f"{backend_name} is missing"
    return throwaway(backend_name, programs=found.programs, durable=True)


async def _copy(template: URL, url: URL) -> None:
    async with Database.of(url).connect() as connection:
        await connection.run_sync(_copied, str(template.database))


def _copied(connection: Connection, template: str) -> None:
    """Makes the tables of another database, with their rows."""
    names = connection.execute(
        text("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = :name"),
        {"name": template},
    )
    connection.exec_driver_sql("SET foreign_key_checks = 0")
    for (name,) in names.all():
        made = connection.exec_driver_sql(f"SHOW CREATE TABLE `{template}`.`{name}`").one()[1]
        connection.exec_driver_sql(made.replace("%", "%%"))
        connection.exec_driver_sql(f"INSERT INTO `{name}` SELECT * FROM `{template}`.`{name}`")
    connection.commit()

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

from sqlalchemy import URL

import bootstrap
from tests import available


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

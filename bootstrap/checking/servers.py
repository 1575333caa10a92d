"""The servers that a history is verified on: found, named with their programs, or running."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sqlalchemy import URL

from bootstrap import backends as rooms
from bootstrap.backends.base import Backend
from bootstrap.database import Database
from bootstrap.errors import SettingsError
from bootstrap.testing import ThrowawayDatabases, throwaway_databases
from bootstrap.testing.servers import MissingServer, known, missing_server

_FORM = "write NAME=FOLDER or NAME=VERSION:FOLDER, such as postgresql=17:/usr/lib/postgresql/17/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPrograms:
    """A server to be started from the programs in a folder.

    Attributes:
        backend: Its name.
        programs: The folder of its programs.
        version: What its version must begin with; empty for any.
    """

    backend: str
    programs: Path
    version: str = ""

    @classmethod
    def of(cls, text: str) -> Self:
        """Reads `postgresql=17:/path/to/programs`, where the version may be left out.

        Raises:
            SettingsError: It has another form.
        """
        backend, _, rest = text.partition("=")
        version, colon, folder = rest.partition(":")
        if not colon or "/" in version:
            version, folder = "", rest
        if not (backend and folder):
            raise SettingsError(f"{text!r} does not name a server", hint=_FORM)
        return cls(backend=backend, programs=Path(folder), version=version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One server to verify on.

    Attributes:
        backend: What it is.
        programs: Where its programs are; None to look for them.
        url: Where it runs already; None to start one.
    """

    backend: Backend
    programs: Path | None = None
    url: URL | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[ThrowawayDatabases]:
        """Gives empty databases on it for the time of the block.

        Raises:
            DatabaseError: It did not start.
        """
        if self.url is not None:
            yield ThrowawayDatabases(backend=self.backend, place=self.url)
            return
        async with throwaway_databases(self.backend, programs=self.programs) as databases:
            yield databases


def wanted(
    *,
    backends: Sequence[str] = (),
    urls: Sequence[str | URL] = (),
    servers: Sequence[ServerPrograms] = (),
) -> tuple[tuple[Wanted, ...], tuple[MissingServer, ...]]:
    """Finds the servers that were asked for; where none was, all that can be started.

    Args:
        backends: Names; one for which `servers` has programs is not looked for.
        urls: Servers that run already.
        servers: Servers by their programs.

    Returns:
        The servers, and what cannot be started where nothing was asked for.

    Raises:
        SettingsError: What was asked for is not there.
    """
    named = tuple(_of_programs(server) for server in servers)
    running = tuple(_of_url(url) for url in urls)
    covered = {one.backend.name for one in named}
    asked = [known(name) for name in dict.fromkeys(backends)]
    chosen = asked if asked or named or running else rooms.all_backends()
    looked_for = (missing_server(one) for one in chosen if one.name not in covered)
    missing = tuple(one for one in looked_for if one is not None)
    if missing and asked:
        raise SettingsError(missing[0].why, hint=missing[0].hint)
    absent = {one.backend for one in missing} | covered
    found = tuple(Wanted(backend=one) for one in chosen if one.name not in absent)
    return (*found, *named, *running), missing


def _of_programs(server: ServerPrograms) -> Wanted:
    backend = known(server.backend)
    if backend.server is None:
        raise SettingsError(
            f"{backend.title} has no server whose programs could be named",
            hint=f"leave it to --backend {backend.name}",
        )
    version = backend.server.version(server.programs)
    if not version:
        raise SettingsError(
            f"there is no {backend.title} server in {server.programs}",
            hint="name the folder that holds its programs",
        )
    if server.version and not f"{version}.".startswith(f"{server.version}."):
        raise SettingsError(
            f"the {backend.title} server in {server.programs} is {version}, not {server.version}",
            hint="name the folder of that version, or leave the version out",
        )
    return Wanted(backend=backend, programs=server.programs.absolute())


def _of_url(url: str | URL) -> Wanted:
    database = Database.of(url)
    if database.backend.features.is_file:
        raise SettingsError(
            f"{database} is no server on which databases could be made",
            hint=f"for a file in a temporary folder: --backend {database.backend.name}",
        )
    return Wanted(backend=database.backend, url=database.url)

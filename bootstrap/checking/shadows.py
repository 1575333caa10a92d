"""Shadow databases: empty ones beside a live one, on the same server or one like it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from bootstrap.backends.base import Backend, CreateOptions
from bootstrap.checking.course import first_look
from bootstrap.database import Database
from bootstrap.errors import DatabaseError, DatabaseRefused, RevisionError
from bootstrap.project import Project
from bootstrap.running.runner import migrate
from bootstrap.schema.model import Schema
from bootstrap.testing import ThrowawayDatabases, throwaway_databases


@asynccontextmanager
async def shadow_of(
    live: Database, schema: Schema, *, server_version: str
) -> AsyncIterator[tuple[Database, str]]:
    """Gives an empty database for the time of the block, and says where it is.

    It stands on the same server; where the account must not create one, on a throwaway server of
    the same version.

    Args:
        live: The database that it is the shadow of.
        schema: What that one consists of.
        server_version: The version of its server.

    Raises:
        DatabaseError: There is none to be had.
    """
    async with AsyncExitStack() as until:
        if live.backend.server is None:
            folder = await until.enter_async_context(throwaway_databases(live.backend))
            yield await until.enter_async_context(folder.empty()), "a file in a temporary folder"
            return
        options = _options(schema, live.backend)
        beside = ThrowawayDatabases(backend=live.backend, place=live.url)
        try:
            shadow = await until.enter_async_context(beside.empty(options))
            where = "a database beside it on the same server"
        except DatabaseRefused as refused:
            places = _of_same_version(live, server_version, refused)
            elsewhere = await until.enter_async_context(places)
            shadow = await until.enter_async_context(elsewhere.empty(options))
            where = f"a throwaway server of version {_line(server_version)}"
        yield shadow, where


async def replay(shadow: Database, heads: Sequence[str], *, project: Project) -> None:
    """Runs the history on an empty database as far as another one has it.

    Args:
        shadow: The empty one.
        heads: Where the version table of the other one is.
        project: Whose revisions.

    Raises:
        RevisionError: It cannot be run from the beginning.
        StatementFailed: The server refused a statement of it.
        SettingsError: env.py connects elsewhere.
    """
    await first_look(shadow, project=project)
    for head in heads:
        try:
            await migrate(shadow, head, project=project)
        except RevisionError as error:
            raise type(error)(
                f"the history cannot be replayed from an empty database: {error.message}",
                hint=error.hint,
                place=error.place,
            ) from error


def _options(schema: Schema, backend: Backend) -> CreateOptions:
    """The defaults of the live database, where new tables take them."""
    if "collation" not in backend.features.create_options:
        return CreateOptions()
    return CreateOptions(encoding=schema.charset, collation=schema.collation)


def _of_same_version(
    live: Database, version: str, refused: DatabaseError
) -> AbstractAsyncContextManager[ThrowawayDatabases]:
    """A throwaway server whose version differs in the last number at most."""
    backend = live.backend
    server = backend.server
    programs = server.programs() if server else None
    found = server.version(programs) if server and programs else ""
    if _line(found) == _line(version):
        return throwaway_databases(backend, programs=programs)
    raise DatabaseError(
        f"no shadow database can be made: {refused.message}",
        hint=f"let the account create databases: {backend.admin.grant(live.url.username or '')}; "
        f"or install the programs of a {backend.title} {_line(version)} server on this machine",
    ) from refused


def _line(version: str) -> str:
    """What versions have in common that differ by mended defects only: 15 of 15.20."""
    return version.rpartition(".")[0]

"""One database: its URL, its backend, and how to talk to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass

from sqlalchemy import URL, Dialect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bootstrap import backends, urls
from bootstrap.backends.base import Backend, Connecting, Failure, Pool, Reason
from bootstrap.backends.health import WHERE_TO_WRITE
from bootstrap.errors import DatabaseError, DatabaseRefused, Fault, SettingsError
from bootstrap.refusals import database_error


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """One database that we create, migrate and seed.

    Attributes:
        url: With an async driver; the password is in it, so show `str(database)` instead.
        backend: The kind of database that the URL names.
    """

    url: URL
    backend: Backend

    @classmethod
    def of(cls, url: str | URL | Database, *, like: str | URL | None = None) -> Database:
        """Makes a Database from a URL as people write it.

        Args:
            url: Any form that `bootstrap.urls.resolve` takes; a Database is given back as it is.
            like: A URL whose driver a bare scheme takes, where the backend is the same.

        Raises:
            SettingsError: The URL cannot be used.
        """
        if isinstance(url, Database):
            return url
        resolved, backend = urls.resolve(url, like=like)
        return cls(url=resolved, backend=backend)

    def __str__(self) -> str:
        return urls.shown(self.url)

    def __repr__(self) -> str:
        return f"Database({str(self)!r})"

    @property
    def name(self) -> str:
        """The name of the database on its server, or the path of its file."""
        return self.url.database or ""

    @property
    def identity(self) -> tuple[str, ...]:
        """Which database this is, the same for all spellings of its URL; empty in memory."""
        return self.backend.admin.identity(self.url)

    @property
    def label(self) -> str:
        """For sentences: `PostgreSQL database "app" on localhost:5432`."""
        if self.backend.features.is_file:
            return f"{self.backend.title} file {self.place}"
        return f'{self.backend.title} database "{self.name}" on {self.place}'

    @property
    def place(self) -> str:
        """Host and port as the URL has them, or the path of the file."""
        if self.backend.features.is_file:
            return self.name or ":memory:"
        named = self.url.normalized_query.get("host", ("the local server",))
        host = self.url.host or ", ".join(named)
        return f"{host}:{self.url.port}" if self.url.port else host

    def connecting(self) -> Connecting:
        """The URL and arguments in the driver's own words."""
        return self.backend.driver(self.url.get_driver_name()).connecting(self.url)

    def engine(self) -> AsyncEngine:
        """Makes an async engine without a pool; the caller disposes of it."""
        return self.backend.engines.create(self.connecting())

    def pooled(self, pool: Pool) -> AsyncEngine:
        """Makes an async engine that keeps connections; the caller disposes of it.

        Args:
            pool: How many, and how long.
        """
        return self.backend.engines.pooled(self.connecting(), pool)

    async def exists(self) -> bool:
        """Tells whether the database is there.

        Raises:
            DatabaseError: The server could not be asked.
            SettingsError: It is in memory, and would be gone with the connection.
        """
        if not self.identity:
            raise SettingsError(
                "a database in memory ends with the connection that made it",
                hint="name a file: sqlite:///app.db; a program can hand over its engine instead",
            )
        with self.translated("cannot look for"):
            return await self.backend.admin.exists(self.backend.engines, self.connecting())

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        """Opens one connection for the time of the block; never creates the database.

        Raises:
            DatabaseError: There is no connection to be had; what the block raises stays as it is.
        """
        if self.backend.features.is_file and not await self.exists():
            raise self.error(self.missing(), tried="cannot connect to")
        engine = self.engine()
        try:
            with self.translated("cannot connect to"):
                connection = await engine.connect()
            async with aclosing(connection):
                yield connection
        finally:
            await engine.dispose()

    @contextmanager
    def translated(self, tried: str) -> Iterator[None]:
        """Translates what a driver raises in the block; `tried` begins the sentence.

        Raises:
            DatabaseError: Instead of the driver's exception, which is its cause.
        """
        try:
            yield
        except Exception as error:
            failure = self.backend.errors.translate(error)
            if failure is None:
                raise
            raise self.error(failure, tried=tried) from error

    def present(self, dialect: Dialect) -> Backend:
        """The backend that is really there, which a connection's dialect knows."""
        refine = self.backend.refine
        return backends.named(refine(dialect)) if refine else self.backend

    def error(self, failure: Failure, *, tried: str) -> DatabaseError:
        """Makes the error for a failure of this database; `tried` begins the sentence."""
        return database_error(failure, tried=f"{tried} {self.label}", place=self.place)

    def refuse_read_only(self, reason: str) -> None:
        """Refuses to write where the database takes none.

        Args:
            reason: Why, as its backend says; empty where it takes some.

        Raises:
            DatabaseRefused: It takes none.
        """
        if reason:
            refused = DatabaseRefused(
                f"cannot write to {self.label}: {reason}; nothing was run", hint=WHERE_TO_WRITE
            )
            refused.fault = Fault.READ_ONLY  # after a failover it may be another server soon
            raise refused

    @staticmethod
    def missing() -> Failure:
        """The failure of a database that is not there."""
        return Failure(reason=Reason.NO_DATABASE, code="", text="it does not exist")

"""The database of an application: an engine for each process, sessions, whether it may serve.

database = ApplicationDatabase.configured()

async with database.started(behind="wait"):
    async with database.transaction() as session:
        session.add(User(...))
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Self

from sqlalchemy import URL
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_scoped_session,
    async_sessionmaker,
)

from bootstrap.backends.base import Pool
from bootstrap.database import Database
from bootstrap.errors import DatabaseUnreachable, SettingsError
from bootstrap.events import Emit, silent
from bootstrap.integrations import serving
from bootstrap.integrations.connections import connections
from bootstrap.integrations.serving import Behind, Readiness, Standing, WhenBehind, require_head
from bootstrap.project import Project
from bootstrap.settings import Settings, resolve

__all__ = ["ApplicationDatabase", "Behind", "Pool", "Readiness", "require_head"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    """What there is between start and end."""

    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    scoped: async_scoped_session[AsyncSession]
    standing: Standing


class ApplicationDatabase:
    """One database of an application; made when its module is imported, used after the start.

    It connects to nothing before `started`, so it may be made before a server forks its workers.
    Where the database does not answer, or a connection is lost, what is raised on its engine is a
    `DatabaseUnreachable`, with the error of SQLAlchemy as its cause.

    Args:
        database: A URL as people write it, or a Database.
        project: The revisions of the code.
        pool: How connections are kept.
        allow_ahead: Whether newer code may have migrated the database.
        session_class: What the sessions are; such as SQLModel's AsyncSession.

    Raises:
        SettingsError: The URL cannot be used, or its database is in memory.
    """

    def __init__(
        self,
        database: Database | str | URL,
        *,
        project: Project,
        pool: Pool = Pool(),  # noqa: B008 - it is frozen
        allow_ahead: bool = False,
        session_class: type[AsyncSession] = AsyncSession,
    ) -> None:
        self.database = Database.of(database)
        if not self.database.identity:
            raise SettingsError(
                "an application cannot keep its rows in memory: each connection has its own",
                hint="name a file: sqlite:///app.db",
            )
        self._project = project
        self._pool = pool
        self._allow_ahead = allow_ahead
        self._session_class = session_class
        self._running: _Running | None = None

    @classmethod
    def configured(
        cls,
        settings: Settings | None = None,
        *,
        session_class: type[AsyncSession] = AsyncSession,
    ) -> Self:
        """Takes database, project and pool from the settings, as the commands do.

        It reads files, and may run `url_command`: call it where the program is loaded.

        Args:
            settings: Those in force; None to look them up.
            session_class: What the sessions are.

        Raises:
            SettingsError: A setting cannot be read, or names no database.
        """
        found = settings or resolve()
        if found.url.value is None:
            raise SettingsError(
                "no database is configured",
                hint="set DATABASE_URL, or write url into [tool.bootstrap] of pyproject.toml",
            )
        return cls(
            Database.of(found.url.value, like=found.project_url),
            project=Project.configured(found),
            pool=Pool(
                size=found.pool_size.value,
                max_overflow=found.pool_max_overflow.value,
                timeout=found.pool_timeout.value,
                recycle=found.pool_recycle.value,
                pre_ping=found.pool_pre_ping.value,
            ),
            allow_ahead=found.allow_ahead.value,
            session_class=session_class,
        )

    @asynccontextmanager
    async def started(
        self,
        *,
        behind: WhenBehind = Behind.REFUSE,
        timeout: float = 60.0,
        emit: Emit = silent,
    ) -> AsyncIterator[Self]:
        """Is the application's lifespan: refuses a wrong schema, and has an engine in the block.

        Args:
            behind: As for `require_head`, and so are the others.
            timeout: See there.
            emit: See there.

        Raises:
            SettingsError: It is started already.
            BootstrapError: As `require_head`.
        """
        if self._running is not None:
            raise SettingsError("the application's database is started already")
        standing = await require_head(
            self.database,
            project=self._project,
            behind=behind,
            timeout=timeout,
            allow_ahead=self._allow_ahead,
            emit=emit,
        )
        async with connections(self.database, self._pool) as engine:
            self._running = self._with(engine, standing)
            try:
                yield self
            finally:
                self._running = None

    @property
    def engine(self) -> AsyncEngine:
        """The engine, which keeps connections of this process alone.

        Raises:
            SettingsError: The application has not started.
        """
        return self._started().engine

    @property
    def sessions(self) -> async_sessionmaker[AsyncSession]:
        """Makes sessions whose objects can still be read after `commit()`.

        Raises:
            SettingsError: The application has not started.
        """
        return self._started().sessions

    @property
    def scoped(self) -> async_scoped_session[AsyncSession]:
        """The session of the present task, in a block of `task_session`.

        Raises:
            SettingsError: The application has not started.
        """
        return self._started().scoped

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session that is committed after the block, and rolled back on every error.

        A cancelled task too gives its connection back: closing goes on to its end.

        Raises:
            SettingsError: The application has not started.
            DatabaseUnreachable: The database is away, or all connections stay in use.
        """
        with self._no_connection_said():
            async with self.sessions() as session:
                yield session
                await session.commit()

    @asynccontextmanager
    async def task_session(self) -> AsyncIterator[AsyncSession]:
        """The same for a worker: all that its task calls gets this session from `scoped`.

        A block inside of another one of the same task is part of that one. It is removed at the
        end of the outer block.

        Raises:
            SettingsError, DatabaseUnreachable: As for `transaction`.
        """
        scoped = self.scoped
        if scoped.registry.has():
            yield scoped()
            return
        try:
            with self._no_connection_said():
                async with scoped() as session:
                    yield session
                    await session.commit()
        finally:
            scoped.registry.clear()  # for this task; the session is closed by now

    async def readiness(self, *, timeout: float = 5.0) -> Readiness:
        """Whether the database answers, and is at head.

        Args:
            timeout: Seconds after which there is no answer.
        """
        running = self._running
        if running is None:
            reasons = ("the application has not started",)
            return Readiness(connected=False, at_head=False, reasons=reasons)
        return await serving.readiness(
            running.engine, self.database, running.standing, timeout=timeout
        )

    def _started(self) -> _Running:
        if self._running is None:
            raise SettingsError(
                "the application's database is not started",
                hint="async with database.started(): in the lifespan of the application",
            )
        return self._running

    def _with(self, engine: AsyncEngine, standing: Standing) -> _Running:
        sessions = async_sessionmaker(engine, class_=self._session_class, expire_on_commit=False)
        return _Running(
            engine=engine,
            sessions=sessions,
            scoped=async_scoped_session(sessions, scopefunc=asyncio.current_task),
            standing=standing,
        )

    @contextmanager
    def _no_connection_said(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeout as error:
            raise DatabaseUnreachable(
                f"no connection was free within {self._pool.timeout:g} seconds",
                hint="find what keeps them, or raise pool_size or pool_max_overflow",
            ) from error

"""Which throwaway databases can be had, and a reason for each that cannot."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from alembic.config import Config

from bootstrap import backends as rooms
from bootstrap.backends.base import Backend
from bootstrap.database import Database
from bootstrap.errors import DatabaseError, SettingsError
from bootstrap.testing import ThrowawayDatabases, throwaway_databases
from bootstrap.testing.servers import MissingServer, known, missing_server


@dataclass(slots=True, kw_only=True)
class Places:
    """Starts one backend after the other.

    Attributes:
        default: The one that is taken where none is asked for.
        waiting: Those that were not started yet; ThrowawayDatabases run already.
        missing: Those that could not be started.
    """

    default: Backend
    waiting: list[Backend | ThrowawayDatabases]
    missing: list[MissingServer] = field(default_factory=list)

    async def next(self, until: AsyncExitStack) -> ThrowawayDatabases | None:
        """Starts the next one that can be, which ends with the stack; None when there is none."""
        while self.waiting:
            place = self.waiting.pop(0)
            if isinstance(place, ThrowawayDatabases):
                return place
            if missing := missing_server(place):
                self.missing.append(missing)
                continue
            try:
                return await until.enter_async_context(throwaway_databases(place))
            except (DatabaseError, SettingsError) as error:
                self.missing.append(
                    MissingServer(backend=place.name, why=error.message, hint=error.hint)
                )
        return None


def places(
    asked: Sequence[str | Backend | ThrowawayDatabases],
    *,
    database: Database | None,
    config: Config,
) -> Places:
    """The backends that were asked for; else that of the database or of the project.

    Where neither says one, it is the first that needs no server.

    Raises:
        SettingsError: There is no such backend.
    """
    default = _default(database, config)
    chosen = asked or (default,)
    return Places(
        default=default,
        waiting=[one if isinstance(one, ThrowawayDatabases) else known(one) for one in chosen],
    )


def _default(database: Database | None, config: Config) -> Backend:
    if database is not None:
        return database.backend
    url = config.get_main_option("sqlalchemy.url") or ""
    try:
        return rooms.of_scheme(url.partition("://")[0])
    except KeyError:
        return rooms.without_server()

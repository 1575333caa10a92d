"""Does work inside an env.py that calls `context.configure()` once for each of several databases.

Alembic's template `multidb` writes such a one. Each call gets the work of the database that it
connects to; a database that nobody has listed is refused before anything is sent to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import URL

from bootstrap import backends, urls
from bootstrap.database import Database
from bootstrap.errors import SettingsError
from bootstrap.positions.moves import AlembicStep
from bootstrap.positions.position import refuse_unknown
from bootstrap.revisions.environment import in_thread, run_env
from bootstrap.running import failures
from bootstrap.running.inside import is_sync, refuse_missing, surroundings
from bootstrap.running.looking import Look
from bootstrap.running.stopping import stop

W = TypeVar("W", bound=Look)
Databases: TypeAlias = Mapping[str, Database | str | URL]  # by the names that they have in env.py

_URL = "sqlalchemy.url"


class Several(Generic[W]):
    """The work on several databases, in the form of one.

    Args:
        works: One for each database.
    """

    def __init__(self, works: Sequence[W]) -> None:
        self.works = tuple(works)
        self._now: W | None = None
        self._refused: BaseException | None = None

    @property
    def now(self) -> W:
        """The work of the last call, or the first one before there was any."""
        return self._now or self.works[0]

    @property
    def failed(self) -> BaseException | None:
        """What went wrong first; env.py may go on with the next database all the same."""
        errors = (self._refused, *(work.failed for work in self.works))
        return next((error for error in errors if error is not None), None)

    @failed.setter
    def failed(self, error: BaseException | None) -> None:
        if self._now is None:
            self._refused = error
        else:
            self._now.failed = error

    @property
    def options(self) -> Mapping[str, object]:
        """Those of any of them: they are on the same terms."""
        return self.works[0].options

    def again(self) -> None:
        """Forgets nothing yet: the call may be for the next database."""

    def check(self, context: MigrationContext) -> None:
        """Finds the work for the database that env.py has connected to.

        Raises:
            SettingsError: Nobody has listed it.
        """
        self._now = None
        self._now = self._work_for(context)
        if self._now.failed is not None:
            self._now.again()
        self._now.check(context)

    def look(self, context: MigrationContext) -> None:
        """Lets the work of this call look."""
        self.now.look(context)

    def around(self, context: MigrationContext) -> AbstractContextManager[None]:
        """What surrounds the work of this call."""
        return self.now.around(context)

    def told(self, arguments: Mapping[str, Any]) -> None:
        """Tells the work of this call."""
        self.now.told(arguments)

    def during(self) -> AbstractContextManager[None]:
        """What the work of this call does while env.py's connection is open."""
        return self.now.during()

    def steps(self, heads: Sequence[str], context: MigrationContext) -> Iterator[AlembicStep]:
        """The steps of the work of this call."""
        return self.now.steps(heads, context)

    def leave(self) -> None:
        """Ends all of it early."""
        for work in self.works:
            work.leave()

    def _work_for(self, context: MigrationContext) -> W:
        assert context.connection is not None  # noqa: S101 - `check` is for calls with one
        url = context.connection.engine.url
        found = Database(url=url, backend=backends.of_url(url))
        for work in self.works:
            if work.database.identity == found.identity:
                return work
        raise SettingsError(
            f"env.py connects to {found}, which is none of the databases that were asked for "
            f"({', '.join(str(work.database) for work in self.works)}); nothing was run there",
            hint="list it under databases in [tool.bootstrap], by the name that it has in env.py, "
            "or let env.py take its URL from the section of that name",
        )


async def run_inside_several(several: Several[W], *, config: Config, **options: object) -> None:
    """Runs env.py once, with the works in it.

    Args:
        several: What to do, and on which databases.
        config: The project's, which has their URLs; see `configured_for`.
        options: For `run_env`.

    Raises:
        DatabaseError, RevisionError, StatementFailed: As for `run_inside`.
        SettingsError: env.py connects to a database that nobody has listed.
    """
    databases = [work.database for work in several.works]
    for work in several.works:
        await refuse_missing(work.database)
        work.reached = True
    scripts = several.works[0].scripts
    given: dict[str, Any] = {"around": surroundings(config, *databases), **options}

    async def stopped(running: asyncio.Future[Any], interrupt: Callable[[], None] | None) -> None:
        several.leave()
        await stop(several.now, running, interrupt)

    with _watching(several.works), _explained(several):
        await in_thread(partial(run_env, config, scripts, several, **given), stop=stopped)


def configured_for(config: Config, databases: Mapping[str, Database], *, is_sync: bool) -> Config:
    """Tells env.py which databases were asked for, each in the section of its name.

    Args:
        config: The project's.
        databases: By the names that they have in env.py.
        is_sync: As for `inside.configured`.
    """
    for name, database in databases.items():
        own = config.get_section(name, {}).get(_URL, "")
        url = urls.driven_like(database.url, own, is_sync=is_sync)
        config.set_section_option(name, _URL, urls.alembic_option(url))
    config.attributes["configure_logger"] = False  # see `inside.configured`
    return config


def refuse_doubles(databases: Mapping[str, Database]) -> None:
    """Refuses a database that is listed twice: both would be locked and verified as one.

    Raises:
        SettingsError: One is, or none is listed at all.
    """
    if not databases:
        raise SettingsError("no database is listed", hint='databases = {main = "sqlite:///app.db"}')
    seen: dict[tuple[str, ...], str] = {}
    for name, database in databases.items():
        first = seen.setdefault(database.identity, name)
        if first != name and database.identity:
            raise SettingsError(
                f"{first} and {name} are the same database, {database}",
                hint="list each database once: several calls of context.configure() with "
                "version tables of their own may share one",
            )


def of_names(databases: Databases) -> dict[str, Database]:
    """The databases by their names.

    Raises:
        SettingsError: A URL cannot be used, or one of them is listed twice.
    """
    found = {name: Database.of(database) for name, database in databases.items()}
    refuse_doubles(found)
    return found


async def looked(
    databases: Mapping[str, Database],
    looks: Sequence[Look],
    config: Config,
    *,
    allow_ahead: bool,
    **options: object,
) -> None:
    """Looks where databases are, and that env.py works on all of them and on no other.

    Args:
        databases: By name.
        looks: The work on each, which only reads.
        config: The project's.
        allow_ahead: Let databases be at revisions that the project does not have.
        options: For `run_env`.

    Raises:
        SettingsError: env.py connects to another database, or leaves one out.
        DatabaseError: One is missing or cannot be used.
        RevisionError: One is at a revision that the project does not have.
    """
    several = Several(looks)
    told = configured_for(config, databases, is_sync=is_sync(looks[0].scripts))
    await run_inside_several(several, config=told, dont_mutate=True, **options)
    refuse_unvisited(several)
    for one in looks:
        if one.position is not None and not allow_ahead:
            refuse_unknown(one.scripts, one.position)


def refuse_unvisited(several: Several[W]) -> None:
    """Refuses an env.py that has left a listed database out.

    Raises:
        SettingsError: It has.
    """
    left = [str(work.database) for work in several.works if work.position is None]
    if left:
        raise SettingsError(
            f"env.py does not call context.configure() for {', '.join(left)}; nothing was run",
            hint="the names in databases must be those that env.py knows: Alembic's template "
            "multidb reads them from the option `databases` of alembic.ini",
        )


@contextmanager
def _watching(works: Sequence[Look]) -> Iterator[None]:
    with ExitStack() as all_of_them:
        for work in works:
            all_of_them.enter_context(work.watching)
        yield


@contextmanager
def _explained(several: Several[W]) -> Iterator[None]:
    """Explains an error by what was done when it was raised."""
    try:
        yield
    except Exception:
        to_blame = next((work for work in several.works if work.failed), several.now)
        with failures.explained(to_blame, to_blame.database):
            raise

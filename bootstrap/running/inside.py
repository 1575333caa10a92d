"""Does work inside a project's env.py: by a URL in a thread, or on a connection in this loop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.script import ScriptDirectory

from bootstrap import urls
from bootstrap.database import Database
from bootstrap.revisions.connecting import own_words
from bootstrap.revisions.environment import (
    Around,
    in_thread,
    run_env,
    run_env_on,
    run_env_with,
)
from bootstrap.revisions.logs import kept_logging
from bootstrap.revisions.reach import HandOver, reach_of, told
from bootstrap.running import failures
from bootstrap.running.looking import Look
from bootstrap.running.stopping import stop


async def run_inside(work: Look, *, config: Config, **options: object) -> None:
    """Runs env.py once, with the work in it.

    Args:
        work: What to do, and on which database.
        config: The project's.
        options: For `run_env`.

    Raises:
        DatabaseError: The database is missing, or env.py could not connect.
        RevisionError: env.py or a revision raised something of its own.
        SettingsError: env.py connects to something else than it should.
        StatementFailed: The server refused a statement of a revision.
    """
    config = configured(config, work.database, is_sync=is_sync(work.scripts))
    given: dict[str, Any] = {"around": surroundings(config, work.database), **options}
    with work.watching, failures.explained(work, work.database):
        if work.connection is not None:
            await run_env_on(
                work.connection, config, work.scripts, work, stop=partial(stop, work), **given
            )
            return
        await refuse_missing(work.database)
        work.reached = True
        await in_thread(partial(_by_url, work, config, **given), stop=partial(stop, work))


def _by_url(work: Look, config: Config, **given: Any) -> None:
    if reach_of(config).hand_over is HandOver.CONNECTION:
        run_env_with(work.database.connect, config, work.scripts, work, **given)
    else:
        run_env(config, work.scripts, work, **given)


def surroundings(config: Config, *databases: Database) -> Around:
    """What env.py finds around it, and what is as before when it has ended.

    Args:
        config: The project's, with the URL of the database.
        databases: The one that was asked for, or several.
    """

    @contextmanager
    def around() -> Iterator[None]:
        with kept_logging(), own_words(*databases), told(config, reach_of(config)):
            yield

    return around


def configured(project_config: Config, database: Database, *, is_sync: bool = False) -> Config:
    """Tells env.py which database was asked for, in Alembic's own way.

    Args:
        project_config: The project's.
        database: The one that was asked for.
        is_sync: Whether env.py is, where its own URL does not tell.
    """
    own = project_config.get_main_option("sqlalchemy.url") or ""
    url = urls.driven_like(database.url, own, is_sync=is_sync)
    project_config.set_main_option("sqlalchemy.url", urls.alembic_option(url))
    # Alembic's cookbook name for "a program calls: leave its logging as it is".
    project_config.attributes["configure_logger"] = False
    return project_config


def is_sync(scripts: ScriptDirectory) -> bool:
    """Whether nothing in env.py speaks of asyncio: an async driver would be of no use there."""
    with suppress(OSError):
        return b"async" not in Path(scripts.env_py_location).read_bytes()
    return False


async def refuse_missing(database: Database) -> None:
    """Refuses a database that is not there, before env.py would create an empty SQLite file.

    Raises:
        DatabaseMissing: It is not there.
        DatabaseError: The server could not be asked.
    """
    if not await database.exists():
        raise database.error(Database.missing(), tried="cannot use")

"""Runs the migrations: online on an async engine, or offline as SQL text (`--sql`).

The database is, in this order,

1. what a program hands over in `config.attributes["connection"]`:
   a Connection, as `await connection.run_sync(...)` gives it inside a running event loop too;
   an AsyncConnection, when the Alembic command is called through its `run_sync`;
   an Engine; or an AsyncEngine, where no event loop runs in this thread: its pool is emptied
   afterwards, because connections cannot outlive the loop that opened them.
   A transaction that the program began is the program's to commit;
2. the URL that `bootstrap` or a program sets as the option `sqlalchemy.url`;
3. the one in the settings: DATABASE_URL, a secret file, pyproject.toml.
"""

from __future__ import annotations

import asyncio
from logging.config import fileConfig
from pathlib import Path
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.util import CommandError
from sqlalchemy import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bootstrap import settings, types
from bootstrap.backends.mysql import defaults as _defaults  # noqa: F401 - mends what Alembic compares
from bootstrap.backends.sqlite.rebuilds import foreign_keys_off
from bootstrap.database import Database
from bootstrap.errors import BootstrapError, SettingsError
from bootstrap.reference import metadata

config = context.config

# A program that has its own logging sets the attribute to False (Alembic's cookbook).
if (
    config.attributes.get("configure_logger", True)
    and Path(config.config_file_name or "").is_file()
):
    fileConfig(str(config.config_file_name), disable_existing_loggers=False)


def database() -> Database:
    """The database that the configuration or the settings name."""
    try:
        url = config.get_main_option("sqlalchemy.url")
        return Database.of(url) if url else from_settings()
    except BootstrapError as error:
        raise CommandError(f"{error}; {error.hint}" if error.hint else str(error)) from error


def from_settings() -> Database:
    """The database that the settings name."""
    found = settings.resolve()
    if not found.url.value:
        raise SettingsError(
            "no database is named",
            hint="set DATABASE_URL, or url below [tool.bootstrap] in pyproject.toml",
        )
    return Database.of(found.url.value, like=found.project_url)


def render_item(kind: str, item: Any, autogenerate: AutogenContext) -> str | Literal[False]:
    """Writes what `bootstrap.types` has into a revision by its name, and adds the import."""
    if kind == "type" and type(item).__module__ == types.__name__:
        rendered = f"bootstrap.types.{item!r}"
    elif kind == "server_default" and isinstance(getattr(item, "arg", None), types.UtcNow):
        rendered = "bootstrap.types.utc_now()"
    else:
        return False
    autogenerate.imports.add("import bootstrap.types")
    return rendered


def configure(**where: Any) -> None:
    """Configures the context, online and offline alike."""
    context.configure(
        target_metadata=metadata,
        render_item=render_item,
        render_as_batch=True,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
        **where,
    )


def run_offline() -> None:
    """Writes the SQL to standard output; needs neither a server nor a driver."""
    configure(url=database().url, literal_binds=True, dialect_opts={"paramstyle": "named"})
    with context.begin_transaction():
        context.run_migrations()


def do_run_migrations(connection: Connection) -> None:
    """Runs them on a connection that is in no transaction, or in one of the program's own."""
    with foreign_keys_off(connection):
        configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()


async def run_async(engine: AsyncEngine) -> None:
    """Opens a connection for them, and closes it."""
    try:
        async with engine.connect() as connection:
            await connection.run_sync(do_run_migrations)
    finally:
        await engine.dispose()


def run_online() -> None:
    """Runs them on what was handed over, or else on a new engine."""
    match config.attributes.get("connection"):
        case Connection() as connection:
            do_run_migrations(connection)
        case AsyncConnection(sync_connection=Connection() as connection):
            do_run_migrations(connection)
        case Engine() as engine:
            with engine.connect() as connection:
                do_run_migrations(connection)
        case AsyncEngine() as engine:
            asyncio.run(run_async(engine))
        case None:
            asyncio.run(run_async(database().engine()))
        case other:
            raise CommandError(f"{type(other).__name__} is neither a connection nor an engine")


if context.is_offline_mode():
    run_offline()
else:
    run_online()

"""Refuses an env.py that works on something else than what it was handed."""

from __future__ import annotations

from sqlalchemy import URL

from bootstrap import backends
from bootstrap.database import Database
from bootstrap.errors import SettingsError


def refuse_another(database: Database, url: URL) -> None:
    """Refuses the connection of an env.py that has its database from somewhere else.

    Raises:
        SettingsError: It is another database than the one that was asked for.
    """
    found = Database(url=url, backend=backends.of_url(url))
    if url.database and found.identity != database.identity:
        raise SettingsError(
            f"env.py connects to {found}, but {database} was asked for; nothing was run",
            hint="let env.py take the URL from sqlalchemy.url, or ask for the database it names",
        )


def not_handed() -> SettingsError:
    """The error for an env.py that has no use for a program's connection."""
    return SettingsError(
        "env.py does not use the connection that it was given; nothing was run",
        hint="begin the function in env.py that connects with these two lines, where "
        "do_run_migrations is what calls context.configure(connection=connection, ...):\n"
        '    if (connection := config.attributes.get("connection")) is not None:\n'
        "        return do_run_migrations(connection)",
    )

"""Scripts for psql."""

from __future__ import annotations

from sqlalchemy import Dialect

from bootstrap.backends.scripts import PlainScripts


class PostgreSQLScripts(PlainScripts):
    """The settings that literals depend on are said first, as pg_dump does."""

    def prepare(self, dialect: Dialect) -> tuple[str, ...]:
        """Keeps a backslash in a literal as it is: SQLAlchemy 2.0 doubles it until it connects."""
        dialect._backslash_escapes = False  # type: ignore[attr-defined]  # noqa: SLF001 - no public name
        return ("SET client_encoding = 'UTF8'", "SET standard_conforming_strings = on")

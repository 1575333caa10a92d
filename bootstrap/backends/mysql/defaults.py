"""Compares default values as MySQL and MariaDB write them; importing this replaces Alembic's.

A function given to `context.configure(compare_server_default=)` will not do: Alembic then fails on
a table with a computed or an identity column ('Computed' object has no attribute 'arg').
"""

from __future__ import annotations

from typing import Any

from alembic.ddl import mysql
from sqlalchemy import Column

# MySQL and MariaDB say 1 for `true`, and their own word for the present time.
_SAME = {
    "true": "1",
    "false": "0",
    "now()": "current_timestamp",
    "current_timestamp": "current_timestamp",
    "current_timestamp()": "current_timestamp",
}


class _Compared(mysql.MySQLImpl):
    def compare_server_default(
        self,
        inspector_column: Column[Any],
        metadata_column: Column[Any],
        rendered_metadata_default: str | None,
        rendered_inspector_default: str | None,
    ) -> Any:
        """Tells whether a default differs from the one of the models."""
        expected, found = _bare(rendered_metadata_default), _bare(rendered_inspector_default)
        if expected and expected == found:
            return False
        return super().compare_server_default(  # type: ignore[no-untyped-call]  # Alembic's
            inspector_column,
            metadata_column,
            rendered_metadata_default,
            rendered_inspector_default,
        )


class MySQLImpl(_Compared):
    """Alembic's own, but for defaults."""

    __dialect__ = "mysql"


class MariaDBImpl(_Compared):
    """Alembic's own, but for defaults."""

    __dialect__ = "mariadb"


def _bare(default: str | None) -> str:
    """Without the brackets and quotes that the servers add and leave out."""
    text = (default or "").strip("'")
    text = text[1:-1] if text.startswith("(") and text.endswith(")") else text
    return _SAME.get(text.lower(), text.strip("'"))

"""Names and texts as PostgreSQL writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def quoted(name: str) -> str:
    """A name, in quotes where it needs them."""
    if _PLAIN.fullmatch(name) and name not in RESERVED_WORDS:
        return name
    return '"' + name.replace('"', '""') + '"'


def path(row: Any, name: str = "") -> str:
    """The name of a row with its schema, where it needs one, for SQL."""
    bare = quoted(name or row.name)
    return f"{quoted(row.schema)}.{bare}" if row.schema else bare


def of_table(row: Any) -> str:
    """The table of a row, for SQL."""
    return path(row, row.table)


def plain(row: Any, name: str = "") -> str:
    """The same as `Change.table` has it."""
    bare = name or row.name
    return f"{row.schema}.{bare}" if row.schema else bare


def literal(text: str) -> str:
    """A text as a literal; `standard_conforming_strings` is on since 9.1."""
    return "'" + text.replace("'", "''") + "'"


def comment(on: str, text: str | None) -> str:
    """What says it, or says it no longer."""
    return f"COMMENT ON {on} IS {literal(text) if text else 'NULL'}"


def commented(create: Iterable[str], *, on: str, text: str | None) -> tuple[str, ...]:
    """What makes something, with its comment if it has one."""
    return (*create, comment(on, text)) if text else tuple(create)

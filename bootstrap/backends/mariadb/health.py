"""What differs on MariaDB in what can be wrong with a database."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection

from bootstrap.backends.health import Lines, version_of
from bootstrap.backends.mysql.health import MySQLHealth
from bootstrap.backends.mysql.rights import Rights

LINES = Lines(
    title="MariaDB",
    ends={
        (10, 5): date(2025, 6, 24),
        (10, 6): date(2026, 7, 6),
        (10, 11): date(2028, 2, 16),
        (11, 4): date(2029, 5, 29),
        (11, 8): date(2028, 6, 4),
        (12, 3): date(2029, 6, 30),
    },
    source="https://mariadb.org/about/#maintenance-policy",
)
_SUPER_IS_NOT_ENOUGH = (10, 11)  # from here on READ ONLY ADMIN is no part of SUPER


def _administers(connection: Connection, rights: Rights) -> bool:
    if rights.everywhere("READ ONLY ADMIN"):
        return True
    return version_of(connection) < _SUPER_IS_NOT_ENOUGH and rights.everywhere("SUPER")


def mariadb_health() -> MySQLHealth:
    """MySQL's checks, with MariaDB's versions and rights."""
    return MySQLHealth(LINES, _administers)

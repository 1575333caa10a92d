"""What the account of a connection may do, as MySQL and MariaDB list it (SHOW GRANTS)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from sqlalchemy import Connection, text

ALL = "ALL PRIVILEGES"
_LINE = re.compile(
    r"(?P<verb>GRANT|REVOKE) (?P<rights>.+?) ON (?P<place>\*\.\*|`(?:[^`]|``)*`\.\*) (?:TO|FROM) "
)
_NO_ROLE = "NONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Rights by the place that they were given for.

    Attributes:
        account: As GRANT takes it.
        granted: Each right with the pattern of the names of databases; None stands for all.
        revoked: In the same form, what MySQL's partial revokes take away again.
    """

    account: str
    granted: frozenset[tuple[str, str | None]]
    revoked: frozenset[tuple[str, str | None]] = frozenset()

    @classmethod
    def of(cls, connection: Connection) -> Self:
        """Asks the server for those of the connection's own account and active roles."""
        user, _, host = str(connection.execute(text("SELECT CURRENT_USER()")).scalar()).rpartition(
            "@"
        )
        lines = connection.exec_driver_sql(f"SHOW GRANTS{_with_roles(connection)}").scalars()
        account = f"{_quoted(user)}@{_quoted(host)}"
        return cls.read(lines.all(), account=account)

    @classmethod
    def read(cls, lines: Iterable[str], *, account: str) -> Self:
        """Reads what SHOW GRANTS has listed; rights on single tables are left out."""
        found: dict[str, set[tuple[str, str | None]]] = {"GRANT": set(), "REVOKE": set()}
        for line in lines:
            if parts := _LINE.match(line):
                place = parts["place"]
                where = None if place == "*.*" else place[1:-3].replace("``", "`")
                rights = (right.strip().upper() for right in parts["rights"].split(","))
                found[parts["verb"]] |= {(right, where) for right in rights}
        return cls(
            account=account,
            granted=frozenset(found["GRANT"]),
            revoked=frozenset(found["REVOKE"]),
        )

    def everywhere(self, right: str) -> bool:
        """Whether the account has a right on the server as a whole."""
        return bool({(right, None), (ALL, None)} & self.granted)

    def on(self, database: str, right: str) -> bool:
        """Whether it has a right on a database."""
        if self._names(self.revoked, database, right):
            return False
        return self.everywhere(right) or self._names(self.granted, database, right)

    @staticmethod
    def _names(rights: Iterable[tuple[str, str | None]], database: str, right: str) -> bool:
        return any(
            where is not None and one in (right, ALL) and _matches(where, database)
            for one, where in rights
        )


def _with_roles(connection: Connection) -> str:
    """MySQL lists the rights of active roles only when they are named; MariaDB does so anyway."""
    if getattr(connection.dialect, "is_mariadb", False):
        return ""
    roles = str(connection.execute(text("SELECT CURRENT_ROLE()")).scalar())
    if roles == _NO_ROLE:
        return ""
    escaped = roles.replace("%", "%%")  # the drivers format what they send
    return f" FOR CURRENT_USER() USING {escaped}"


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _matches(pattern: str, database: str) -> bool:
    """Whether the name of a database in a GRANT, which may have wildcards, means this one."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    regex = "".join(wild.get(part, re.escape(part[-1])) for part in parts)
    return re.fullmatch(regex, database, re.DOTALL) is not None

"""What can be wrong with a database of MySQL or MariaDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, text

from bootstrap.backends.health import (
    Check,
    Circumstances,
    Lines,
    Said,
    encryption,
    fine,
    in_the_way,
    nobody_in_the_way,
    problem,
    straight,
    throwaways,
    time_zone,
    unknown,
    version_of,
    warning,
    writable,
)
from bootstrap.backends.mysql.cancelling import told_at_login
from bootstrap.backends.mysql.rights import Rights

LINES = Lines(
    title="MySQL",
    ends={
        (5, 7): date(2023, 10, 31),
        (8, 0): date(2026, 4, 30),
        (8, 4): date(2032, 4, 30),  # five years of premier and three of extended support
        (9, 7): date(2034, 4, 30),
    },
    source="https://www.oracle.com/support/lifetime-support/",
)
_NEEDED = ("CREATE", "ALTER", "DROP", "INDEX", "REFERENCES", "SELECT", "INSERT", "UPDATE", "DELETE")
_THROWAWAY = "throwaway_0123456789abcdef"
_UTC = frozenset({"UTC", "Etc/UTC", "GMT", "+00:00"})
_SWITCHES = text(
    "SHOW VARIABLES WHERE variable_name IN ('read_only', 'super_read_only', 'innodb_read_only',"
    " 'transaction_read_only', 'tx_read_only')"
)
_TLS = text("SHOW SESSION STATUS WHERE variable_name IN ('Ssl_version', 'Ssl_cipher')")
_CHARACTERS = text(
    "SELECT @@character_set_database AS characters, @@collation_database AS collated,"
    " DATABASE() AS name"
)
_ZONE = text("SELECT @@session.time_zone AS zone, @@system_time_zone AS of_system")
_OPEN = (
    "SELECT p.id AS session, p.user AS owner, p.command,"
    " TIMESTAMPDIFF(SECOND, x.trx_started, NOW()) AS age"
    " FROM information_schema.innodb_trx x JOIN {schema}.processlist p"
    "  ON p.id = x.trx_mysql_thread_id"
    " WHERE p.id <> CONNECTION_ID() AND p.db = DATABASE()"
    "  AND TIMESTAMPDIFF(MICROSECOND, x.trx_started, NOW(6)) >= :patience * 1000000"
    " ORDER BY x.trx_started"
)


class MySQLHealth:
    """The checks, the most important first.

    Args:
        lines: The product's versions.
        may_always_write: Whether an account may write although the server is read-only.
    """

    def __init__(
        self,
        lines: Lines = LINES,
        may_always_write: Callable[[Connection, Rights], bool] | None = None,
    ) -> None:
        self._may_always_write = may_always_write or _administers
        self.checks: Sequence[Check] = (
            Check(name="version", look=partial(_version, lines)),
            Check(name="encryption", look=_encryption),
            Check(name="pooler", look=_proxy),
            Check(name="writable", look=self._writable),
            Check(name="rights", look=_rights),
            Check(name="throwaways", look=_throwaways),
            Check(name="characters", look=_characters),
            Check(name="time zone", look=_zone),
            Check(name="sessions", look=_sessions),
        )

    def read_only(self, connection: Connection) -> str:
        """A replica most often; some accounts may write there all the same."""
        rows = connection.execute(_SWITCHES).all()
        on = {name for name, value in rows if value not in {"OFF", "0"}}
        for always in ("innodb_read_only", "super_read_only"):
            if always in on:
                return f"it is read-only for everybody ({always} is on)"
        if on & {"transaction_read_only", "tx_read_only"}:
            return "its transactions only read (transaction_read_only is on)"
        if "read_only" in on and not self._may_always_write(connection, Rights.of(connection)):
            return "it is read-only, as replicas are (read_only is on)"
        return ""

    def _writable(self, connection: Connection, _known: Circumstances) -> Iterator[Said]:
        yield writable(self.read_only(connection))


def _administers(_connection: Connection, rights: Rights) -> bool:
    """MySQL manual, read_only: accounts with CONNECTION_ADMIN, or the deprecated SUPER."""
    return rights.everywhere("CONNECTION_ADMIN") or rights.everywhere("SUPER")


def _version(lines: Lines, connection: Connection, known: Circumstances) -> Iterator[Said]:
    yield lines.said(version_of(connection), known.today)


def _encryption(connection: Connection, known: Circumstances) -> Iterator[Said]:
    if _is_behind_proxy(connection):
        yield unknown("the server only tells how the proxy in between has connected to it")
        return
    found = {str(name): str(value) for name, value in connection.execute(_TLS)}
    cipher = ", ".join(value for _, value in sorted(found.items(), reverse=True) if value)
    yield encryption(cipher, known, mode="ssl-mode=REQUIRED (or VERIFY_IDENTITY)")


def _is_behind_proxy(connection: Connection) -> bool:
    own = int(connection.execute(text("SELECT CONNECTION_ID()")).scalar_one())
    told = told_at_login(connection.connection.driver_connection)
    return told is not None and told != own % 2**32  # a login has four bytes for it


def _proxy(connection: Connection, _known: Circumstances) -> Iterator[Said]:
    if _is_behind_proxy(connection):
        yield warning(
            "a proxy is in between, and may give each transaction another session of the server",
            hint="migrate on a direct connection: name the server itself in the URL",
        )
    else:
        yield straight()


def _rights(connection: Connection, known: Circumstances) -> Iterator[Said]:
    rights, name = Rights.of(connection), known.url.database or ""
    quoted = connection.dialect.identifier_preparer.quote_identifier(name)
    missing = [right for right in _NEEDED if not rights.on(name, right)]
    if missing:
        yield problem(
            f"{rights.account} lacks rights on {quoted}: {', '.join(missing)}",
            hint=f"GRANT {', '.join(missing)} ON {quoted}.* TO {rights.account};",
        )
    else:
        yield fine(f"{rights.account} may create, alter and drop tables in {quoted}")
    if not rights.everywhere("PROCESS"):
        yield warning(
            f"{rights.account} lacks the right PROCESS: whether a TRUNCATE was applied when a run"
            " was killed, and who is in the way of a statement, cannot be told",
            hint=_process(rights),
        )


def _process(rights: Rights) -> str:
    return f"GRANT PROCESS ON *.* TO {rights.account};"


def _throwaways(connection: Connection, _known: Circumstances) -> Iterator[Said]:
    rights = Rights.of(connection)
    rights_on_them = [rights.on(_THROWAWAY, right) for right in ("CREATE", "DROP")]
    yield throwaways(may_create=all(rights_on_them))


def _characters(connection: Connection, _known: Circumstances) -> Iterator[Said]:
    found = connection.execute(_CHARACTERS).one()
    if found.characters == "utf8mb4":
        yield fine(f"new tables are in utf8mb4 ({found.collated})")
        return
    quoted = connection.dialect.identifier_preparer.quote_identifier(found.name)
    yield warning(
        f"new tables are in {found.characters} ({found.collated}), which does not hold all of"
        " Unicode",
        hint=f"ALTER DATABASE {quoted} CHARACTER SET utf8mb4;  -- for new tables",
    )


def _zone(connection: Connection, _known: Circumstances) -> Iterator[Said]:
    found = connection.execute(_ZONE).one()
    zone = found.of_system if found.zone == "SYSTEM" else found.zone
    yield time_zone(
        zone,
        is_utc=zone in _UTC,
        local="CURRENT_TIMESTAMP in a DATETIME",
        hint="SET PERSIST time_zone = '+00:00' on MySQL, default_time_zone in the configuration of"
        " MariaDB",
    )


def _processes(connection: Connection) -> str:
    # MySQL 9 warns about the old table; MariaDB may run without the performance schema.
    mariadb = getattr(connection.dialect, "is_mariadb", False)
    return "information_schema" if mariadb else "performance_schema"


def _sessions(connection: Connection, known: Circumstances) -> Iterator[Said]:
    rights = Rights.of(connection)
    if not rights.everywhere("PROCESS"):
        yield unknown("whose transactions are open is not shown to it", hint=_process(rights))
        return
    query = text(_OPEN.format(schema=_processes(connection)))
    rows = connection.execute(query, {"patience": known.patience}).all()
    yield from in_the_way([_in_the_way(row) for row in rows])
    if not rows:
        yield nobody_in_the_way()


def _in_the_way(row: Row[Any]) -> Said:
    what = ", idle" if row.command == "Sleep" else ""
    return warning(
        f"session {row.session} of {row.owner} has a transaction open for {row.age} s{what}, whose"
        " metadata locks an ALTER TABLE would wait for",
        hint=f"wait until it ends, or: KILL {row.session};",
    )

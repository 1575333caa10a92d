"""What can be wrong with a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar

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
from bootstrap.backends.postgresql.cancelling import told_at_login

LINES = Lines(
    title="PostgreSQL",
    ends={
        (13,): date(2025, 11, 13),
        (14,): date(2026, 11, 12),
        (15,): date(2027, 11, 11),
        (16,): date(2028, 11, 9),
        (17,): date(2029, 11, 8),
        (18,): date(2030, 11, 14),
    },
    source="https://www.postgresql.org/support/versioning/",
)
_COLLATION_VERSIONS = (15,)  # the first that keeps one for a database
_NAMED = 3  # tables in one sentence
_UTC = frozenset({"UTC", "Etc/UTC", "UCT", "Etc/UCT", "GMT", "Etc/GMT", "Zulu", "Etc/Zulu"})
# A SELECT would fix the snapshot of a transaction at REPEATABLE READ; the run lock comes first.
_READ_ONLY = text("SHOW transaction_read_only")
_STANDBY = text("SELECT pg_is_in_recovery()")
_TLS = text("SELECT ssl, version, cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
_PLACE = text(
    "SELECT quote_ident(current_schema()) AS schema, quote_ident(current_user) AS account,"
    " has_schema_privilege(current_schema(), 'CREATE') AS may"
)
# A view belongs to whoever made it, and is altered by revisions as tables are.
_OTHERS_TABLES = text(
    "SELECT format('%I.%I', n.nspname, c.relname) AS name, quote_ident(r.rolname) AS owner,"
    " quote_ident(current_user) AS account"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_roles r ON r.oid = c.relowner"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname = ANY (current_schemas(false))"
    " AND NOT pg_has_role(current_user, c.relowner, 'USAGE')"
    " AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')"
    " ORDER BY 1"
)
_CREATES = text("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
_ENCODING = text(
    "SELECT pg_encoding_to_char(encoding) AS encoding FROM pg_database"
    " WHERE datname = current_database()"
)
_COLLATION = text(
    "SELECT quote_ident(datname) AS name, datcollversion AS made,"
    " pg_database_collation_actual_version(oid) AS present"
    " FROM pg_database WHERE datname = current_database()"
)
_ZONE = text("SELECT current_setting('TimeZone') AS zone, quote_ident(current_database()) AS name")
# Whose locks on tables are seen by everybody; since when is seen of one's own sessions, and by
# members of pg_read_all_stats.
_OPEN = text(
    "SELECT a.pid, a.usename, a.application_name, a.state,"
    " extract(epoch FROM clock_timestamp() - a.xact_start)::float AS age"
    " FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()"
    " AND (a.xact_start IS NULL"
    "  OR a.xact_start <= clock_timestamp() - make_interval(secs => :patience))"
    " AND a.pid IN (SELECT l.pid FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
    "  JOIN pg_namespace n ON n.oid = c.relnamespace"
    "  WHERE l.granted AND l.database = (SELECT oid FROM pg_database"
    "   WHERE datname = current_database())"
    "  AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema')"
    " ORDER BY a.xact_start"
)
_PREPARED = text(
    "SELECT quote_literal(gid) AS gid FROM pg_prepared_xacts"
    " WHERE database = current_database() ORDER BY prepared"
)


def read_only(connection: Connection) -> str:
    """A standby, or a session whose transactions only read."""
    if connection.execute(_READ_ONLY).scalar() == "off":
        return ""
    if connection.execute(_STANDBY).scalar():
        return "it is a standby, which only replays what its primary writes"
    return "its transactions only read (default_transaction_read_only is on)"


def _version(connection: Connection, known: Circumstances) -> Iterator[Said]:
    yield LINES.said(version_of(connection), known.today)


def _encryption(connection: Connection, known: Circumstances) -> Iterator[Said]:
    if _is_behind_pooler(connection):
        yield unknown("the server only tells how the pooler in between has connected to it")
        return
    found = connection.execute(_TLS).first()
    cipher = f"{found.version}, {found.cipher}" if found and found.ssl else ""
    yield encryption(cipher, known, mode="sslmode=require (or verify-full)")


def _writable(connection: Connection, _known: Circumstances) -> Iterator[Said]:
    yield writable(read_only(connection))


def _rights(connection: Connection, _known: Circumstances) -> Iterator[Said]:
    found = connection.execute(_PLACE).one()
    if found.schema is None:
        yield problem(
            "search_path names no schema that exists, so no table can be created",
            hint="CREATE SCHEMA, or correct search_path",
        )
    elif not found.may:
        yield problem(
            f"{found.account} must not create tables in the schema {found.schema}",
            hint=f"GRANT CREATE ON SCHEMA {found.schema} TO {found.account};",
        )
    else:
        yield fine(f"{found.account} may create tables in the schema {found.schema}")
    yield from _owners(connection)


def _owners(connection: Connection) -> Iterator[Said]:
    """Only the owner of a table, or a member of that role, may alter it."""
    rows = connection.execute(_OTHERS_TABLES).all()
    if rows:
        count = "1 table belongs" if len(rows) == 1 else f"{len(rows)} tables belong"
        names = ", ".join(f"{row.name} to {row.owner}" for row in rows[:_NAMED])
        more = " …" if len(rows) > _NAMED else ""
        first = rows[0]
        yield warning(
            f"{count} to others, and cannot be altered by revisions: {names}{more}",
            hint=f"ALTER TABLE {first.name} OWNER TO {first.account};",
        )


def _throwaways(connection: Connection, _known: Circumstances) -> Iterator[Said]:
    yield throwaways(may_create=bool(connection.execute(_CREATES).scalar()))


def _characters(connection: Connection, _known: Circumstances) -> Iterator[Said]:
    encoding = connection.execute(_ENCODING).scalar_one()
    if encoding == "UTF8":
        yield fine("the encoding is UTF8")
    else:
        yield warning(
            f"the encoding is {encoding}, which does not hold all of Unicode",
            hint="pg_dump it into a new database: bootstrap create --encoding UTF8",
        )
    if version_of(connection) < _COLLATION_VERSIONS:
        return
    found = connection.execute(_COLLATION).one()
    if found.made != found.present:
        yield warning(
            f"texts were sorted by version {found.made} of the collation, and are now by"
            f" {found.present}: indexes on them may be wrong",
            hint=f"REINDEX DATABASE {found.name}; ALTER DATABASE {found.name} REFRESH COLLATION"
            " VERSION;",
        )


def _zone(connection: Connection, _known: Circumstances) -> Iterator[Said]:
    found = connection.execute(_ZONE).one()
    yield time_zone(
        found.zone,
        is_utc=found.zone in _UTC,
        local="now() in a column without time zone",
        hint=f"ALTER DATABASE {found.name} SET timezone TO 'UTC';",
    )


def _pooler(connection: Connection, _known: Circumstances) -> Iterator[Said]:
    if not _is_behind_pooler(connection):
        yield straight()
        return
    hint = "migrate on a direct connection: name the server itself in the URL (docs/settings.md)"
    if _shares_sessions(connection):
        yield warning(
            "a pooler in transaction mode is in between: each transaction may get another session"
            " of the server",
            hint=hint,
        )
    else:
        yield warning("a pooler is in between", hint=hint)


def _is_behind_pooler(connection: Connection) -> bool:
    """Whether the server has another process for this session than the login said."""
    told = told_at_login(connection.connection.driver_connection)
    return told is not None and told != _pid(connection)


def _shares_sessions(connection: Connection) -> bool:
    """Whether a second connection gets the session that this one had a moment ago.

    In session mode that cannot be. In transaction mode it need not be, where others are busy.
    """
    own = _pid(connection)
    connection.rollback()
    with connection.engine.connect() as second:
        return _pid(second) == own


def _pid(connection: Connection) -> int:
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def _sessions(connection: Connection, known: Circumstances) -> Iterator[Said]:
    rows = connection.execute(_OPEN, {"patience": known.patience}).all()
    yield from in_the_way([_in_the_way(row) for row in rows])
    prepared = connection.execute(_PREPARED).all()
    for row in prepared:
        yield warning(
            f"the prepared transaction {row.gid} keeps its locks until somebody ends it",
            hint=f"ROLLBACK PREPARED {row.gid};",
        )
    if not rows and not prepared:
        yield nobody_in_the_way()


def _in_the_way(row: Row[Any]) -> Said:
    application = f" ({row.application_name})" if row.application_name else ""
    since = "" if row.age is None else f" for {row.age:.0f} s"
    what = f", {row.state}" if row.state else ""
    return warning(
        f"session {row.pid} of {row.usename}{application} has a transaction open{since}{what},"
        " with locks that an ALTER TABLE would wait for",
        hint=f"wait until it ends, or: SELECT pg_terminate_backend({row.pid});",
    )


class PostgreSQLHealth:
    """The checks, the most important first."""

    checks: ClassVar = (
        Check(name="version", look=_version),
        Check(name="encryption", look=_encryption),
        Check(name="pooler", look=_pooler),
        Check(name="writable", look=_writable),
        Check(name="rights", look=_rights),
        Check(name="throwaways", look=_throwaways),
        Check(name="characters", look=_characters),
        Check(name="time zone", look=_zone),
        Check(name="sessions", look=_sessions),
    )

    def read_only(self, connection: Connection) -> str:
        """Why nothing can be written."""
        return read_only(connection)

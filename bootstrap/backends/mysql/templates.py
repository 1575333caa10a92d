"""Copies databases of MySQL and MariaDB, which have no statement for that.

Each object is made again by what SHOW CREATE says of it, each table gets its rows by INSERT ...
SELECT on the server. What makes them is read once for a template, and sent for each copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from sqlalchemy import Connection, Dialect, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bootstrap.backends.base import Connecting, CreateOptions, Engines, Pool, PooledEngines
from bootstrap.backends.engine import look
from bootstrap.backends.mysql.admin import MySQLAdmin, create, drop, nowhere
from bootstrap.backends.mysql.catalog.fingerprint import NAMES

_DEFAULTS = text(
    "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME"
    " FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = DATABASE()"
)
_COLUMNS = text(
    "SELECT TABLE_NAME AS `table`, COLUMN_NAME AS name FROM information_schema.COLUMNS"
    " WHERE TABLE_SCHEMA = DATABASE() AND COALESCE(GENERATION_EXPRESSION, '') = ''"
    " ORDER BY TABLE_NAME, ORDINAL_POSITION"
)
# Tables come in any order, and a 0 in a counted column is a value. UTC, because a time in the
# hour that the clocks are put back has no meaning elsewhere.
_SESSION = (
    "SET SESSION foreign_key_checks = 0, unique_checks = 0,"
    " sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00', sql_quote_show_create = 1"
)
# In a view the columns of a table, and what they are called there; tables are named without their
# database, because the session is in it.
_NO_TABLE = re.compile(r"(?:\.| AS )`(?:[^`]|``)*`", re.IGNORECASE)
# Rows before triggers, which would fire; functions before the views that call them.
_ORDER = ("SEQUENCE", "TABLE", "ROWS", "FUNCTION", "PROCEDURE", "VIEW", "TRIGGER", "EVENT")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Object:
    """What makes one object, and the SQL mode that it was made in; empty for that of the copy."""

    kind: str
    name: str
    statement: str
    mode: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """What says of a database that it is complete, and how to ask for it."""

    put: str
    take_away: str
    is_there: TextClause


_READ_ONLY = _Mark(  # MySQL 8.0.22
    put="READ ONLY = 1",
    take_away="READ ONLY = 0",
    is_there=text(
        "SELECT COALESCE(OPTIONS, '') LIKE '%READ ONLY=1%'"
        " FROM information_schema.SCHEMATA_EXTENSIONS WHERE SCHEMA_NAME = :name"
    ),
)
_COMMENT = _Mark(  # MariaDB 10.5
    put="COMMENT = 'complete'",
    take_away="COMMENT = ''",
    is_there=text(
        "SELECT SCHEMA_COMMENT = 'complete' FROM information_schema.SCHEMATA"
        " WHERE SCHEMA_NAME = :name"
    ),
)


class MySQLTemplates:
    """A complete template is read-only on MySQL; on MariaDB its comment says so."""

    async def version(self, engines: Engines, connecting: Connecting) -> str:
        """What the server says of itself."""
        async with nowhere(engines, connecting) as connection:
            return str((await connection.execute(text("SELECT VERSION()"))).scalar_one())

    async def is_complete(self, engines: Engines, template: Connecting) -> bool:
        """Whether it is there, with all that belongs into it."""
        async with nowhere(engines, template) as connection:
            found = await connection.execute(
                _mark(connection).is_there, {"name": template.url.database}
            )
            return bool(found.scalar())

    async def complete(self, engines: Engines, template: Connecting) -> None:
        """Says that all is in it; from now on it is copied only."""
        async with nowhere(engines, template) as connection:
            await _alter(connection, template, _mark(connection).put)

    async def remove(self, engines: Engines, template: Connecting) -> None:
        """Drops it."""
        async with nowhere(engines, template) as connection:
            await _alter(connection, template, _mark(connection).take_away)
        await MySQLAdmin().drop(engines, template, force=True)

    async def copier(self, engines: PooledEngines, template: Connecting) -> MySQLCopier:
        """What copies it, as often as wanted."""
        async with look(engines, template) as connection:
            await connection.exec_driver_sql(_SESSION)
            options = await connection.run_sync(_options)
            objects = await connection.run_sync(_objects)
        server = engines.pooled(MySQLAdmin().lobby(template), Pool(size=2))
        return MySQLCopier(server, template, options=options, objects=objects)

    def allow_savepoints(self, engine: AsyncEngine) -> None:
        """The server does."""


def _mark(connection: AsyncConnection) -> _Mark:
    return _COMMENT if getattr(connection.dialect, "is_mariadb", False) else _READ_ONLY


async def _alter(connection: AsyncConnection, template: Connecting, what: str) -> None:
    name = _quoted(connection.dialect, template)
    await connection.exec_driver_sql(f"ALTER DATABASE {name} {what}")


class MySQLCopier:
    """Copies one template.

    Args:
        server: What connects to the server, and keeps connections; they are in no copy between.
        template: Which.
        options: How its database was made.
        objects: What is in it, in an order in which it can be made.
    """

    def __init__(
        self,
        server: AsyncEngine,
        template: Connecting,
        *,
        options: CreateOptions,
        objects: Sequence[_Object],
    ) -> None:
        self._server = server
        self._template = template
        self._options = options
        self._objects = objects

    async def copy(self, to: Connecting) -> None:
        """Makes a database as the template is; of a system-versioned table, the present rows."""
        async with self._server.connect() as connection:
            plain = await connection.execution_options(no_parameters=True)
            await create(plain, to.url.database or "", self._options)
            await plain.run_sync(self._fill, to)

    async def renew(self, used: Connecting, to: Connecting) -> bool:
        """Drops it: nothing tells what has changed in it, and there is no other name to give."""
        async with self._server.connect() as connection:
            await drop(connection, used.url.database or "", force=True)
        return False

    async def close(self) -> None:
        """Closes the connections."""
        await self._server.dispose()

    def _fill(self, connection: Connection, to: Connecting) -> None:
        there, here = (f"{_quoted(connection.dialect, one)}." for one in (self._template, to))
        connection.exec_driver_sql(f"USE {_quoted(connection.dialect, to)}")
        try:
            connection.exec_driver_sql(_SESSION)
            for one in self._objects:
                _make(connection, one, there=there, here=here)
            connection.commit()
        finally:  # who drops a copy ends the sessions in it
            connection.exec_driver_sql("USE information_schema")


def _make(connection: Connection, one: _Object, *, there: str, here: str) -> None:
    # A view and the default of a column name the database that they are in.
    statement = one.statement if one.kind == "ROWS" else one.statement.replace(there, here)
    if one.mode:
        connection.exec_driver_sql(f"SET SESSION sql_mode = '{one.mode}'")
    connection.exec_driver_sql(statement)


def _options(connection: Connection) -> CreateOptions:
    charset, collation = connection.execute(_DEFAULTS).one()
    return CreateOptions(encoding=charset, collation=collation)


def _objects(connection: Connection) -> tuple[_Object, ...]:
    """All that is in the database, in an order in which it can be made."""
    found = [
        _made(connection, kind, name) for kind, name, _ in connection.execute(text(NAMES)).all()
    ]
    sequences = [one.name for one in found if one.kind == "SEQUENCE"]
    tables = [one.name for one in found if one.kind == "TABLE"]
    found += _rows(connection, tables)
    found += (_position(connection, name) for name in sequences)
    ordered = sorted(found, key=lambda one: _ORDER.index(one.kind))
    return tuple(_views_in_order(ordered))


def _made(connection: Connection, kind: str, name: str) -> _Object:
    quote = connection.dialect.identifier_preparer.quote_identifier
    shown = connection.exec_driver_sql(f"SHOW CREATE {kind} {quote(name)}").mappings().one()
    words = {key.lower(): str(value) for key, value in shown.items()}
    created = (value for key, value in words.items() if key.startswith("create "))
    statement = words.get("sql original statement") or next(created)
    return _Object(kind=kind, name=name, statement=statement, mode=words.get("sql_mode", ""))


def _rows(connection: Connection, tables: Iterable[str]) -> Iterator[_Object]:
    """What copies the rows of the tables that have some."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    database = quote(str(connection.execute(text("SELECT DATABASE()")).scalar_one()))
    columns: dict[str, list[str]] = {}
    for table, name in connection.execute(_COLUMNS):
        columns.setdefault(table, []).append(quote(name))
    for name in tables:
        there = f"{database}.{quote(name)}"
        if (
            columns.get(name)
            and connection.exec_driver_sql(f"SELECT EXISTS (SELECT 1 FROM {there})").scalar()
        ):
            listed = ", ".join(columns[name])
            yield _Object(
                kind="ROWS",
                name=name,
                statement=f"INSERT INTO {quote(name)} ({listed}) SELECT {listed} FROM {there}",
            )


def _position(connection: Connection, sequence: str) -> _Object:
    """What sets a sequence of MariaDB to where it is."""
    quoted = connection.dialect.identifier_preparer.quote_identifier(sequence)
    following = connection.exec_driver_sql(f"SELECT next_not_cached_value FROM {quoted}")
    value = int(following.scalar_one())
    return _Object(kind="ROWS", name=sequence, statement=f"DO SETVAL({quoted}, {value:d}, 0)")


def _views_in_order(objects: Sequence[_Object]) -> Iterator[_Object]:
    """The same objects; a view comes after those that it is made of."""
    views: Mapping[str, _Object] = {one.name: one for one in objects if one.kind == "VIEW"}
    named = {name: _NO_TABLE.sub("", one.statement) for name, one in views.items()}
    graph = {
        name: {other for other in views if other != name and f"`{other}`" in said}
        for name, said in named.items()
    }
    ordered = iter([views[name] for name in TopologicalSorter(graph).static_order()])
    for one in objects:
        yield next(ordered) if one.kind == "VIEW" else one


def _quoted(dialect: Dialect, connecting: Connecting) -> str:
    return dialect.identifier_preparer.quote_identifier(connecting.url.database or "")

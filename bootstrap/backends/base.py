"""What a backend is: one value made of small capabilities, each in a room of its own.

A new backend is a new folder below `bootstrap/backends/` whose package has a `BACKEND`; nobody
outside that folder asks which one it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    ScalarSelect,
    Table,
    TableClause,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import TypeEngine

from bootstrap.backends.altering import Made, Part, Statement
from bootstrap.backends.effects import Effects
from bootstrap.backends.guards import Atomicity
from bootstrap.backends.health import Health
from bootstrap.backends.sessions import Cancelling, Locks, Waits
from bootstrap.backends.values import Values
from bootstrap.errors import Fault
from bootstrap.schema.model import Schema


class Reason(StrEnum):
    """Why a server, or the way to it, said no."""

    UNKNOWN_HOST = "unknown host"
    CLOSED_PORT = "closed port"
    TIMED_OUT = "timed out"
    STARTING = "starting"
    WRONG_PASSWORD = "wrong password"  # noqa: S105 - a reason, not a password
    NO_RIGHT = "no right"
    NO_DATABASE = "no database"
    DATABASE_EXISTS = "database exists"
    IN_USE = "in use"
    READ_ONLY = "read-only"
    BUSY = "busy"
    CONFLICT = "conflict"
    NOT_A_DATABASE = "not a database"
    CANNOT_OPEN = "cannot open"
    TOO_MANY_CONNECTIONS = "too many connections"
    CONNECTION_LOST = "connection lost"
    TLS = "tls"
    WRONG_PRODUCT = "wrong product"
    ALREADY_THERE = "already there"  # the object that a statement makes
    STATEMENT = "statement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A driver's exception, translated: by SQLSTATE or errno, never by the text of its message."""

    reason: Reason
    code: str  # SQLSTATE, server errno or SQLite's result code; empty when there was none
    text: str  # the server's own words, one line
    fault: Fault | None = None  # None for what does not pass by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Connecting:
    """A URL that the driver understands, and the arguments that do not fit into it."""

    url: URL
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """An async driver of a backend.

    Attributes:
        name: As in a URL: `postgresql+asyncpg`.
        module: What is imported.
        install: What to give to `pip install` when the module is missing.
        connecting: Translates the options in a URL (libpq's `sslmode`, `connect_timeout` …)
            into what this driver takes. Raises SettingsError for a value that it cannot honour.
        is_sync_too: Whether it serves `create_engine` as well.
        prepares: Whether a statement with parameters takes it round trips that one without spares.
    """

    name: str
    module: str
    install: str
    connecting: Callable[[URL], Connecting]
    is_sync_too: bool = False
    prepares: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What a backend can do; tests and commands ask these, never a name."""

    transactional_ddl: bool
    is_file: bool  # the database is a file of this machine, without a server
    create_options: frozenset[str] = frozenset()  # fields of CreateOptions that mean something
    enforces_types: bool = True  # VARCHAR(n) refuses a longer value, DATETIME a text
    native_booleans: bool = True
    schemas: bool = False  # a database has several schemas of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOptions:
    """How a new database is made; None leaves it to the server."""

    owner: str | None = None
    encoding: str | None = None
    template: str | None = None
    collation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody who is connected to the database."""

    pid: int
    user: str
    application: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """How an application keeps connections; times in seconds.

    Attributes:
        size: How many it keeps; 0 for no limit.
        max_overflow: How many more it may open for a while.
        timeout: How long it waits for one to be free.
        recycle: After what age one is made anew; 0 for no limit.
        pre_ping: Whether one is tried before it is used.
    """

    size: int = 5
    max_overflow: int = 10
    timeout: float = 30.0
    recycle: float = 1800.0
    pre_ping: bool = True


class Engines(Protocol):
    """Makes async engines."""

    def create(self, connecting: Connecting) -> AsyncEngine:
        """Makes an engine without a pool, which hides the parameters of statements."""


class PooledEngines(Engines, Protocol):
    """Makes engines for programs that go on too."""

    def pooled(self, connecting: Connecting, pool: Pool) -> AsyncEngine:
        """Makes an engine that keeps connections, and hides the parameters of statements."""


class Errors(Protocol):
    """Knows the backend's error codes."""

    def translate(self, error: BaseException) -> Failure | None:
        """Translates an exception of the driver or of SQLAlchemy; None when it is another's."""


class Admin(Protocol):
    """Creates and drops whole databases, through a connection that does not need them."""

    def identity(self, url: URL) -> tuple[str, ...]:
        """Which database a URL means, the same for all its spellings; empty for one in memory."""

    async def exists(self, engines: Engines, connecting: Connecting) -> bool:
        """Tells whether the database is there."""

    async def create(
        self, engines: Engines, connecting: Connecting, options: CreateOptions
    ) -> None:
        """Creates the database. The driver's own exception when it is there already."""

    async def drop(self, engines: Engines, connecting: Connecting, *, force: bool) -> None:
        """Drops the database; `force` ends the sessions of others first."""

    async def sessions(self, engines: Engines, connecting: Connecting) -> tuple[Session, ...]:
        """The sessions of others on the database, as far as rights show them."""

    def lobby(self, connecting: Connecting) -> Connecting:
        """Where to connect on the same server, for what is of no single database."""

    async def names(self, engines: Engines, connecting: Connecting) -> tuple[str, ...]:
        """The databases on the server that the account may see; none of files.

        None either where a lock does not tell whether one is in use.
        """

    def grant(self, account: str) -> str:
        """The statement that lets an account create throwaway databases; empty without accounts."""


class Types(Protocol):
    """The types of `bootstrap.types` on this backend."""

    def exact_string(self, length: int, dialect: Dialect) -> TypeEngine[Any]:
        """VARCHAR that compares exactly: by case and accent, without padding."""

    def utc_timestamp(self, dialect: Dialect) -> DateTime:
        """A point in time with microseconds; its `timezone` says whether it takes aware values."""

    def exact_decimal(self, precision: int, scale: int, dialect: Dialect) -> TypeEngine[Any]:
        """A decimal that gives back exactly what it was given; it may hand out floats."""

    def utc_now(self) -> str:
        """SQL for the present time in UTC with microseconds, usable as a DEFAULT."""


class Catalog(Protocol):
    """Reads what a database consists of, on a connection that is there already."""

    def read(self, connection: Connection, tables: Sequence[str] | None = None) -> Schema:
        """Reads the schema, or only the tables named, as `name` or `schema.name`."""

    def fingerprint(self, connection: Connection, tables: Sequence[str] | None = None) -> str:
        """A hash of what the catalogue says, which DDL changes; of all or the tables named."""


class Alterations(Protocol):
    """Knows the statements that take a database to the schema of another of the same backend.

    Attributes:
        before: What is sent before such statements, outside of a transaction.
        after: What is sent after them.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]

    def made(self, connection: Connection) -> tuple[Made, ...]:
        """Reads what there is, each thing with the statements that make and drop it."""

    def between(self, before: Sequence[Made], after: Sequence[Made]) -> tuple[Statement, ...]:
        """The statements from one to the other."""

    def keeping(self, own: Made, other: Made, parts: Collection[Part]) -> Made:
        """A table as the other one is, but for some parts of it, which stay as they are here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerCommands:
    """How a throwaway server is run: data, not deeds.

    Attributes:
        init: Commands that fill an empty data folder, in order.
        run: The server, in the foreground.
        url: Where it then answers, as a superuser without a password.
        data_folder: The query for the server's data folder, which tells it from another server
            that took the port meanwhile.
        run_as: The accounts to try when the caller is root and the server refuses root.
        init_takes_options: Whether what is added to the server's command line belongs to the last
            command of `init` too, because some choices are made there for ever.
    """

    init: tuple[tuple[str, ...], ...]
    run: tuple[str, ...]
    url: URL
    data_folder: str
    run_as: tuple[str, ...] = ()
    init_takes_options: bool = False


class Server(Protocol):
    """Knows the programs of a backend's server."""

    def programs(self) -> Path | None:
        """The folder of the server's programs, or None when it is not installed."""

    def version(self, programs: Path) -> str:
        """The version that the programs print of themselves, such as `15.18`."""

    def install_hint(self) -> str:
        """The command that installs the server, for an error message."""

    def commands(self, programs: Path, folder: Path, port: int, *, durable: bool) -> ServerCommands:
        """The commands for a server whose data and sockets stay inside `folder`."""


class Copier(Protocol):
    """Copies one template."""

    async def copy(self, to: Connecting) -> None:
        """Makes a database, with rows, as the template is; none of that name may be there."""

    async def renew(self, used: Connecting, to: Connecting) -> bool:
        """Makes of a used copy one of another name that is as the template is, or drops it.

        Only where it is proved to be as the template is, and sooner than a new copy is made.

        Args:
            used: The copy; who is still connected to it is disconnected when it is dropped.
            to: What it is called then.

        Returns:
            False where it was dropped.
        """

    async def close(self) -> None:
        """Closes the connections that are kept for copying."""


class Templates(Protocol):
    """Whole databases that are copied: each test gets one of its own."""

    async def version(self, engines: Engines, connecting: Connecting) -> str:
        """What the server says of itself; its database need not exist."""

    async def is_complete(self, engines: Engines, template: Connecting) -> bool:
        """Whether a template is there, with all that belongs into it."""

    async def complete(self, engines: Engines, template: Connecting) -> None:
        """Says that all is in it, as a state of the database that nobody changes by accident."""

    async def remove(self, engines: Engines, template: Connecting) -> None:
        """Drops a complete template."""

    async def copier(self, engines: PooledEngines, template: Connecting) -> Copier:
        """What copies a complete template, as often as wanted."""

    def allow_savepoints(self, engine: AsyncEngine) -> None:
        """Sees to it that what is after a savepoint is undone with the transaction it is in."""


class Bulk(Protocol):
    """Takes many rows at once, into a temporary table of the connection."""

    def staged(self, column_type: TypeEngine[Any]) -> TypeEngine[Any] | None:
        """The type that keeps the values of a column as a file has them, without rounding them.

        None where rows of such a column are better written one by one.
        """

    def exactly(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """What tells two values apart that a collation takes for the same, or a double does."""

    def packed(
        self, types: Sequence[TypeEngine[Any]], columns: Sequence[Sequence[Any]], dialect: Dialect
    ) -> Any:
        """Makes of columns what the driver takes; in any thread."""

    async def fill(
        self,
        connection: AsyncConnection,
        table: str,
        names: Sequence[str],
        packed: Sequence[Any],
    ) -> None:
        """Writes what was packed, several times, into these columns of a table."""

    async def filled(self, connection: AsyncConnection, table: Table) -> None:
        """Tells the planner of the rows that a temporary table has by now."""

    async def keeps(
        self, connection: AsyncConnection, table: str, columns: Mapping[str, TypeEngine[Any]]
    ) -> bool:
        """Whether a table keeps what its columns get: no trigger, nothing is rounded or cut off."""

    async def drop(self, connection: AsyncConnection, table: Table) -> None:
        """Drops the temporary table, and does not end the transaction."""


class Fingerprints(Protocol):
    """Tells whether a table is as it was."""

    async def of_rows(self, connection: AsyncConnection, table: TableClause) -> ScalarSelect[Any]:
        """An expression for this connection: a text that follows from all rows of a table.

        It begins with their number and a colon; what follows has at least 128 bits that are
        others after any change of a row, of a type of its values, or of its columns. It is NULL
        where the session cannot tell.
        """


def no_tables(_connection: Connection) -> frozenset[tuple[str | None, str]]:
    """What a backend without extensions has of theirs."""
    return frozenset()


class Scripts(Protocol):
    """How a script is written for the backend's client program."""

    def prepare(self, dialect: Dialect) -> tuple[str, ...]:
        """Makes a dialect that never connects write literals right; gives what comes first."""

    def terminated(self, statement: str) -> str:
        """The statement with what ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One kind of database, made of its capabilities."""

    name: str  # the word in settings and options: postgresql
    title: str  # the word for people: PostgreSQL
    schemes: tuple[str, ...]  # of URLs, without a driver; the first is SQLAlchemy's
    drivers: tuple[Driver, ...]  # async; the first is the default
    sync_drivers: Mapping[str, str]  # name -> module; for env.py only, the first one is preferred
    features: Features
    engines: PooledEngines
    errors: Errors
    admin: Admin
    locks: Locks
    cancelling: Cancelling
    waits: Waits
    types: Types
    values: Values
    scripts: Scripts
    catalog: Catalog
    templates: Templates
    bulk: Bulk
    fingerprints: Fingerprints
    health: Health
    alterations: Alterations
    server: Server | None  # None: needs no server
    session_user: str  # SQL for who is logged in
    effects: Effects
    atomicity: Atomicity = field(default_factory=Atomicity)
    refine: Callable[[Dialect], str] | None = None  # the name of the one that is really there
    # The tables, by schema and name, that belong to extensions and not to a project.
    tables_of_extensions: Callable[[Connection], frozenset[tuple[str | None, str]]] = no_tables

    @property
    def without_asyncio(self) -> Mapping[str, str]:
        """The drivers that a sync env.py can use, as `sync_drivers` has them."""
        both = {one.name: one.module for one in self.drivers if one.is_sync_too}
        return {**self.sync_drivers, **both}

    def driver(self, name: str) -> Driver:
        """Finds a driver by its name in a URL; KeyError when it is not one of this backend's."""
        for driver in self.drivers:
            if driver.name == name:
                return driver
        raise KeyError(name)

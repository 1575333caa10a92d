"""Watches a revision on a throwaway database: each statement, and what there is after it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Select, event, literal_column, select, table
from sqlalchemy.exc import SQLAlchemyError

from bootstrap import backends
from bootstrap.backends.guards import Guard
from bootstrap.journal import encoding, origins
from bootstrap.journal.entries import Entry, Part
from bootstrap.records.names import TOOL_TABLES
from bootstrap.schema.model import Schema, Table

MOST_ROWS = 1000  # of a table; one that has more is not compared by its rows
Rows: TypeAlias = tuple[str, ...]  # in order, each in words; several tables are alike or are not

_READS = re.compile(r"\s*(SELECT|SHOW|DESCRIBE|DESC|EXPLAIN|PRAGMA|VALUES|SET)\b", re.IGNORECASE)
_WRITES = re.compile(
    r"\s*(INSERT|UPDATE|DELETE|REPLACE|MERGE|TRUNCATE|COPY|LOAD|WITH|CALL|DO|EXECUTE)\b",
    re.IGNORECASE,
)
_CATALOGUE = re.compile(
    r"\b(information_schema|pg_catalog|sqlite_master|sqlite_schema)\b", re.IGNORECASE
)
_COUNTS = re.compile(
    r"\b(nextval|currval|lastval|setval|last_value)\b|\bNEXT\s+VALUE\b", re.IGNORECASE
)
_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A statement of a revision that was run on a throwaway database.

    Attributes:
        number: Counted from 1.
        sql: On one line, without the texts in it.
        line: Where it stands in the revision's file; None when that is not known.
    """

    number: int
    sql: str
    line: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The same, with what of it does not leave the program.

    Attributes:
        sent: What is shown of it.
        text: All of it.
        keyed: Whether the revision gets to know the key that the server makes.
        refused: Whether the server refused it.
    """

    sent: Sent
    text: str
    keyed: bool = False
    refused: bool = False

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.refused or bool(_READS.match(_COMMENT.sub(" ", self.text)))

    @property
    def reads_rows(self) -> bool:
        """Whether it reads what a database holds, not what it consists of."""
        return self.reads and not _CATALOGUE.search(self.text)

    @property
    def counts(self) -> bool:
        """Whether it gives, or sets, the number that a sequence has come to."""
        return self.reads and bool(_COUNTS.search(self.text))

    @property
    def writes_rows(self) -> bool:
        """Whether it may change rows."""
        return bool(_WRITES.match(_COMMENT.sub(" ", self.text)))

    def names(self, tables: Sequence[str]) -> bool:
        """Whether one of these tables is named in it."""
        words = {word.lower() for word in re.findall(r"\w+", self.text)}
        return any(path.rpartition(".")[2].lower() in words for path in tables)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What there is between two statements.

    Attributes:
        schema: The schema, without the tables of the tools.
        rows: Those of each table; None where there are many.
    """

    schema: Schema
    rows: Mapping[str, Rows | None]


@dataclass(slots=True, kw_only=True)
class Observed:
    """What was seen of a revision.

    Attributes:
        statements: All that it sent, in order.
        moments: What there was before the first of them, and after each.
        stops: After how many of them plain Alembic may leave a database.
        recorded: What the journal has of it.
        digests: What the digests in it would be on the database that this one stands for.
    """

    statements: list[Statement] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    stops: set[int] = field(default_factory=set)
    recorded: tuple[Entry, ...] = ()
    digests: dict[str, str] = field(default_factory=dict)


class Observer:
    """Watches the connection of env.py.

    Args:
        context: Alembic's.
        guard: What watches over its revisions.
        seen: What is seen goes there.
        meant: Puts the name of the other database in the place of this one's.
    """

    def __init__(
        self,
        context: MigrationContext,
        guard: Guard,
        *,
        seen: Observed,
        meant: Callable[[Any], Any],
    ) -> None:
        assert context.connection is not None  # noqa: S101 - online there is one
        self._connection = context.connection
        self._backend = backends.of_dialect(context.dialect)
        self._own = (context.version_table, *TOOL_TABLES)
        self._guard = guard
        self._seen = seen
        self._meant = meant
        self._open: list[Any] = []  # what is being sent; what is sent in the middle of it is ours
        self._looks = False
        self._fingerprint = ""

    @contextmanager
    def watching(self, part: Part) -> Iterator[None]:
        """Watches during the block."""
        self._part = part
        self._seen.moments.append(self._moment())
        for target, name, listener, options in self._listeners():
            event.listen(target, name, listener, **options)
        try:
            yield
        finally:
            for target, name, listener, _ in self._listeners():
                event.remove(target, name, listener)
            texts = [one.text for one in self._seen.statements]
            self._seen.stops |= self._backend.atomicity.stops(self._connection, texts)

    def _listeners(self) -> tuple[tuple[Any, str, Callable[..., Any], dict[str, bool]], ...]:
        connection = self._connection
        return (
            # The first of all: what another listener sends before it is not the revision's.
            (connection, "before_cursor_execute", self._before, {"insert": True}),
            (connection, "after_cursor_execute", self._after, {}),
            (connection, "commit", self._commit, {}),
            (connection.engine, "handle_error", self._failed, {}),
        )

    def _before(
        self, _connection: object, _cursor: object, sql: str, parameters: Any, context: Any, *_: Any
    ) -> None:
        if self._is_ours():
            return
        self._open.append(context)
        if len(self._open) > 1:
            return
        given = () if context.no_parameters and not parameters else parameters
        meant = encoding.digest(self._meant(sql), self._meant(given))
        self._seen.digests[encoding.digest(sql, given)] = meant
        sent = Sent(
            number=len(self._seen.statements) + 1,
            sql=self._backend.atomicity.shown(self._meant(sql)),
            line=origins.line(self._part),
        )
        if self._in_autocommit():
            self._seen.stops |= {sent.number - 1, sent.number}
        keyed = context.isinsert and context.compiled is not None and not context.executemany
        self._seen.statements.append(Statement(sent=sent, text=sql, keyed=keyed))

    def _after(self, _connection: object, _cursor: object, _sql: str, *_: Any) -> None:
        if self._is_ours():
            return
        self._open.pop()
        if not self._open:
            is_same = self._seen.statements[-1].reads
            self._seen.moments.append(self._seen.moments[-1] if is_same else self._moment())

    def _failed(self, failure: Any) -> None:
        """A statement was refused; the revision may go on all the same."""
        if failure.execution_context not in self._open or self._looks:
            return
        del self._open[self._open.index(failure.execution_context) :]
        if not self._open:
            self._seen.statements[-1] = replace(self._seen.statements[-1], refused=True)
            self._seen.moments.append(self._seen.moments[-1])
            with suppress(SQLAlchemyError), self._looking():  # its transaction may have failed
                self._seen.recorded = tuple(self._guard.recorded) or self._seen.recorded

    def _commit(self, _connection: Connection) -> None:
        if not self._open and not self._looks:
            self._seen.stops.add(len(self._seen.statements))

    def _is_ours(self) -> bool:
        """Whether what is sent is neither the revision's nor in the middle of it."""
        return self._looks or (not self._open and self._guard.is_at_work)

    def _in_autocommit(self) -> bool:
        return self._connection._is_autocommit_isolation()  # noqa: SLF001 - an engine's own setting has no public name

    def _moment(self) -> Moment:
        """What there is now; the schema is read only where the catalogue has changed."""
        with self._looking() as aside:
            catalog, connection = self._backend.catalog, aside or self._connection
            fingerprint = catalog.fingerprint(connection)
            before = self._seen.moments[-1].schema if self._seen.moments else None
            if before is None or fingerprint != self._fingerprint:
                before = catalog.read(connection).without(self._own)
            self._fingerprint = fingerprint
            self._seen.recorded = tuple(self._guard.recorded) or self._seen.recorded
            return Moment(schema=before, rows=rows_of(self._connection, before))

    @contextmanager
    def _looking(self) -> Iterator[Connection | None]:
        """What is sent in the block is neither the revision's nor seen."""
        self._looks = True
        try:
            with self._guard.looking() as aside:
                yield aside
        finally:
            self._looks = False


def rows_of(
    connection: Connection, schema: Schema, most: Mapping[str, int] | None = None
) -> Mapping[str, Rows | None]:
    """The rows of all tables, as far as they are few.

    Args:
        connection: Where to read them.
        schema: Which tables there are.
        most: How many rows of each are worth reading; tables that are not in it are left out.
    """
    found: dict[str, Rows | None] = {}
    for one in schema.tables:
        limit = MOST_ROWS if most is None else most.get(one.path)
        if limit is not None:
            found[one.path] = _rows(connection, one, limit)
    return found


def _rows(connection: Connection, one: Table, limit: int) -> Rows | None:
    every: Select[Any] = select(literal_column("*")).select_from(
        table(one.name, schema=one.schema or None)
    )
    try:
        rows = [repr(tuple(row)) for row in connection.execute(every.limit(limit + 1))]
    except SQLAlchemyError:
        return None
    return tuple(sorted(rows)) if len(rows) <= limit else None

"""The SQL that takes a live database back to what its history makes; printed, never run there.

It is tried on the shadow database: that one is first altered to what the live database is, and then
taken back. What still differs then is named, so that nothing is left out in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from bootstrap.backends.altering import Made, Statement
from bootstrap.backends.base import Backend
from bootstrap.checking.differences import Difference, from_history
from bootstrap.database import Database
from bootstrap.schema.changes import Kind
from bootstrap.schema.model import Schema

_PATIENCE = 10.0  # seconds that each query waits for who alters a table


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """What takes a live database back to its history.

    Attributes:
        statements: In this order; what was accepted is left as it is.
        script: The same for the client program of the server.
        missing: Differences that no statement removes.
        untried: Differences that could not be made on the shadow database, so that the statements
            about them were not tried.
    """

    statements: tuple[Statement, ...]
    script: str
    missing: tuple[str, ...]
    untried: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """What a database consists of: as a value, and in the server's own words."""

    schema: Schema
    made: tuple[Made, ...]


async def stand(database: Database, *, left_out: Iterable[str] = ()) -> Stand:
    """Reads all of a database on one connection, in one transaction.

    Args:
        database: What to read.
        left_out: Names of tables that are no part of the schema.

    Raises:
        DatabaseError: It is missing or cannot be read.
    """
    names = frozenset(name.lower() for name in left_out)

    def look(connection: Connection) -> Stand:
        backend = database.present(connection.dialect)
        # A definition is not told while somebody alters its table, and that may take long.
        backend.waits.of(connection).limit(_PATIENCE)
        return Stand(
            schema=backend.catalog.read(connection).without(names),
            made=tuple(
                one
                for one in backend.alterations.made(connection)
                if one.table.rpartition(".")[2].lower() not in names
            ),
        )

    async with database.connect() as connection:
        with database.translated("cannot read the schema of"):
            return await connection.run_sync(look)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoring:
    """Finds the statements, and tries them.

    Attributes:
        shadow: The database that the history was replayed on.
        backend: The one that is really there.
        history: What is on the shadow.
        live: What the live database consists of.
        differences: Between the two, accepted or not.
        left_out: Names of tables that are no part of the schema.
    """

    shadow: Database
    backend: Backend
    history: Stand
    live: Stand
    differences: tuple[Difference, ...]
    left_out: tuple[str, ...]

    async def found(self) -> Restoration:
        """Leaves the shadow as the history makes it, as far as statements can.

        Raises:
            DatabaseError: The shadow cannot be used.
        """
        back = self.between(self.live.made, self.history.made)
        await self.run(self.between(self.history.made, self.live.made))
        untried = self.open(await self.now(), self.live)
        failed = await self.run(back)
        missing = self.open(self.history, await self.now())
        statements = tuple(one for one in back if untried or one not in failed)
        return Restoration(
            statements=statements,
            script=script(statements, self.backend),
            missing=missing,
            untried=untried,
        )

    async def now(self) -> Stand:
        """What the shadow consists of.

        Raises:
            DatabaseError: It cannot be read.
        """
        return await stand(self.shadow, left_out=self.left_out)

    def between(self, own: Sequence[Made], other: Sequence[Made]) -> tuple[Statement, ...]:
        """The statements from one side to the other; what was accepted stays as it is."""
        return self.backend.alterations.between(own, self._mixed(own, other))

    def open(self, history: Stand, live: Stand) -> tuple[str, ...]:
        """What differs, but for what is accepted."""
        accepted = {_what(one) for one in self.differences if one.accepted}
        found = from_history(history.schema, live.schema)
        return tuple(one.title for one in found if _what(one) not in accepted)

    def _mixed(self, own: Sequence[Made], other: Sequence[Made]) -> tuple[Made, ...]:
        """The other side where somebody must do something, and one's own elsewhere."""
        concerned = {one.key for one in (*own, *other) if self._is_concerned(one)}
        mine = {one.key: one for one in own}
        return (
            *(one for one in own if one.key not in concerned),
            *(
                self._but_for_accepted(mine.get(one.key), one)
                for one in other
                if one.key in concerned
            ),
        )

    def _but_for_accepted(self, own: Made | None, other: Made) -> Made:
        """A table of the other side, with the parts of one's own that somebody has accepted."""
        if own is None or other.kind is not Kind.TABLE:
            return other
        parts = {
            (Kind.COLUMN if one.kind is Kind.COLUMN else Kind.INDEX, one.name.lower())
            for one in self.differences
            if one.accepted and one.table.lower() == other.table.lower()
        }
        return self.backend.alterations.keeping(own, other, parts) if parts else other

    def _is_concerned(self, made: Made) -> bool:
        """Whether a difference is about it that nobody has accepted, or about its table."""
        about = [one for one in self.differences if _is_about(one, made)]
        if about and all(one.accepted for one in about):
            return False
        table = made.table.lower()
        named = (Kind.SEQUENCE, Kind.ENUM, Kind.OTHER)
        return any(
            (one.table.lower() == table if table else _is_about(one, made))
            or (made.kind in named and _is_about(one, made))
            for one in self.differences
            if not one.accepted
        )

    async def run(self, statements: Sequence[Statement]) -> frozenset[Statement]:
        """Runs them on the shadow; what fails is told, and the others go on."""
        failed = set()
        async with self.shadow.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT", no_parameters=True)
            for sql in self.backend.alterations.before:
                await connection.exec_driver_sql(sql)
            for one in statements:
                try:
                    await connection.exec_driver_sql(one.sql)
                except DBAPIError:
                    failed.add(one)
        return frozenset(failed)


def script(statements: Sequence[Statement], backend: Backend) -> str:
    """Statements for the client program, those that lose something with a comment."""
    if not statements:
        return ""
    transaction = (("BEGIN",), ("COMMIT",)) if backend.features.transactional_ddl else ((), ())
    around = backend.alterations
    ended = backend.scripts.terminated
    lines = [ended(sql) for sql in (*around.before, *transaction[0])]
    for one in statements:
        lines += [f"-- can lose rows or values of {one.table or one.name}:"] if one.loses else []
        lines.append(ended(one.sql))
    lines += [ended(sql) for sql in (*transaction[1], *around.after)]
    return "\n".join(lines)


def _is_about(difference: Difference, made: Made) -> bool:
    """Whether it names just this."""
    place = (difference.kind, difference.name.lower())
    return place == (made.kind, made.name.lower()) and (
        not difference.table or difference.table.lower() == made.table.lower()
    )


def _what(one: Difference) -> tuple[str, ...]:
    return (one.kind, one.table, one.name, one.attribute)

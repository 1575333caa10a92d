"""What sees to it that a revision takes effect as a whole, exactly once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bootstrap.events import Emit
from bootstrap.journal.entries import Entry, Outcome, Part, Progress
from bootstrap.journal.half import Half, Repair

if TYPE_CHECKING:  # what only reads settings or completes a word does without Alembic
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import Connection

_LITERAL = re.compile(r"'(?:[^']|'')*'")
_SHOWN = 300  # characters of a statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the caller of a run allows its guard.

    Attributes:
        allow_loss: Commit although a revision loses what it did not mean to.
        wait: Seconds to wait for what an earlier run has left running.
        emit: Told about waiting.
        again: Called where a statement got no lock and only itself was undone: pauses, and tells
            whether to send it again.
    """

    allow_loss: bool
    wait: float
    emit: Emit
    again: Callable[[], bool]


class Guard:
    """What watches over the revisions of a run; this one has nothing to do."""

    def during(self) -> AbstractContextManager[None]:
        """What surrounds all revisions, while env.py's connection is open."""
        return nullcontext()

    def begin(self, part: Part) -> None:
        """Called before each revision."""

    def surrounded(self, work: Callable[..., None]) -> Callable[..., None]:
        """The function of that revision, with what has to surround it."""
        return work

    def finished(self) -> None:
        """Called when that revision is done."""

    @property
    def half_applied(self) -> frozenset[tuple[str, str]]:
        """The revisions, with their direction, that an earlier run has begun."""
        return frozenset()

    def forget(self, key: tuple[str, str]) -> None:
        """Drops what is recorded of one of them."""

    @property
    def progress(self) -> Progress | None:
        """How far the revision came; None where it is applied as a whole or not at all."""
        return None

    @property
    def recorded(self) -> Sequence[Entry]:
        """What a run that ended now would leave in the journal of the revision that is running."""
        return ()

    @property
    def is_at_work(self) -> bool:
        """Whether what is sent at this moment is the guard's own."""
        return False

    @contextmanager
    def looking(self) -> Iterator[Connection | None]:
        """Lets statements pass that are not the revision's.

        Yields:
            The connection on which to look what there is; None for that of env.py, where others
            would not see what the revision has done.
        """
        yield None


class Recording(Protocol):
    """Writes a journal as a run that ended there would have left it."""

    def is_its_own(self, outcome: Outcome) -> bool:
        """Whether a statement returned what is true of the database alone where it was sent."""

    def write(self, context: MigrationContext, part: Part, entries: Sequence[Entry]) -> None:
        """Writes the entries on env.py's connection, as one."""


class Atomicity:
    """How a revision takes effect as a whole or not at all; here that is up to the server."""

    def options(self) -> Mapping[str, bool]:
        """What `context.configure()` must be told, whatever env.py says."""
        return {}

    def half_applied(self, context: MigrationContext) -> tuple[Half, ...]:
        """The revisions that are recorded as half-applied; reads only."""
        return ()

    def repair(self, context: MigrationContext, half: Half, how: Repair) -> None:
        """Changes what is recorded of a half-applied revision, on env.py's connection."""

    def tidy(self, context: MigrationContext) -> None:
        """Removes what a run that was killed at its very end has left; called when all is done."""

    @property
    def recording(self) -> Recording | None:
        """What writes a journal; None where a half-applied revision cannot go on."""
        return None

    def stops(self, _connection: Connection, _statements: Sequence[str]) -> frozenset[int]:
        """After how many statements of a revision plain Alembic may leave a database.

        Without those where a commit was seen, or each statement is a transaction.

        Args:
            _connection: The one of env.py.
            _statements: Their texts, in order.
        """
        return frozenset()

    def shown(self, sql: str) -> str:
        """A statement on one line, without the texts in it, which may be secrets."""
        said = " ".join(_LITERAL.sub("'…'", sql).split())
        return said if len(said) <= _SHOWN else f"{said[:_SHOWN]}…"

    def around(self, context: MigrationContext, terms: Terms) -> AbstractContextManager[Guard]:
        """What surrounds the revisions of one run, on the connection that env.py opened.

        Args:
            context: Alembic's, just configured.
            terms: What the caller allows.
        """
        return nullcontext(Guard())

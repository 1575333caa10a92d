"""What sees to it that a revision takes effect as a whole, exactly once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bootstrap.events import Emit
from bootstrap.journal.entries import Part, Progress
from bootstrap.journal.half import Half, Repair

if TYPE_CHECKING:  # what only reads settings or completes a word does without Alembic
    from alembic.runtime.migration import MigrationContext


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

    def around(self, context: MigrationContext, terms: Terms) -> AbstractContextManager[Guard]:
        """What surrounds the revisions of one run, on the connection that env.py opened.

        Args:
            context: Alembic's, just configured.
            terms: What the caller allows.
        """
        return nullcontext(Guard())

"""On which terms revisions are applied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from alembic.runtime.migration import MigrationContext

from bootstrap.positions.moves import (
    AlembicStep,
)
from bootstrap.positions.planned import Before, unasked
from bootstrap.records.lock import WAIT
from bootstrap.running.gentle import Limits

Approve: TypeAlias = Callable[[MigrationContext, Sequence[AlembicStep]], None]


def approve_all(_context: MigrationContext, _steps: Sequence[AlembicStep]) -> None:
    """Lets every plan pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On which terms revisions are applied.

    Attributes:
        approve: Called with the planned steps before the first write; raises to stop the run.
        before: The same for callers of the library, who know nothing of Alembic's steps; once for
            each version table, after the transaction in which it was read.
        limits: How long statements may wait and run.
        per_revision: Whether each revision is a transaction, whatever env.py says.
        allow_loss: Commit although a revision loses what it did not mean to.
        allow_ahead: Apply nothing, instead of refusing, where newer code has been.
        strict: Refuse where the file of an applied revision was changed.
        wait: Seconds to wait for another run, and for a statement that a killed one has left.
        retry_for: Seconds to try again for after what may pass by itself.
    """

    approve: Approve = approve_all
    before: Before = unasked
    limits: Limits = field(default_factory=Limits)
    per_revision: bool = False
    allow_loss: bool = False
    allow_ahead: bool = False
    strict: bool = False
    wait: float = WAIT
    retry_for: float = 0

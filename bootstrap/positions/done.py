"""Which steps a run has done, also where it began several times."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from bootstrap.positions import half
from bootstrap.positions.moves import AppliedStep, Direction, Step


class Done:
    """The steps that are done, by the version table that says so."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, AppliedStep]] = []
        self._written: tuple[str, AppliedStep] | None = None

    @property
    def steps(self) -> list[AppliedStep]:
        """All of them; not yet committed where one transaction holds all."""
        return [step for _, step in self._steps]

    def add(self, table: str, step: AppliedStep) -> None:
        """A step was seen to its end."""
        self._steps.append((table, step))

    @contextmanager
    def unanswered(self, step: Step, table: str, context: MigrationContext) -> Iterator[None]:
        """Remembers a step from when it stands in the version table to the end of the block.

        When the block does not come to its end, nobody knows whether that was committed.
        """
        started = time.perf_counter()

        def written(**_about: object) -> None:
            self._written = table, applied(step, seconds=time.perf_counter() - started)

        before: Any = context.on_version_apply_callbacks
        context.on_version_apply_callbacks = (*before, written)
        yield
        context.on_version_apply_callbacks = before
        self._written = None

    def settle(self, table: str, heads: Sequence[str], scripts: ScriptDirectory) -> None:
        """Keeps what a version table knows of: the others were undone."""
        if self._written is not None:
            self._steps.append(self._written)
            self._written = None
        self._steps = [
            (name, step)
            for name, step in self._steps
            if name != table or _stands(step, heads, scripts)
        ]


def applied(step: Step, *, seconds: float) -> AppliedStep:
    """A step with what it took."""
    return AppliedStep(
        revision=step.revision, title=step.title, direction=step.direction, seconds=seconds
    )


def _stands(step: AppliedStep, heads: Sequence[str], scripts: ScriptDirectory) -> bool:
    if step.direction is Direction.STAMP:
        return bool(heads)
    return half.is_over((step.revision, step.direction), scripts, heads)

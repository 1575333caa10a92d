"""The three ways in which a database moves along its history, and the steps they consist of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

from alembic.runtime.migration import RevisionStep, StampStep
from alembic.script import ScriptDirectory

from bootstrap.errors import RevisionError
from bootstrap.positions.beginning import First
from bootstrap.revisions import faults

AlembicStep: TypeAlias = RevisionStep | StampStep


class Direction(StrEnum):
    """Which way a step goes."""

    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    STAMP = "stamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One revision in one direction."""

    revision: str
    title: str
    direction: Direction
    path: Path | None  # the file; None for base


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedStep:
    """A step that is done; `seconds` is what it took."""

    revision: str
    title: str
    direction: Direction
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What was asked for.

    Attributes:
        direction: Which way.
        targets: Where it should end; several for a stamp only.
        purge: Begin with an emptied version table, whatever stands in it.
    """

    direction: Direction
    targets: tuple[str, ...]
    purge: bool = False

    @property
    def destination(self) -> str | tuple[str, ...]:
        """What env.py reads with `context.get_revision_argument()`."""
        return self.targets if self.direction is Direction.STAMP else self.targets[0]

    def alembic_steps(
        self, scripts: ScriptDirectory, heads: Sequence[str]
    ) -> tuple[AlembicStep, ...]:
        """Finds the steps from where a database is.

        Raises:
            RevisionError: The target, or where the database is, is not in the history.
        """
        with faults.explained(scripts, ", ".join(self.targets)):
            return tuple(_STEPS[self.direction](scripts, self.targets, tuple(heads)))


def as_step(step: AlembicStep, scripts: ScriptDirectory) -> Step:
    """The value for one of Alembic's steps."""
    if isinstance(step, First):
        return _first(step)
    if isinstance(step, StampStep):
        return _stamp(step, scripts)
    script: Any = step.revision  # a Script, which Alembic annotates as its base class
    return Step(
        revision=script.revision,
        title=script.doc,
        direction=Direction.UPGRADE if step.is_upgrade else Direction.DOWNGRADE,
        path=Path(script.path),
    )


def _first(step: First) -> Step:
    """Which revision the function has made is known when it has run."""
    name = step.to_[0] if step.to_ else step.named
    title = f"the schema of {step.named}"
    return Step(revision=name, title=title, direction=Direction.STAMP, path=step.path)


def _stamp(step: StampStep, scripts: ScriptDirectory) -> Step:
    after = step.to_revisions
    title = scripts.get_revision(after[0]).doc if after else "nothing applied"
    name = after[0] if after else "base"
    return Step(revision=name, title=title, direction=Direction.STAMP, path=None)


def check_target(move: Move, scripts: ScriptDirectory) -> None:
    """Refuses a target that is in no history, before anybody connects.

    Relative ones (`+2`, `-1`, `ae10+1`) can only be resolved from where a database is.

    Raises:
        RevisionError: There is no such revision, or `head` has several meanings.
    """
    for target in move.targets:
        if ":" in target:
            raise RevisionError(
                f"{target!r} is a range, and a database is at one place",
                hint="name where it should go; ranges are for scripts (--sql)",
            )
        if set("+-") & set(target):
            continue
        with faults.explained(scripts, target):
            scripts.get_revisions(target)
            if move.direction is not Direction.DOWNGRADE:
                scripts.as_revision_number(target)


# Alembic's own commands call the same three methods; it has no public name for them.
_STEPS: dict[Direction, Any] = {
    Direction.UPGRADE: lambda scripts, targets, heads: scripts._upgrade_revs(*targets, heads),  # noqa: SLF001
    Direction.DOWNGRADE: lambda scripts, targets, heads: scripts._downgrade_revs(*targets, heads),  # noqa: SLF001
    Direction.STAMP: lambda scripts, targets, heads: scripts._stamp_revs(targets, heads),  # noqa: SLF001
}

"""Half-applied revisions of earlier runs: whether a run may begin beside them."""

from __future__ import annotations

from collections.abc import Sequence

from alembic.script import ScriptDirectory

from bootstrap.backends.guards import Guard
from bootstrap.errors import HalfApplied
from bootstrap.positions.moves import AlembicStep, Direction, as_step


def check(
    guard: Guard, planned: Sequence[AlembicStep], scripts: ScriptDirectory, heads: Sequence[str]
) -> None:
    """Refuses to leave a half-applied revision behind.

    What was finished or undone by hand, so that the version table says otherwise, and what a stamp
    passes by, is forgotten.

    Raises:
        HalfApplied: The run would go elsewhere.
    """
    steps = [as_step(step, scripts) for step in planned]
    going = {(step.revision, str(step.direction)) for step in steps}
    stamps = any(step.direction is Direction.STAMP for step in steps)
    for key in sorted(guard.half_applied - going):
        if stamps or is_over(key, scripts, heads):
            guard.forget(key)
            continue
        revision, direction = key
        raise HalfApplied(
            f"revision {revision} is half-applied ({direction}), and this run does not go there; "
            "nothing was run",
            hint=f"bootstrap {_verb(direction)} goes on with it; bootstrap repair marks it done or "
            "forgets what is recorded",
        )


def is_over(key: tuple[str, str], scripts: ScriptDirectory, heads: Sequence[str]) -> bool:
    """Whether the version table says that a revision, in this direction, is done already."""
    revision, direction = key
    return (revision in applied(scripts, heads)) == (direction == Direction.UPGRADE)


def applied(scripts: ScriptDirectory, heads: Sequence[str]) -> frozenset[str]:
    """The heads, and all that they were built upon."""
    by_id = {one.revision: one for one in scripts.walk_revisions()}
    found: set[str] = set()
    left = list(heads)
    while left:
        name = left.pop()
        if name not in found and name in by_id:
            found.add(name)
            left += by_id[name]._all_down_revisions  # noqa: SLF001 - dependencies have no public name
    return frozenset(found)


def _verb(direction: str) -> str:
    return "migrate" if direction == Direction.UPGRADE else "downgrade"

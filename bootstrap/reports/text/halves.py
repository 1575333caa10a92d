"""What is half-applied, as text."""

from __future__ import annotations

from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from bootstrap.errors import Place
from bootstrap.positions.moves import Direction
from bootstrap.running.repairing import HalfAppliedStep

_STATES = {"again": "to be sent again"}


def half_applied(found: HalfAppliedStep) -> RenderableType:
    """Where it is, and what comes next."""
    place = Place(path=Path(found.path), line=found.line) if found.path else ""
    verb = "migrate" if found.direction == Direction.UPGRADE else "downgrade"
    following = (
        "bootstrap repair --applied, or --not-applied, says what became of it"
        if found.is_in_doubt
        else f"bootstrap {verb} goes on at statement {found.applied + 1}"
    )
    lines = (
        f"Revision {found.revision} is half-applied ({found.direction}): statement "
        f"{found.statement} was the last one, and is {_STATES.get(found.state, found.state)}.",
        f"  {place}   {found.sql}",
        f"  {following}",
    )
    return Text("\n".join(lines))

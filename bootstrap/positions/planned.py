"""What a run is about to do, for whoever may have something to say before it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bootstrap.positions.moves import Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """A revision that is about to be applied in one direction."""

    revision: str
    title: str
    direction: Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What is about to be done to a database; nothing is written yet.

    Attributes:
        database: Which one.
        backend: The one that really answers.
        server_version: Of its server.
        before: The revisions in the version table.
        steps: What comes next, in this order; at least one.
    """

    database: str
    backend: str
    server_version: str
    before: tuple[str, ...]
    steps: tuple[PlannedStep, ...]


Before: TypeAlias = Callable[[Planned], None]


def unasked(_planned: Planned) -> None:
    """Has nothing to say."""

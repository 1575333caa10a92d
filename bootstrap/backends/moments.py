"""Times on their way from a file into a database, as texts that no backend has to make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


class Moments(list[Any]):
    """A column of times in UTC, each a text such as `2026-01-05 09:12:00.250000`.

    What stands for no value may be among them.
    """


def alike(column: Sequence[Any], values: Iterable[Any]) -> Sequence[Any]:
    """Other values of a column, as what it is itself."""
    return Moments(values) if isinstance(column, Moments) else list(values)

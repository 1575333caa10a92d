"""The differences of a report as the page shows them, each group with a place to link to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bootstrap.checking.differences import Comparison, Difference
from bootstrap.reports import verified


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Differences that are explained once.

    Attributes:
        anchor: Where the page has it.
        differences: The same but for the column that they are about.
    """

    anchor: str
    differences: tuple[Difference, ...]

    @property
    def one(self) -> Difference:
        """What stands for all."""
        return self.differences[0]

    @property
    def link(self) -> str:
        """What leads there."""
        return f"#{self.anchor}"


def grouped(report: verified.Compared) -> tuple[Group, ...]:
    """All groups, those that nobody has accepted first."""
    accepted = [one for one in report.differences if one.accepted]
    found = (*_in_order(report.open), *_in_order(accepted))
    return tuple(
        Group(anchor=f"d{number}", differences=tuple(group))
        for number, group in enumerate(found, 1)
    )


def _in_order(differences: Sequence[Difference]) -> Iterator[Sequence[Difference]]:
    for comparison in Comparison:
        yield from verified.alike([one for one in differences if one.comparison is comparison])

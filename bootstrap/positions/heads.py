"""Computes where a database must be after a plan, without a database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from alembic.runtime.migration import HeadMaintainer

from bootstrap.positions.moves import AlembicStep


class _PureHeads(HeadMaintainer):
    """Alembic's own bookkeeping of branches and merges, without the SQL that it sends."""

    def __init__(self, heads: Iterable[str]) -> None:
        self.heads = set(heads)

    def _insert_version(self, version: str) -> None:
        self.heads.add(version)

    def _delete_version(self, version: str) -> None:
        self.heads.remove(version)

    def _update_version(self, from_: str, to_: str) -> None:
        self.heads.remove(from_)
        self.heads.add(to_)


def heads_after(heads: Sequence[str], steps: Iterable[AlembicStep]) -> tuple[str, ...]:
    """The rows that the version table must have after the steps, sorted."""
    maintained = _PureHeads(heads)
    for step in steps:
        maintained.update_to_step(step)
    return tuple(sorted(maintained.heads))

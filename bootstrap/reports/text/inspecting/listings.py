"""Revisions as text, in the words and the form of Alembic's own listings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from bootstrap.revisions.listing import BranchPoint, Revision


def one_line(revision: Revision) -> Text:
    """The revision with its labels, as in `heads`."""
    return Text(revision.revision + _labels(revision) + _head(revision))


def position_line(revision: Revision) -> Text:
    """The revision with what it is in the history, as in `current`."""
    return Text(revision.revision + _head(revision) + _points(revision))


def history_line(revision: Revision) -> Text:
    """The revision with those that it follows, as in `history`."""
    depends = f" ({', '.join(revision.depends_on)})" if revision.depends_on else ""
    head = _head(revision) + _current(revision)
    name = f"{revision.revision}{_labels(revision)}{head}{_points(revision)}"
    return Text(f"{_parents(revision)}{depends} -> {name}, {revision.title}")


def branch_point(point: BranchPoint) -> RenderableType:
    """The revision with those that follow it, as in `branches`."""
    return Group(Text(_with_points(point.revision)), *_branches(point), "")


def branch_point_entry(point: BranchPoint) -> RenderableType:
    """All that the file of a branch point says, and the titles of those that follow it."""
    return Group(entry(point.revision), *_branches(point, titles=True), "")


def entry(revision: Revision) -> RenderableType:
    """All that the file of a revision says, as in `show`."""
    return Group(*(Text(line) for line in _entry(revision)))


def _entry(revision: Revision) -> Iterator[str]:
    head = " (head)" if revision.is_head else ""
    yield f"Rev: {revision.revision}{head}{_points(revision)}{_current(revision)}"
    yield f"{'Merges' if revision.is_merge_point else 'Parent'}: {_parents(revision)}"
    if revision.depends_on:
        yield f"Also depends on: {', '.join(revision.depends_on)}"
    if revision.is_branch_point:
        yield f"Branches into: {', '.join(revision.next_revisions)}"
    if revision.labels:
        yield f"Branch names: {', '.join(revision.labels)}"
    yield f"Path: {revision.path}"
    yield ""
    yield from (f"    {line}" for line in revision.text.splitlines())
    yield ""


def _branches(point: BranchPoint, *, titles: bool = False) -> Sequence[Text]:
    indent = " " * len(point.revision.revision)
    return [
        Text(f"{indent} -> {_with_points(one)}" + (f", {one.title}" if titles else ""))
        for one in point.branches
    ]


def _with_points(revision: Revision) -> str:
    return revision.revision + _labels(revision) + _head(revision) + _points(revision)


def _labels(revision: Revision) -> str:
    return f" ({', '.join(revision.labels)})" if revision.labels else ""


def _head(revision: Revision) -> str:
    """Alembic calls a head that another revision depends on an effective one."""
    word = " (effective head)" if revision.is_depended_on else " (head)"
    return word if revision.is_head else ""


def _current(revision: Revision) -> str:
    return " (current)" if revision.is_current else ""


def _points(revision: Revision) -> str:
    branch = " (branchpoint)" if revision.is_branch_point else ""
    return branch + (" (mergepoint)" if revision.is_merge_point else "")


def _parents(revision: Revision) -> str:
    return ", ".join(revision.down_revisions) or "<base>"

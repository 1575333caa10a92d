"""What the revision files say about the history, as values."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from alembic.script import Script, ScriptDirectory

from bootstrap.errors import RevisionError
from bootstrap.revisions import faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One revision file and its place in the history.

    Attributes:
        revision: Its id.
        title: The first paragraph of its docstring.
        text: The whole docstring.
        path: The file.
        down_revisions: Those that it follows: none for a base, several for a merge.
        next_revisions: Those that follow it.
        depends_on: Those that must be applied before, in the words of the file.
        labels: Its branch labels, inherited ones too.
        is_head: No revision follows it.
        is_depended_on: It is a head, and another revision depends on it: applying `heads` writes
            that one alone into the version table.
        is_current: The database is at it, where one was looked at.
    """

    revision: str
    title: str
    text: str
    path: Path
    down_revisions: tuple[str, ...]
    next_revisions: tuple[str, ...]
    depends_on: tuple[str, ...]
    labels: tuple[str, ...]
    is_head: bool
    is_depended_on: bool
    is_current: bool

    @property
    def is_branch_point(self) -> bool:
        """Whether several revisions follow it."""
        return len(self.next_revisions) > 1

    @property
    def is_merge_point(self) -> bool:
        """Whether it follows several revisions."""
        return len(self.down_revisions) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchPoint:
    """A revision that several others follow, and those."""

    revision: Revision
    branches: tuple[Revision, ...]


def described(
    scripts: ScriptDirectory, found: Iterable[Script], *, current: Collection[str] = ()
) -> tuple[Revision, ...]:
    """The values for some of the revision files, in the order given.

    Args:
        scripts: The history that they belong to.
        found: The files.
        current: Ids of the revisions that a database is at.
    """
    in_version_table = {script.revision for script in scripts.get_revisions("heads")}
    return tuple(
        Revision(
            revision=script.revision,
            title=script.doc,
            text=script.longdoc,
            path=Path(script.path),
            down_revisions=_names(script.down_revision),
            next_revisions=tuple(sorted(script.nextrev)),
            depends_on=_names(script.dependencies),
            labels=tuple(sorted(script.branch_labels)),
            is_head=script.is_head,
            is_depended_on=script.is_head and script.revision not in in_version_table,
            is_current=script.revision in current,
        )
        for script in found
    )


def branch_points(scripts: ScriptDirectory) -> tuple[BranchPoint, ...]:
    """The revisions that several others follow, the newest first."""
    return tuple(
        BranchPoint(revision=point, branches=described(scripts, _followers(scripts, point)))
        for point in described(scripts, scripts.walk_revisions())
        if point.is_branch_point
    )


def named(scripts: ScriptDirectory, name: str | tuple[str, ...]) -> tuple[Script, ...]:
    """The files that an id, the beginning of one, `heads`, `label@head` or several ids name.

    Raises:
        RevisionError: There is no such revision, or nothing that has a file.
    """
    asked = name if isinstance(name, str) else ", ".join(name)
    with faults.explained(scripts, asked):
        found: tuple[Script | None, ...] = scripts.get_revisions(name)
    files = tuple(script for script in found if script is not None)
    if not files:
        raise RevisionError(f"{asked or 'no revision'} names no revision file")
    return files


def _followers(scripts: ScriptDirectory, point: Revision) -> tuple[Script, ...]:
    return tuple(scripts.get_revision(name) for name in point.next_revisions)


def _names(names: str | Iterable[str] | None) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names or ())

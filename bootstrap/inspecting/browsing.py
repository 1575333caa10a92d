"""Lists the revisions of a project: heads, branches, history, show."""

from __future__ import annotations

from dataclasses import dataclass

from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RangeNotAncestorError
from alembic.util import CommandError

from bootstrap.errors import RevisionError, SettingsError
from bootstrap.inspecting.inspection import look
from bootstrap.project import Project, loaded
from bootstrap.revisions import faults, listing
from bootstrap.revisions.environment import in_thread
from bootstrap.revisions.listing import BranchPoint, Revision
from bootstrap.targets import Target, opened

CURRENT = "current"
Heads = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadsReport:
    """The revisions that no other follows."""

    revisions: tuple[Revision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchesReport:
    """The revisions that several others follow, the newest first."""

    branch_points: tuple[BranchPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryReport:
    """Revisions in the order of the history, the newest first."""

    revisions: tuple[Revision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowReport:
    """The revisions that somebody asked to see."""

    revisions: tuple[Revision, ...]


async def heads(*, project: Project, resolve_dependencies: bool = False) -> HeadsReport:
    """Lists the heads of the history; looks at the files alone.

    Args:
        project: Whose revisions.
        resolve_dependencies: Leave out those that another revision depends on.

    Raises:
        RevisionError: The revisions cannot be read.
    """
    _, scripts = await in_thread(lambda: loaded(project))
    found = scripts.get_revisions("heads" if resolve_dependencies else scripts.get_heads())
    return HeadsReport(revisions=listing.described(scripts, found))


async def branches(*, project: Project) -> BranchesReport:
    """Lists where the history branches; looks at the files alone.

    Args:
        project: Whose revisions.

    Raises:
        RevisionError: The revisions cannot be read.
    """
    _, scripts = await in_thread(lambda: loaded(project))
    return BranchesReport(branch_points=listing.branch_points(scripts))


async def history(
    revisions: str = ":", *, project: Project, database: Target | None = None
) -> HistoryReport:
    """Lists the history, or a range of it.

    Args:
        revisions: START:END, both included; either may be left out, may be `current`, and may be
            relative to the other, as in `-2:current`.
        project: Whose revisions.
        database: Is looked at for `current`, and its revisions are marked; needed for that only.

    Raises:
        RevisionError: This is no range, or the revisions cannot be read.
        SettingsError: `current` is asked for without a database.
        DatabaseError: The database is missing or cannot be used.
    """
    start, end = _ends(revisions)
    scripts, current = await _read(project, database, needed=CURRENT in {start, end})
    if end == CURRENT and not current:
        return HistoryReport(revisions=())
    with faults.explained(scripts, revisions):
        found = _walked(scripts, _resolved(start, current), _resolved(end, current))
    return HistoryReport(revisions=listing.described(scripts, found, current=current))


async def show(revision: str, *, project: Project, database: Target | None = None) -> ShowReport:
    """Shows what one or more revisions say.

    Args:
        revision: An id or its beginning, `head`, `heads`, `label@head`, or `current`.
        project: Whose revisions.
        database: As for `history`.

    Raises:
        RevisionError, SettingsError, DatabaseError: As for `history`.
    """
    scripts, found, current = await find(revision, project=project, database=database)
    return ShowReport(revisions=listing.described(scripts, found, current=current))


async def find(
    revision: str, *, project: Project, database: Target | None
) -> tuple[ScriptDirectory, tuple[Script, ...], Heads]:
    """Finds the files of what was asked for; `current` is looked up in the database.

    Raises:
        RevisionError, SettingsError, DatabaseError: As for `history`.
    """
    scripts, current = await _read(project, database, needed=revision == CURRENT)
    if revision == CURRENT and not current:
        raise RevisionError("the database is at no revision", hint="bootstrap migrate applies them")
    return scripts, listing.named(scripts, _resolved(revision, current)), current


async def _read(
    project: Project, database: Target | None, *, needed: bool
) -> tuple[ScriptDirectory, Heads]:
    """The history, and where the database is when one is named."""
    config, scripts = await in_thread(lambda: loaded(project))
    if database is not None:
        async with opened(database) as place:
            position = await look(place, config=config, scripts=scripts)
        return scripts, position.heads
    if needed:
        raise SettingsError("`current` means where a database is, and no database is named")
    return scripts, ()


def _ends(revisions: str) -> tuple[str, str]:
    start, colon, end = revisions.strip().partition(":")
    if not colon or ":" in end:
        raise RevisionError(
            f"{revisions!r} is no range of revisions", hint="write START:END, START: or :END"
        )
    return start, end


def _resolved(name: str, current: Heads) -> str | Heads:
    return current if name == CURRENT else name


def _walked(scripts: ScriptDirectory, start: str | Heads, end: str | Heads) -> tuple[Script, ...]:
    """Walks from the end down to the start, both included."""
    for name in (start, end):
        if isinstance(name, str) and name and not set("+-") & set(name):
            listing.named(scripts, name)
    walk = scripts.walk_revisions
    try:
        # Alembic hands tuples of ids on to where they are understood; `current` may be several.
        return tuple(walk(base=start or "base", head=end or "heads"))  # type: ignore[arg-type]  # see above
    except CommandError as error:
        if isinstance(error.__cause__, RangeNotAncestorError):
            raise RevisionError(
                "the start of the range is not below its end", hint="write the older one first"
            ) from error
        raise

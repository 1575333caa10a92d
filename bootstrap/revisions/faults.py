"""What can be wrong with revisions and env.py, as errors that name file and line."""

from __future__ import annotations

import difflib
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.script import ScriptDirectory
from alembic.script.revision import MultipleHeads, RangeNotAncestorError, ResolutionError
from alembic.util import CommandError

from bootstrap.errors import Place, RevisionError

_TITLES_SHOWN = 3
_MARKERS = ("<<<<<<< ", ">>>>>>> ", "||||||| ")
_INSTALLED = {"site-packages", "dist-packages"}


@contextmanager
def explained(scripts: ScriptDirectory, asked: str) -> Iterator[None]:
    """Explains what Alembic says about a revision that somebody asked for.

    Raises:
        RevisionError: Instead of Alembic's CommandError, which is its cause.
    """
    if not asked:
        raise RevisionError("the revision is empty", hint="name one, or `head`")
    try:
        yield
    except AssertionError as error:  # Alembic's, for steps down from where there is nothing
        raise _no_way(asked) from error
    except CommandError as error:
        match error.__cause__:
            case ResolutionError():
                raise unknown(scripts, asked) from error
            case MultipleHeads():
                raise several_heads(scripts) from error
            case RangeNotAncestorError():
                raise _no_way(asked) from error
        raise RevisionError(f"{asked!r} cannot be resolved: {error}") from error


def _no_way(asked: str) -> RevisionError:
    return RevisionError(
        f"there is no way from where the database is to {asked!r}",
        hint="bootstrap status shows where it is; bootstrap migrate goes up, "
        "bootstrap downgrade goes down",
    )


def unknown(scripts: ScriptDirectory, asked: str) -> RevisionError:
    """The error for a revision that no file has; its hint names the nearest ones."""
    return RevisionError(f"this project has no revision {asked!r}", hint=_nearest(scripts, asked))


def several_heads(scripts: ScriptDirectory) -> RevisionError:
    """The error for `head` where the history has more than one."""
    heads = ", ".join(sorted(scripts.get_heads()))
    return RevisionError(
        f"the history has several heads: {heads}",
        hint="name one, or `heads` for all; `bootstrap merge heads` joins them",
    )


def _nearest(scripts: ScriptDirectory, asked: str) -> str:
    names = {
        name: f"{revision.revision} ({revision.doc})"
        for revision in scripts.walk_revisions()
        for name in (revision.revision, *revision.branch_labels)
    }
    wanted = asked.partition("@")[2] or asked
    found = difflib.get_close_matches(wanted, names, n=_TITLES_SHOWN, cutoff=0.5)
    if found:
        return "nearest: " + ", ".join(names[name] for name in found)
    heads = ", ".join(scripts.get_heads())
    return f"known words are head, heads, base, +1, -1; the newest is {heads}" if heads else ""


def broken_file(error: BaseException, *, tried: str) -> RevisionError:
    """The error for a Python file of the project that raised, with the line where it did."""
    place = place_of(error, root=None)
    if isinstance(error, SyntaxError) and place:
        marker = conflict_marker(place.path)
        if marker:
            return _unresolved(marker, tried=tried)
    return RevisionError(
        f"{tried}: {raised(error)}{f' ({place})' if place else ''}",
        hint=_mended_by(error, place),
        place=place,
    )


def raised(error: BaseException) -> str:
    """An exception by its class and text; Python's own text of a bad syntax repeats the place."""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def conflict_marker(path: Path) -> Place | None:
    """The first line in which a version control system has left both sides of a conflict."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    found = (number for number, line in enumerate(lines, 1) if line.startswith(_MARKERS))
    return next((Place(path=path, line=number) for number in found), None)


def _unresolved(marker: Place, *, tried: str) -> RevisionError:
    return RevisionError(
        f"{tried}: {marker} has a merge-conflict marker",
        hint="keep one side of the conflict, remove the lines with <<<<<<<, ======= and >>>>>>>, "
        "then run the command again",
        place=marker,
    )


def _mended_by(error: BaseException, place: Place | None) -> str:
    if isinstance(error, ModuleNotFoundError):
        return (
            f"install what has {error.name}, or add its folder to prepend_sys_path in "
            "Alembic's configuration"
        )
    where = "that line" if place else "it"
    return f"correct {where}, then run the command again; --traceback shows all of it"


def place_of(error: BaseException, *, root: Path | None) -> Place | None:
    """The innermost line in the file `root`, or in no installed package when None."""
    if isinstance(error, SyntaxError) and error.filename:
        return Place(path=Path(error.filename), line=error.lineno)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if _is_theirs(Path(frame.filename), root):
            return Place(path=Path(frame.filename), line=frame.lineno)
    return None


def _is_theirs(path: Path, root: Path | None) -> bool:
    if root is not None:
        return path == root
    not_theirs = (Path(__file__).parents[1], Path(sysconfig.get_path("stdlib")))
    installed = _INSTALLED & set(path.parts)
    return path.is_file() and not (
        installed or any(path.is_relative_to(folder) for folder in not_theirs)
    )

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

from bootstrap.errors import RevisionError

_TITLES_SHOWN = 3


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
    place = last_line_of(error, root=None)
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return RevisionError(f"{tried}: {what}{f' ({place})' if place else ''}")


def last_line_of(error: BaseException, *, root: str | None) -> str:
    """`file:line` of the innermost frame in `root`, or in no installed package when None."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_short(error.filename)}:{error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if _is_theirs(frame.filename, root):
            return f"{_short(frame.filename)}:{frame.lineno}"
    return ""


def _is_theirs(filename: str, root: str | None) -> bool:
    if root is not None:
        return Path(filename) == Path(root)
    path = Path(filename)
    not_theirs = (Path(__file__).parents[1], Path(sysconfig.get_path("stdlib")))
    return path.is_file() and not any(path.is_relative_to(folder) for folder in not_theirs)


def _short(filename: str) -> str:
    path = Path(filename)
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)

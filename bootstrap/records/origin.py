"""Where a run comes from: which process on which machine, and which state of the project."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bootstrap.records.lock import this_process
from bootstrap.version import __version__

_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_POINTS = "gitdir: "
_REFERS = "ref: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Of one run.

    Attributes:
        run: What the rows of one run have in common.
        os_user: Of the process.
        host: Where that runs.
        tool: The version of bootstrap.
        git_commit: What the project's folder is at; None where that cannot be told.
    """

    run: str
    os_user: str
    host: str
    tool: str
    git_commit: str | None

    @classmethod
    def of(cls, folder: Path, *, run: str | None = None) -> Origin:
        """That of a run which begins now, for a project in a folder.

        Args:
            folder: Where the project is.
            run: The id of the command that it belongs to; None gives it one of its own.
        """
        process = this_process()
        return cls(
            run=run or new_run_id(),
            os_user=process.user,
            host=process.host,
            tool=__version__,
            git_commit=git_commit(folder),
        )


def new_run_id() -> str:
    """An id that no other run has: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def git_commit(folder: Path) -> str | None:
    """The commit that the work tree around a folder is at, read from the files of Git.

    None outside of one, and wherever the files say something else than expected: no program is
    started for that, and nothing fails because of it.
    """
    for place in (folder.resolve(), *folder.resolve().parents):
        with suppress(OSError, UnicodeDecodeError):
            if (found := _git_folder(place / ".git")) is not None:
                return _commit(found)
    return None


def _git_folder(path: Path) -> Path | None:
    """A folder, or in a worktree or submodule a file that names one (gitrepository-layout(5))."""
    if path.is_dir():
        return path
    if not path.is_file():
        return None
    said = path.read_text(encoding="utf-8").strip()
    return path.parent / said.removeprefix(_POINTS) if said.startswith(_POINTS) else None


def _commit(git: Path) -> str | None:
    head = (git / "HEAD").read_text(encoding="utf-8").strip()
    if not head.startswith(_REFERS):
        return _hash(head)
    name = head.removeprefix(_REFERS)
    return next((found for found in _of_reference(git, name)), None)


def _of_reference(git: Path, name: str) -> Iterator[str]:
    """A branch is a file, or a line of `packed-refs`; worktrees share those of the main one."""
    common = git / "commondir"
    folders = [git]
    if common.is_file():
        folders.append(git / common.read_text(encoding="utf-8").strip())
    for folder in folders:
        with suppress(OSError):
            if found := _hash((folder / name).read_text(encoding="utf-8").strip()):
                yield found
    for folder in folders:
        with suppress(OSError):
            for line in (folder / "packed-refs").read_text(encoding="utf-8").splitlines():
                commit, _, reference = line.partition(" ")
                if reference == name and _hash(commit):
                    yield commit


def _hash(text: str) -> str | None:
    return text if _HASH.fullmatch(text) else None

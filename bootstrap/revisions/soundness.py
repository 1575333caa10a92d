"""What keeps revision files from being one history, with the files and lines to blame."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from bootstrap.errors import RevisionError
from bootstrap.revisions.declarations import Declaration

_TRIED = "the revisions cannot be read"


def fault_in(files: Sequence[Declaration]) -> RevisionError | None:
    """The first thing that is wrong with these files together; None where nothing is."""
    return _twice(files) or _missing(files) or _cycle(files)


def _twice(files: Iterable[Declaration]) -> RevisionError | None:
    seen: dict[str, Declaration] = {}
    for file in files:
        first = seen.setdefault(file.revision, file)
        if first is not file:
            place = file.place("revision")
            return RevisionError(
                f"{_TRIED}: {first.place('revision')} and {place} both have the revision "
                f"{file.revision}",
                hint="if one is a copy, remove it; else give it an id of its own, and correct "
                "down_revision where it is meant",
                place=place,
            )
    return None


def _missing(files: Sequence[Declaration]) -> RevisionError | None:
    ids = {file.revision for file in files}
    known = {*ids, *(label for file in files for label in file.labels)}
    for file in files:
        for name, wanted, there in (
            ("down_revision", file.down_revisions, ids),
            ("depends_on", file.depends_on, known),
        ):
            gone = [one for one in wanted if one not in there]
            if gone:
                return _no_file_has(gone[0], file=file, name=name, known=there)
    return None


def _no_file_has(gone: str, *, file: Declaration, name: str, known: Iterable[str]) -> RevisionError:
    place = file.place(name)
    near = difflib.get_close_matches(gone, sorted(known), n=1)
    meant = f"did you mean {near[0]}? else " if near else ""
    return RevisionError(
        f"{_TRIED}: {name} of revision {file.revision} names {gone}, which no file has ({place})",
        hint=f"{meant}bring the file of {gone} back, or correct that line",
        place=place,
    )


def _cycle(files: Sequence[Declaration]) -> RevisionError | None:
    by_name = {name: file for file in files for name in (*file.labels, file.revision)}
    chain = next(filter(None, (_way_back(file, by_name) for file in files)), None)
    if not chain:
        return None
    first = by_name[chain[0]]
    follows = [one for one in first.down_revisions if by_name[one].revision == chain[1]]
    place = first.place("down_revision" if follows else "depends_on")
    return RevisionError(
        f"{_TRIED}: they follow each other in a circle, {' → '.join(chain)} ({place})",
        hint="each arrow is a down_revision or depends_on; correct the one that is wrong",
        place=place,
    )


def _way_back(start: Declaration, by_name: Mapping[str, Declaration]) -> tuple[str, ...]:
    """The ids from a revision over those that it follows to itself; empty where there is none."""
    waiting: list[tuple[Declaration, tuple[str, ...]]] = [(start, (start.revision,))]
    seen: set[str] = set()
    while waiting:
        file, way = waiting.pop()
        for name in (*file.down_revisions, *file.depends_on):
            before = by_name[name]
            if before is start:
                return (*way, start.revision)
            if before.revision not in seen:
                seen.add(before.revision)
                waiting.append((before, (*way, before.revision)))
    return ()

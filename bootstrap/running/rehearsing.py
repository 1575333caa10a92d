"""Runs one revision on a throwaway database, and keeps what is there after each statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory

from bootstrap.backends.guards import Guard
from bootstrap.database import Database
from bootstrap.errors import BootstrapError
from bootstrap.events import silent
from bootstrap.journal.encoding import read, written
from bootstrap.journal.entries import Entry, Part
from bootstrap.positions.moves import Direction, Move
from bootstrap.project import Project, loaded
from bootstrap.revisions.environment import in_thread
from bootstrap.running.inside import run_inside
from bootstrap.running.observing import Moment, Observed, Observer, Statement
from bootstrap.running.turn import Turn
from bootstrap.running.work import Apply


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A revision that was run on a throwaway database.

    Attributes:
        part: Which one.
        title: Its title.
        statements: What it sent, in order; those after one that failed are not known.
        moments: What there was before the first, and after each.
        stops: After how many of them plain Alembic may leave a database.
        recorded: The journal of it, as it would be on the other database.
        failed: Why it did not come to its end; empty when it did.
    """

    part: Part
    title: str
    statements: tuple[Statement, ...]
    moments: tuple[Moment, ...]
    stops: frozenset[int]
    recorded: tuple[Entry, ...]
    failed: str = ""


async def rehearse(
    script: Script, shadow: Database, *, live: Database, project: Project
) -> Rehearsal:
    """Upgrades a throwaway database by one revision.

    Args:
        script: The revision.
        shadow: The throwaway database, at the revisions before it.
        live: The one that it stands for.
        project: Whose revision.

    Raises:
        DatabaseError: The throwaway database cannot be used.
    """
    config, scripts = await in_thread(lambda: loaded(project))
    names = (str(shadow.name), str(live.name))
    work = Rehearse(
        scripts=scripts,
        database=shadow,
        move=Move(direction=Direction.UPGRADE, targets=(script.revision,)),
        turn=Turn(),
        emit=silent,
        meant=lambda value: _renamed(value, *names),
    )
    failed = ""
    try:
        await run_inside(work, config=config, destination_rev=script.revision)
    except BootstrapError as error:
        if not work.seen.moments:
            raise
        failed = error.message
    return Rehearsal(
        part=Part(revision=script.revision, direction="upgrade", path=Path(script.path)),
        title=script.doc,
        statements=tuple(work.seen.statements),
        moments=tuple(work.seen.moments),
        stops=frozenset(work.seen.stops),
        recorded=tuple(_meant(one, work.seen, names) for one in work.seen.recorded),
        failed=failed,
    )


def following(scripts: ScriptDirectory, applied: Sequence[str]) -> tuple[Script, ...]:
    """The revisions that may be next: all that they are built upon is applied.

    Args:
        scripts: The project's.
        applied: All revisions that are.
    """
    done = frozenset(applied)
    return tuple(
        one
        for one in scripts.walk_revisions()
        if one.revision not in done and done.issuperset(one._all_down_revisions)  # noqa: SLF001 - dependencies have no public name
    )


@dataclass(slots=True, kw_only=True)
class Rehearse(Apply):
    """Applies a revision, watched.

    Attributes:
        meant: Puts the name of the database that is meant in the place of this one's.
        seen: What was seen.
    """

    meant: Callable[[Any], Any]
    seen: Observed = field(default_factory=Observed)

    @contextmanager
    def around(self, context: MigrationContext) -> Iterator[None]:
        """What surrounds it always, and an observer."""
        with Apply.around(self, context):
            observer = Observer(context, self._guard, seen=self.seen, meant=self.meant)
            self._guard = _Watched(self._guard, observer)
            yield


class _Watched(Guard):
    """A guard whose revisions are watched."""

    def __init__(self, guard: Guard, observer: Observer) -> None:
        self._guard = guard
        self._observer = observer

    def during(self) -> AbstractContextManager[None]:
        return self._guard.during()

    def begin(self, part: Part) -> None:
        self._part = part
        self._guard.begin(part)

    def surrounded(self, work: Callable[..., None]) -> Callable[..., None]:
        def watched(*args: Any, **options: Any) -> None:
            with self._observer.watching(self._part):
                work(*args, **options)

        return self._guard.surrounded(watched)

    def finished(self) -> None:
        self._guard.finished()


def _renamed(value: Any, name: str, other: str) -> Any:
    """The value with another name of a database in it; a throwaway one's is like nothing else."""
    match value:
        case str():
            return value.replace(name, other)
        case dict():
            return {key: _renamed(one, name, other) for key, one in value.items()}
        case list() | tuple():
            return type(value)(_renamed(one, name, other) for one in value)
        case _:
            return value


def _meant(entry: Entry, seen: Observed, names: tuple[str, str]) -> Entry:
    """An entry as it would be on the other database."""
    return replace(
        entry,
        digest=seen.digests.get(entry.digest, entry.digest),
        statement=entry.statement.replace(*names),
        outcome=read(written(entry.outcome).replace(*names)),
    )

"""Repairs what is half-applied: as it is recorded, or as it is found out where nothing is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory

from bootstrap import backends
from bootstrap.backends.guards import Recording, Terms
from bootstrap.checking.course import own
from bootstrap.checking.differences import Difference
from bootstrap.checking.halves import Found, Live, found, recorded, unknowable
from bootstrap.checking.shadows import replay, shadow_of
from bootstrap.checking.snapshots import read
from bootstrap.checking.undoing import planned, undo
from bootstrap.errors import HalfApplied, Place, SettingsError
from bootstrap.events import Emit, silent
from bootstrap.inspecting.inspection import look_by
from bootstrap.journal.entries import Part
from bootstrap.journal.half import Repair
from bootstrap.positions.half import applied
from bootstrap.positions.position import Position, only_reading, refuse_unknown
from bootstrap.project import Project, loaded
from bootstrap.records.lock import WAIT, run_lock
from bootstrap.revisions.environment import in_thread
from bootstrap.running.logbook import Logbook, logbook_of
from bootstrap.running.observing import Sent, rows_of
from bootstrap.running.rehearsing import Rehearsal, following, rehearse
from bootstrap.running.repairing import Find, HalfAppliedStep, Mend, Settle, write_version
from bootstrap.running.turn import LockedTurn
from bootstrap.schema.model import Schema
from bootstrap.targets import Place as At
from bootstrap.targets import Target, opened


@dataclass(frozen=True, slots=True, kw_only=True)
class UnrecordedStep:
    """A revision that was begun and not ended, and that nobody has recorded.

    Attributes:
        revision: Its id.
        title: Its title.
        path: Its file.
        shadow: Where it was run to compare, in words.
        statements: Those that it sent there, in order.
        failed: Why it did not come to its end there; empty when it did.
        stops: After how many of them it may have stopped here: one where that is known, several
            where nobody can tell, none where it looks like none of them.
        nearest: After how many of them it looks most alike.
        differences: What differs then.
        choices: The commands that settle it.
        undone: What was taken away.
    """

    revision: str
    title: str
    path: str | None
    shadow: str
    statements: tuple[Sent, ...]
    failed: str
    stops: tuple[int, ...]
    nearest: int
    differences: tuple[Difference, ...]
    choices: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairReport:
    """What was half-applied, and what was decided about it.

    Attributes:
        database: Where.
        backend: Its backend.
        half_applied: As it is recorded; None when nothing is.
        unrecorded: As it was found out, where nothing is recorded; None when nothing was.
        decision: What was asked for; None when it was only looked.
    """

    database: str
    backend: str
    half_applied: HalfAppliedStep | None
    unrecorded: UnrecordedStep | None
    decision: Repair | None

    @property
    def is_clean(self) -> bool:
        """Whether nothing is half-applied that somebody would have to do something about."""
        return self.decision is not None or (self.half_applied or self.unrecorded) is None


async def repair(
    database: Target,
    decision: Repair | str | None = None,
    *,
    project: Project,
    after: int | None = None,
    wait_lock: float = WAIT,
    emit: Emit = silent,
) -> RepairReport:
    """Looks for a half-applied revision, and writes down what a person has decided about it.

    What a run of bootstrap has begun is recorded. What plain Alembic has left is found out: the
    revision is run on a throwaway database beside it, and compared after each statement.

    Args:
        database: Where it is. On a connection only what is recorded is looked for.
        decision: None to look only. `applied` or `not applied` for the last statement, when nobody
            can tell whether it was; `done` when all of the revision is applied, by hand where need
            be, which writes the version table; `forget` when nothing of it is left, so that it
            begins anew. Where nothing is recorded: `record` what is there, so that the next run
            goes on after it; `done`; `undo` what is there, where all of it is new and empty.
        project: Whose revisions.
        after: After how many statements it has stopped, where nobody else can tell.
        wait_lock: Seconds to wait for another run.
        emit: Told about waiting.

    Raises:
        LockNotObtained, LockLost, DatabaseError, RevisionError: As for `migrate`.
        HalfApplied: What is there does not allow the decision.
        SettingsError: There is nothing to decide of this kind.
    """
    config, scripts = await in_thread(lambda: loaded(project))
    how = None if decision is None else Repair(decision)
    async with opened(database) as place, run_lock(place, wait=wait_lock, emit=emit) as lock:
        if place.connection is not None and how in (Repair.RECORD, Repair.UNDO):
            raise SettingsError(
                "what nobody has recorded is not looked for on a program's own connection",
                hint="hand over the URL of the database",
            )
        turn, logbook = LockedTurn(lock), logbook_of(project, scripts)
        given: dict[str, Any] = {
            "scripts": scripts,
            "database": place.database,
            "connection": place.connection,
        }
        work = (
            Find(**given)
            if how is None
            else Mend(**given, turn=turn, logbook=logbook, decision=how)
        )
        position = await look_by(work, config=config, allow_ahead=True)
        unrecorded = None
        if work.found is None and place.connection is None and how not in _ABOUT_RECORDED:
            search = _Search(
                place=place,
                position=position,
                project=project,
                config=config,
                scripts=scripts,
                logbook=logbook,
            )
            unrecorded = await search.settled(how, after)
        await lock.prove()
    return RepairReport(
        database=str(place.database),
        backend=position.backend,
        half_applied=work.found,
        unrecorded=unrecorded,
        decision=how,
    )


Deed: TypeAlias = Callable[[MigrationContext], None]
_ABOUT_RECORDED = (Repair.APPLIED, Repair.NOT_APPLIED, Repair.FORGET)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """Looks for what nobody has recorded, and settles it."""

    place: At
    position: Position
    project: Project
    config: Config
    scripts: ScriptDirectory
    logbook: Logbook

    async def settled(self, how: Repair | None, after: int | None) -> UnrecordedStep | None:
        """Finds a half-applied revision, and does with it what was asked for."""
        refuse_unknown(self.scripts, self.position)
        one, where = await self._found()
        if one is None:
            if how is None:
                return None
            raise SettingsError(
                "nothing is half-applied here, as far as can be seen",
                hint="bootstrap migrate applies what is pending; bootstrap drift compares the "
                "database with its history",
            )
        undone: list[str] = []
        if how is not None:
            await self._refuse_changed(one)
            deed = {
                Repair.RECORD: partial(_record, one=one, after=after),
                Repair.DONE: partial(_done, one=one, scripts=self.scripts),
                Repair.UNDO: partial(_undo, one=one, undone=undone),
            }[how]
            deed = partial(self._logged, deed, one.rehearsal.part, how)
            work = Settle(scripts=self.scripts, database=self.place.database, deed=deed)
            await look_by(work, config=self.config)
        recording = backends.named(self.position.backend).atomicity.recording
        choices = () if how else _choices(one, recording)
        return _step(one, where, choices=choices, undone=undone)

    def _logged(self, deed: Deed, part: Part, how: Repair, context: MigrationContext) -> None:
        """Does it, and writes down that somebody has decided so."""
        self.logbook.decided(context, self.place.database, part, how)
        deed(context)
        if context.connection is not None:
            context.connection.commit()

    async def _found(self) -> tuple[Found | None, str]:
        """The revision of which most is there, of those that may be next."""
        here = await self._schema()
        done = tuple(applied(self.scripts, self.position.heads))
        compared = [await self._compared(one, here) for one in following(self.scripts, done)]
        begun = [(one, where) for one, where in compared if one.is_begun]
        return max(
            begun, key=lambda pair: (bool(pair[0].stops), pair[0].nearest), default=(None, "")
        )

    async def _compared(self, script: Script, here: Schema) -> tuple[Found, str]:
        """What is there of one of them, and where it was run."""
        live, version = self.place.database, self.position.server_version
        async with shadow_of(live, here, server_version=version) as (shadow, where):
            await replay(shadow, self.position.heads, project=self.project)
            rehearsal = await rehearse(script, shadow, live=live, project=self.project)
        return found(rehearsal, await self._live(rehearsal, here)), where

    async def _live(self, rehearsal: Rehearsal, schema: Schema) -> Live:
        most: dict[str, int] = {}
        for moment in rehearsal.moments:
            for path, kept in moment.rows.items():
                if kept is not None:
                    most[path] = max(len(kept), most.get(path, 0))
        async with self.place.database.connect() as connection:
            with self.place.database.translated("cannot read"):
                rows = await connection.run_sync(rows_of, schema, most)
        return Live(schema=schema, rows=rows)

    async def _schema(self) -> Schema:
        return own(await read(self.place.database), self.position)

    async def _refuse_changed(self, one: Found) -> None:
        """A killed client's statement may have gone on; or somebody else is at work."""
        if await self._schema() != one.live.schema:
            raise HalfApplied(
                f"{self.place.database.label} was changed while it was looked into; nothing was "
                "written",
                hint="wait for what is still running there, then run the command again",
            )


def _record(context: MigrationContext, *, one: Found, after: int | None) -> None:
    """Writes the journal as a run of ours would have left it."""
    recording = backends.of_dialect(context.dialect).atomicity.recording
    revision = one.rehearsal.part.revision
    stop = _decided(one, after)
    if recording is None:
        raise HalfApplied(
            f"revision {revision} is half-applied, and a revision cannot go on from its middle "
            f"on {backends.of_dialect(context.dialect).title}; nothing was written",
            hint="bootstrap repair --undo takes away what is there, where all of it is new and "
            "empty; or finish it by hand, then: bootstrap repair --done",
        )
    unknown = unknowable(one, stop, recording)
    if unknown is not None:
        place = _place(one, unknown.sent)
        raise HalfApplied(
            f"revision {revision} cannot go on after statement {stop}: what its statement "
            f"{unknown.sent.number} returned steers what follows, and nobody has recorded it"
            f"\n  {place or ''}   {unknown.sent.sql}",
            hint="finish it by hand, then: bootstrap repair --done; or undo what is there",
            place=place,
        )
    recording.write(context, one.rehearsal.part, recorded(one, stop))


def _decided(one: Found, after: int | None) -> int:
    """After how many statements it has stopped."""
    revision = one.rehearsal.part.revision
    if not one.stops:
        raise _like_none(one)
    if after is None and len(one.stops) == 1:
        return one.stops[0]
    listed = " or ".join(map(str, one.stops))
    if after is None:
        raise HalfApplied(
            f"whether revision {revision} has stopped after statement {listed} cannot be told; "
            "nothing was written",
            hint="; or: ".join(f"bootstrap repair --record --after {stop}" for stop in one.stops),
        )
    if after not in one.stops:
        raise HalfApplied(
            f"revision {revision} has not stopped after statement {after}: by what is there, it "
            f"was after statement {listed}; nothing was written",
            hint="bootstrap repair shows what was compared",
        )
    return after


def _done(context: MigrationContext, *, one: Found, scripts: ScriptDirectory) -> None:
    """Writes the version table, if all of it is there."""
    if not one.is_whole:
        revision = one.rehearsal.part.revision
        raise HalfApplied(
            f"not all of revision {revision} is there; nothing was written",
            hint="bootstrap repair shows where it has stopped; where you know better: bootstrap "
            f"stamp {revision}",
        )
    write_version(context, one.rehearsal.part, scripts)


def _undo(context: MigrationContext, *, one: Found, undone: list[str]) -> None:
    """Takes away what is there, in a transaction where the backend can do that."""
    if not one.stops:
        raise _like_none(one)
    connection = context.connection
    assert connection is not None  # noqa: S101 - online there is one
    terms = Terms(allow_loss=False, wait=0, emit=silent, again=lambda: False)
    with only_reading(context):
        atomicity = backends.of_dialect(context.dialect).atomicity
        with atomicity.around(context, terms):
            undone += undo(context, one)
            connection.commit()


def _like_none(one: Found) -> HalfApplied:
    return HalfApplied(
        f"revision {one.rehearsal.part.revision} is begun, and what is there is like it is after "
        "none of its statements; nothing was written",
        hint="bootstrap repair shows what differs from the nearest one",
    )


def _place(one: Found, sent: Sent) -> Place | None:
    path = one.rehearsal.part.path
    return Place(path=path, line=sent.line) if path else None


def _choices(one: Found, recording: Recording | None) -> tuple[str, ...]:
    """The commands that settle it, as far as that can be told before."""
    choices = ["bootstrap repair --done"] if one.is_whole else []
    if recording is not None:
        after = "" if len(one.stops) == 1 else " --after {}"
        choices += [
            f"bootstrap repair --record{after.format(stop)} && bootstrap migrate"
            for stop in one.stops
            if unknowable(one, stop, recording) is None
        ]
    if one.stops:
        with suppress(HalfApplied):
            planned(one)
            choices.append("bootstrap repair --undo --yes && bootstrap migrate")
    return tuple(choices)


def _step(one: Found, where: str, *, choices: tuple[str, ...], undone: list[str]) -> UnrecordedStep:
    rehearsal = one.rehearsal
    return UnrecordedStep(
        revision=rehearsal.part.revision,
        title=rehearsal.title,
        path=str(Path(rehearsal.part.path)) if rehearsal.part.path else None,
        shadow=where,
        statements=tuple(statement.sent for statement in rehearsal.statements),
        failed=rehearsal.failed,
        stops=one.stops,
        nearest=one.nearest,
        differences=one.differences,
        choices=choices,
        undone=tuple(undone),
    )

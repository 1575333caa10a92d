"""Goes up a history step by step: each revision is applied, undone and applied again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from alembic.script import Script, ScriptDirectory

from bootstrap.checking.differences import Comparison, Difference, Side
from bootstrap.checking.snapshots import read
from bootstrap.database import Database
from bootstrap.errors import BootstrapError, RevisionError, StatementFailed
from bootstrap.project import Project, loaded
from bootstrap.revisions.environment import in_thread
from bootstrap.running.runner import downgrade, migrate
from bootstrap.schema.changes import Action, Kind, Weight
from bootstrap.schema.compare import compare
from bootstrap.schema.model import Schema
from bootstrap.testing import ThrowawayDatabases

_BEFORE = ("before", "after the downgrade")
_AGAIN = ("first upgrade", "second upgrade")
# A column that is dropped and added again is the last one: no downgrade can help that.
_UNAVOIDABLE = "column order"


@dataclass(slots=True, kw_only=True)
class Stairway:
    """The way up on one server.

    Attributes:
        databases: Where; a new one is taken where a step has left a database half-way.
        project: Whose revisions.
        own: Leaves out of a schema what is no part of it.
        doing: What is being done, in words.
    """

    databases: ThrowawayDatabases
    project: Project
    own: Callable[[Schema], Schema]
    doing: str = ""

    async def climb(self) -> tuple[Difference, ...]:
        """Goes up, and tells what the downgrades and second upgrades leave different.

        Raises:
            BootstrapError: A revision cannot be applied one by one, or the server is gone.
        """
        pending = await ordered(self.project)
        done: list[Script] = []
        found: list[Difference] = []
        while pending:
            async with self.databases.empty() as database:
                await self._replay(database, done)
                schema = await self._read(database)
                while pending:
                    one = pending.pop(0)
                    done.append(one)
                    step = await self._step(database, one, schema)
                    found += step.differences
                    if step.schema is None:
                        break
                    schema = step.schema
        return tuple(found)

    async def _replay(self, database: Database, done: Sequence[Script]) -> None:
        below = {name for one in done for name in downs(one)}
        for one in done:
            if one.revision not in below:
                await migrate(database, one.revision, project=self.project)

    async def _step(self, database: Database, one: Script, before: Schema) -> _Step:
        self.doing = f"upgrade to {one.revision}"
        await migrate(database, one.revision, project=self.project)
        first = await self._read(database)
        try:
            self.doing = "downgrade"
            await undo(database, one.revision, downs=downs(one), project=self.project)
            undone = await self._read(database)
            self.doing = "second upgrade"
            await migrate(database, one.revision, project=self.project)
        except (RevisionError, StatementFailed) as error:
            return _Step(differences=[failure(one, self.doing, error)], schema=None)
        second = await self._read(database)
        differences = [
            *_differences(one, before, undone, sides=_BEFORE),
            *_differences(one, first, second, sides=_AGAIN),
        ]
        return _Step(differences=differences, schema=second)

    async def _read(self, database: Database) -> Schema:
        return self.own(await read(database))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """What one step leaves; the schema is None where nobody knows what is there."""

    differences: Sequence[Difference]
    schema: Schema | None


async def ordered(project: Project) -> list[Script]:
    """The revisions, each after all that it needs."""

    def read_all() -> list[Script]:
        _, scripts = loaded(project)
        return list(_in_order(scripts))

    return await in_thread(read_all)


def _in_order(scripts: ScriptDirectory) -> Iterator[Script]:
    """Alembic's own order, from the bases up."""
    return reversed(list(scripts.walk_revisions()))


def downs(script: Script) -> tuple[str, ...]:
    """The revisions that one follows."""
    found = script.down_revision
    if found is None:
        return ()
    return (found,) if isinstance(found, str) else tuple(found)


async def undo(
    database: Database, revision: str, *, downs: Sequence[str], project: Project
) -> None:
    """Downgrades one revision, and no other branch: `revision@` says so.

    Args:
        database: A throwaway one, whose rows may go.
        revision: The one to undo.
        downs: Those that it follows.
        project: Whose revisions.
    """
    below = next(iter(downs), "base")
    await downgrade(database, f"{revision}@{below}", project=project, drop_rows=True)


def failure(one: Script, doing: str, error: BootstrapError) -> Difference:
    """A step that cannot be done, as a difference of the revision from what it should do."""
    return Difference(
        comparison=Comparison.STAIRWAY,
        weight=Weight.DEFINITION,
        kind=Kind.OTHER,
        table="",
        name=one.revision,
        attribute=doing,
        sides=(Side(where=doing, value=error.message),),
        servers=(),
        why="a way back that does not work is found when it is needed",
        revision=one.revision,
    )


def _differences(
    one: Script, before: Schema, after: Schema, *, sides: tuple[str, str]
) -> Iterator[Difference]:
    for change in compare(before, after):
        if change.attribute == _UNAVOIDABLE:
            continue
        values = (
            None if change.action is Action.ADDED else change.before or "there",
            None if change.action is Action.REMOVED else change.after or "there",
        )
        yield Difference(
            comparison=Comparison.STAIRWAY,
            weight=change.weight,
            kind=change.kind,
            table=change.table,
            name=change.name,
            attribute=change.attribute,
            sides=tuple(
                Side(where=where, value=value) for where, value in zip(sides, values, strict=True)
            ),
            servers=(),
            why="the downgrade does not leave what was there before"
            if sides is _BEFORE
            else "the second upgrade does not make what the first one made",
            revision=one.revision,
        )


def on_servers(found: Sequence[tuple[str, Difference]]) -> tuple[Difference, ...]:
    """Each difference once, with all servers on which it was found."""
    servers: dict[Difference, list[str]] = {}
    for name, one in found:
        servers.setdefault(one, []).append(name)
    return tuple(replace(one, servers=tuple(names)) for one, names in servers.items())

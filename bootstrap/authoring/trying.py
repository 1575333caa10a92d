"""Tries a new revision on a throwaway database: up, compare with the models, down, up again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bootstrap.checking.course import first_look
from bootstrap.checking.snapshots import TOOL_TABLES, read
from bootstrap.checking.stairway import undo
from bootstrap.database import Database
from bootstrap.errors import BootstrapError, RevisionError, StatementFailed
from bootstrap.inspecting.checking import check
from bootstrap.positions.position import Position
from bootstrap.project import Project
from bootstrap.revisions.listing import Revision
from bootstrap.revisions.operations import Operation
from bootstrap.running.runner import migrate
from bootstrap.schema.compare import compare
from bootstrap.schema.model import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of trying a revision on a backend.

    Attributes:
        backend: Its name.
        server_version: The server's.
        pending: What the models have and the schema has not after the upgrade.
        not_undone: How the schema differs after the downgrade from what it was before.
        not_repeated: How it differs after the second upgrade from what it was after the first.
    """

    backend: str
    server_version: str
    pending: tuple[Operation, ...]
    not_undone: tuple[str, ...]
    not_repeated: tuple[str, ...]

    @property
    def works(self) -> bool:
        """Whether there is nothing to complain of."""
        return not (self.pending or self.not_undone or self.not_repeated)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedAttempt:
    """A try that ended with an error.

    Attributes:
        backend: Its title, for people.
        doing: What was tried, in words.
        error: What it ended with.
    """

    backend: str
    doing: str
    error: BootstrapError

    @property
    def works(self) -> bool:
        """It does not."""
        return False


@dataclass(slots=True, kw_only=True)
class Trial:
    """One try.

    Attributes:
        database: An empty one, or one that is at the heads before the new revisions.
        project: Whose revisions.
        before: The heads before the new revisions.
        written: The new revisions, in the order of the history.
        doing: What is being done, in words.
    """

    database: Database
    project: Project
    before: tuple[str, ...]
    written: tuple[Revision, ...]
    doing: str = ""

    async def run(self) -> Attempt | FailedAttempt:
        """Tries it."""
        try:
            return await self._run()
        except BootstrapError as error:
            title = self.database.backend.title
            return FailedAttempt(backend=title, doing=self.doing, error=error)

    async def _run(self) -> Attempt:
        self.doing = "the history before it"
        table = (await replay(self.database, self.before, project=self.project)).version_table
        before = await self._schema(table)
        await self._upgrade("upgrade")
        first = await self._schema(table)
        self.doing = "comparison with the models"
        compared = await check(self.database, project=self.project)
        await self._downgrade()
        undone = await self._schema(table)
        await self._upgrade("second upgrade")
        second = await self._schema(table)
        return Attempt(
            backend=compared.backend,
            server_version=compared.server_version,
            pending=compared.operations,
            not_undone=_differences(before, undone),
            not_repeated=_differences(first, second),
        )

    async def _schema(self, version_table: str) -> Schema:
        return (await read(self.database)).without((version_table, *TOOL_TABLES))

    async def _upgrade(self, doing: str) -> None:
        self.doing = doing
        for revision in self.written:
            await migrate(self.database, revision.revision, project=self.project)

    async def _downgrade(self) -> None:
        self.doing = "downgrade"
        for revision in reversed(self.written):
            await undo(
                self.database,
                revision.revision,
                downs=revision.down_revisions,
                project=self.project,
            )


def _differences(before: Schema, after: Schema) -> tuple[str, ...]:
    return tuple(str(change) for change in compare(before, after))


async def replay(database: Database, heads: Sequence[str], *, project: Project) -> Position:
    """Migrates a throwaway database to where it shall be before something new.

    Args:
        database: An empty one, or one that is there already.
        heads: Where it shall be.
        project: Whose revisions, and whose env.py.

    Raises:
        SettingsError: env.py connects to another database.
        RevisionError, StatementFailed: The revisions cannot be applied to an empty database.
    """
    position = await first_look(
        database,
        project=project,
        otherwise="or compare with a database that --url names, and leave out the try with "
        "--no-try",
    )
    for head in heads:
        try:
            await migrate(database, head, project=project)
        except (RevisionError, StatementFailed) as error:
            raise type(error)(
                f"an empty {database.backend.title} database cannot be migrated to where the "
                f"history is now: {error.message}",
                hint="for a history that does not begin with an empty database, compare with one "
                "at its heads that --url names, and leave out the try with --no-try",
            ) from error
    return position

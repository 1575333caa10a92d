"""What `verify` does on one server: migrate an empty database, read it, and read the models."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import MissingGreenlet

from bootstrap.backends.base import Backend
from bootstrap.backends.chain import causes
from bootstrap.checking.differences import Difference
from bootstrap.checking.models import create_models
from bootstrap.checking.probed import Meeting
from bootstrap.checking.rows import Descent, Loss
from bootstrap.checking.servers import Wanted
from bootstrap.checking.snapshots import TOOL_TABLES, read
from bootstrap.checking.stairway import Stairway
from bootstrap.database import Database
from bootstrap.errors import BootstrapError, RevisionError, SettingsError
from bootstrap.events import Emit, VerifyFinished, VerifyStarted
from bootstrap.inspecting.inspection import look
from bootstrap.positions.position import Position
from bootstrap.probing.asking import Answers, answers
from bootstrap.project import Project, loaded
from bootstrap.revisions.environment import in_thread
from bootstrap.running.runner import migrate
from bootstrap.schema.model import Schema
from bootstrap.targets import Place
from bootstrap.testing import ThrowawayDatabases

_TAKE_THE_URL = "let env.py take the URL from sqlalchemy.url"
_RETRY_FOR = 5.0  # seconds: a throwaway server that has died does not come back


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What came of one server.

    Attributes:
        backend: What is really there.
        server_version: The server's.
        schema: What the history made.
        models: What the models make; None where they were not looked at.
        stairs: What the stairway found.
        losses: What the downgrades lost.
        not_filled: Tables that had no row to lose.
        answers: What it said to the questions of the plan; None where nobody asked.
        revisions: Those that were applied, in this order.
        seconds: From the start of the server to the last look.
    """

    backend: str
    server_version: str
    schema: Schema
    models: Schema | None
    stairs: tuple[Difference, ...]
    losses: tuple[Loss, ...]
    not_filled: tuple[str, ...]
    answers: Answers | None
    revisions: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A server on which it could not be brought to an end.

    Attributes:
        backend: Its title, for people.
        doing: What was tried, in words.
        error: What it ended with.
    """

    backend: str
    doing: str
    error: BootstrapError


@dataclass(slots=True, kw_only=True)
class Course:
    """One server's way through `verify`.

    Attributes:
        wanted: The server.
        project: Whose revisions, whose env.py.
        models: Whether the models are looked at.
        stairway: Whether each revision is undone and applied again.
        data: Whether downgrades are gone with rows.
        datasets: The rows; nothing for made-up ones.
        leave_out: Names of tables that are no part of the schema.
        meeting: Where the questions of a probe come from; None where nobody asks.
        emit: Told when it begins and ends.
        doing: What is being done, in words.
    """

    wanted: Wanted
    project: Project
    models: bool
    stairway: bool
    data: bool
    datasets: tuple[Path, ...]
    leave_out: tuple[str, ...]
    meeting: Meeting | None
    emit: Emit
    doing: str = "start"

    async def run(self) -> Passed | Failed:
        """Goes it; what goes wrong is part of the answer, so that others can go on."""
        title = self.wanted.backend.title
        begun = time.perf_counter()
        self.emit(VerifyStarted(backend=title))
        result: Passed | Failed
        try:
            async with self.wanted.running() as databases:
                result = await self._on(databases, begun=begun)
        except BootstrapError as error:
            result = Failed(backend=title, doing=self.doing, error=error)
            if self.meeting is not None:
                self.meeting.leave()
        self.emit(
            VerifyFinished(
                backend=title,
                server_version=result.server_version if isinstance(result, Passed) else "",
                works=isinstance(result, Passed),
                seconds=time.perf_counter() - begun,
            )
        )
        return result

    async def _on(self, databases: ThrowawayDatabases, *, begun: float) -> Passed:
        async with databases.empty() as database:
            self.doing = "first look"
            position = await first_look(database, project=self.project)
            self.doing = "upgrade"
            done = await migrate(database, "heads", project=self.project, retry_for=_RETRY_FOR)
            self.doing = "reading the schema"
            schema = self._own(await read(database), position)
            models = await self._models(databases, position) if self.models else None
            stairs = await self._stairs(databases, position) if self.stairway else ()
            descent = await self._descent(databases, position) if self.data else None
            given = await self._answers(self.meeting, schema, database) if self.meeting else None
        return Passed(
            backend=done.backend,
            server_version=done.server_version,
            schema=schema,
            models=models,
            stairs=(*stairs, *(descent.failed if descent else ())),
            losses=tuple(descent.losses) if descent else (),
            not_filled=descent.not_filled if descent else (),
            answers=given,
            revisions=tuple(step.revision for step in done.steps),
            seconds=time.perf_counter() - begun,
        )

    async def _models(self, databases: ThrowawayDatabases, position: Position) -> Schema | None:
        async with databases.empty() as database:
            self.doing = "creating the models"
            if not await create_models(database, project=self.project):
                return None
            self.doing = "reading the models"
            return self._own(await read(database), position)

    async def _stairs(
        self, databases: ThrowawayDatabases, position: Position
    ) -> tuple[Difference, ...]:
        stairway = Stairway(
            databases=databases,
            project=self.project,
            own=lambda schema: self._own(schema, position),
        )
        try:
            return await stairway.climb()
        finally:
            self.doing = f"stairway, {stairway.doing}"

    async def _descent(self, databases: ThrowawayDatabases, position: Position) -> Descent:
        async with databases.empty() as database:
            descent = Descent(
                database=database,
                project=self.project,
                datasets=self.datasets,
                version_table=position.version_table,
            )
            try:
                await descent.go()
            finally:
                self.doing = descent.doing
            return descent

    async def _answers(self, meeting: Meeting, schema: Schema, database: Database) -> Answers:
        self.doing = "probe"
        return await answers(database, schema, await meeting.bring(schema))

    def _own(self, schema: Schema, position: Position) -> Schema:
        return own(schema, position, leave_out=self.leave_out)


def own(schema: Schema, position: Position, *, leave_out: Iterable[str] = ()) -> Schema:
    """The schema without the tables that record what was run."""
    return schema.without((*TOOL_TABLES, position.version_table, *leave_out))


async def first_look(database: Database, *, project: Project, otherwise: str = "") -> Position:
    """Looks whether env.py uses a throwaway database, before anything is run.

    Args:
        database: The throwaway one.
        project: Whose env.py.
        otherwise: What else can be done when it does not, for the hint.

    Raises:
        SettingsError: env.py connects to another database.
        DatabaseError, RevisionError: env.py does not get along with this backend.
    """
    config, scripts = await in_thread(lambda: loaded(project))
    try:
        return await look(Place(database=database), config=config, scripts=scripts)
    except SettingsError as error:
        raise SettingsError(
            f"a throwaway database cannot be used: {error.message}",
            hint="; ".join(filter(None, (_TAKE_THE_URL, otherwise))),
        ) from error
    except RevisionError as error:
        if any(isinstance(cause, MissingGreenlet) for cause in causes(error)):
            raise _wants_a_sync_driver(database.backend) from error
        raise


def _wants_a_sync_driver(backend: Backend) -> RevisionError:
    """The error for a sync env.py, where no such driver of the backend is installed."""
    names = ", ".join(backend.without_asyncio)
    return RevisionError(
        f"env.py connects without asyncio, and no sync driver of {backend.title} is installed",
        hint=f"install one ({names}), or name the backends without {backend.name} in --backend",
    )

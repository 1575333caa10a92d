"""Verifies that a history makes the same schema on all backends, and the one of the models."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy import URL

from bootstrap import backends as rooms
from bootstrap.checking.acceptances import (
    Acceptance,
    accept_known,
    read_accepted,
    unused,
    write_accepted,
)
from bootstrap.checking.course import Course, Failed, Passed
from bootstrap.checking.differences import Comparison, Difference, between, from_models
from bootstrap.checking.probed import Meeting, Probed, from_answers, probed
from bootstrap.checking.rows import Loss, on_server
from bootstrap.checking.servers import ServerPrograms, wanted
from bootstrap.checking.stairway import on_servers
from bootstrap.errors import (
    BootstrapError,
    DatabaseError,
    RevisionError,
    SettingsError,
    StatementFailed,
)
from bootstrap.events import Emit, silent
from bootstrap.project import Project
from bootstrap.schema.document import digest
from bootstrap.schema.model import Schema
from bootstrap.testing.servers import MissingServer


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedServer:
    """A server that the history was verified on.

    Attributes:
        name: Title and version, for people; no other server of the report has it.
        backend: The name of the backend that is really there.
        server_version: The server's.
        schema: That one; JSON has its digest alone.
        digest: Of the schema that the history made; equal for equal schemas of one backend.
        tables: The tables that it made.
        revisions: Those that were applied, in this order.
        models_compared: Whether env.py names models, and they were looked at.
        seconds: What it took, with starting the server.
    """

    name: str
    backend: str
    server_version: str
    schema: Schema = field(repr=False, metadata={"json": False})
    digest: str
    tables: tuple[str, ...]
    revisions: tuple[str, ...]
    models_compared: bool
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """Whether a history makes the same schema everywhere.

    Attributes:
        servers: Where it was verified.
        not_verified: The backends that could not be started, where all were asked for.
        differences: What differs, accepted or not.
        losses: What the downgrades lost, with `data`; to be known, and no reason for a no.
        not_filled: Tables that had no row to lose, by the name of the server.
        stairway: Whether each revision was undone and applied again.
        probed: What was asked of the servers; None where the behaviour was not compared.
        unused: Acceptances that are about nothing that differs here.
        written: The file that acceptances were written to.
        added: How many.
        seconds: What it took in all.
    """

    servers: tuple[VerifiedServer, ...]
    not_verified: tuple[MissingServer, ...]
    differences: tuple[Difference, ...]
    losses: tuple[Loss, ...]
    not_filled: Mapping[str, tuple[str, ...]]
    stairway: bool
    probed: Probed | None
    unused: tuple[Acceptance, ...]
    seconds: float
    written: Path | None = None
    added: int = 0

    @property
    def open(self) -> tuple[Difference, ...]:
        """What nobody has accepted."""
        return tuple(one for one in self.differences if not one.accepted)

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing that nobody has accepted."""
        return not self.open


async def verify(
    *,
    project: Project,
    backends: Sequence[str] = (),
    urls: Sequence[str | URL] = (),
    servers: Sequence[ServerPrograms] = (),
    models: bool = True,
    stairway: bool = False,
    data: bool = False,
    probe: bool = False,
    datasets: Sequence[Path] = (),
    leave_out: Sequence[str] = (),
    accepted: Sequence[Acceptance] | None = None,
    accept: bool = False,
    emit: Emit = silent,
) -> VerifyReport:
    """Migrates an empty database on each server, and compares what came of it.

    Throwaway servers are started at the same time, and are gone at the end. The schemas are
    compared with each other, and each with what the models make on the same server.

    Args:
        project: Whose revisions, whose models, whose env.py.
        backends: Names of those to start; where nothing at all is named, all that can be started.
        urls: Servers that run already, and let the account create databases; the databases that
            the URLs name are not touched.
        servers: Servers to start from programs of their own, also several of one backend.
        models: Whether to compare with the models.
        stairway: Undo each revision and apply it again, and compare at every step.
        data: Write rows, go down the history, and tell which downgrades lose some.
        probe: Write the same rows on each server, undo them, and compare what it says to them.
        datasets: The rows, as for `seed`; without any, one is made up for each table.
        leave_out: Names of tables that are no part of the schema, beside the version table.
        accepted: What may differ; None for what pyproject.toml says.
        accept: Write what differs there, each with a reason to be edited.
        emit: Told about each server.

    Raises:
        SettingsError: What was asked for is not there, or env.py connects elsewhere.
        DatabaseError: A server did not start, or ended.
        RevisionError: The history cannot be run on one of them.
        StatementFailed: One of them refused a statement of it, or the models.
    """
    begun = time.perf_counter()
    given = read_accepted(project.pyproject) if accepted is None else accepted
    places, missing = await asyncio.to_thread(wanted, backends=backends, urls=urls, servers=servers)
    if probe and len(places) == 1:
        raise SettingsError(
            "one server alone has nothing that its answers could be compared with",
            hint="name a second backend, or leave --probe out",
        )
    meeting = Meeting(expected=len(places)) if probe else None
    course = partial(
        Course,
        project=project,
        models=models,
        stairway=stairway,
        data=data,
        datasets=tuple(datasets),
        leave_out=tuple(leave_out),
        meeting=meeting,
        emit=emit,
    )
    passed = await _gone([course(wanted=one) for one in places])
    answered = {name: one.answers for name, one in passed.items() if one.answers is not None}
    plan = meeting.plan if meeting else None
    behaviour = from_answers(plan, answered) if plan else ()
    found = accept_known((*_differences(passed), *behaviour), given)
    added = write_accepted(found, project.pyproject) if accept else 0
    return VerifyReport(
        servers=tuple(_verified(name, one) for name, one in passed.items()),
        not_verified=missing,
        differences=accept_known(found, read_accepted(project.pyproject)) if added else found,
        losses=tuple(loss for name, one in passed.items() for loss in on_server(one.losses, name)),
        not_filled={name: one.not_filled for name, one in passed.items() if one.not_filled},
        stairway=stairway,
        probed=probed(plan, answered) if plan else None,
        unused=unused(found, [one for one in given if probe or one.comparison != Comparison.PROBE]),
        written=project.pyproject if added else None,
        added=added,
        seconds=time.perf_counter() - begun,
    )


async def _gone(courses: Sequence[Course]) -> Mapping[str, Passed]:
    """Goes all courses at the same time.

    Raises:
        BootstrapError: One of them failed; all are at their end.
    """
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(course.run()) for course in courses]
    results = [task.result() for task in running]
    _refuse_failed([one for one in results if isinstance(one, Failed)])
    return _named(one for one in results if isinstance(one, Passed))


def _named(passed: Iterable[Passed]) -> Mapping[str, Passed]:
    """Each with a name of its own."""
    names: dict[str, Passed] = {}
    for one in passed:
        name = plain = f"{rooms.named(one.backend).title} {one.server_version}"
        number = 1
        while name in names:
            number += 1
            name = f"{plain} ({number})"
        names[name] = one
    return names


def _verified(name: str, one: Passed) -> VerifiedServer:
    return VerifiedServer(
        name=name,
        backend=one.backend,
        server_version=one.server_version,
        schema=one.schema,
        digest=digest(one.schema),
        tables=tuple(table.path for table in one.schema.tables),
        revisions=one.revisions,
        models_compared=one.models is not None,
        seconds=one.seconds,
    )


def _differences(passed: Mapping[str, Passed]) -> tuple[Difference, ...]:
    schemas = {name: one.schema for name, one in passed.items()}
    models = {name: one.models for name, one in passed.items() if one.models is not None}
    stairs = [(name, one) for name, each in passed.items() for one in each.stairs]
    return (*between(schemas), *from_models(schemas, models), *on_servers(stairs))


def _refuse_failed(failed: Sequence[Failed]) -> None:
    """Raises the error for all servers that failed, as the gravest of what they ended with."""
    if not failed:
        return
    lines = [f"{one.backend}, {one.doing}: {one.error.message}" for one in failed]
    hints = dict.fromkeys(one.error.hint for one in failed if one.error.hint)
    kinds = {type(one.error) for one in failed}
    kind = next((one for one in _GRAVEST_FIRST if one in kinds), type(failed[0].error))
    raise _made(kind, lines, hint="; ".join(hints), failed=failed) from failed[0].error


def _made(
    kind: type[BootstrapError], lines: Sequence[str], *, hint: str, failed: Sequence[Failed]
) -> BootstrapError:
    place = next((one.error.place for one in failed if one.error.place), None)
    return kind("\n".join(("the history cannot be verified", *lines)), hint=hint, place=place)


_GRAVEST_FIRST = (StatementFailed, RevisionError, SettingsError, DatabaseError)

"""Where a database stands in the history of a project, as env.py shows it, and who works on it."""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap.backends.health import Finding, Verdict
from bootstrap.database import Database
from bootstrap.errors import BootstrapError
from bootstrap.inspecting.inspection import (
    Inspect,
    StatusReport,
    look_by,
    position_of,
    status_of,
)
from bootstrap.project import Project, loaded
from bootstrap.records.lock import in_words, lock_session
from bootstrap.revisions.environment import in_thread
from bootstrap.targets import Place


async def of_position(database: Database, project: Project) -> tuple[Finding, ...]:
    """Runs env.py, as every command does that needs to know where the database is.

    Args:
        database: It must answer.
        project: Whose env.py and revisions.
    """
    try:
        config, scripts = await in_thread(lambda: loaded(project))
        work = Inspect(
            scripts=scripts,
            database=database,
            first=project.first,
            log=project.log,
            log_schema=project.log_schema,
        )
        await look_by(work, config=config, allow_ahead=True)
    except BootstrapError as error:
        return (_problem("env.py", error),)
    connected = Finding(
        check="env.py", verdict=Verdict.FINE, text="env.py connects to this database"
    )
    lock = await _lock(database, position_of(work).lock_name)
    try:
        return (connected, *_standing(status_of(work)), lock)
    except BootstrapError as error:  # the revisions lead nowhere from there
        return (connected, _problem("position", error), lock)


def _standing(status: StatusReport) -> Iterator[Finding]:
    yield _position(status)
    if half := status.half_applied:
        if half.is_in_doubt:
            verdict, hint = Verdict.PROBLEM, "bootstrap repair --applied, or --not-applied"
        else:
            verdict, hint = Verdict.WARNING, "bootstrap migrate goes on with it"
        yield Finding(
            check="half-applied",
            verdict=verdict,
            text=f"revision {half.revision} is half-applied ({half.direction})",
            hint=f"{hint}; bootstrap status shows where it is",
        )
    for file in status.changed:
        yield Finding(
            check="changed files",
            verdict=Verdict.WARNING,
            text=f"{file.path} was changed after it was applied here",
            hint="undo the change, and write a new revision; migrate --strict refuses it",
        )


def _position(status: StatusReport) -> Finding:
    at = f"at {', '.join(status.current)}" if status.current else "at no revision"
    verdict, text, hint = Verdict.FINE, f"the database is {at}, nothing is pending", ""
    if status.ahead:
        verdict = Verdict.PROBLEM
        text = f"the database is {at}, which this project does not have"
        hint = "deploy the code that has it, or name the right database; --allow-ahead lets it be"
    elif status.pending:
        count = len(status.pending)
        pending = "1 revision is pending" if count == 1 else f"{count} revisions are pending"
        text, hint = f"the database is {at}, {pending}", "bootstrap migrate"
    return Finding(check="position", verdict=verdict, text=text, hint=hint)


async def _lock(database: Database, name: str) -> Finding:
    try:
        with database.translated("cannot read the lock of"):
            session = await lock_session(Place(database=database), name)
            try:
                holder = await session.holder()
            finally:
                await session.close()
    except BootstrapError as error:
        return Finding(check="run lock", verdict=Verdict.UNKNOWN, text=error.message)
    if holder is None:
        return Finding(check="run lock", verdict=Verdict.FINE, text="nobody holds the run lock")
    return Finding(
        check="run lock",
        verdict=Verdict.WARNING,
        text=f"a run is at work here, and others wait for it: {in_words(holder)}",
        hint="wait until it ends; bootstrap lock break takes its lock away",
    )


def _problem(check: str, error: BootstrapError) -> Finding:
    return Finding(check=check, verdict=Verdict.PROBLEM, text=error.message, hint=error.hint)

"""Looks at settings, project, server and database, and says what is wrong and how to mend it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bootstrap import settings as all_settings
from bootstrap.backends.health import Check, Circumstances, Finding, Verdict, version_of
from bootstrap.database import Database
from bootstrap.errors import BootstrapError, DatabaseError
from bootstrap.examining.project_files import of_project
from bootstrap.examining.standing import of_position
from bootstrap.examining.told import of_settings
from bootstrap.settings import Settings
from bootstrap.testing.leftovers import left_behind

_ANSWER = 30.0  # seconds for all that one check asks


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorReport:
    """What was found.

    Attributes:
        database: Which one; None when the settings name none that can be used.
        backend: The one that really answers; None when none does.
        server_version: Empty when none answers.
        findings: In the order in which things depend on each other.
    """

    database: str | None
    backend: str | None
    server_version: str
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> int:
        """How many findings will make a command fail."""
        return self._count(Verdict.PROBLEM)

    @property
    def warnings(self) -> int:
        """How many findings deserve a look."""
        return self._count(Verdict.WARNING)

    @property
    def is_healthy(self) -> bool:
        """Whether there is no problem."""
        return not self.problems

    def _count(self, verdict: Verdict) -> int:
        return sum(one.verdict is verdict for one in self.findings)


async def doctor(settings: Settings | None = None, *, x: Sequence[str] = ()) -> DoctorReport:
    """Looks at all that a run with these settings depends on; changes nothing.

    What is wrong is a finding, also where nothing further can be looked at behind it.

    Args:
        settings: Those of a run; None for what environment and files of the working directory say.
        x: Arguments for env.py.

    Raises:
        SettingsError: A setting cannot be read.
    """
    if settings is None:
        settings = await asyncio.to_thread(all_settings.resolve)
    project, of_files = await of_project(settings, x)
    database, of_driver = _named(settings)
    findings = [*of_settings(settings), *of_files, *of_driver]
    if database is None:
        return DoctorReport(
            database=None, backend=None, server_version="", findings=tuple(findings)
        )
    known = Circumstances(url=database.url, today=datetime.now(UTC).date())
    seen = _Seen()
    findings += await _of_database(database, known, seen)
    if seen.backend and project is not None:
        findings += await of_position(database, project)
    return DoctorReport(
        database=str(database),
        backend=seen.backend,
        server_version=seen.server_version,
        findings=tuple(findings),
    )


@dataclass(slots=True)
class _Seen:
    """What a connection has told of its server."""

    backend: str | None = None
    server_version: str = ""


def _named(settings: Settings) -> tuple[Database | None, list[Finding]]:
    """The database that the settings name, and whether its driver is there."""
    url = settings.url.value
    if url is None:
        return None, []  # which is a finding among the settings
    try:
        database = Database.of(url, like=settings.project_url)
        database.connecting()
    except BootstrapError as error:
        return None, [_problem("driver", error)]
    driver = database.backend.driver(database.url.get_driver_name())
    try:
        installed = f"{driver.name} {version(driver.module)}"
    except PackageNotFoundError:  # installed by other means than a package
        installed = driver.name
    return database, [Finding(check="driver", verdict=Verdict.FINE, text=installed)]


async def _of_database(database: Database, known: Circumstances, seen: _Seen) -> list[Finding]:
    findings: list[Finding] = []
    try:
        if not await database.exists():
            raise database.error(Database.missing(), tried="cannot connect to")
        async with database.connect() as connection:
            present = database.present(connection.dialect)
            seen.backend = present.name
            numbers = await connection.run_sync(version_of)
            seen.server_version = ".".join(str(number) for number in numbers[:3])
            findings.append(_connection(database))
            for check in present.health.checks:
                findings += await _checked(check, connection, database, known)
        findings += await _leftovers(database)
    except BootstrapError as error:
        findings.append(_problem("connection", error))
    return findings


def _connection(database: Database) -> Finding:
    user = f" as {database.url.username}" if database.url.username else ""
    text = f"{database.place} answers{user}"
    if database.backend.features.is_file:
        text = f"{Path(database.place)} can be opened"
    return Finding(check="connection", verdict=Verdict.FINE, text=text)


async def _checked(
    check: Check, connection: AsyncConnection, database: Database, known: Circumstances
) -> Sequence[Finding]:
    """What one check finds; that it cannot look is a finding too."""
    try:
        async with asyncio.timeout(_ANSWER):
            return await connection.run_sync(check.findings, known)
    except Exception as error:
        failure = database.backend.errors.translate(error)
        if failure is None:
            raise
        code = f" ({failure.code})" if failure.code else ""
        text = f"it was not told: {failure.text}{code}"
        return (Finding(check=check.name, verdict=Verdict.UNKNOWN, text=text),)
    finally:
        await connection.rollback()


async def _leftovers(database: Database) -> Sequence[Finding]:
    """The throwaway databases of killed runs, on a server."""
    if database.backend.server is None:
        return ()
    name = "leftovers"
    try:
        async with asyncio.timeout(_ANSWER):
            left = await left_behind(database)
    except (DatabaseError, TimeoutError) as error:
        return (Finding(check=name, verdict=Verdict.UNKNOWN, text=str(error) or "no answer"),)
    if not left:
        text = "no throwaway database was left behind"
        return (Finding(check=name, verdict=Verdict.FINE, text=text),)
    return [
        Finding(
            check=name,
            verdict=Verdict.WARNING,
            text=f"the database {one} was left by a run that was killed",
            hint=f"DROP DATABASE {one};  -- or leave it to the next bootstrap drift or verify here",
        )
        for one in left
    ]


def _problem(check: str, error: BootstrapError) -> Finding:
    return Finding(check=check, verdict=Verdict.PROBLEM, text=error.message, hint=error.hint)

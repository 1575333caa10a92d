"""One run of a command: its settings, its screen, and the way it ends."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Coroutine
from contextlib import redirect_stderr
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import click
from sqlalchemy import Engine, event

from bootstrap import settings as settings_module
from bootstrap import urls
from bootstrap.cli.main_thread import MainThread, Terminated
from bootstrap.cli.options import Common
from bootstrap.cli.screen import Screen, standard_output
from bootstrap.database import Database
from bootstrap.errors import BootstrapError, SettingsError
from bootstrap.events import Emit
from bootstrap.project import Project
from bootstrap.reports.json import document, error_document
from bootstrap.revisions.environment import in_thread

Work: TypeAlias = Callable[["Invocation"], Coroutine[Any, Any, object]]

_NO = 1
_USAGE = 2
_DEFECT = 70
_INTERRUPTED = 130
_TERMINATED = 143


@dataclass
class Invocation:
    """What a command needs, made when it is first asked for.

    Attributes:
        no: Why the answer to what the command asks is no; it is said at the end.
    """

    given: Common
    screen: Screen
    no: str = ""

    @cached_property
    def settings(self) -> settings_module.Settings:
        """The settings in force; from now on their secrets are masked on the screen."""
        resolved = settings_module.resolve(options=self.given.settings)
        for url in (resolved.url.value, resolved.project_url):
            if url:
                self.screen.hide(urls.secrets_of(url))
        if resolved.echo.value:
            event.listen(Engine, "before_cursor_execute", self.screen.echo)
        return resolved

    @cached_property
    def database(self) -> Database:
        """The database that the settings name."""
        url = self.settings.url.value
        if url is None:
            self.project  # noqa: B018 - in an empty folder it says that there is none
            raise SettingsError(
                "no database is configured",
                hint="give --url, set DATABASE_URL, or write url into [tool.bootstrap] of "
                "pyproject.toml",
            )
        return Database.of(url, like=self.settings.project_url)

    @property
    def named_database(self) -> Database | None:
        """The database that the settings name, if they do."""
        return self.database if self.settings.url.value else None

    @cached_property
    def project(self) -> Project:
        """The Alembic project that the settings name."""
        return Project.at(self.settings.config.value, section=self.settings.section.value)

    @property
    def datasets(self) -> tuple[Path, ...]:
        """The data sets that the settings name."""
        path = self.settings.datasets.value
        return (path,) if path else ()

    @property
    def url_option(self) -> str | None:
        """The URL given as an option, and no other."""
        url = self.given.settings.get("url")
        return str(url) if url else None

    @property
    def emit(self) -> Emit:
        """Shows progress."""
        return self.screen.progress

    @property
    def can_ask(self) -> bool:
        """Whether somebody is there to answer."""
        return sys.stdin is not None and sys.stdin.isatty()

    async def confirm(self, question: str, *, yes: bool) -> None:
        """Asks, unless `yes`; ends the command when the answer is no.

        Raises:
            UsageError: Nobody is there to answer.
            Abort: The answer is no.
        """
        if yes:
            return
        if not self.can_ask:
            raise click.UsageError(f"{question} Nobody can answer here: add --yes.")
        if not await in_thread(lambda: self.screen.ask(question)):
            raise click.Abort


def perform(command: str, given: Common, work: Work) -> None:
    """Runs the work of a command, shows its report or its error, and exits."""
    with (
        standard_output(alone=given.as_json) as out,
        Screen(out, traceback=given.traceback) as screen,
        # What env.py and its loggers write is masked too.
        redirect_stderr(screen.watched),
    ):
        code = _outcome(command, work, now=Invocation(given=given, screen=screen))
    sys.exit(code)


def _outcome(command: str, work: Work, *, now: Invocation) -> int:
    try:
        report = MainThread().run(work(now))
        _show(command, report, now=now)
    except (click.Abort, click.UsageError, KeyboardInterrupt) as error:
        return _ended(command, error, now=now)
    except Exception as error:  # noqa: BLE001 - the last resort: a defect of ours, said as such
        return _failed(command, error, now=now)
    if now.no:
        now.screen.note(now.no)
        return _NO
    return 0


def _show(command: str, report: object, *, now: Invocation) -> None:
    if now.given.as_json:
        now.screen.print_plain(document(command, report))
    else:
        now.screen.print_report(report, verbose=now.given.verbose)


def _ended(command: str, error: BaseException, *, now: Invocation) -> int:
    """The end that a person or a signal chose."""
    match error:
        case click.UsageError():
            code, said = _USAGE, f"error: {error.format_message()}"
        case Terminated():
            code, said = _TERMINATED, "terminated"
        case KeyboardInterrupt():
            code, said = _INTERRUPTED, "interrupted"
        case _:
            code, said = _NO, "Nothing was changed."
    now.screen.note(said)
    if now.given.as_json:
        now.screen.print_plain(error_document(command, error, exit_code=code))
    return code


def _failed(command: str, error: Exception, *, now: Invocation) -> int:
    screen = now.screen
    if now.given.traceback:
        screen.note("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, BootstrapError):
        code = error.exit_code
        screen.error(error.message, hint=error.hint)
    else:
        code = _DEFECT
        screen.error(
            f"defect in bootstrap: {type(error).__name__}: {error}",
            hint="" if now.given.traceback else "please report it with the output of --traceback",
        )
    if now.given.as_json:
        screen.print_plain(error_document(command, error, exit_code=code))
    return code

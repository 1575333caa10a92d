"""One run of a command: its settings, its screen, and the way it ends."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import click

from bootstrap import settings as settings_module
from bootstrap import urls
from bootstrap.cli.main_thread import MainThread
from bootstrap.cli.options import Common
from bootstrap.cli.screen import Screen
from bootstrap.database import Database
from bootstrap.errors import BootstrapError, SettingsError
from bootstrap.events import Emit
from bootstrap.project import Project
from bootstrap.reports.json import document, error_document
from bootstrap.revisions.environment import in_thread

Work: TypeAlias = Callable[["Invocation"], Coroutine[Any, Any, object]]

_DEFECT = 70
_INTERRUPTED = 130
_DECLINED = 1


@dataclass
class Invocation:
    """What a command needs, made when it is first asked for."""

    given: Common
    screen: Screen

    @cached_property
    def settings(self) -> settings_module.Settings:
        """The settings in force; from now on their secrets are masked on the screen."""
        resolved = settings_module.resolve(options=self.given.settings)
        for url in (resolved.url.value, resolved.project_url):
            if url:
                self.screen.hide(urls.secrets_of(url))
        if resolved.echo.value:
            logging.getLogger("sqlalchemy.engine").setLevel(logging.INFO)
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
        return sys.stdin.isatty()

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
        await in_thread(lambda: click.confirm(question, abort=True, err=True))


def perform(command: str, given: Common, work: Work) -> None:
    """Runs the work of a command, shows its report or its error, and exits."""
    screen = Screen(traceback=given.traceback)
    now = Invocation(given=given, screen=screen)
    with screen:
        code = _outcome(command, work, now=now)
    sys.exit(code)


def _outcome(command: str, work: Work, *, now: Invocation) -> int:
    screen = now.screen
    try:
        report = MainThread().run(work(now))
    except click.Abort:
        screen.note("Nothing was changed.")
        return _DECLINED
    except click.ClickException:
        raise
    except KeyboardInterrupt:
        screen.note("interrupted")
        return _INTERRUPTED
    except BootstrapError as error:
        return _failed(command, error, error.exit_code, now=now)
    except Exception as error:  # noqa: BLE001 - the last resort: a defect of ours, said as such
        return _failed(command, error, _DEFECT, now=now)
    if now.given.as_json:
        screen.print_plain(document(command, report))
    else:
        screen.print_report(report)
    return 0


def _failed(command: str, error: Exception, code: int, *, now: Invocation) -> int:
    screen = now.screen
    if now.given.traceback:
        screen.note("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, BootstrapError):
        screen.error(error.message, hint=error.hint)
    else:
        screen.error(
            f"defect in bootstrap: {type(error).__name__}: {error}",
            hint="" if now.given.traceback else "please report it with the output of --traceback",
        )
    if now.given.as_json:
        screen.print_plain(error_document(command, error, exit_code=code))
    return code

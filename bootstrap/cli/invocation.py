"""One run of a command: its settings, its screen, and the way it ends."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Coroutine, Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TextIO, TypeAlias

import click
from sqlalchemy import Engine, event

from bootstrap import settings as settings_module
from bootstrap import urls
from bootstrap.checking.files import write_text
from bootstrap.cli.github import Runner
from bootstrap.cli.hooks import Hook, Hooks
from bootstrap.cli.log_lines import LogLines
from bootstrap.cli.main_thread import MainThread, Terminated
from bootstrap.cli.options import Common
from bootstrap.cli.screen import Screen, standard_output
from bootstrap.database import Database
from bootstrap.errors import BootstrapError, HookFailed, SettingsError
from bootstrap.events import Emit, Event, RunInterrupted
from bootstrap.positions.planned import Before, Planned
from bootstrap.project import Project
from bootstrap.records.origin import new_run_id
from bootstrap.reports.json import document, error_document, planned_document
from bootstrap.revisions.environment import in_thread
from bootstrap.running.scripting import ScriptReport

Work: TypeAlias = Callable[["Invocation"], Coroutine[Any, Any, object]]

_NO = 1
_USAGE = 2
_INTERRUPTED = 130
_TERMINATED = 143


@dataclass
class Invocation:
    """What a command needs, made when it is first asked for.

    Attributes:
        environ: The environment as the command found it; env.py may have put a password into it.
        run_id: What its log lines and its rows in the log have in common.
        no: Why the answer to what the command asks is no; it is said at the end.
        left: How a run that was stopped has left the database.
        begun: Whether a migration had something to do.
    """

    given: Common
    screen: Screen
    runner: Runner
    environ: Mapping[str, str]
    run_id: str
    no: str = ""
    left: str = ""
    begun: bool = False

    @cached_property
    def settings(self) -> settings_module.Settings:
        """The settings in force; from now on their secrets are masked on the screen."""
        resolved = settings_module.resolve(options=self.given.settings)
        self.hide(resolved.url.value, resolved.project_url, *self.given.x)
        if resolved.echo.value:
            event.listen(Engine, "before_cursor_execute", self.screen.echo)
        return resolved

    def hide(self, *named: str | None) -> None:
        """Masks the secrets of URLs on the screen."""
        for url in named:
            if url:
                self.screen.hide(urls.secrets_of(url))

    def write_markdown(self, report: object, path: Path) -> None:
        """Writes a report as Markdown into a file, without secrets.

        Raises:
            SettingsError: It cannot be written.
        """
        # Imported here because `--help` must not wait for what it needs.
        from bootstrap.reports.markdown import summary  # noqa: PLC0415

        text = summary(self.runner.command, report, no=self.no)
        write_text(self.screen.masked_markdown(text), path, what="Markdown report")

    @cached_property
    def database(self) -> Database:
        """The database that the settings name."""
        url = self.settings.url.value
        if url is None:
            self.project  # noqa: B018 - in an empty folder it says that there is none
            if self.databases:
                raise self.only_one()
            raise SettingsError(
                "no database is configured",
                hint="give --url, set DATABASE_URL, or write url into [tool.bootstrap] of "
                "pyproject.toml",
            )
        found = Database.of(url, like=self.settings.project_url)
        self.screen.name_database(str(found))
        return found

    @cached_property
    def databases(self) -> dict[str, Database]:
        """Those that the settings list, by name; none where a URL is given as an option."""
        if self.url_option is not None:
            return {}
        listed = settings_module.listed_urls(self.settings)
        self.hide(*listed.values())
        return {name: Database.of(url) for name, url in listed.items()}

    def only_one(self) -> SettingsError:
        """The error for what works on one database, where several are listed."""
        names = ", ".join(self.databases)
        return SettingsError(
            f"several databases are listed ({names}), and this works on one of them",
            hint="name it with --url; bootstrap status looks at all of them",
        )

    @property
    def named_database(self) -> Database | None:
        """The database that the settings name, if they do."""
        return self.database if self.settings.url.value else None

    @cached_property
    def project(self) -> Project:
        """The Alembic project that the settings name."""
        return Project.configured(self.settings, x=self.given.x, run_id=self.run_id)

    @property
    def datasets(self) -> tuple[Path, ...]:
        """The data sets that the settings name."""
        path = self.settings.datasets.value
        return (path,) if path else ()

    @property
    def environment(self) -> str | None:
        """Whose data sets are added to those that all environments have."""
        return self.settings.environment.value

    @property
    def wait_lock(self) -> float:
        """Seconds to wait for another run."""
        return self.settings.wait_lock.value

    @property
    def limits(self) -> dict[str, Any]:
        """How long statements may wait and run, by the names that the library has for it."""
        names = ("lock_timeout", "lock_retries", "statement_timeout", "retry_for")
        return {name: getattr(self.settings, name).value for name in names}

    @property
    def allow_ahead(self) -> bool:
        """Whether the database may be at revisions of newer code."""
        return self.settings.allow_ahead.value

    @cached_property
    def hooks(self) -> Hooks:
        """The hooks that the settings name, if the command runs any.

        Raises:
            SettingsError: The program of one is missing.
        """
        settings = self.settings
        if not self.given.hooks:
            return Hooks.none()
        return Hooks.of(settings, environ=self.environ, say=self.screen.relay)

    @property
    def before(self) -> Before:
        """Runs the hook before a migration."""
        hooks = self.hooks  # now, and not when others wait for the run lock

        def run(planned: Planned) -> None:
            self.begun = True
            masked, command = self.screen.masked, self.runner.command
            hooks.run(
                Hook.BEFORE_MIGRATE, lambda: planned_document(command, planned, masked=masked)
            )

        return run

    @property
    def url_option(self) -> str | None:
        """The URL given as an option, and no other."""
        url = self.given.settings.get("url")
        return str(url) if url else None

    @property
    def backends(self) -> tuple[str, ...]:
        """The backends that the settings name; else the one of the database, if they name that."""
        named = self.settings.backends.value
        if named is not None:
            return named
        return (self.database.backend.name,) if self.settings.url.value else ()

    @property
    def emit(self) -> Emit:
        """Shows progress."""
        return self._seen

    def _seen(self, event: Event) -> None:
        if isinstance(event, RunInterrupted):
            from bootstrap.reports.text.running import interrupted  # noqa: PLC0415 - few runs are

            self.left = interrupted(event)
        self.screen.progress(event)

    @property
    def can_ask(self) -> bool:
        """Whether somebody is there to answer."""
        return self.screen.can_ask and sys.stdin is not None and sys.stdin.isatty()

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


def perform(command: str, given: Common, work: Work, *, alone: bool = False) -> None:
    """Runs the work of a command, shows its report or its error, and exits.

    Args:
        command: Its name.
        given: Its options.
        work: What it does.
        alone: Nobody else may write to standard output; nobody may either where JSON goes there.
    """
    run_id = new_run_id()
    with (
        standard_output(alone=alone or given.as_json) as out,
        _screen(command, given, out, run_id=run_id) as screen,
        # What env.py and its loggers write is masked too.
        redirect_stderr(screen.watched),
    ):
        given = replace(given, hooks=given.hooks and not alone)
        environ = dict(os.environ)
        runner = Runner.of(command, screen=screen, environ=environ)
        now = Invocation(given=given, screen=screen, runner=runner, environ=environ, run_id=run_id)
        try:
            code = _outcome(command, work, now=now)
        except KeyboardInterrupt as error:  # while a hook worked at the end; the rest has been said
            code = _TERMINATED if isinstance(error, Terminated) else _INTERRUPTED
        sys.stderr.flush()  # what was begun there, and has no end
        screen.ended(code)
    sys.exit(code)


def _screen(command: str, given: Common, out: TextIO, *, run_id: str) -> Screen:
    if settings_module.log_format(given.settings) == "json":
        return LogLines(
            out, command=command, run_id=run_id, traceback=given.traceback, quiet=given.quiet
        )
    return Screen(out, traceback=given.traceback, quiet=given.quiet)


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
    now.runner.tell(report, no=now.no)
    if now.begun:
        said = partial(document, command, report, masked=now.screen.masked)
        if failed := _hooked(Hook.AFTER_MIGRATE, said, now=now):
            now.runner.tell_failed(failed)
            return failed.exit_code
    return _NO if now.no else 0


def _hooked(hook: Hook, said: Callable[[], str], *, now: Invocation) -> HookFailed | None:
    """Runs a hook; that it has failed is shown, and given back."""
    try:
        now.hooks.run(hook, said)
    except HookFailed as failed:
        now.screen.error(failed.message, hint=failed.hint)
        return failed
    except SettingsError:  # there are no settings, which has been said
        return None
    return None


def _show(command: str, report: object, *, now: Invocation) -> None:
    if now.given.as_json:
        masked = str if isinstance(report, ScriptReport) else now.screen.masked
        now.screen.print_plain(f"{document(command, report, masked=masked)}\n")
    elif isinstance(report, ScriptReport):
        now.screen.print_plain(report.sql)
    else:
        now.screen.print_report(report, verbose=now.given.verbose)


def _ended(command: str, error: BaseException, *, now: Invocation) -> int:
    """The end that a person or a signal chose."""
    match error:
        case click.UsageError():
            code, said = _USAGE, ""
            now.screen.error(error.format_message(), hint="")
        case Terminated():
            code, said = _TERMINATED, "terminated"
        case KeyboardInterrupt():
            code, said = _INTERRUPTED, "interrupted"
        case _:
            code, said = _NO, "Nothing was changed."
    if now.left:
        now.screen.note(now.left)
    if said:
        now.screen.note(said)
    if isinstance(error, click.UsageError):
        now.runner.tell_failed(BootstrapError(error.format_message()))
    failed = error_document(command, error, exit_code=code, left=now.left, masked=now.screen.masked)
    if now.given.as_json:
        now.screen.print_plain(f"{failed}\n")
    if isinstance(error, KeyboardInterrupt) and now.given.hooks:
        _hooked(Hook.ON_FAILURE, lambda: failed, now=now)
    return code


def _failed(command: str, error: Exception, *, now: Invocation) -> int:
    screen = now.screen
    if now.given.traceback:
        screen.say("".join(traceback.format_exception(error)).rstrip())
    said = error if isinstance(error, BootstrapError) else _defect(error, now=now)
    code = said.exit_code
    screen.error(said.message, hint=said.hint)
    now.runner.tell_failed(said)
    failed = error_document(command, error, exit_code=code, masked=screen.masked)
    if now.given.as_json:
        screen.print_plain(f"{failed}\n")
    if now.given.hooks:
        _hooked(Hook.ON_FAILURE, lambda: failed, now=now)
    return code


def _defect(error: Exception, *, now: Invocation) -> BootstrapError:
    """What is shown of an error that nobody raised on purpose."""
    return BootstrapError(
        f"defect in bootstrap: {type(error).__name__}: {error}",
        hint="" if now.given.traceback else "please report it with the output of --traceback",
    )

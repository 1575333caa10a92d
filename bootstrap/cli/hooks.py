"""Hooks: commands of the project's own that run before and after a migration, and when it fails.

They belong to the command and not to the library: a program that calls `bootstrap.migrate` starts
no processes that it has not asked for.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, NoReturn, Self

from bootstrap.cli.main_thread import Terminated
from bootstrap.errors import HookFailed, SettingsError
from bootstrap.settings import Setting, Settings

_GRACE = 5.0  # seconds between asking a process to end and killing it
_LAST_WORDS = 1.0  # seconds for what is still in the pipe when the hook has ended
_LOOKED_AGAIN = 0.02
_BY_HAND = "run it by hand to see why; --no-hooks runs none"


class Hook(StrEnum):
    """When a hook runs; the names of the settings."""

    BEFORE_MIGRATE = "before_migrate"
    AFTER_MIGRATE = "after_migrate"
    ON_FAILURE = "on_failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """The hooks of one command.

    Attributes:
        commands: The arguments of each that is configured.
        seconds: How long one may take.
        environ: What they inherit.
        say: Gets each line that a hook writes.
    """

    commands: Mapping[Hook, tuple[str, ...]]
    seconds: float
    environ: Mapping[str, str]
    say: Callable[[str], None]

    @classmethod
    def none(cls) -> Self:
        """No hook at all."""
        return cls(commands={}, seconds=0.0, environ={}, say=lambda _line: None)

    @classmethod
    def of(
        cls, settings: Settings, *, environ: Mapping[str, str], say: Callable[[str], None]
    ) -> Self:
        """Takes the hooks of the settings, after a look that their programs are there.

        Raises:
            SettingsError: One is not.
        """
        commands = {}
        for hook in Hook:
            setting: Setting[str | None] = getattr(settings, hook.value)
            if setting.value is not None:
                commands[hook] = _argv(hook, setting, environ)
        return cls(
            commands=commands,
            seconds=settings.hook_timeout.value,
            environ=environ,
            say=say,
        )

    def run(self, hook: Hook, document: Callable[[], str]) -> None:
        """Runs a hook, if there is one, and waits for its end.

        Args:
            hook: Which.
            document: Makes what it reads on its standard input.

        Raises:
            HookFailed: It could not be run, failed, or took too long.
        """
        argv = self.commands.get(hook)
        if argv is None:
            return
        with tempfile.TemporaryFile() as given:  # no pipe: who does not read it is not waited for
            given.write(f"{document()}\n".encode())
            given.seek(0)
            process = self._started(hook, argv, given)
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            lines = threading.Thread(target=self._relay, args=(process.stdout,), daemon=True)
            lines.start()
            try:
                with _ended_by_sigterm():
                    code = process.wait(self.seconds)
            except subprocess.TimeoutExpired as error:
                end_group(process)
                raise HookFailed(
                    f"the hook {hook} did not end within {self.seconds:g} seconds: {argv[0]}",
                    hint="hook_timeout gives it longer; --no-hooks runs none",
                ) from error
            except BaseException:  # Ctrl-C, SIGTERM
                end_group(process)
                raise
            finally:
                lines.join(_LAST_WORDS)  # a process that it left running may keep the pipe open
        if code != 0:
            raise HookFailed(f"the hook {hook} {_ended(code)}: {argv[0]}", hint=_BY_HAND)

    def _started(
        self, hook: Hook, argv: tuple[str, ...], given: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(  # noqa: S603 - the person who runs bootstrap wrote it
                argv,
                env=dict(self.environ),
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that it can be ended with all that it has started
            )
        except OSError as error:
            raise HookFailed(
                f"the hook {hook} cannot be run: {argv[0]}: {error.strerror}", hint=_BY_HAND
            ) from error

    def _relay(self, output: IO[bytes]) -> None:
        with output:
            for line in output:
                self.say(line.decode("utf-8", errors="replace").rstrip("\r\n"))


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Has SIGTERM raise an exception where it would end this process, and leave the hook alone."""
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(_number: int, _frame: object) -> NoReturn:
    raise Terminated


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends a process that leads a group, and all in it that it has started.

    It is not waited for before the group is gone: till then nobody else can get its number.
    """
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE
        while not _has_ended(process.pid) and time.monotonic() < deadline:
            time.sleep(_LOOKED_AGAIN)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _has_ended(pid: int) -> bool:
    """Whether a child has ended; it stays to be waited for."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _argv(hook: Hook, setting: Setting[str | None], environ: Mapping[str, str]) -> tuple[str, ...]:
    argv = tuple(shlex.split(setting.value or ""))
    if shutil.which(argv[0], path=environ.get("PATH")) is None:
        raise SettingsError(
            f"the program of the hook {hook} is not found: {argv[0]} ({setting.source}); "
            "nothing was run",
            hint="it is run without a shell: name a program that is in PATH; --no-hooks runs none",
        )
    return argv


def _ended(code: int) -> str:
    if code > 0:
        return f"failed with exit code {code}"
    return f"was ended by {signal.Signals(-code).name}"

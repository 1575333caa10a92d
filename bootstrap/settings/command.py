"""Asks a program for the database URL: any vault that has a command."""

from __future__ import annotations

import shlex
import subprocess
from contextlib import suppress
from pathlib import Path

from bootstrap.errors import SettingsError

_TIMEOUT = 30.0  # seconds


def url_from(command: str, *, folder: Path) -> str:
    """Runs a command without a shell and takes what it prints as the URL.

    What it printed never enters a message: on the way to a secret everything may hold one.

    Args:
        command: The program and its arguments, quoted as for a shell.
        folder: Where it runs.

    Raises:
        SettingsError: It cannot be run, fails, takes longer than 30 seconds, or does not print
            exactly one line.
    """
    argv = _argv(command)
    finished = _run(argv, folder)
    if finished is None:
        raise SettingsError(f"url_command did not end within {_TIMEOUT:.0f} seconds: {argv[0]}")
    if finished.returncode != 0:
        raise SettingsError(
            f"url_command failed with exit code {finished.returncode}: {argv[0]}",
            hint="run it by hand to see why",
        )
    lines = finished.stdout.decode("utf-8", errors="replace").strip().splitlines()
    if len(lines) != 1:
        raise SettingsError(
            f"url_command printed {len(lines)} lines instead of one URL: {argv[0]}",
            hint="it must print the URL and nothing else; messages belong on standard error",
        )
    return lines[0]


def _argv(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise SettingsError(f"url_command cannot be split into arguments: {error}") from error


def _run(argv: list[str], folder: Path) -> subprocess.CompletedProcess[bytes] | None:
    """None when it takes too long; that exception would carry what was printed until then."""
    with suppress(subprocess.TimeoutExpired):
        try:
            return subprocess.run(  # noqa: S603 - the person who runs bootstrap wrote it
                argv,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=_TIMEOUT,
            )
        except OSError as error:
            raise SettingsError(
                f"url_command cannot be run: {argv[0]}: {error.strerror}",
                hint="it is run without a shell: name a program that is in PATH",
            ) from error
    return None

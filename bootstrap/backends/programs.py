"""Where the programs of servers are looked for, and what they say of themselves."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from bootstrap.errors import SettingsError


def folders(
    variable: str, *, usual: Iterable[str], suits: Callable[[Path], bool]
) -> tuple[Path, ...]:
    """Finds the folders that hold a server's programs: those of PATH first.

    Args:
        variable: An environment variable that may name a folder; no other is then looked at.
        usual: Where packages put the programs; each may be a pattern.
        suits: Tells whether a folder holds the programs.

    Raises:
        SettingsError: The variable names a folder that does not hold them.
    """
    if named := os.environ.get(variable):
        return (_named(Path(named), variable, suits),)
    root = Path("/")
    known = (folder for pattern in usual for folder in sorted(root.glob(pattern.lstrip("/"))))
    places = dict.fromkeys((*map(Path, os.get_exec_path()), *known))
    return tuple(folder for folder in places if suits(folder))


def _named(folder: Path, variable: str, suits: Callable[[Path], bool]) -> Path:
    if suits(folder):
        return folder
    raise SettingsError(
        f"{variable} names {folder}, which does not hold the programs of that server",
        hint=f"correct {variable}, or unset it to look in PATH and the usual places",
    )


def executable(program: Path) -> bool:
    """Tells whether a program is there and may be run."""
    return program.is_file() and os.access(program, os.X_OK)


def version_text(program: Path) -> str:
    """What the program prints for `--version`; empty when it cannot be run."""
    try:
        answer = subprocess.run(  # noqa: S603 - the program was found where servers are installed
            [program, "--version"], capture_output=True, check=False, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout

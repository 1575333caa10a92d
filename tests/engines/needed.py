"""Sees to servers and a browser for the tests: installs, fetches, or says the command."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

from tests import available
from tests.engines import cache
from tests.engines.catalogue import ENGINES
from tests.engines.commands import EngineError

_DEBIAN = {"postgresql": "postgresql", "mariadb": "mariadb-server"}
_POOLER = "pgbouncer"
_BROWSER = "browser"
_FETCHED = {"mysql": "mysql"}  # Debian's stable releases do not have it


def ensure() -> int:
    """Gets what is missing and gives the exit code: 1 when what is required could not be had."""
    missing = [name for name in available.BACKENDS if not _is_there(name)]
    packages = [_DEBIAN[name] for name in missing if name in _DEBIAN]
    _install([*packages, *([] if _has_browser() else ["chromium"])])
    for name in missing:
        if name in _FETCHED:
            _fetch(_FETCHED[name])
    if cache.programs(_POOLER) is None:
        _fetch(_POOLER)
    left = {name for name in missing if not _is_there(name)}
    left |= set() if _has_browser() else {_BROWSER}
    for name in sorted(left):
        print(f"{name} is missing", file=sys.stderr)
    return 1 if left & available.required() else 0


def _is_there(name: str) -> bool:
    available.look_for.cache_clear()
    return isinstance(available.look_for(name), available.Found)


def _has_browser() -> bool:
    return isinstance(available.browser(), available.Found)


def _install(packages: list[str]) -> None:
    """Installs by apt where that is welcome; says the command where it is not."""
    if not packages:
        return
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    commands = (
        [*as_root, "apt-get", "update", "-qq"],
        [*as_root, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
    )
    if as_root and not os.environ.get("CI"):
        print("to install what the tests need:", " && ".join(map(shlex.join, commands)))
        return
    for command in commands:
        print("+", shlex.join(command), flush=True)
        try:
            subprocess.run(
                command,
                check=True,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            )
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"error: {error}", file=sys.stderr)
            return


def _fetch(engine: str) -> None:
    try:
        print(f"{engine}: {cache.made(engine, ENGINES[engine].unpack)}", flush=True)
    except EngineError as error:
        print(f"{engine} cannot be fetched: {error}", file=sys.stderr)

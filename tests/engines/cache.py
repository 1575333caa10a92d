"""Where fetched engines are kept, and how a half-made one is never taken for a whole one."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Unpack = Callable[[Path], None]


def home() -> Path:
    """The folder of all engines; BOOTSTRAP_ENGINES names another one."""
    if named := os.environ.get("BOOTSTRAP_ENGINES"):
        return Path(named).absolute()
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root, and other accounts cannot look into root's home.
        return Path("/var/cache/alembic-bootstrap/engines")
    return Path.home() / ".cache" / "alembic-bootstrap" / "engines"


def programs(engine: str) -> Path | None:
    """The folder of an engine's programs, or None when it was not fetched."""
    folder = home() / engine / "programs"
    return folder if folder.is_dir() else None


def made(engine: str, unpack: Unpack) -> Path:
    """The folder of an engine's programs, made by `unpack` when it is not there."""
    with _locked():
        if (found := programs(engine)) is None:
            _make(home() / engine, unpack)
        return found or home() / engine / "programs"


def _make(engine: Path, unpack: Unpack) -> None:
    making = engine.with_name(f".{engine.name}.making")
    shutil.rmtree(making, ignore_errors=True)  # left by somebody who was killed
    making.mkdir()
    try:
        unpack(making)
        making.rename(engine)
    finally:
        shutil.rmtree(making, ignore_errors=True)


@contextmanager
def _locked() -> Iterator[None]:
    home().mkdir(parents=True, exist_ok=True)
    with (home() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the kernel lets it go when this process ends
        yield

"""Writes a file: all of it, or nothing."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from bootstrap.errors import SettingsError


def write_text(text: str, path: Path, *, what: str) -> None:
    """Writes a text into a file in the place of what it held.

    Args:
        text: What to write.
        path: Where to.
        what: What the file is called in the error message.

    Raises:
        SettingsError: It cannot be written; what was there before stays.
    """
    partial: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            encoding="utf-8",
            newline="",
            dir=path.parent,
            prefix=f".{path.name}.",
            delete=False,
        ) as file:
            partial = Path(file.name)
            file.write(text)
        partial.chmod(_mode(path))
        partial.replace(path)
    except OSError as error:
        if partial is not None:
            partial.unlink(missing_ok=True)
        raise SettingsError(f"cannot write the {what} {path}: {error.strerror}") from error


def _mode(path: Path) -> int:
    """The rights of the file that is replaced, or those of a new one."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask

"""The text of a revision's file, and what tells whether it was changed."""

from __future__ import annotations

import hashlib
from pathlib import Path


def checksum(path: Path) -> str | None:
    """SHA-256 of a file, whatever its line endings: Git may have changed those.

    None where there is no source that a person could have changed.
    """
    if path.suffix != ".py":
        return None
    try:
        text = path.read_bytes()
    except OSError:
        return None
    return hashlib.sha256(text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")).hexdigest()

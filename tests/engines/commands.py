"""Runs the programs that fetch and unpack."""

from __future__ import annotations

import shutil
import subprocess


class EngineError(Exception):
    """An engine cannot be fetched; the message says why."""


def run(*command: str, tried: str) -> None:
    """Runs a command; what it printed is shown when it fails."""
    if shutil.which(command[0]) is None:
        raise EngineError(f"{tried} needs the program {command[0]}, which is not installed")
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True
    )
    if done.returncode:
        last = "\n".join(done.stdout.splitlines()[-8:])
        raise EngineError(f"{tried} failed:\n{last}")

"""Runs the real command in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests import commands
from tests.generated import SCHEMAS
from tests.projects import ProjectFolder, three_tables

_PATIENCE = 120  # seconds for a command


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON on standard output, which fits the schema of the command that is named there."""
        content = json.loads(self.out)
        _validator(content["command"]).validate(content)
        return content


@cache
def _validator(command: str) -> Draft202012Validator:
    path = SCHEMAS / f"{command}.schema.json"
    return Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


@dataclass(kw_only=True)
class Command:
    """`bootstrap`, in a folder and an environment."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()

    def __call__(self, *arguments: str, **environ: str) -> Done:
        if not self.prefix and not self._needs_its_own({**self.environ, **environ}):
            done = commands.run(
                "bootstrap",
                *arguments,
                cwd=self.folder,
                environ=self._environ(environ),
                timeout=_PATIENCE,
            )
            return Done(code=done.returncode, out=done.stdout, err=done.stderr)
        done = subprocess.run(
            [*self.prefix, sys.executable, "-m", "bootstrap", *arguments],
            cwd=self.folder,
            env=self._environ(environ),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
        )
        return Done(code=done.returncode, out=done.stdout, err=done.stderr)

    @staticmethod
    def _needs_its_own(environ: Mapping[str, str]) -> bool:
        """Whether Python reads something of the environment when it starts, once in many tests."""
        often = {"PYTHONHASHSEED"}
        return any(name.startswith(commands.OF_PYTHON) for name in environ.keys() - often)

    def _environ(self, more: Mapping[str, str]) -> dict[str, str]:
        # COLUMNS: tables are as wide everywhere; NO_COLOR: a CI may force colours.
        return {**os.environ, "COLUMNS": "120", "NO_COLOR": "1", **self.environ, **more}


@pytest.fixture
def project(tmp_path: Path) -> ProjectFolder:
    """A project of three tables in a folder of its own."""
    return three_tables(tmp_path / "project")


@pytest.fixture
def run(project: ProjectFolder) -> Command:
    """The command in the project's folder."""
    return Command(folder=project.root)

"""The `bootstrap` command: parse, call the library's function of the same name, render, exit."""

import sys
from typing import NoReturn

import click

# The modules of commands register theirs on the group, in the order of `bootstrap --help`.
from bootstrap.cli import (  # isort: skip
    commands,
    seeding,
    projects,
    repairing,
    doctor,
    planning,
    locks,
    verbs,
    authoring,
    schemas,
    verifying,
    diagrams,
    program,
)
from bootstrap.cli.group import cli

__all__ = [
    "authoring",
    "cli",
    "commands",
    "diagrams",
    "doctor",
    "locks",
    "main",
    "planning",
    "program",
    "projects",
    "repairing",
    "schemas",
    "seeding",
    "verbs",
    "verifying",
]

_INTERRUPTED = 130


def main() -> NoReturn:
    """Runs the command; the entry point of the distribution."""
    try:
        code = cli.main(prog_name="bootstrap", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:  # Ctrl-C while the program was still being loaded
        code = _INTERRUPTED
    sys.exit(code)

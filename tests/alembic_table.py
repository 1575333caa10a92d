"""Alembic's commands and options beside ours, read from both parsers, for docs/alembic.md."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

import click
from alembic.config import CommandLine

from bootstrap.cli import cli
from bootstrap.cli.group import ALEMBIC_NAMES

EVERYWHERE = ""  # Alembic's options that stand before the command

# What we do not have, and why. The keys are Alembic's command, and the option where only that is
# missing.
REASONS: dict[tuple[str, str], str] = {
    ("list_templates", ""): "`bootstrap init` has one template, for async engines on all backends; "
    "in a project that `alembic init -t NAME` made, it adds its settings",
    ("init", "--template"): "as for `list_templates`",
    ("init", "-t"): "as for `list_templates`",
    ("init", "--package"): "revisions need no `__init__.py`; add the files where you want them",
    ("current", "-c"): "`-c` is `--config` here, after the command too; write `--check-heads`",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One command or option of Alembic's.

    Attributes:
        command: Alembic's name of the command; empty for options that stand before it.
        option: One spelling of an option; empty for the command itself.
        ours: How it is written here; empty where it is missing.
    """

    command: str
    option: str
    ours: str

    @property
    def reason(self) -> str:
        """Why it is missing."""
        keys = ((self.command, self.option), (self.command, ""))
        found = [REASONS[key] for key in keys if key in REASONS]
        return "" if self.ours or not found else found[0]

    @property
    def alembic(self) -> str:
        """How it is written there."""
        return " ".join(word for word in ("alembic", self.command, self.option) if word)


def rows() -> tuple[Row, ...]:
    """Everything that Alembic's parser takes, its help aside."""
    return tuple(_rows())


def table() -> str:
    """The table in Markdown; spellings of one option share a line."""
    lines = [
        f"| `{row.alembic}` | {f'`{row.ours}`' if row.ours else row.reason} |\n"
        for row in _merged(rows())
    ]
    return "".join((f"| {versions()} | bootstrap |\n", "|---|---|\n", *lines))


def versions() -> str:
    """Whose parser it is: others have more options, or fewer."""
    return f"Alembic {version('alembic')}"


def _rows() -> Iterator[Row]:
    parser = CommandLine().parser
    for option in _options(parser):
        yield Row(command=EVERYWHERE, option=option, ours=_before(option))
    (commands,) = (
        one
        for one in parser._actions
        if isinstance(one, argparse._SubParsersAction)  # no public way to read a parser
    )
    for name, subparser in commands.choices.items():
        command = cli.commands.get(ALEMBIC_NAMES.get(name, name))
        ours = f"bootstrap {command.name}" if command else ""
        yield Row(command=name, option="", ours=ours)
        for option in _options(subparser):
            there = command is not None and option in _spellings(command, option=option)
            yield Row(command=name, option=option, ours=f"{ours} {option}" if there else "")


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if not isinstance(action, argparse._HelpAction):
            yield from action.option_strings


def _before(option: str) -> str:
    return f"bootstrap {option}" if option in _spellings(cli, option=option) else ""


def _spellings(command: click.Command, *, option: str) -> set[str]:
    """The options of a command that mean what Alembic's of this name does."""
    config = [one for one in command.params if one.name == "config"]
    others = {text for one in command.params if one not in config for text in one.opts}
    mine = {text for one in config for text in one.opts}
    return others | mine if command is cli or option.startswith("--") else others


def _merged(every: tuple[Row, ...]) -> Iterator[Row]:
    """Leaves out a spelling whose neighbour says the same: `-v` beside `--verbose`."""
    long = {(row.command, row.option, bool(row.ours)) for row in every}
    for row in every:
        is_short = row.option.startswith("-") and not row.option.startswith("--")
        same = [
            name
            for command, name, there in long
            if is_short
            and command == row.command
            and name.startswith(f"--{row.option[1]}")
            and there == bool(row.ours)
        ]
        if not same:
            yield row

"""The group that all commands belong to, and what each of them is declared with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

import bootstrap
from bootstrap.cli.options import Common, before_the_command

if TYPE_CHECKING:
    from bootstrap.cli.invocation import Work

ALEMBIC_NAMES = {"upgrade": "migrate", "ensure_version": "ensure-version"}
_SAFE = {"help_option_names": ["-h", "--help"]}


def perform(command: str, given: Common, work: Work, *, alone: bool = False) -> None:
    """Runs the work of a command, shows its report or its error, and exits."""
    # Imported here because `--help` and `--version` must not wait for SQLAlchemy and Alembic.
    from bootstrap.cli import invocation  # noqa: PLC0415

    invocation.perform(command, given, work, alone=alone)


def example(*lines: str) -> str:
    """What stands at the end of a help text; the first character keeps click from filling it."""
    return "\n".join(("\b", "Example:", *(f"  {line}" for line in lines)))


class _Commands(click.Group):
    """Lists the commands as they stand in their files, the first the one to begin with.

    Those that Alembic spells in another way can be called by its names too.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, ALEMBIC_NAMES.get(cmd_name, cmd_name))


def leaves(group: click.Group, *before: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with its name: `migrate`, `lock status` …."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, *before, name)
        else:
            yield " ".join((*before, name)), command


@click.group(
    cls=_Commands,
    context_settings=_SAFE,
    epilog=example(
        "bootstrap up                                   # create, migrate, seed",
        "bootstrap status --url postgresql://localhost/app",
    ),
)
@click.version_option(bootstrap.__version__, message="bootstrap %(version)s")
@before_the_command
@click.pass_context
def cli(context: click.Context, /, **given: Any) -> None:
    """Creates, migrates and seeds a database with Alembic.

    Works on PostgreSQL, MySQL, MariaDB and SQLite, on any Alembic project. The database comes
    from --url, BOOTSTRAP_URL, DATABASE_URL, pyproject.toml or alembic.ini; `bootstrap config`
    shows which.
    """
    named = {
        name: value
        for name, value in given.items()
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    if "url" in named:
        named["urls"] = (named["url"],)  # what `verify` calls it, which takes several
    context.default_map = dict.fromkeys(ALEMBIC_NAMES, named) | _for_all(cli, named)


def _for_all(group: click.Group, named: dict[str, Any]) -> dict[str, Any]:
    """The same defaults for each command, also for those of groups inside."""
    return {
        name: _for_all(command, named) if isinstance(command, click.Group) else named
        for name, command in group.commands.items()
    }

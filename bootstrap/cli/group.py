"""The group that all commands belong to, and what each of them is declared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import bootstrap
from bootstrap.cli.options import Common

if TYPE_CHECKING:
    from bootstrap.cli.invocation import Work

_SAFE = {"help_option_names": ["-h", "--help"]}


def perform(command: str, given: Common, work: Work) -> None:
    """Runs the work of a command, shows its report or its error, and exits."""
    # Imported here because `--help` and `--version` must not wait for SQLAlchemy and Alembic.
    from bootstrap.cli import invocation  # noqa: PLC0415

    invocation.perform(command, given, work)


def example(*lines: str) -> str:
    """What stands at the end of a help text; the first character keeps click from filling it."""
    return "\n".join(("\b", "Example:", *(f"  {line}" for line in lines)))


class _InOrder(click.Group):
    """Lists the commands as they stand in their files, the first the one to begin with."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    cls=_InOrder,
    context_settings=_SAFE,
    epilog=example(
        "bootstrap up                                   # create, migrate, seed",
        "bootstrap status --url postgresql://localhost/app",
    ),
)
@click.version_option(bootstrap.__version__, message="bootstrap %(version)s")
def cli() -> None:
    """Creates, migrates and seeds a database with Alembic.

    Works on PostgreSQL, MySQL, MariaDB and SQLite, on any Alembic project. The database comes
    from --url, BOOTSTRAP_URL, DATABASE_URL, pyproject.toml or alembic.ini; `bootstrap config`
    shows which.
    """

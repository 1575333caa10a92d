"""The commands for what was run on a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import bootstrap
from bootstrap.cli.completion import revisions as in_files
from bootstrap.cli.group import cli, example, perform
from bootstrap.cli.options import Common, common

if TYPE_CHECKING:
    from bootstrap.cli.invocation import Invocation


@cli.command(epilog=example("bootstrap log --limit 5", "bootstrap log --revision ab12 --verbose"))
@click.option("--limit", type=click.IntRange(min=1), metavar="COUNT", help="How many at most.")
@click.option(
    "--revision",
    metavar="REVISION",
    shell_complete=in_files(),
    help="Only the steps of this one; its whole id.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show all that is recorded.")
@common
def log(common: Common, *, limit: int | None, revision: str | None) -> None:
    """Lists what was run on the database, the latest first.

    Each step that bootstrap has applied, undone, stamped or failed at, with when, how long and by
    whom.
    """

    async def work(now: Invocation) -> object:
        return await bootstrap.log(
            now.database, project=now.project, limit=limit, revision=revision
        )

    perform("log", common, work)

"""The commands for what would be run on a database, and for what was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import bootstrap
from bootstrap.cli.commands import planned, up_to
from bootstrap.cli.completion import revisions as in_files
from bootstrap.cli.group import cli, example, perform
from bootstrap.cli.options import Common, common, lets_ahead_be

if TYPE_CHECKING:
    from bootstrap.cli.invocation import Invocation

_FILE = click.Path(dir_okay=False, path_type=Path)


@cli.command(
    context_settings={"ignore_unknown_options": True},  # `-1` is a revision here
    epilog=example("bootstrap plan", "bootstrap plan --downgrade -1"),
)
@click.argument(
    "revision", required=False, callback=up_to, shell_complete=in_files("head", "heads")
)
@click.option("--downgrade", is_flag=True, help="What `bootstrap downgrade REVISION` would do.")
@click.option("--markdown", type=_FILE, metavar="FILE", help="Write it for a pull request, too.")
@click.option("-v", "--verbose", is_flag=True, help="Show long statements in full.")
@lets_ahead_be
@click.option("--tag", metavar="TAG", help="For env.py (`context.get_tag_argument()`).")
@common
def plan(
    common: Common,
    revision: str | None,
    *,
    downgrade: bool,
    markdown: Path | None,
    tag: str | None,
) -> None:
    """Shows what migrating to REVISION (default: head) would do.

    From where the database is: the operations, their SQL, what each statement locks and whether it
    writes a table anew, as the documentation of the server has it, and the rows of the tables.
    Changes nothing.
    """
    if downgrade and revision is None:
        raise click.UsageError("--downgrade needs a REVISION.")
    direction = "downgrade" if downgrade else "upgrade"

    async def work(now: Invocation) -> object:
        report = await planned(now, revision or "head", direction=direction, tag=tag)
        if markdown is not None:
            now.write_markdown(report, markdown)
        return report

    perform("plan", common, work)


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
        terms: dict[str, Any] = {"project": now.project, "limit": limit, "revision": revision}
        if now.databases:
            return await bootstrap.log_each(now.databases, **terms)
        return await bootstrap.log(now.database, **terms)

    perform("log", common, work)

"""The command for data sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

import bootstrap
from bootstrap.cli.group import cli, example, perform
from bootstrap.cli.options import Common, asks_first, common, for_environment, waits_for_others

if TYPE_CHECKING:
    from bootstrap.cli.invocation import Invocation
    from bootstrap.datasets.reports import SeedReport


@cli.command(epilog=example("bootstrap seed seeds/10_users.yaml"))
@click.argument("datasets", nargs=-1, metavar="[FILE_OR_FOLDER]...")
@for_environment
@click.option(
    "--prune", is_flag=True, help="Delete rows that no data set has, where a manifest allows it."
)
@click.option(
    "--prune-table",
    "tables",
    multiple=True,
    metavar="TABLE",
    help="Delete those of this table; may be given several times.",
)
@click.option("--dry-run", is_flag=True, help="Show which rows differ, and write nothing.")
@asks_first
@waits_for_others
@common
def seed(
    common: Common,
    datasets: tuple[str, ...],
    *,
    prune: bool,
    tables: tuple[str, ...],
    dry_run: bool,
    yes: bool,
) -> None:
    """Applies data sets: inserts and updates rows by key.

    Without arguments, those of the setting `datasets`. With --prune it asks before it deletes.
    """
    if prune and tables:
        raise click.UsageError("--prune and --prune-table cannot be combined.")

    async def work(now: Invocation) -> object:
        async def attempt(*, dry_run: bool) -> SeedReport:
            return await bootstrap.seed(
                now.database,
                datasets=tuple(Path(one) for one in datasets) or now.datasets,
                environment=now.environment,
                prune=tables or prune,
                dry_run=dry_run,
                wait_lock=now.wait_lock,
                emit=now.emit,
            )

        if (prune or tables) and not dry_run and not yes:
            looked = await attempt(dry_run=True)
            if looked.deleted:
                await now.confirm(_deletion(looked, now), yes=False)
        return await attempt(dry_run=dry_run)

    perform("seed", common, work)


def _deletion(looked: SeedReport, now: Invocation) -> str:
    rows = ", ".join(f"{one.deleted} of {one.table}" for one in looked.pruned if one.deleted)
    total = "1 row" if looked.deleted == 1 else f"{looked.deleted} rows"
    return f"Delete {total} of {now.database.label} that no data set has ({rows})?"

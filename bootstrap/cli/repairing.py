"""The command for a half-applied revision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import bootstrap
from bootstrap.cli.group import cli, example, perform
from bootstrap.cli.options import Common, common, waits_for_others
from bootstrap.journal.half import Repair

if TYPE_CHECKING:
    from bootstrap.cli.invocation import Invocation


@cli.command(epilog=example("bootstrap repair --done"))
@click.option(
    "--applied",
    "decision",
    flag_value=Repair.APPLIED.value,
    help="The statement in doubt was applied.",
)
@click.option(
    "--not-applied",
    "decision",
    flag_value=Repair.NOT_APPLIED.value,
    help="The statement in doubt was not applied, or is undone.",
)
@click.option(
    "--done",
    "decision",
    flag_value=Repair.DONE.value,
    help="All of the revision is applied: write the version table.",
)
@click.option(
    "--forget",
    "decision",
    flag_value=Repair.FORGET.value,
    help="Nothing of the revision is left: begin it anew.",
)
@waits_for_others
@common
def repair(common: Common, *, decision: str | None) -> None:
    """Says what became of a half-applied revision, where nobody can tell.

    `bootstrap status` shows it. Nothing of the revision is run here.
    """
    if decision is None:
        raise click.UsageError("one of --applied, --not-applied, --done and --forget is needed")

    async def work(now: Invocation) -> object:
        return await bootstrap.repair(
            now.database,
            decision,
            project=now.project,
            wait_lock=now.wait_lock,
            emit=now.emit,
        )

    perform("repair", common, work)

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


@cli.command(
    epilog=example(
        "bootstrap repair             # what is half-applied, and where it has stopped",
        "bootstrap repair --record && bootstrap migrate",
        "bootstrap repair --accept-changed   # after a reformat of the revisions",
    )
)
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
@click.option(
    "--record",
    "decision",
    flag_value=Repair.RECORD.value,
    help="What plain Alembic has left: record where it has stopped, so that the next run goes on.",
)
@click.option(
    "--undo",
    "decision",
    flag_value=Repair.UNDO.value,
    help="What plain Alembic has left: take it away, where all of it is new and empty.",
)
@click.option(
    "--after",
    type=click.IntRange(min=1),
    metavar="N",
    help="With --record, where nobody else can tell: statement N was the last one applied.",
)
@click.option(
    "--accept-changed",
    is_flag=True,
    help="Accept the files of applied revisions as they are now, though they were changed since.",
)
@click.option("--yes", is_flag=True, help="Do not ask before --undo.")
@waits_for_others
@common
def repair(
    common: Common, *, decision: str | None, after: int | None, accept_changed: bool, yes: bool
) -> None:
    """Finds a half-applied revision, and settles what became of it.

    Without an option it only looks, and exits with 1 when there is one. What a run of bootstrap
    has left is recorded. To find what plain Alembic has left, the next revision is run on a
    throwaway database beside it, which is dropped, and compared after each statement. Nothing of
    the revision is run here. --accept-changed is about files: bootstrap status names those that
    were changed after they were applied.
    """
    if after is not None and decision != Repair.RECORD:
        raise click.UsageError("--after goes with --record")
    if accept_changed and decision is not None:
        raise click.UsageError("--accept-changed goes alone: it is not about what is half-applied")

    async def work(now: Invocation) -> object:
        if accept_changed:
            return await bootstrap.accept_changed(
                now.database, project=now.project, wait_lock=now.wait_lock, emit=now.emit
            )
        if decision == Repair.UNDO:
            question = f"Take away what a revision has begun in {now.database.label}?"
            await now.confirm(question, yes=yes)
        report = await bootstrap.repair(
            now.database,
            decision,
            project=now.project,
            after=after,
            wait_lock=now.wait_lock,
            emit=now.emit,
        )
        if not report.is_clean:
            now.no = "A revision is half-applied."
        return report

    perform("repair", common, work)

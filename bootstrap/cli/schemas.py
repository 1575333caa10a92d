"""The commands that look at schemas."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

import bootstrap
from bootstrap.cli.group import cli, example, perform
from bootstrap.cli.options import Common, common

if TYPE_CHECKING:
    from bootstrap.cli.invocation import Invocation

_FILE = click.Path(dir_okay=False, path_type=Path)


@cli.command(
    epilog=example(
        "bootstrap snapshot --output schema.json", "bootstrap snapshot --check schema.json"
    )
)
@click.option("--check", type=_FILE, metavar="FILE", help="Compare with the snapshot in FILE.")
@click.option("-o", "--output", "file", type=_FILE, metavar="FILE", help="Write it to FILE.")
@click.option(
    "--leave-out",
    multiple=True,
    metavar="TABLE",
    help="A table that is no part of the schema, beside the version table; may be repeated.",
)
@common
def snapshot(
    common: Common, *, check: Path | None, file: Path | None, leave_out: tuple[str, ...]
) -> None:
    """Shows the schema of the database as JSON.

    With --check it lists what differs from a snapshot, and exits with 1 if anything does.
    """

    async def work(now: Invocation) -> object:
        report = await bootstrap.snapshot(
            now.database, check=check, output=file, leave_out=leave_out
        )
        if not report.is_clean:
            now.no = f"The database does not have the schema of {check}."
        return report

    perform("snapshot", common, work)

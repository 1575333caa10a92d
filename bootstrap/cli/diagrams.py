"""The commands that draw."""

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
_OUTPUT = click.option("-o", "--output", type=_FILE, metavar="FILE", help="Write it to FILE.")


@cli.group(epilog=example("bootstrap diagram schema > schema.mmd"))
def diagram() -> None:
    """Draws the schema or the history as Mermaid."""


@diagram.command(
    epilog=example(
        "bootstrap diagram schema --models",
        "bootstrap diagram schema --snapshot schema.json --output schema.mmd",
    )
)
@click.option("--snapshot", type=_FILE, metavar="FILE", help="Draw the snapshot in FILE.")
@click.option("--models", is_flag=True, help="Draw what the models say.")
@click.option(
    "--backend",
    metavar="NAME",
    help="In whose words, on a throwaway database; for --models.  [default: one without server]",
)
@click.option("--leave-out", multiple=True, metavar="TABLE", help="A table that is not drawn.")
@_OUTPUT
@common
def schema(
    common: Common,
    *,
    snapshot: Path | None,
    models: bool,
    backend: str | None,
    leave_out: tuple[str, ...],
    output: Path | None,
) -> None:
    """Draws the tables of the database, of a snapshot or of the models."""
    if snapshot is not None and models:
        raise click.UsageError("--snapshot and --models exclude each other.")
    if backend is not None and not models:
        raise click.UsageError("--backend is for --models.")

    async def work(now: Invocation) -> object:
        source = now.project if models else snapshot or now.database
        return await bootstrap.diagram_schema(
            source, backend=backend, leave_out=leave_out, output=output
        )

    perform("diagram schema", common, work)


@diagram.command(epilog=example("bootstrap diagram history --output history.mmd"))
@_OUTPUT
@common
def history(common: Common, *, output: Path | None) -> None:
    """Draws the revisions, each with those that follow it.

    Looks at the files alone; no database is needed.
    """

    async def work(now: Invocation) -> object:
        return await bootstrap.diagram_history(project=now.project, output=output)

    perform("diagram history", common, work)

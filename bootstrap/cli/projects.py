"""The commands for a project: where its database is, its settings, its files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import bootstrap
from bootstrap.cli.group import cli, example, perform
from bootstrap.cli.options import Common, common, lets_ahead_be

if TYPE_CHECKING:
    from bootstrap.cli.invocation import Invocation


@cli.command(epilog=example("bootstrap status --format json"))
@lets_ahead_be
@common
def status(common: Common) -> None:
    """Shows where the database is and which revisions are pending."""

    async def work(now: Invocation) -> object:
        if now.databases:
            return await bootstrap.status_each(
                now.databases, project=now.project, allow_ahead=now.allow_ahead
            )
        return await bootstrap.status(
            now.database, project=now.project, allow_ahead=now.allow_ahead
        )

    perform("status", common, work)


@cli.command(epilog=example("DATABASE_URL=postgresql://app:secret@db/app bootstrap config"))
@common
def config(common: Common) -> None:
    """Shows every setting and its source, secrets hidden."""

    async def work(_now: Invocation) -> object:
        return await bootstrap.config(options=common.settings)

    perform("config", common, work)


@cli.command(epilog=example("bootstrap init shop && cd shop && bootstrap up"))
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--empty", is_flag=True, help="Without the reference schema.")
@common
def init(common: Common, folder: Path, **options: Any) -> None:
    """Sets bootstrap up in a project, or starts a new one.

    A new project begins with the reference schema (users and items, with data sets), or with
    no revision when --empty is given. Files that are there are never overwritten.
    """

    async def work(now: Invocation) -> object:
        return await bootstrap.init(folder, url=now.url_option, **options)

    perform("init", common, work)

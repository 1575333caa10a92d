"""The commands that write and edit revision files, with Alembic's own options."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

import bootstrap
from bootstrap.cli.completion import revisions as in_files
from bootstrap.cli.group import cli, example, perform
from bootstrap.cli.options import Common, common

if TYPE_CHECKING:
    from bootstrap.cli.invocation import Invocation

_CURRENT = "current"


@cli.command(
    epilog=example(
        'bootstrap revision --autogenerate -m "Add orders" --backend sqlite --backend postgresql'
    )
)
@click.option("-m", "--message", metavar="TEXT", help="What the revision is for.")
@click.option(
    "--autogenerate",
    is_flag=True,
    help="Write what the models have and the history has not, and try it.",
)
@click.option("--sql", is_flag=True, help="Run env.py offline, where it runs for each revision.")
@click.option(
    "--head",
    metavar="REVISION",
    default="head",
    show_default=True,
    shell_complete=in_files("head", "base"),
    help="The revision that it follows; `base` begins a new branch.",
)
@click.option("--splice", is_flag=True, help="It may follow a revision that is no head.")
@click.option("--branch-label", metavar="LABEL", help="A label for the revision.")
@click.option("--version-path", metavar="FOLDER", help="Where to write it, of several folders.")
@click.option("--rev-id", metavar="ID", help="Its id.  [default: a new one]")
@click.option(
    "--depends-on",
    metavar="REVISION",
    multiple=True,
    help="A revision that must be applied before it; repeatable.",
)
@click.option(
    "--backend",
    "backends",
    metavar="NAME",
    multiple=True,
    help="Where to try it; repeatable.  [default: backends of the settings, else that of the URL]",
)
@click.option("--no-try", is_flag=True, help="Do not try it.")
@click.option("--keep", is_flag=True, help="Let the file stay although a try does not work.")
@common
def revision(common: Common, *, backends: tuple[str, ...], no_try: bool, **options: Any) -> None:
    """Writes a new revision.

    With --autogenerate the models are compared with a throwaway database at the heads, or with
    the one that --url names. The revision is then applied, compared, undone and applied again, on
    a throwaway database of each backend; when that does not work, its file is removed.
    """
    if backends:
        common.settings["backends"] = backends

    async def work(now: Invocation) -> object:
        report = await bootstrap.revision(
            project=now.project,
            database=now.database if now.url_option else None,
            backends=now.backends,
            trying=not no_try,
            emit=now.emit,
            **options,
        )
        if not report.works:
            now.no = "The schema is not what it should be."
        return report

    perform("revision", common, work)


@cli.command(epilog=example('bootstrap merge heads -m "Merge billing and users"'))
@click.argument(
    "revisions",
    nargs=-1,
    required=True,
    metavar="REVISION...",
    shell_complete=in_files("heads"),
)
@click.option("-m", "--message", metavar="TEXT", help="What the revision is for.")
@click.option("--branch-label", metavar="LABEL", help="A label for the revision.")
@click.option("--rev-id", metavar="ID", help="Its id.  [default: a new one]")
@click.option("--splice", is_flag=True, help="Merge revisions that are no heads too.")
@common
def merge(common: Common, revisions: tuple[str, ...], *, splice: bool, **texts: str | None) -> None:
    """Writes a revision that joins others: two or more, or all `heads`."""

    async def work(now: Invocation) -> object:
        return await bootstrap.merge(
            revisions,
            project=now.project,
            splice=splice,
            database=now.named_database,
            **texts,
        )

    perform("merge", common, work)


@cli.command(epilog=example("EDITOR=vim bootstrap edit head"))
@click.argument("revision", shell_complete=in_files("head", "heads", _CURRENT))
@common
def edit(common: Common, revision: str) -> None:
    """Opens the file of REVISION in the editor that EDITOR or VISUAL names."""

    async def work(now: Invocation) -> object:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise click.UsageError("There is no terminal for the editor.")
        return await bootstrap.edit(
            revision,
            project=now.project,
            database=now.database if revision == _CURRENT else None,
        )

    perform("edit", common, work)

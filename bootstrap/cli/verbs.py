"""Alembic's verbs for looking at revisions and writing them, with Alembic's own options."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

import bootstrap
from bootstrap.cli.group import cli, example, perform
from bootstrap.cli.options import Common, common

if TYPE_CHECKING:
    from bootstrap.cli.invocation import Invocation

_VERBOSE = click.option("-v", "--verbose", is_flag=True, help="Show all that the files say.")
_CURRENT = "current"


@cli.command(epilog=example("bootstrap heads --verbose"))
@click.option(
    "--resolve-dependencies",
    is_flag=True,
    help="Leave out those that another revision depends on.",
)
@_VERBOSE
@common
def heads(common: Common, *, resolve_dependencies: bool) -> None:
    """Lists the revisions that no other follows.

    Looks at the files alone; no database is needed.
    """

    async def work(now: Invocation) -> object:
        return await bootstrap.heads(project=now.project, resolve_dependencies=resolve_dependencies)

    perform("heads", common, work)


@cli.command(epilog=example("bootstrap branches --verbose"))
@_VERBOSE
@common
def branches(common: Common) -> None:
    """Lists the revisions that several others follow.

    Looks at the files alone; no database is needed.
    """

    async def work(now: Invocation) -> object:
        return await bootstrap.branches(project=now.project)

    perform("branches", common, work)


@cli.command(epilog=example("bootstrap history -r -3:current", "bootstrap history -i"))
@click.option(
    "-r",
    "--rev-range",
    default=":",
    metavar="START:END",
    help="Which part; START and END may be left out, relative, or `current`.",
)
@click.option(
    "-i", "--indicate-current", is_flag=True, help="Mark where the database is; connects to it."
)
@_VERBOSE
@common
def history(common: Common, *, rev_range: str, indicate_current: bool) -> None:
    """Lists the revisions, the newest first.

    Looks at the files alone, unless the current revision is asked for.
    """

    async def work(now: Invocation) -> object:
        connect = indicate_current or _CURRENT in rev_range.split(":")
        return await bootstrap.history(
            rev_range, project=now.project, database=now.database if connect else None
        )

    perform("history", common, work)


@cli.command(epilog=example("bootstrap show head"))
@click.argument("revision")
@common
def show(common: Common, revision: str) -> None:
    """Shows all that the file of REVISION says.

    REVISION is an id or its beginning, head, heads, LABEL@head, or current, which connects to
    the database.
    """

    async def work(now: Invocation) -> object:
        return await bootstrap.show(
            revision,
            project=now.project,
            database=now.database if revision == _CURRENT else None,
        )

    perform("show", common, work)


@cli.command(epilog=example("bootstrap current --check-heads || bootstrap migrate"))
@click.option("--check-heads", is_flag=True, help="Exit with 1 unless all heads are applied.")
@_VERBOSE
@common
def current(common: Common, *, check_heads: bool) -> None:
    """Lists the revisions that the database is at."""

    async def work(now: Invocation) -> object:
        report = await bootstrap.current(now.database, project=now.project)
        if check_heads and not report.at_heads:
            now.no = f"The database is not at the heads: {', '.join(report.heads)}"
        return report

    perform("current", common, work)


@cli.command(epilog=example("bootstrap migrate && bootstrap check"))
@common
def check(common: Common) -> None:
    """Tells whether the database has what the models say.

    Compares as `alembic check` does, writes no revision, and exits with 1 when operations are
    pending. The database must be at the heads.
    """

    async def work(now: Invocation) -> object:
        report = await bootstrap.check(now.database, project=now.project)
        if not report.is_clean:
            now.no = "The database does not have what the models say."
        return report

    perform("check", common, work)


@cli.command(epilog=example('bootstrap merge heads -m "Merge billing and users"'))
@click.argument("revisions", nargs=-1, required=True, metavar="REVISION...")
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
@click.argument("revision")
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

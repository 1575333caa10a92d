"""Alembic's verbs for looking at revisions with Alembic's own options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import bootstrap
from bootstrap.cli.completion import revisions as in_files
from bootstrap.cli.group import cli, example, perform
from bootstrap.cli.options import Common, common, lets_ahead_be, writes_sql

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
@click.option("--single", is_flag=True, help="Exit with 1 when there are several.")
@_VERBOSE
@common
def heads(common: Common, *, resolve_dependencies: bool, single: bool) -> None:
    """Lists the revisions that no other follows.

    Looks at the files alone; no database is needed.
    """

    async def work(now: Invocation) -> object:
        report = await bootstrap.heads(
            project=now.project, resolve_dependencies=resolve_dependencies
        )
        if single and len(report.revisions) > 1:
            now.no = "The history has several heads; bootstrap merge heads joins them."
        return report

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
@click.argument("revision", shell_complete=in_files("head", "heads", _CURRENT))
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
@lets_ahead_be
@_VERBOSE
@common
def current(common: Common, *, check_heads: bool) -> None:
    """Lists the revisions that the database is at."""

    async def work(now: Invocation) -> object:
        if now.databases:
            each = await bootstrap.current_each(
                now.databases, project=now.project, allow_ahead=now.allow_ahead
            )
            if check_heads and not each.at_heads:
                now.no = "Not all databases are at the heads."
            return each
        report = await bootstrap.current(
            now.database, project=now.project, allow_ahead=now.allow_ahead
        )
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


@cli.command("ensure-version", epilog=example("bootstrap ensure-version"))
@writes_sql
@common
def ensure_version(common: Common, *, sql: bool) -> None:
    """Creates the version table unless it is there.

    Applies nothing; `bootstrap migrate` creates it as well.
    """

    async def work(now: Invocation) -> object:
        if sql:
            return await bootstrap.version_table_script(now.database, project=now.project)
        return await bootstrap.ensure_version(now.database, project=now.project)

    perform("ensure-version", common, work, alone=sql)

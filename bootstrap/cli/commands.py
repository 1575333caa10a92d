"""The commands for databases. Each calls one function of the library; nothing is decided here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

import bootstrap
from bootstrap.cli.completion import revisions as in_files
from bootstrap.cli.group import cli, example, perform
from bootstrap.cli.options import (
    Common,
    asks_first,
    common,
    for_environment,
    is_gentle,
    lets_ahead_be,
    runs_hooks,
    waits_for_others,
    writes_sql,
)

if TYPE_CHECKING:
    from bootstrap.cli.invocation import Invocation
    from bootstrap.inspecting.planning import PlanReport
    from bootstrap.inspecting.surveying import PlanEachReport

_MINUS_ONE = {"ignore_unknown_options": True}  # `-1` is a revision here


def _revision(context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Takes `-1` for a revision, and `--sqll` for the mistyped option that it is."""
    if value.startswith("-") and not value[1:].isdigit():
        raise click.NoSuchOption(value, ctx=context)
    return value


def up_to(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """The same where it may be left out."""
    return None if value is None else _revision(context, parameter, value)


_ALLOW_LOSS = click.option(
    "--allow-loss",
    is_flag=True,
    help="Commit although a revision that makes a table anew loses rows or parts of it.",
)
_PER_REVISION = click.option(
    "--per-revision",
    is_flag=True,
    help="Make each revision a transaction of its own, whatever env.py says.",
)
_TAG = click.option("--tag", metavar="TAG", help="For env.py (`context.get_tag_argument()`).")


@cli.command(epilog=example("bootstrap up --url mysql://root@localhost/app"))
@_ALLOW_LOSS
@for_environment
@waits_for_others
@is_gentle
@runs_hooks
@common
def up(common: Common, *, allow_loss: bool) -> None:
    """Creates the database if it is missing, migrates and seeds it.

    Run again, it does what is left to do; when nothing is left, it changes nothing.
    """

    async def work(now: Invocation) -> object:
        return await bootstrap.up(
            now.database,
            project=now.project,
            datasets=now.datasets,
            environment=now.environment,
            allow_loss=allow_loss,
            wait_lock=now.wait_lock,
            **now.limits,
            before=now.before,
            emit=now.emit,
        )

    perform("up", common, work)


@cli.command(
    epilog=example("bootstrap create --url postgresql://postgres@localhost/app --owner app")
)
@click.option("--owner", metavar="ROLE", help="Who owns it (PostgreSQL).")
@click.option("--encoding", metavar="NAME", help="Its character set (not SQLite).")
@click.option("--template", metavar="DATABASE", help="The database to copy (PostgreSQL).")
@common
def create(
    common: Common, *, owner: str | None, encoding: str | None, template: str | None
) -> None:
    """Creates an empty database, unless it exists.

    For SQLite that is the file with its folders, in WAL mode.
    """

    async def work(now: Invocation) -> object:
        return await bootstrap.create(
            now.database, owner=owner, encoding=encoding, template=template
        )

    perform("create", common, work)


@cli.command(epilog=example("bootstrap drop --url sqlite:///old.db --yes"))
@click.option("--force", is_flag=True, help="End the sessions of others first.")
@asks_first
@common
def drop(common: Common, *, force: bool, yes: bool) -> None:
    """Drops the database with all that is in it.

    Asks first, and refuses while others are connected.
    """

    async def work(now: Invocation) -> object:
        await now.confirm(f"Drop {now.database.label} with all that is in it?", yes=yes)
        return await bootstrap.drop(now.database, force=force)

    perform("drop", common, work)


@cli.command(
    epilog=example("bootstrap wait --timeout 120 && bootstrap migrate", "bootstrap wait --heads")
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="When to give up.  [default: 60]",
)
@click.option("--heads", is_flag=True, help="Wait until the database is at the heads, too.")
@lets_ahead_be
@common
def wait(common: Common, *, timeout: float | None, heads: bool) -> None:
    """Waits until the database server accepts a connection.

    Gives up at once when the login is refused: waiting does not mend a wrong password. With
    --heads it waits until somebody else, such as a job of the same deploy, has migrated the
    database, and exits with 1 when that takes too long.
    """

    async def work(now: Invocation) -> object:
        seconds = now.settings.wait_timeout.value if timeout is None else timeout
        if not heads:
            return await bootstrap.wait(now.database, timeout=seconds, emit=now.emit)
        report = await bootstrap.wait_heads(
            now.database,
            project=now.project,
            timeout=seconds,
            allow_ahead=now.allow_ahead,
            emit=now.emit,
        )
        if not report.at_heads:
            now.no = f"The database did not come to the heads: {', '.join(report.heads)}"
        return report

    perform("wait", common, work)


@cli.command(
    context_settings=_MINUS_ONE,
    epilog=example(
        "bootstrap migrate",
        "bootstrap migrate +1",
        "bootstrap migrate --sql ab12:head | psql -v ON_ERROR_STOP=1 app",
    ),
)
@click.argument(
    "revision", required=False, callback=up_to, shell_complete=in_files("head", "heads")
)
@_PER_REVISION
@_ALLOW_LOSS
@click.option("--heads", is_flag=True, help="Apply all branches: the same as heads for REVISION.")
@click.option(
    "--strict", is_flag=True, help="Refuse when the file of an applied revision was changed."
)
@click.option(
    "--check", is_flag=True, help="Do nothing, and exit with 1 when something is pending."
)
@lets_ahead_be
@waits_for_others
@is_gentle
@runs_hooks
@writes_sql
@_TAG
@common
def migrate(
    common: Common,
    revision: str | None,
    *,
    heads: bool,
    allow_loss: bool,
    per_revision: bool,
    strict: bool,
    check: bool,
    sql: bool,
    tag: str | None,
) -> None:
    """Upgrades the database to REVISION (default: head).

    REVISION is what `alembic upgrade` takes: an id or its beginning, head, heads, +1, ID+1,
    LABEL@head. With --sql it may be START:END, where START is the revision that the database is
    at; without START the script begins at an empty database.
    """
    if heads and revision is not None:
        raise click.UsageError("--heads stands for a REVISION: give one of them.")
    if check and sql:
        raise click.UsageError("--check cannot be combined with --sql.")
    target = revision or ("heads" if heads else "head")

    async def work(now: Invocation) -> object:
        if sql and now.databases:
            raise now.only_one()
        if check:
            report = await planned(now, target, tag=tag)
            now.no = _pending(report)
            return report
        if sql:
            return await bootstrap.migration_script(
                now.database, target, project=now.project, per_revision=per_revision, tag=tag
            )
        terms: dict[str, Any] = {
            "project": now.project,
            "per_revision": per_revision,
            "allow_loss": allow_loss,
            "allow_ahead": now.allow_ahead,
            "strict": strict,
            "tag": tag,
            "wait_lock": now.wait_lock,
            **now.limits,
            "before": now.before,
            "emit": now.emit,
        }
        if now.databases:
            return await bootstrap.migrate_each(now.databases, target, **terms)
        return await bootstrap.migrate(now.database, target, **terms)

    perform("migrate", common, work, alone=sql)


async def planned(
    now: Invocation, revision: str, *, tag: str | None, direction: str = "upgrade"
) -> PlanReport | PlanEachReport:
    """What would be done to the database, or to each of those that the settings list."""
    terms: dict[str, Any] = {
        "project": now.project,
        "direction": direction,
        "allow_ahead": now.allow_ahead,
        "tag": tag,
    }
    if now.databases:
        return await bootstrap.plan_each(now.databases, revision, **terms)
    return await bootstrap.plan(now.database, revision, **terms)


def _pending(report: PlanReport | PlanEachReport) -> str:
    """Why the answer to `--check` is no; empty where it is yes."""
    if not report.is_pending:
        return ""
    each = report.databases if isinstance(report, bootstrap.PlanEachReport) else (report,)
    steps = sum(len(one.steps) for one in each)
    return f"{steps} {'step is' if steps == 1 else 'steps are'} pending."


@cli.command(
    context_settings=_MINUS_ONE,
    epilog=example(
        "bootstrap downgrade -1",
        "bootstrap downgrade base --yes",
        "bootstrap downgrade --sql head:-1 > undo.sql",
    ),
)
@click.argument("revision", callback=_revision, shell_complete=in_files("base"))
@asks_first
@_PER_REVISION
@_ALLOW_LOSS
@waits_for_others
@is_gentle
@runs_hooks
@writes_sql
@_TAG
@common
def downgrade(
    common: Common,
    revision: str,
    *,
    yes: bool,
    allow_loss: bool,
    per_revision: bool,
    sql: bool,
    tag: str | None,
) -> None:
    """Downgrades the database to REVISION.

    REVISION is what `alembic downgrade` takes: an id or its beginning, base, -1, ID-1,
    LABEL@base. Asks when tables with rows in them would be dropped. With --sql it is START:END,
    where START is the revision that the database is at.
    """

    async def work(now: Invocation) -> object:
        if sql and now.databases:
            raise now.only_one()
        if sql:
            return await bootstrap.migration_script(
                now.database,
                revision,
                project=now.project,
                direction="downgrade",
                per_revision=per_revision,
                tag=tag,
            )

        async def attempt(*, drop_rows: bool) -> object:
            terms: dict[str, Any] = {
                "project": now.project,
                "drop_rows": drop_rows,
                "per_revision": per_revision,
                "allow_loss": allow_loss,
                "wait_lock": now.wait_lock,
                **now.limits,
                "tag": tag,
                "before": now.before,
                "emit": now.emit,
            }
            if now.databases:
                return await bootstrap.downgrade_each(now.databases, revision, **terms)
            return await bootstrap.downgrade(now.database, revision, **terms)

        try:
            return await attempt(drop_rows=yes)
        except bootstrap.RowsWouldBeLost as loss:
            if not now.can_ask:
                raise
            await now.confirm(f"{loss.message[0].upper()}{loss.message[1:]}. Go on?", yes=False)
        return await attempt(drop_rows=True)

    perform("downgrade", common, work, alone=sql)


@cli.command(epilog=example("bootstrap stamp head", "bootstrap stamp --purge head"))
@click.argument(
    "revisions",
    nargs=-1,
    required=True,
    metavar="REVISION...",
    shell_complete=in_files("head", "heads", "base"),
)
@click.option("--purge", is_flag=True, help="Empty the version table first, whatever it holds.")
@waits_for_others
@writes_sql
@_TAG
@common
def stamp(
    common: Common, revisions: tuple[str, ...], *, purge: bool, sql: bool, tag: str | None
) -> None:
    """Writes REVISION into the version table without running it.

    Several where the history has branches: one for each. With --sql, START:REVISION for a database
    that is at START.
    """
    if purge and sql:
        raise click.UsageError("--purge cannot be combined with --sql.")

    async def work(now: Invocation) -> object:
        if sql:
            return await bootstrap.migration_script(
                now.database, revisions, project=now.project, direction="stamp", tag=tag
            )
        return await bootstrap.stamp(
            now.database,
            revisions,
            project=now.project,
            purge=purge,
            tag=tag,
            wait_lock=now.wait_lock,
            emit=now.emit,
        )

    perform("stamp", common, work, alone=sql)

"""The commands. Each calls one function of the library; nothing is decided here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import bootstrap
from bootstrap.cli.options import Common, common

if TYPE_CHECKING:
    from bootstrap.cli.invocation import Invocation, Work

_SAFE = {"help_option_names": ["-h", "--help"]}
_MINUS_ONE = {"ignore_unknown_options": True}  # `-1` is a revision here
_YES = click.option("--yes", is_flag=True, help="Do not ask.")


def _perform(command: str, given: Common, work: Work) -> None:
    # Imported here because `--help` and `--version` must not wait for SQLAlchemy and Alembic.
    from bootstrap.cli.invocation import perform  # noqa: PLC0415

    perform(command, given, work)


def _example(*lines: str) -> str:
    """What stands at the end of a help text; the first character keeps click from filling it."""
    return "\n".join(("\b", "Example:", *(f"  {line}" for line in lines)))


class _InOrder(click.Group):
    """Lists the commands as they stand in this file, the first the one to begin with."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    cls=_InOrder,
    context_settings=_SAFE,
    epilog=_example(
        "bootstrap up                                   # create, migrate, seed",
        "bootstrap status --url postgresql://localhost/app",
    ),
)
@click.version_option(bootstrap.__version__, message="bootstrap %(version)s")
def cli() -> None:
    """Creates, migrates and seeds a database with Alembic.

    Works on PostgreSQL, MySQL, MariaDB and SQLite, on any Alembic project. The database comes
    from --url, BOOTSTRAP_URL, DATABASE_URL, pyproject.toml or alembic.ini; `bootstrap config`
    shows which.
    """


@cli.command(epilog=_example("bootstrap up --url mysql://root@localhost/app"))
@common
def up(common: Common) -> None:
    """Creates the database if it is missing, migrates and seeds it.

    Run again, it does what is left to do; when nothing is left, it changes nothing.
    """

    async def work(now: Invocation) -> object:
        return await bootstrap.up(
            now.database, project=now.project, datasets=now.datasets, emit=now.emit
        )

    _perform("up", common, work)


@cli.command(
    epilog=_example("bootstrap create --url postgresql://postgres@localhost/app --owner app")
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

    _perform("create", common, work)


@cli.command(epilog=_example("bootstrap drop --url sqlite:///old.db --yes"))
@click.option("--force", is_flag=True, help="End the sessions of others first.")
@_YES
@common
def drop(common: Common, *, force: bool, yes: bool) -> None:
    """Drops the database with all that is in it.

    Asks first, and refuses while others are connected.
    """

    async def work(now: Invocation) -> object:
        await now.confirm(f"Drop {now.database.label} with all that is in it?", yes=yes)
        return await bootstrap.drop(now.database, force=force)

    _perform("drop", common, work)


@cli.command(epilog=_example("bootstrap wait --timeout 120 && bootstrap migrate"))
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="When to give up.  [default: 60]",
)
@common
def wait(common: Common, timeout: float | None) -> None:
    """Waits until the database server accepts a connection.

    Gives up at once when the login is refused: waiting does not mend a wrong password.
    """

    async def work(now: Invocation) -> object:
        seconds = now.settings.wait_timeout.value if timeout is None else timeout
        return await bootstrap.wait(now.database, timeout=seconds, emit=now.emit)

    _perform("wait", common, work)


@cli.command(
    context_settings=_MINUS_ONE, epilog=_example("bootstrap migrate", "bootstrap migrate +1")
)
@click.argument("revision", default="head")
@common
def migrate(common: Common, revision: str) -> None:
    """Upgrades the database to REVISION (default: head).

    REVISION is what `alembic upgrade` takes: an id or its beginning, head, heads, +1, ID+1,
    LABEL@head.
    """

    async def work(now: Invocation) -> object:
        return await bootstrap.migrate(now.database, revision, project=now.project, emit=now.emit)

    _perform("migrate", common, work)


@cli.command(
    context_settings=_MINUS_ONE,
    epilog=_example("bootstrap downgrade -1", "bootstrap downgrade base --yes"),
)
@click.argument("revision")
@_YES
@common
def downgrade(common: Common, revision: str, *, yes: bool) -> None:
    """Downgrades the database to REVISION.

    REVISION is what `alembic downgrade` takes: an id or its beginning, base, -1, ID-1,
    LABEL@base. Asks when tables with rows in them would be dropped.
    """

    async def work(now: Invocation) -> object:
        async def attempt(*, accept_loss: bool) -> object:
            return await bootstrap.downgrade(
                now.database,
                revision,
                project=now.project,
                accept_loss=accept_loss,
                emit=now.emit,
            )

        try:
            return await attempt(accept_loss=yes)
        except bootstrap.RowsWouldBeLost as loss:
            if not now.can_ask:
                raise
            await now.confirm(f"{loss.message[0].upper()}{loss.message[1:]}. Go on?", yes=False)
        return await attempt(accept_loss=True)

    _perform("downgrade", common, work)


@cli.command(epilog=_example("bootstrap stamp head"))
@click.argument("revision")
@common
def stamp(common: Common, revision: str) -> None:
    """Writes REVISION into the version table without running it."""

    async def work(now: Invocation) -> object:
        return await bootstrap.stamp(now.database, revision, project=now.project, emit=now.emit)

    _perform("stamp", common, work)


@cli.command(epilog=_example("bootstrap seed seeds/10_users.yaml"))
@click.argument("datasets", nargs=-1, metavar="[FILE_OR_FOLDER]...")
@common
def seed(common: Common, datasets: tuple[str, ...]) -> None:
    """Applies data sets: inserts and updates rows by key.

    Without arguments, those of the setting `datasets`.
    """

    async def work(now: Invocation) -> object:
        paths = tuple(Path(one) for one in datasets) or now.datasets
        return await bootstrap.seed(now.database, datasets=paths, emit=now.emit)

    _perform("seed", common, work)


@cli.command(epilog=_example("bootstrap status --format json"))
@common
def status(common: Common) -> None:
    """Shows where the database is and which revisions are pending."""

    async def work(now: Invocation) -> object:
        return await bootstrap.status(now.database, project=now.project)

    _perform("status", common, work)


@cli.command(epilog=_example("DATABASE_URL=postgresql://app:secret@db/app bootstrap config"))
@common
def config(common: Common) -> None:
    """Shows every setting and its source, secrets hidden."""

    async def work(_now: Invocation) -> object:
        return await bootstrap.config(options=common.settings)

    _perform("config", common, work)


@cli.command(epilog=_example("bootstrap init shop && cd shop && bootstrap up"))
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

    _perform("init", common, work)

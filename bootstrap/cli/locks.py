"""The commands for the run lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bootstrap
from bootstrap.cli.group import cli, example, perform
from bootstrap.cli.options import Common, asks_first, common

if TYPE_CHECKING:
    from bootstrap.cli.invocation import Invocation


@cli.group(epilog=example("bootstrap lock status"))
def lock() -> None:
    """Shows or breaks the run lock.

    Of several runs on one database one works, and the others wait for its lock.
    """


@lock.command(epilog=example("bootstrap lock status --format json"))
@common
def status(common: Common) -> None:
    """Shows who holds the run lock: host, process, user, since when."""

    async def work(now: Invocation) -> object:
        return await bootstrap.lock_status(now.database, project=now.project)

    perform("lock status", common, work)


@lock.command("break", epilog=example("bootstrap lock break --yes"))
@asks_first
@common
def break_(common: Common, *, yes: bool) -> None:
    """Takes the run lock away from whoever holds it.

    The run that held it notices and stops before its next revision; the statement that it runs at
    this moment goes on. A run whose process has ended needs no breaking: its lock ended with it.
    """

    async def work(now: Invocation) -> object:
        found = await bootstrap.lock_status(now.database, project=now.project)
        if not found.held:
            return found
        await now.confirm(f"Break the run lock of {now.database.label}?", yes=yes)
        return await bootstrap.lock_break(now.database, project=now.project)

    perform("lock break", common, work)

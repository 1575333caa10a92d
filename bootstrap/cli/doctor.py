"""The command that looks at all that the others depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import bootstrap
from bootstrap.cli.group import cli, example, perform
from bootstrap.cli.options import Common, common

if TYPE_CHECKING:
    from bootstrap.cli.invocation import Invocation


@cli.command(epilog=example("bootstrap doctor", "bootstrap doctor --strict --format json"))
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings too.")
@common
def doctor(common: Common, *, strict: bool) -> None:
    """Tells what is wrong with settings, project, server and database.

    Looks, changes nothing, and says how to mend what it finds. Exits with 1 when there is a
    problem: something that will make a command fail.
    """

    async def work(now: Invocation) -> object:
        report = await bootstrap.doctor(now.settings, x=now.given.x)
        if not report.is_healthy:
            now.no = "There are problems." if report.problems > 1 else "There is a problem."
        elif strict and report.warnings:
            now.no = "There are warnings."
        return report

    perform("doctor", common, work)

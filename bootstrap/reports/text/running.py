"""Runs as text: from where to where a database went."""

from __future__ import annotations

from rich.console import Group, RenderableType

from bootstrap.events import RunInterrupted
from bootstrap.reports.text.rendering import NOTHING_TO_DO, database, facts, heads, newer, render
from bootstrap.running.each import MigrateEachReport
from bootstrap.running.runner import MigrationReport


@render.register
def _(report: MigrationReport) -> RenderableType:
    table = facts(
        [
            ("Database", database(report.database, report.backend, report.server_version)),
            ("Revision", move(report)),
        ]
    )
    if report.ahead:
        return Group(table, newer(report.ahead))
    return table if moved(report) else Group(table, NOTHING_TO_DO)


@render.register
def _(report: MigrateEachReport) -> RenderableType:
    return Group(*(render(one) for one in report.databases))


def interrupted(event: RunInterrupted) -> str:
    """How a run that was stopped has left the database."""
    known = event.current is not None
    where = f"the database is at {', '.join(event.current or ()) or 'no revision'}" if known else ""
    return "; ".join(part for part in (where, event.stays) if part)


def move(report: MigrationReport) -> str:
    """From where to where it went."""
    if not moved(report):
        return heads(report.after)
    count = "1 step" if len(report.steps) == 1 else f"{len(report.steps)} steps"
    return f"{heads(report.before)} → {heads(report.after)} ({count})"


def moved(report: MigrationReport) -> bool:
    """Emptying the version table is no step, and a change."""
    return bool(report.steps) or report.before != report.after

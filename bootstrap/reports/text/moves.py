"""Runs as text: from where to where a database went."""

from __future__ import annotations

from rich.console import Group, RenderableType

from bootstrap.events import RunInterrupted
from bootstrap.inspecting.ensuring import EnsureVersionReport
from bootstrap.inspecting.surveying import StatusEachReport
from bootstrap.lifecycle import UpReport
from bootstrap.reports.text.rendering import NOTHING_TO_DO, database, facts, heads, newer, render
from bootstrap.reports.text.seeds import counts
from bootstrap.running.each import MigrateEachReport
from bootstrap.running.runner import MigrationReport


@render.register
def _(report: UpReport) -> RenderableType:
    rows = [
        ("Database", database(report.database, report.backend, report.migration.server_version)),
        ("Revision", _move(report.migration)),
    ]
    if report.seeds:
        rows.append(("Rows", counts(report.seeds)))
    table = facts(rows)
    return table if report.changed else Group(table, NOTHING_TO_DO)


@render.register
def _(report: MigrationReport) -> RenderableType:
    table = facts(
        [
            ("Database", database(report.database, report.backend, report.server_version)),
            ("Revision", _move(report)),
        ]
    )
    if report.ahead:
        return Group(table, newer(report.ahead))
    return table if _moved(report) else Group(table, NOTHING_TO_DO)


@render.register(MigrateEachReport)
@render.register(StatusEachReport)
def _(report: MigrateEachReport | StatusEachReport) -> RenderableType:
    return Group(*(render(one) for one in report.databases))


@render.register
def _(report: EnsureVersionReport) -> RenderableType:
    if report.created:
        return f"Created the version table {report.version_table}"
    return f"The version table {report.version_table} exists already. {NOTHING_TO_DO}"


def interrupted(event: RunInterrupted) -> str:
    """How a run that was stopped has left the database."""
    known = event.current is not None
    where = f"the database is at {', '.join(event.current or ()) or 'no revision'}" if known else ""
    return "; ".join(part for part in (where, event.stays) if part)


def _move(report: MigrationReport) -> str:
    if not _moved(report):
        return heads(report.after)
    count = "1 step" if len(report.steps) == 1 else f"{len(report.steps)} steps"
    return f"{heads(report.before)} → {heads(report.after)} ({count})"


def _moved(report: MigrationReport) -> bool:
    """Emptying the version table is no step, and a change."""
    return bool(report.steps) or report.before != report.after

"""Databases as text: made, dropped, waited for, all that `up` does."""

from __future__ import annotations

from rich.console import Group, RenderableType

from bootstrap.lifecycle import CreateReport, DropReport, UpReport, WaitHeadsReport, WaitReport
from bootstrap.reports.text.datasets import counts
from bootstrap.reports.text.rendering import NOTHING_TO_DO, database, facts, render
from bootstrap.reports.text.running import move


@render.register
def _(report: CreateReport) -> RenderableType:
    return f"Created {report.database}" if report.created else f"{report.database} exists already."


@render.register
def _(report: DropReport) -> RenderableType:
    if report.dropped:
        return f"Dropped {report.database}"
    return f"{report.database} does not exist. {NOTHING_TO_DO}"


@render.register
def _(report: WaitReport) -> RenderableType:
    database = "" if report.database_exists else " The database itself does not exist yet."
    return f"{report.database} answers after {report.seconds:.1f} s.{database}"


@render.register
def _(report: WaitHeadsReport) -> RenderableType:
    where = ", ".join(report.current) or "no revision"
    return f"{report.database} is at {where} after {report.seconds:.1f} s."


@render.register
def _(report: UpReport) -> RenderableType:
    rows = [
        ("Database", database(report.database, report.backend, report.migration.server_version)),
        ("Revision", move(report.migration)),
    ]
    if report.seeds:
        rows.append(("Rows", counts(report.seeds)))
    table = facts(rows)
    return table if report.changed else Group(table, NOTHING_TO_DO)

"""Databases as text: made, dropped, waited for, locked."""

from __future__ import annotations

from rich.console import Group, RenderableType

from bootstrap.inspecting.locking import LockReport
from bootstrap.lifecycle import CreateReport, DropReport, WaitHeadsReport, WaitReport
from bootstrap.reports.text.rendering import NOTHING_TO_DO, facts, render


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
def _(report: LockReport) -> RenderableType:
    if not report.held:
        return "Nobody holds the run lock."
    rows = [("Connection", report.session)]
    if report.pid is not None:
        rows.append(("Process", f"pid {report.pid} of {report.user}@{report.host}"))
    if report.since is not None:
        rows.append(("Since", f"{report.since:%Y-%m-%d %H:%M:%S} UTC"))
    table = facts([(name, value) for name, value in rows if value])
    return Group(table, "The run lock was taken away from it.") if report.broken else table

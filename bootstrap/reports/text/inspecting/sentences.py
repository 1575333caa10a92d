"""What is said in a sentence or two: models, the lock, the version table, files."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from bootstrap.errors import Place
from bootstrap.inspecting.accepting import AcceptReport
from bootstrap.inspecting.checking import CheckReport
from bootstrap.inspecting.ensuring import EnsureVersionReport
from bootstrap.inspecting.locking import LockReport
from bootstrap.reports.text.rendering import NOTHING_TO_DO, facts, render


@render.register
def _(report: CheckReport) -> RenderableType:
    if report.is_clean:
        return "No operation is pending: the database has what the models say."
    return Group("Pending operations:", *(Text(f"  {one.text}") for one in report.operations))


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


@render.register
def _(report: EnsureVersionReport) -> RenderableType:
    if report.created:
        return f"Created the version table {report.version_table}"
    return f"The version table {report.version_table} exists already. {NOTHING_TO_DO}"


@render.register
def _(report: AcceptReport) -> RenderableType:
    if not report.accepted:
        return "No file was changed after it was applied here."
    lines = [f"  {one.revision}   {Place(path=Path(one.path))}" for one in report.accepted]
    return Text("\n".join(("Accepted as they are now:", *lines)))

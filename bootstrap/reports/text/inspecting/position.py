"""Where a database is, as text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from bootstrap.errors import Place
from bootstrap.inspecting.inspection import CurrentReport, StatusReport
from bootstrap.inspecting.surveying import CurrentEachReport, StatusEachReport
from bootstrap.positions.changed import ChangedFile
from bootstrap.reports.text.halves import half_applied
from bootstrap.reports.text.inspecting import listings
from bootstrap.reports.text.rendering import database, facts, heads, newer, render, render_all


@render.register
def _(report: StatusReport) -> RenderableType:
    rows = [
        ("Database", database(report.database, report.backend, report.server_version)),
        ("Revision", heads(report.current)),
        ("Newest", heads(report.heads)),
        ("Pending", str(len(report.pending)) if report.pending else "none"),
    ]
    if report.first:
        rows.append(("First", f"{report.first} makes the schema of this empty database"))
    if report.ahead:
        return Group(facts(rows), newer(report.ahead))
    pending = [(step.revision, step.title) for step in report.pending]
    shown: list[RenderableType] = [facts(rows)]
    if pending:
        shown.append(facts(pending, indent=2))
    if report.half_applied:
        shown.append(half_applied(report.half_applied))
    if report.changed:
        shown.append(_changed(report.changed))
    return Group(*shown)


def _changed(files: Sequence[ChangedFile]) -> RenderableType:
    lines = [
        f"  {Place(path=Path(one.path))}   applied {one.applied:%Y-%m-%d %H:%M} UTC"
        for one in files
    ]
    return Text("\n".join(("Changed after being applied here:", *lines)))


@render.register
def _(report: CurrentReport) -> RenderableType:
    return Group(*(listings.position_line(one) for one in report.revisions), *_newer_lines(report))


@render_all.register
def _(report: CurrentReport) -> RenderableType:
    where = Text(f"Current revision(s) for {report.database}:")
    return Group(where, *(listings.entry(one) for one in report.revisions), *_newer_lines(report))


def _newer_lines(report: CurrentReport) -> list[RenderableType]:
    return [newer(report.ahead)] if report.ahead else []


@render.register(CurrentEachReport)
@render_all.register(CurrentEachReport)
def _(report: CurrentEachReport) -> RenderableType:
    return Group(*(render_all(one) for one in report.databases))


@render.register
def _(report: StatusEachReport) -> RenderableType:
    return Group(*(render(one) for one in report.databases))

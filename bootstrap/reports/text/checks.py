"""Comparisons as text: models, snapshots, servers, drift, diagrams."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from bootstrap.authoring.adopting import AdoptReport
from bootstrap.checking.baselining import BaselineReport
from bootstrap.checking.diagrams import DiagramReport
from bootstrap.checking.drifting import DriftReport
from bootstrap.checking.snapshots import SnapshotReport
from bootstrap.checking.verifying import VerifyReport
from bootstrap.inspecting.checking import CheckReport
from bootstrap.reports import verified
from bootstrap.reports.text.rendering import database, facts, heads, render
from bootstrap.schema.document import dumps


@render.register
def _(report: CheckReport) -> RenderableType:
    if report.is_clean:
        return "No operation is pending: the database has what the models say."
    return Group("Pending operations:", *(Text(f"  {one.text}") for one in report.operations))


@render.register
def _(report: SnapshotReport) -> RenderableType:
    if report.checked is None and report.written is None:
        return Text(dumps(report.schema).rstrip("\n"), no_wrap=True)
    lines = []
    if report.written is not None:
        lines.append(Text(f"Wrote {report.written} ({report.digest})"))
    if report.checked is not None:
        lines.append(Text(_compared(report)))
        lines += [Text(f"  {change}") for change in report.changes]
    return Group(*lines)


def _compared(report: SnapshotReport) -> str:
    if report.is_clean:
        return f"{report.database} has the schema of {report.checked}."
    return f"From {report.checked} to {report.database}:"


@render.register
def _(report: DiagramReport) -> RenderableType:
    if report.written is not None:
        return Text(f"Wrote {report.written}")
    return Text(report.mermaid.rstrip("\n"), no_wrap=True, overflow="ignore")


@render.register
def _(report: VerifyReport) -> RenderableType:
    return verified.text(report)


@render.register
def _(report: DriftReport) -> RenderableType:
    rows = [
        ("Database", database(report.database, report.backend, report.server_version)),
        ("Revision", heads(report.revisions)),
        ("Replayed", f"on {report.shadow}"),
    ]
    return Group(facts(rows), *verified.drifted(report))


@render.register
def _(report: AdoptReport) -> RenderableType:
    where = ("Database", database(report.database, report.backend, report.server_version))
    if report.revision is None:
        return Group(facts([where]), "\nThere is nothing to adopt.")
    name = report.revision.revision
    lines = [f"  {one.title}" for one in report.adopted]
    lines += [f"Not made by it: {title}" for title in report.missing]
    lines += [f"Not undone by its downgrade: {title}" for title in report.not_undone]
    lines += [f"Wrote {report.revision.path}", f"Here, go on with: bootstrap stamp {name}"]
    return Group(facts([where, ("Revision", name)]), *(Text(line) for line in lines))


@render.register
def _(report: BaselineReport) -> RenderableType:
    found = [", ".join(one) for one in report.matches]
    rows = [
        ("Database", database(report.database, report.backend, report.server_version)),
        ("Replayed", f"on {report.shadow}"),
        ("Matches", "; ".join(found) or "no revision"),
    ]
    if report.stamped:
        rows.append(("Stamped", heads(report.stamped)))
    if not found:
        rows.append(("Nearest", heads(report.nearest)))
    return Group(facts(rows), *verified.listed(report.differences))

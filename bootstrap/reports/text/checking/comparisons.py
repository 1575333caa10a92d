"""Snapshots, servers, drift and diagrams, as text."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from bootstrap.checking.baselining import BaselineReport
from bootstrap.checking.diagrams import DiagramReport
from bootstrap.checking.drifting import DriftReport
from bootstrap.checking.snapshots import SnapshotReport
from bootstrap.checking.verifying import VerifyReport
from bootstrap.reports import verified
from bootstrap.reports.text.rendering import database, facts, heads, render
from bootstrap.schema.document import dumps


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

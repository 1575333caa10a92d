"""What `doctor` has found as text."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bootstrap.backends.health import Finding, Verdict
from bootstrap.examining.doctoring import DoctorReport
from bootstrap.reports.text.rendering import database, facts, render

_STYLES = {
    Verdict.FINE: "green",
    Verdict.WARNING: "yellow",
    Verdict.PROBLEM: "bold red",
    Verdict.UNKNOWN: "cyan",
}


@render.register
def _(report: DoctorReport) -> RenderableType:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in report.findings:
        for row in _rows(finding):
            table.add_row(*row)
    return Group(*_heading(report), table, "", _total(report))


def _heading(report: DoctorReport) -> Iterator[RenderableType]:
    if report.database and report.backend:
        name = database(report.database, report.backend, report.server_version)
        yield facts([("Database", name)])
        yield ""


def _rows(finding: Finding) -> Iterator[tuple[Text, Text, Text]]:
    verdict = Text(finding.verdict.value, style=_STYLES[finding.verdict])
    yield verdict, Text(finding.check), Text(finding.text)
    if finding.hint:
        yield Text(), Text(), Text(f"→ {finding.hint}", style="dim")


def _total(report: DoctorReport) -> Text:
    unknown = sum(one.verdict is Verdict.UNKNOWN for one in report.findings)
    counts = [(report.problems, "problem"), (report.warnings, "warning")]
    said = [f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts]
    said += [f"{unknown} not looked at"] if unknown else []
    return Text(", ".join(said))

"""What was run on a database, as text."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from bootstrap.inspecting.logged import LogReport
from bootstrap.inspecting.surveying import LogEachReport
from bootstrap.records.log import LogEntry, Outcome
from bootstrap.reports.text.rendering import (
    below_each_other,
    database,
    facts,
    render,
    render_all,
)

_NOTHING = "Nothing is in the log of this database."
_SHOWN = 12  # characters of a checksum or a commit, as Git abbreviates


@render.register
def _(report: LogReport) -> RenderableType:
    if not report.entries:
        return _NOTHING
    table = Table(box=None, pad_edge=False)
    for heading in ("Started (UTC)", "Step", "Revision", "Outcome"):
        table.add_column(heading, overflow="fold")
    table.add_column("Took", justify="right")
    table.add_column("By", overflow="fold")
    for entry in report.entries:
        cells = (_started(entry), entry.direction, entry.revision, _outcome(entry))
        table.add_row(*(Text(cell) for cell in (*cells, _took(entry), _by(entry))))
    return table


@render_all.register
def _(report: LogReport) -> RenderableType:
    if not report.entries:
        return _NOTHING
    return below_each_other(_all_of(entry) for entry in report.entries)


@render.register
def _(report: LogEachReport) -> RenderableType:
    return below_each_other((_heading(one), render(one)) for one in report.databases)


@render_all.register
def _(report: LogEachReport) -> RenderableType:
    return below_each_other((_heading(one), render_all(one)) for one in report.databases)


def _heading(report: LogReport) -> RenderableType:
    return facts([("Database", database(report.database, report.backend, report.server_version))])


def _all_of(entry: LogEntry) -> tuple[RenderableType, ...]:
    rows = (
        ("Outcome", _outcome(entry)),
        ("Started", f"{_started(entry)} UTC"),
        ("Took", _took(entry)),
        ("Statements", "" if entry.statements is None else str(entry.statements)),
        ("Login", entry.database_user),
        ("Process", _by(entry)),
        ("Tool", f"bootstrap {entry.tool}"),
        ("Commit", (entry.git_commit or "")[:_SHOWN]),
        ("Checksum", (entry.checksum or "")[:_SHOWN]),
        ("Run", entry.run),
    )
    heading = Text(f"{entry.direction} {entry.revision}", style="bold")
    return heading, facts([(name, value) for name, value in rows if value], indent=2)


def _started(entry: LogEntry) -> str:
    return f"{entry.started:%Y-%m-%d %H:%M:%S}"


def _outcome(entry: LogEntry) -> str:
    if entry.outcome is not Outcome.FAILED:
        return entry.outcome.value
    at = f" at statement {entry.statements}" if entry.statements else ""
    return f"failed{at}" + (f" ({entry.error})" if entry.error else "")


def _took(entry: LogEntry) -> str:
    return "" if entry.seconds is None else f"{entry.seconds:.2f} s"


def _by(entry: LogEntry) -> str:
    return f"{entry.os_user}@{entry.host}" if entry.os_user and entry.host else ""

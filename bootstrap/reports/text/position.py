"""Where a database is, as text."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from bootstrap.errors import Place
from bootstrap.journal.half import Repair
from bootstrap.reports.text import listings
from bootstrap.reports.text.rendering import database, facts, heads, newer, render, render_all
from bootstrap.running.each import CurrentEachReport
from bootstrap.running.inspection import CurrentReport, StatusReport
from bootstrap.running.moves import Direction
from bootstrap.running.repairing import HalfAppliedStep, RepairReport

_STATES = {"again": "to be sent again"}


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
        shown.append(_half_applied(report.half_applied))
    return Group(*shown)


@render.register
def _(report: RepairReport) -> RenderableType:
    found = report.half_applied
    if found is None:
        return "Nothing is half-applied."
    said = {
        Repair.APPLIED: f"Statement {found.statement} is recorded as applied",
        Repair.NOT_APPLIED: f"Statement {found.statement} is recorded as not applied",
        Repair.DONE: "All of it is recorded as done",
        Repair.FORGET: "What was recorded of it is forgotten",
    }
    return Text(f"{said[report.decision]}: {found.direction} of revision {found.revision}.")


def _half_applied(found: HalfAppliedStep) -> RenderableType:
    """Where it is, and what comes next."""
    place = Place(path=Path(found.path), line=found.line) if found.path else ""
    verb = "migrate" if found.direction == Direction.UPGRADE else "downgrade"
    following = (
        "bootstrap repair --applied, or --not-applied, says what became of it"
        if found.is_in_doubt
        else f"bootstrap {verb} goes on at statement {found.applied + 1}"
    )
    lines = (
        f"Revision {found.revision} is half-applied ({found.direction}): statement "
        f"{found.statement} was the last one, and is {_STATES.get(found.state, found.state)}.",
        f"  {place}   {found.sql}",
        f"  {following}",
    )
    return Text("\n".join(lines))


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

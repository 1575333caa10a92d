"""What a run would do, as text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from bootstrap.backends.effects import Blocks
from bootstrap.errors import Place
from bootstrap.inspecting.forecast import PlannedOperation, PlannedStatement
from bootstrap.inspecting.planning import PlannedStep, PlanReport, TableRows
from bootstrap.inspecting.surveying import PlanEachReport
from bootstrap.reports.text.rendering import (
    NOTHING_TO_DO,
    below_each_other,
    database,
    facts,
    heads,
    newer,
    render,
    render_all,
)

_MORE = 5  # statements of one operation; an INSERT of many rows has thousands
_LONG = 160  # characters of one
_WAIT = {
    Blocks.NOBODY: "nobody waits",
    Blocks.WRITERS: "writers wait",
    Blocks.EVERYBODY: "readers and writers wait",
}


@render.register
def _(report: PlanReport) -> RenderableType:
    return _plan(report, in_full=False)


@render_all.register
def _(report: PlanReport) -> RenderableType:
    return _plan(report, in_full=True)


@render.register
def _(report: PlanEachReport) -> RenderableType:
    return below_each_other((_plan(one, in_full=False),) for one in report.databases)


@render_all.register
def _(report: PlanEachReport) -> RenderableType:
    return below_each_other((_plan(one, in_full=True),) for one in report.databases)


def _plan(report: PlanReport, *, in_full: bool) -> RenderableType:
    about = [("Database", database(report.database, report.backend, report.server_version))]
    if report.ahead:
        return Group(facts([*about, ("Revision", heads(report.before))]), newer(report.ahead))
    if not report.is_pending:
        return Group(facts([*about, ("Revision", heads(report.before))]), NOTHING_TO_DO)
    about.append(("Revision", f"{heads(report.before)} → {heads(report.after)}"))
    about += [("Rows", rows_of(one)) for one in report.tables]
    if report.half_applied:
        found = report.half_applied
        goes_on = f"at statement {found.applied + 1} of {found.revision}, where a run has ended"
        about.append(("Goes on", goes_on))
    total = len(report.steps)
    steps = [
        part
        for number, step in enumerate(report.steps, 1)
        for part in _step(step, f"{number}/{total}", in_full=in_full)
    ]
    return Group(facts(about), *steps)


def rows_of(one: TableRows) -> str:
    """How many rows a table has, as far as that is known."""
    if one.rows is None:
        return f"{one.table} has more than 10,000"
    return f"{one.table} has {'' if one.exact else 'about '}{one.rows:,}"


def _step(step: PlannedStep, number: str, *, in_full: bool) -> Iterator[RenderableType]:
    how = "one transaction" if step.transactional else "not one transaction"
    yield Text("")
    yield Text.assemble(
        (f"{step.direction}  {number}  {step.revision}", "bold"), f"  {step.title}  ({how})"
    )
    if step.path:
        yield _indented(Text(str(Place(path=Path(step.path))), style="dim"), by=2)
    for operation in step.operations:
        yield from _operation(operation, in_full=in_full)
    if not step.operations and not step.unknown:
        yield _indented(Text("does nothing"), by=2)
    if step.unknown:
        yield _indented(Text(step.unknown), by=2)


def _operation(operation: PlannedOperation, *, in_full: bool) -> Iterator[RenderableType]:
    outside = "  (outside of the transaction)" if operation.outside else ""
    yield _indented(Text(f"{_cut(_heading(operation), in_full=in_full)}{outside}"), by=2)
    shown = operation.statements if in_full else operation.statements[:_MORE]
    for statement in shown:
        yield _indented(Text(_cut(_one_line(statement), in_full=in_full), style="dim"), by=6)
        yield _indented(Text(effect_of(statement)), by=6)
    if left := len(operation.statements) - len(shown):
        yield _indented(Text(f"and {left} more statements"), by=6)


def _heading(operation: PlannedOperation) -> str:
    """The operation in words, without the SQL that it is all of and that stands below it."""
    only = _one_line(operation.statements[0]) if len(operation.statements) == 1 else ""
    return operation.text.removesuffix(f" {only}") if only else operation.text


def _one_line(statement: PlannedStatement) -> str:
    return " ".join(statement.sql.split())


def _cut(text: str, *, in_full: bool) -> str:
    return text if in_full or len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def effect_of(statement: PlannedStatement) -> str:
    """What a statement does to others, in words."""
    if statement.blocks is Blocks.UNKNOWN:
        return "lock: unknown" + (f"; {statement.note}" if statement.note else "")
    said = [f"lock: {statement.lock}, {_WAIT[statement.blocks]}"]
    if statement.rewrites:
        said.append("writes the table anew")
    elif statement.scans:
        said.append("reads all rows")
    return "; ".join((*said, statement.note) if statement.note else said)


def _indented(text: Text, *, by: int) -> RenderableType:
    return Padding(text, (0, 0, 0, by))

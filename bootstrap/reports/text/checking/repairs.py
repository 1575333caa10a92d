"""What was decided about what is half-applied, as text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from bootstrap.checking.repairing import RepairReport, UnrecordedStep
from bootstrap.errors import Place
from bootstrap.journal.half import Repair
from bootstrap.reports.text.halves import half_applied
from bootstrap.reports.text.rendering import render
from bootstrap.reports.verified import sides


@render.register
def _(report: RepairReport) -> RenderableType:
    if report.unrecorded is not None:
        return Text("\n".join(_unrecorded(report.unrecorded, report.decision)))
    found = report.half_applied
    if found is None:
        return "Nothing is half-applied."
    if report.decision is None:
        return half_applied(found)
    said = {
        Repair.APPLIED: f"Statement {found.statement} is recorded as applied",
        Repair.NOT_APPLIED: f"Statement {found.statement} is recorded as not applied",
        Repair.DONE: "All of it is recorded as done",
        Repair.FORGET: "What was recorded of it is forgotten",
    }
    return Text(f"{said[report.decision]}: {found.direction} of revision {found.revision}.")


def _unrecorded(found: UnrecordedStep, decision: Repair | None) -> Iterator[str]:
    match decision:
        case Repair.RECORD:
            yield f"Recorded where revision {found.revision} stopped; bootstrap migrate goes on."
        case Repair.DONE:
            yield f"All of it is recorded as done: upgrade of revision {found.revision}."
        case Repair.UNDO:
            yield f"Undone: upgrade of revision {found.revision}."
            yield from (f"  {one}" for one in found.undone)
        case _:
            yield from _found(found)


def _found(found: UnrecordedStep) -> Iterator[str]:
    """Where it has stopped, and what can be done."""
    yield f"Revision {found.revision} is half-applied, and nobody has recorded it."
    if len(found.stops) > 1:
        yield "  Nobody can tell after which of these statements it has stopped:"
    for stop in found.stops or (found.nearest,):
        yield _stop(found, stop)
        yield from _statement(found, stop)
    if not found.stops:
        for one in found.differences:
            yield f"    {one.title}"
            yield from (f"      {line}" for line in sides(one))
    yield f"  It was compared with {found.shadow}."
    if found.failed:
        yield "  There it did not come to its end:"
        yield from (f"    {line}" for line in found.failed.splitlines())
    if not found.choices:
        yield "  Finish it by hand, then: bootstrap stamp; or undo it by hand."
    yield from (f"  {command}" for command in found.choices)


def _stop(found: UnrecordedStep, stop: int) -> str:
    is_last = stop == len(found.statements) and not found.failed
    where = f"statement {stop}, the last one" if is_last else f"statement {stop}"
    if not found.stops:
        return f"  It is like none of its places; most like after {where}, but for:"
    return f"  It has stopped after {where}:" if len(found.stops) == 1 else f"  - {where}:"


def _statement(found: UnrecordedStep, stop: int) -> Iterator[str]:
    if stop:
        one = found.statements[stop - 1]
        place = Place(path=Path(found.path), line=one.line) if found.path else ""
        yield f"    {place}   {one.sql}"

"""Data sets as text."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bootstrap.datasets.reports import Action, RowDifference, SeedReport
from bootstrap.reports.text.rendering import NOTHING_TO_DO, render


@render.register
def _(report: SeedReport) -> RenderableType:
    if not report.data_sets:
        return "There are no data sets."
    parts: list[RenderableType] = [_data_sets(report)]
    if report.pruned:
        parts.append(_pruned(report))
    parts += [Text(_difference(one), overflow="fold") for one in report.differences]
    if report.dry_run and (left := report.changed - len(report.differences)):
        parts.append(f"and {left} more")
    if not report.changed:
        parts.append(NOTHING_TO_DO)
    elif report.dry_run:
        parts.append("This was a dry run: nothing was written.")
    return Group(*parts)


def _data_sets(report: SeedReport) -> Table:
    table = _table("Data set", "Table", counts=("Inserted", "Updated", "Unchanged"))
    for one in report.data_sets:
        written = (str(one.inserted), str(one.updated), str(one.unchanged))
        table.add_row(Text(one.data_set), Text(one.table), *written)
    return table


def _pruned(report: SeedReport) -> Table:
    table = _table("Rows that no data set has", counts=("Deleted",))
    for one in report.pruned:
        table.add_row(Text(one.table), str(one.deleted))
    return table


def _table(*headings: str, counts: tuple[str, ...]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for heading in counts:
        table.add_column(heading, justify="right")
    return table


def _difference(one: RowDifference) -> str:
    key = ", ".join(f"{name}={value}" for name, value in one.key.items())
    columns = f": {', '.join(one.columns)}" if one.action is Action.UPDATE else ""
    place = f"  ({one.data_set}:{one.line})" if one.data_set else ""
    return f"{one.action}  {one.table}  {key}{columns}{place}"


def counts(report: SeedReport) -> str:
    """What was written, in a few words."""
    return (
        f"{report.inserted} inserted, {report.updated} updated, {report.unchanged} unchanged"
        f" in {len(report.data_sets)} data sets"
    )

"""Data sets as text."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bootstrap.datasets.seeding import SeedReport
from bootstrap.reports.text.rendering import NOTHING_TO_DO, render


@render.register
def _(report: SeedReport) -> RenderableType:
    if not report.data_sets:
        return "There are no data sets."
    table = Table(box=None, pad_edge=False)
    table.add_column("Data set", overflow="fold")
    table.add_column("Table", overflow="fold")
    for heading in ("Inserted", "Updated", "Unchanged"):
        table.add_column(heading, justify="right")
    for one in report.data_sets:
        written = (str(one.inserted), str(one.updated), str(one.unchanged))
        table.add_row(Text(one.data_set), Text(one.table), *written)
    wrote = report.inserted + report.updated
    return table if wrote else Group(table, NOTHING_TO_DO)


def counts(report: SeedReport) -> str:
    """What was written, in a few words."""
    return (
        f"{report.inserted} inserted, {report.updated} updated, {report.unchanged} unchanged"
        f" in {len(report.data_sets)} data sets"
    )

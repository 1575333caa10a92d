"""Settings as text."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from bootstrap.configuration import ConfigReport
from bootstrap.reports.text.rendering import render


@render.register
def _(report: ConfigReport) -> RenderableType:
    table = Table(box=None, pad_edge=False)
    for heading in ("Setting", "Value", "From"):
        table.add_column(heading, overflow="fold")
    for row in report.settings:
        table.add_row(Text(row.name), Text(row.value or "-"), Text(row.source))
    return table

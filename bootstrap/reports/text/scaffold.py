"""A new project, as text."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from bootstrap.reports.text.rendering import render
from bootstrap.scaffold import InitReport


@render.register
def _(report: InitReport) -> RenderableType:
    lines = [Text(f"  {path}") for path in report.written]
    return Group(Text(f"Wrote in {report.folder}:"), *lines, Text(report.next_step))

"""The revisions on disk, as text."""

from __future__ import annotations

from rich.console import Group, RenderableType

from bootstrap.inspecting.browsing import BranchesReport, HeadsReport, HistoryReport, ShowReport
from bootstrap.reports.text.inspecting import listings
from bootstrap.reports.text.rendering import render, render_all


@render.register
def _(report: HeadsReport) -> RenderableType:
    return Group(*(listings.one_line(one) for one in report.revisions))


@render_all.register(HeadsReport)
@render_all.register(HistoryReport)
@render.register(ShowReport)
def _(report: HeadsReport | HistoryReport | ShowReport) -> RenderableType:
    return Group(*(listings.entry(one) for one in report.revisions))


@render.register
def _(report: BranchesReport) -> RenderableType:
    return Group(*(listings.branch_point(one) for one in report.branch_points))


@render_all.register
def _(report: BranchesReport) -> RenderableType:
    return Group(*(listings.branch_point_entry(one) for one in report.branch_points))


@render.register
def _(report: HistoryReport) -> RenderableType:
    return Group(*(listings.history_line(one) for one in report.revisions))

"""What is on disk, as text: revisions, their graph, new ones."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.text import Text

from bootstrap import backends
from bootstrap.authoring.new_revision import RevisionReport
from bootstrap.authoring.trying import Attempt
from bootstrap.authoring.writing import EditReport, MergeReport
from bootstrap.inspecting.browsing import BranchesReport, HeadsReport, HistoryReport, ShowReport
from bootstrap.reports.text import listings
from bootstrap.reports.text.rendering import NOTHING_TO_DO, render, render_all
from bootstrap.scaffold import InitReport


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


@render.register
def _(report: RevisionReport) -> RenderableType:
    if not report.revisions:
        return f"The models have nothing that the history has not. {NOTHING_TO_DO}"
    lines = [line for attempt in report.attempts for line in _attempt(attempt)]
    lines += [
        f"{backends.named(one.backend).title}: not tried, {one.why} ({one.hint})"
        for one in report.not_tried
    ]
    done = "Wrote" if report.kept else "Removed"
    lines += [f"{done} {one.path}" for one in report.revisions]
    operations = [f"  {one.text}" for one in report.operations]
    names = ", ".join(one.revision for one in report.revisions)
    return Group(*(Text(line) for line in (f"Revision {names}", *operations, *lines)))


def _attempt(attempt: Attempt) -> Iterable[str]:
    where = f"{backends.named(attempt.backend).title} {attempt.server_version}"
    if attempt.works:
        yield f"{where}: works, up and down"
    for heading, facts in (
        ("after the upgrade the models still need", [one.text for one in attempt.pending]),
        ("after the downgrade the schema is not what it was", attempt.not_undone),
        ("after the second upgrade it is not what it was after the first", attempt.not_repeated),
    ):
        yield from (f"{where}: {heading}:", *(f"  {fact}" for fact in facts)) if facts else ()


@render.register
def _(report: MergeReport) -> RenderableType:
    revision = report.revision
    merged = Text(f"Revision {revision.revision} merges {', '.join(revision.down_revisions)}")
    return Group(merged, Text(f"Wrote {revision.path}"))


@render.register
def _(report: EditReport) -> RenderableType:
    return Group(*(Text(f"Edited {path}") for path in report.paths))


@render.register
def _(report: InitReport) -> RenderableType:
    lines = [Text(f"  {path}") for path in report.written]
    return Group(Text(f"Wrote in {report.folder}:"), *lines, Text(report.next_step))

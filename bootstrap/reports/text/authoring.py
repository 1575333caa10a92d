"""New revisions, as text."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.text import Text

from bootstrap import backends
from bootstrap.authoring.adopting import AdoptReport
from bootstrap.authoring.new_revision import RevisionReport
from bootstrap.authoring.trying import Attempt
from bootstrap.authoring.writing import EditReport, MergeReport
from bootstrap.reports.text.rendering import NOTHING_TO_DO, database, facts, render


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
    for heading, found in (
        ("after the upgrade the models still need", [one.text for one in attempt.pending]),
        ("after the downgrade the schema is not what it was", attempt.not_undone),
        ("after the second upgrade it is not what it was after the first", attempt.not_repeated),
    ):
        yield from (f"{where}: {heading}:", *(f"  {fact}" for fact in found)) if found else ()


@render.register
def _(report: MergeReport) -> RenderableType:
    revision = report.revision
    merged = Text(f"Revision {revision.revision} merges {', '.join(revision.down_revisions)}")
    return Group(merged, Text(f"Wrote {revision.path}"))


@render.register
def _(report: EditReport) -> RenderableType:
    return Group(*(Text(f"Edited {path}") for path in report.paths))


@render.register
def _(report: AdoptReport) -> RenderableType:
    where = ("Database", database(report.database, report.backend, report.server_version))
    if report.revision is None:
        return Group(facts([where]), "\nThere is nothing to adopt.")
    name = report.revision.revision
    lines = [f"  {one.title}" for one in report.adopted]
    lines += [f"Not made by it: {title}" for title in report.missing]
    lines += [f"Not undone by its downgrade: {title}" for title in report.not_undone]
    lines += [f"Wrote {report.revision.path}", f"Here, go on with: bootstrap stamp {name}"]
    return Group(facts([where, ("Revision", name)]), *(Text(line) for line in lines))

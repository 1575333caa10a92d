"""Reports as text for people: a sentence, or a short table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import singledispatch

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bootstrap import backends
from bootstrap.configuration import ConfigReport
from bootstrap.datasets.seeding import SeedReport
from bootstrap.lifecycle import CreateReport, DropReport, UpReport, WaitReport
from bootstrap.reports import listings
from bootstrap.running.browsing import BranchesReport, HeadsReport, HistoryReport, ShowReport
from bootstrap.running.checking import CheckReport
from bootstrap.running.inspection import CurrentReport, StatusReport
from bootstrap.running.runner import MigrationReport
from bootstrap.running.writing import EditReport, MergeReport
from bootstrap.scaffold import InitReport

_NOTHING_TO_DO = "Nothing was left to do."


@singledispatch
def render(report: object) -> RenderableType:
    """What a person reads at the end of a command."""
    raise TypeError(f"there is no text for {type(report).__name__}")


@singledispatch
def render_all(report: object) -> RenderableType:
    """The same with all that there is to show; as `render` where that is all."""
    return render(report)


@render.register
def _(report: UpReport) -> RenderableType:
    facts = [
        ("Database", _database(report.database, report.backend, report.migration.server_version)),
        ("Revision", _move(report.migration)),
    ]
    if report.seeds:
        facts.append(("Rows", _rows(report.seeds)))
    table = _facts(facts)
    return table if report.changed else Group(table, _NOTHING_TO_DO)


@render.register
def _(report: CreateReport) -> RenderableType:
    return f"Created {report.database}" if report.created else f"{report.database} exists already."


@render.register
def _(report: DropReport) -> RenderableType:
    if report.dropped:
        return f"Dropped {report.database}"
    return f"{report.database} does not exist. {_NOTHING_TO_DO}"


@render.register
def _(report: WaitReport) -> RenderableType:
    database = "" if report.database_exists else " The database itself does not exist yet."
    return f"{report.database} answers after {report.seconds:.1f} s.{database}"


@render.register
def _(report: MigrationReport) -> RenderableType:
    table = _facts(
        [
            ("Database", _database(report.database, report.backend, report.server_version)),
            ("Revision", _move(report)),
        ]
    )
    return table if _moved(report) else Group(table, _NOTHING_TO_DO)


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
        counts = (str(one.inserted), str(one.updated), str(one.unchanged))
        table.add_row(Text(one.data_set), Text(one.table), *counts)
    wrote = report.inserted + report.updated
    return table if wrote else Group(table, _NOTHING_TO_DO)


@render.register
def _(report: StatusReport) -> RenderableType:
    facts = [
        ("Database", _database(report.database, report.backend, report.server_version)),
        ("Revision", _heads(report.current)),
        ("Newest", _heads(report.heads)),
        ("Pending", str(len(report.pending)) if report.pending else "none"),
    ]
    pending = [(step.revision, step.title) for step in report.pending]
    return Group(_facts(facts), _facts(pending, indent=2)) if pending else _facts(facts)


@render.register
def _(report: ConfigReport) -> RenderableType:
    table = Table(box=None, pad_edge=False)
    for heading in ("Setting", "Value", "From"):
        table.add_column(heading, overflow="fold")
    for row in report.settings:
        table.add_row(Text(row.name), Text(row.value or "-"), Text(row.source))
    return table


@render.register
def _(report: InitReport) -> RenderableType:
    lines = [Text(f"  {path}") for path in report.written]
    return Group(Text(f"Wrote in {report.folder}:"), *lines, Text(report.next_step))


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
def _(report: CurrentReport) -> RenderableType:
    return Group(*(listings.position_line(one) for one in report.revisions))


@render_all.register
def _(report: CurrentReport) -> RenderableType:
    where = Text(f"Current revision(s) for {report.database}:")
    return Group(where, *(listings.entry(one) for one in report.revisions))


@render.register
def _(report: CheckReport) -> RenderableType:
    if report.is_clean:
        return "No operation is pending: the database has what the models say."
    return Group("Pending operations:", *(Text(f"  {one.text}") for one in report.operations))


@render.register
def _(report: MergeReport) -> RenderableType:
    revision = report.revision
    merged = Text(f"Revision {revision.revision} merges {', '.join(revision.down_revisions)}")
    return Group(merged, Text(f"Wrote {revision.path}"))


@render.register
def _(report: EditReport) -> RenderableType:
    return Group(*(Text(f"Edited {path}") for path in report.paths))


def _facts(rows: Iterable[tuple[str, str]], *, indent: int = 0) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold" if not indent else None, no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(" " * indent + name), Text(value))
    return table


def _database(name: str, backend: str, version: str) -> str:
    return f"{name} ({backends.named(backend).title} {version})"


def _move(report: MigrationReport) -> str:
    if not _moved(report):
        return _heads(report.after)
    count = "1 step" if len(report.steps) == 1 else f"{len(report.steps)} steps"
    return f"{_heads(report.before)} → {_heads(report.after)} ({count})"


def _moved(report: MigrationReport) -> bool:
    """Emptying the version table is no step, and a change."""
    return bool(report.steps) or report.before != report.after


def _heads(heads: Sequence[str]) -> str:
    return ", ".join(heads) or "none"


def _rows(report: SeedReport) -> str:
    return (
        f"{report.inserted} inserted, {report.updated} updated, {report.unchanged} unchanged"
        f" in {len(report.data_sets)} data sets"
    )

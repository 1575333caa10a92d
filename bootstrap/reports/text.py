"""Reports as text for people: a sentence, or a short table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import singledispatch
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bootstrap import backends
from bootstrap.authoring.new_revision import RevisionReport
from bootstrap.authoring.trying import Attempt
from bootstrap.authoring.writing import EditReport, MergeReport
from bootstrap.checking.baselining import BaselineReport
from bootstrap.checking.diagrams import DiagramReport
from bootstrap.checking.drifting import DriftReport
from bootstrap.checking.snapshots import SnapshotReport
from bootstrap.checking.verifying import VerifyReport
from bootstrap.configuration import ConfigReport
from bootstrap.datasets.seeding import SeedReport
from bootstrap.errors import Place
from bootstrap.events import RunInterrupted
from bootstrap.journal.half import Repair
from bootstrap.lifecycle import CreateReport, DropReport, UpReport, WaitHeadsReport, WaitReport
from bootstrap.reports import listings, verified
from bootstrap.running.browsing import BranchesReport, HeadsReport, HistoryReport, ShowReport
from bootstrap.running.checking import CheckReport
from bootstrap.running.each import CurrentEachReport, MigrateEachReport, StatusEachReport
from bootstrap.running.ensuring import EnsureVersionReport
from bootstrap.running.inspection import CurrentReport, StatusReport
from bootstrap.running.locking import LockReport
from bootstrap.running.moves import Direction
from bootstrap.running.repairing import HalfAppliedStep, RepairReport
from bootstrap.running.runner import MigrationReport
from bootstrap.scaffold import InitReport
from bootstrap.schema.document import dumps

_STATES = {"again": "to be sent again"}
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
def _(report: LockReport) -> RenderableType:
    if not report.held:
        return "Nobody holds the run lock."
    facts = [("Connection", report.session)]
    if report.pid is not None:
        facts.append(("Process", f"pid {report.pid} of {report.user}@{report.host}"))
    if report.since is not None:
        facts.append(("Since", f"{report.since:%Y-%m-%d %H:%M:%S} UTC"))
    table = _facts([(name, value) for name, value in facts if value])
    return Group(table, "The run lock was taken away from it.") if report.broken else table


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
def _(report: WaitHeadsReport) -> RenderableType:
    where = ", ".join(report.current) or "no revision"
    return f"{report.database} is at {where} after {report.seconds:.1f} s."


@render.register
def _(report: MigrationReport) -> RenderableType:
    table = _facts(
        [
            ("Database", _database(report.database, report.backend, report.server_version)),
            ("Revision", _move(report)),
        ]
    )
    if report.ahead:
        return Group(table, _newer(report.ahead))
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
    if report.first:
        facts.append(("First", f"{report.first} makes the schema of this empty database"))
    if report.ahead:
        return Group(_facts(facts), _newer(report.ahead))
    pending = [(step.revision, step.title) for step in report.pending]
    shown: list[RenderableType] = [_facts(facts)]
    if pending:
        shown.append(_facts(pending, indent=2))
    if report.half_applied:
        shown.append(_half_applied(report.half_applied))
    return Group(*shown)


@render.register
def _(report: RepairReport) -> RenderableType:
    found = report.half_applied
    if found is None:
        return "Nothing is half-applied."
    said = {
        Repair.APPLIED: f"Statement {found.statement} is recorded as applied",
        Repair.NOT_APPLIED: f"Statement {found.statement} is recorded as not applied",
        Repair.DONE: "All of it is recorded as done",
        Repair.FORGET: "What was recorded of it is forgotten",
    }
    return Text(f"{said[report.decision]}: {found.direction} of revision {found.revision}.")


def _half_applied(found: HalfAppliedStep) -> RenderableType:
    """Where it is, and what comes next."""
    place = Place(path=Path(found.path), line=found.line) if found.path else ""
    verb = "migrate" if found.direction == Direction.UPGRADE else "downgrade"
    following = (
        "bootstrap repair --applied, or --not-applied, says what became of it"
        if found.is_in_doubt
        else f"bootstrap {verb} goes on at statement {found.applied + 1}"
    )
    lines = (
        f"Revision {found.revision} is half-applied ({found.direction}): statement "
        f"{found.statement} was the last one, and is {_STATES.get(found.state, found.state)}.",
        f"  {place}   {found.sql}",
        f"  {following}",
    )
    return Text("\n".join(lines))


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
    return Group(*(listings.position_line(one) for one in report.revisions), *_newer_lines(report))


@render_all.register
def _(report: CurrentReport) -> RenderableType:
    where = Text(f"Current revision(s) for {report.database}:")
    return Group(where, *(listings.entry(one) for one in report.revisions), *_newer_lines(report))


def _newer_lines(report: CurrentReport) -> list[RenderableType]:
    return [_newer(report.ahead)] if report.ahead else []


@render.register(CurrentEachReport)
@render_all.register(CurrentEachReport)
def _(report: CurrentEachReport) -> RenderableType:
    return Group(*(render_all(one) for one in report.databases))


@render.register(MigrateEachReport)
@render.register(StatusEachReport)
def _(report: MigrateEachReport | StatusEachReport) -> RenderableType:
    return Group(*(render(one) for one in report.databases))


@render.register
def _(report: CheckReport) -> RenderableType:
    if report.is_clean:
        return "No operation is pending: the database has what the models say."
    return Group("Pending operations:", *(Text(f"  {one.text}") for one in report.operations))


@render.register
def _(report: RevisionReport) -> RenderableType:
    if not report.revisions:
        return f"The models have nothing that the history has not. {_NOTHING_TO_DO}"
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
def _(report: SnapshotReport) -> RenderableType:
    if report.checked is None and report.written is None:
        return Text(dumps(report.schema).rstrip("\n"), no_wrap=True)
    lines = []
    if report.written is not None:
        lines.append(Text(f"Wrote {report.written} ({report.digest})"))
    if report.checked is not None:
        lines.append(Text(_compared(report)))
        lines += [Text(f"  {change}") for change in report.changes]
    return Group(*lines)


@render.register
def _(report: DiagramReport) -> RenderableType:
    if report.written is not None:
        return Text(f"Wrote {report.written}")
    return Text(report.mermaid.rstrip("\n"), no_wrap=True, overflow="ignore")


@render.register
def _(report: VerifyReport) -> RenderableType:
    return verified.text(report)


@render.register
def _(report: DriftReport) -> RenderableType:
    rows = [
        ("Database", _database(report.database, report.backend, report.server_version)),
        ("Revision", _heads(report.revisions)),
        ("Replayed", f"on {report.shadow}"),
    ]
    return Group(_facts(rows), *verified.drifted(report))


@render.register
def _(report: BaselineReport) -> RenderableType:
    found = [", ".join(heads) for heads in report.matches]
    rows = [
        ("Database", _database(report.database, report.backend, report.server_version)),
        ("Replayed", f"on {report.shadow}"),
        ("Matches", "; ".join(found) or "no revision"),
    ]
    if report.stamped:
        rows.append(("Stamped", _heads(report.stamped)))
    if not found:
        rows.append(("Nearest", _heads(report.nearest)))
    return Group(_facts(rows), *verified.listed(report.differences))


@render.register
def _(report: MergeReport) -> RenderableType:
    revision = report.revision
    merged = Text(f"Revision {revision.revision} merges {', '.join(revision.down_revisions)}")
    return Group(merged, Text(f"Wrote {revision.path}"))


@render.register
def _(report: EnsureVersionReport) -> RenderableType:
    if report.created:
        return f"Created the version table {report.version_table}"
    return f"The version table {report.version_table} exists already. {_NOTHING_TO_DO}"


@render.register
def _(report: EditReport) -> RenderableType:
    return Group(*(Text(f"Edited {path}") for path in report.paths))


def _compared(report: SnapshotReport) -> str:
    if report.is_clean:
        return f"{report.database} has the schema of {report.checked}."
    return f"From {report.checked} to {report.database}:"


def _facts(rows: Iterable[tuple[str, str]], *, indent: int = 0) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold" if not indent else None, no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(" " * indent + name), Text(value))
    return table


def interrupted(event: RunInterrupted) -> str:
    """How a run that was stopped has left the database."""
    known = event.current is not None
    where = f"the database is at {', '.join(event.current or ()) or 'no revision'}" if known else ""
    return "; ".join(part for part in (where, event.stays) if part)


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


def _newer(ahead: Sequence[str]) -> Text:
    return Text(
        f"Newer code has migrated this database: no file here has {', '.join(ahead)}. "
        "Nothing was done."
    )


def _heads(heads: Sequence[str]) -> str:
    return ", ".join(heads) or "none"


def _rows(report: SeedReport) -> str:
    return (
        f"{report.inserted} inserted, {report.updated} updated, {report.unchanged} unchanged"
        f" in {len(report.data_sets)} data sets"
    )

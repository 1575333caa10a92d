"""Reports as Markdown, as GitHub shows it on the page of a run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import singledispatch
from io import StringIO

from rich.console import Console

from bootstrap.checking.differences import Difference
from bootstrap.checking.drifting import DriftReport
from bootstrap.checking.restoring import Restoration
from bootstrap.checking.verifying import VerifyReport
from bootstrap.datasets.reports import SeedReport
from bootstrap.errors import BootstrapError
from bootstrap.examining.doctoring import DoctorReport
from bootstrap.inspecting.checking import CheckReport
from bootstrap.inspecting.inspection import StatusReport
from bootstrap.inspecting.planning import PlannedStep, PlanReport
from bootstrap.inspecting.surveying import PlanEachReport, StatusEachReport
from bootstrap.lifecycle import UpReport
from bootstrap.reports import text, verified
from bootstrap.reports.text.inspecting.planned import effect_of, rows_of
from bootstrap.running.each import MigrateEachReport
from bootstrap.running.runner import MigrationReport

_WIDE = 200  # columns
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def summary(command: str, report: object, *, no: str = "") -> str:
    """What a command did, below a heading.

    Args:
        command: Which.
        report: What it reports.
        no: Why the answer to what it asks is no; empty where it is yes.
    """
    mark = "❌" if no else "✅"
    said = (f"{escaped(no)}\n",) if no else ()
    return "\n".join((f"### {mark} bootstrap {command}\n", *said, body(report), ""))


def error_summary(command: str, error: BootstrapError) -> str:
    """Why a command failed, below a heading."""
    hint = (f"**hint:** {escaped(error.hint)}\n",) if error.hint else ()
    return "\n".join((f"### ❌ bootstrap {command}\n", _fenced(error.message), *hint, ""))


@singledispatch
def body(report: object) -> str:
    """The report itself; as the text for people where there is no better form."""
    console = Console(file=StringIO(), width=_WIDE, no_color=True, soft_wrap=True, markup=False)
    with console.capture() as shown:
        console.print(text.render(report))
    return _fenced("\n".join(line.rstrip() for line in shown.get().splitlines()))


@body.register
def _(report: PlanReport) -> str:
    if not report.is_pending:
        return f"Nothing is pending: the database is at {escaped(', '.join(report.before))}.\n"
    rows = [f"- {escaped(rows_of(one))} rows" for one in report.tables]
    steps = [_planned(step) for step in report.steps]
    return "\n".join((*rows, "", *steps))


@body.register
def _(report: PlanEachReport) -> str:
    parts = [f"**{escaped(one.database)}**\n\n{body(one)}" for one in report.databases]
    return "\n".join(parts)


def _planned(step: PlannedStep) -> str:
    how = "one transaction" if step.transactional else "not one transaction"
    lines = [
        f"#### {step.direction} {escaped(step.revision)} ({how})\n",
        f"{escaped(step.title)}\n",
    ]
    for operation in step.operations:
        lines.append(f"- {escaped(operation.text)}")
        lines += [f"  - {escaped(effect_of(sent))}" for sent in operation.statements]
    if step.unknown:
        lines.append(f"- {escaped(step.unknown)}")
    sql = "\n".join(sent.sql for one in step.operations for sent in one.statements)
    return "\n".join((*lines, "", *([_fenced(sql)] if sql else [])))


@body.register
def _(report: MigrationReport) -> str:
    before, after = (", ".join(heads) or "none" for heads in (report.before, report.after))
    facts = _facts(
        [
            ("Database", f"{report.database} ({report.backend} {report.server_version})"),
            ("Revision", before if before == after else f"{before} → {after}"),
        ]
    )
    steps = [(one.direction, one.revision, one.title, f"{one.seconds:.2f}") for one in report.steps]
    return facts + _listed(("Step", "Revision", "Title", "Seconds"), steps)


@body.register
def _(report: SeedReport) -> str:
    rows = [
        (one.data_set, one.table, str(one.inserted), str(one.updated), str(one.unchanged))
        for one in report.data_sets
    ]
    deleted = [(one.table, str(one.deleted)) for one in report.pruned]
    return _listed(("Data set", "Table", "Inserted", "Updated", "Unchanged"), rows) + _listed(
        ("Rows that no data set has", "Deleted"), deleted
    )


@body.register
def _(report: UpReport) -> str:
    return body(report.migration) + (body(report.seeds) if report.seeds else "")


@body.register
def _(report: StatusReport) -> str:
    facts = _facts(
        [
            ("Database", f"{report.database} ({report.backend} {report.server_version})"),
            ("Revision", ", ".join(report.current) or "none"),
            ("Newest", ", ".join(report.heads) or "none"),
        ]
    )
    pending = [(step.revision, step.title) for step in report.pending]
    return facts + _listed(("Pending", "Title"), pending)


@body.register(MigrateEachReport)
@body.register(StatusEachReport)
def _(report: MigrateEachReport | StatusEachReport) -> str:
    return "".join(body(one) for one in report.databases)


@body.register
def _(report: CheckReport) -> str:
    where = f"{report.database} ({report.backend} {report.server_version})"
    pending = [(one.kind, one.table or "", one.text) for one in report.operations]
    return _facts([("Database", where)]) + _listed(("Pending", "Table", "Operation"), pending)


@body.register
def _(report: DoctorReport) -> str:
    where = report.database or "none"
    server = f" ({report.backend} {report.server_version})" if report.backend else ""
    rows = [(one.verdict.value, one.check, one.text, one.hint) for one in report.findings]
    listed = _listed(("Verdict", "Check", "Found", "To mend it"), rows)
    return _facts([("Database", f"{where}{server}")]) + listed


@body.register
def _(report: VerifyReport) -> str:
    servers = [
        (one.name, str(len(one.revisions)), str(len(one.tables)), f"{one.seconds:.1f}")
        for one in report.servers
    ]
    servers += [(f"{one.backend}: {one.why}", "", "", "") for one in report.not_verified]
    parts = [_listed(("Server", "Revisions", "Tables", "Seconds"), servers), _differences(report)]
    if report.losses:
        lines = "".join(f"- {escaped(line)}\n" for line in verified.losses(report.losses))
        parts.append(f"**Downgrades that lose rows:**\n\n{lines}\n")
    if report.probed is not None and report.probed.not_probed:
        _, *reasons = verified.not_probed(report.probed)
        listed = "".join(f"- {escaped(reason)}\n" for reason in reasons)
        parts.append(f"**Not probed:**\n\n{listed}\n")
    return "".join((*parts, _unused(report), verified.total(report), "\n"))


@body.register
def _(report: DriftReport) -> str:
    facts = _facts(
        [
            ("Database", f"{report.database} ({report.backend} {report.server_version})"),
            ("Revision", ", ".join(report.revisions) or "none"),
            ("Replayed", f"on {report.shadow}"),
        ]
    )
    sql = _restoration(report.restoration)
    parts = (facts, _differences(report), sql, _gone(report), _unused(report))
    return "".join((*parts, verified.total(report), "\n"))


def _gone(report: DriftReport) -> str:
    if not report.gone:
        return ""
    lines = "".join(f"- {escaped(verified.known(one))}\n" for one in report.gone)
    return f"**{escaped(verified.gone_heading(report))}**\n\n{lines}\n"


def _restoration(found: Restoration | None) -> str:
    if found is None:
        return ""
    lines = "".join(f"- {escaped(line)}\n" for line in verified.not_restored(found))
    script = _fenced(found.script, language="sql") if found.script else ""
    return f"**{verified.RESTORING}**\n\n{script}\n{lines}\n"


def _differences(report: verified.Compared) -> str:
    """A table for each comparison that found something."""
    parts: list[str] = []
    for comparison, heading in verified.HEADINGS.items():
        found = [
            (one.weight, verified.title(one), *_sides(one), one.why)
            for one in report.open
            if one.comparison is comparison
        ]
        headed = ("Class", "What", "On each side", "Why it matters")
        parts += [f"**{heading}**\n\n", _listed(headed, found)] if found else []
    return "".join(parts)


def _unused(report: verified.Compared) -> str:
    if not report.unused:
        return ""
    lines = "".join(f"- {escaped(verified.acceptance(one))}\n" for one in report.unused)
    return f"**Accepted, and not to be found here:**\n\n{lines}\n"


def _sides(one: Difference) -> tuple[str]:
    return ("; ".join(verified.where(one)),)


def _facts(rows: Iterable[tuple[str, str]]) -> str:
    return "".join(f"- **{name}** {escaped(value)}\n" for name, value in rows) + "\n"


def _listed(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, and nothing where it would have no row."""
    if not rows:
        return ""
    lines = (headings, ["---"] * len(headings), *([escaped(cell) for cell in row] for row in rows))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines) + "\n"


def escaped(value: str) -> str:
    """A text as Markdown has it: names and SQL are no markup, and stay on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(value.split()))


def _fenced(block: str, *, language: str = "text") -> str:
    """Text as it is; the fence is longer than any in the text."""
    longest = max((len(run) for run in re.findall(r"`+", block)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{block}\n{fence}\n"

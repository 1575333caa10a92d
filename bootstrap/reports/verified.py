"""What `verify` and `drift` found, as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import TypeAlias

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bootstrap import backends
from bootstrap.checking.acceptances import Acceptance
from bootstrap.checking.differences import Comparison, Difference
from bootstrap.checking.drifting import DriftReport
from bootstrap.checking.knowing import Known
from bootstrap.checking.probed import Probed
from bootstrap.checking.restoring import Restoration
from bootstrap.checking.rows import Loss
from bootstrap.checking.verifying import VerifiedServer, VerifyReport
from bootstrap.schema.changes import Weight, named

_LONGEST = 160  # characters of one side
_NAMED = 12  # columns in one line of the table
_STYLES = {Weight.DEFINITION: "red", Weight.POLICY: "yellow"}
SAME = {
    VerifyReport: "The history makes the same schema everywhere.",
    DriftReport: "The database has the schema that its history makes.",
}
HEADINGS = {
    Comparison.SERVERS: "Between the servers:",
    Comparison.MODELS: "Between the models and the revisions:",
    Comparison.STAIRWAY: "Up, down and up again:",
    Comparison.PROBE: "What the servers say to the same rows:",
    Comparison.DRIFT: "From the revisions to the database:",
}
RESTORING = "SQL that would bring the database back; nothing of it was run there:"
_OF_SERVERS = (Comparison.SERVERS, Comparison.PROBE)  # whose sides are servers themselves
Compared: TypeAlias = VerifyReport | DriftReport


def text(report: VerifyReport) -> RenderableType:
    """The servers, what differs, and the sum of it."""
    return Group(*_parts(report))


def sides(difference: Difference) -> Iterator[str]:
    """One line for each value that there is, with all that have it."""
    alike: dict[str | None, list[str]] = {}
    for side in difference.sides:
        alike.setdefault(side.value, []).append(side.where)
    for value, who in alike.items():
        yield f"{', '.join(who)}: {_shortened(value)}"


def total(report: Compared) -> str:
    """How many differences there are, by class."""
    if not report.differences:
        return SAME[type(report)]
    counts = [
        (sum(not one.accepted and one.weight is weight for one in report.differences), weight)
        for weight in (Weight.DEFINITION, Weight.POLICY)
    ]
    parts = [counted(count, f"{weight} difference") for count, weight in counts if count]
    accepted = sum(bool(one.accepted) for one in report.differences)
    parts += [f"{accepted} accepted"] if accepted else []
    return ", ".join(parts)


def _parts(report: VerifyReport) -> Iterator[RenderableType]:
    yield _servers(report.servers)
    for missing in report.not_verified:
        title = backends.named(missing.backend).title
        yield Text(f"{title}: not verified, {missing.why} ({missing.hint})")
    yield from listed(report.open)
    if report.losses:
        yield Text("\nDowngrades that lose rows:", style="bold")
        yield from (Text(f"  {line}") for line in losses(report.losses))
    for server, tables in report.not_filled.items():
        yield Text(f"{server}: no row in {', '.join(tables)}")
    if report.probed is not None:
        yield from (Text(line) for line in not_probed(report.probed))
    yield from _ending(report)


def drifted(report: DriftReport) -> Iterator[RenderableType]:
    """What differs, and the sum of it; the facts stand above."""
    yield from listed(report.open)
    if report.restoration is not None:
        yield Text(f"\n{RESTORING}", style="bold")
        # Not wrapped: it is to be copied.
        yield Text(report.restoration.script or "nothing", no_wrap=True, overflow="ignore")
        yield from (Text(line) for line in not_restored(report.restoration))
    if report.gone:
        yield Text(f"\n{gone_heading(report)}", style="bold")
        yield from (Text(f"  {known(one)}") for one in report.gone)
    yield from _ending(report)


def gone_heading(report: DriftReport) -> str:
    """What stands above the differences that are gone."""
    return f"In {report.baseline}, and not to be found any longer:"


def known(one: Known) -> str:
    """A difference of a baseline in words."""
    attribute = f": {one.attribute}" if one.attribute else ""
    return f"{named(one.kind, one.name, table=one.table)}{attribute}"


def not_restored(restoration: Restoration) -> Iterator[str]:
    """One line for each difference that the SQL does not remove, or that it was not tried on."""
    yield from (f"No statement for: {title}" for title in restoration.missing)
    yield from (f"Not tried on the shadow: {title}" for title in restoration.untried)


def listed(differences: Sequence[Difference]) -> Iterator[RenderableType]:
    """A table for each comparison that found something, below its heading."""
    for comparison, heading in HEADINGS.items():
        found = [one for one in differences if one.comparison is comparison]
        if found:
            yield Text(f"\n{heading}", style="bold")
            yield _differences(found)


def _ending(report: Compared) -> Iterator[RenderableType]:
    if report.unused:
        yield Text("\nAccepted in pyproject.toml, and not to be found here:", style="bold")
        yield from (Text(f"  {acceptance(one)}") for one in report.unused)
    yield Text(f"\n{total(report)}")
    if report.written is not None:
        yield Text(f"Wrote {report.added} of them to {report.written}; edit their reasons")


def losses(found: Sequence[Loss]) -> Iterator[str]:
    """One line for each revision and table."""
    servers: dict[tuple[str, str, int], list[str]] = {}
    for one in found:
        servers.setdefault((one.revision, one.table, one.rows), []).append(one.server)
    for (revision, table, rows), names in servers.items():
        yield f"{revision}: {counted(rows, 'row')} of {table} ({', '.join(names)})"


def not_probed(probed: Probed) -> Iterator[str]:
    """A heading and one line for each reason why something could not be asked about."""
    about: dict[str, list[str]] = {}
    for one in probed.not_probed:
        about.setdefault(one.why, []).append(".".join(filter(None, (one.table, one.name))))
    if about:
        yield "\nNot probed:"
        yield from (f"  {', '.join(names)}: {why}" for why, names in about.items())


def acceptance(one: Acceptance) -> str:
    """What it is about, and the reason."""
    facts = [getattr(one, field.name) for field in fields(one) if field.name != "reason"]
    return f"{' '.join(fact for fact in facts if fact not in ('', '*'))}: {one.reason}"


def _servers(servers: Sequence[VerifiedServer]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("Server", overflow="fold")
    for heading in ("Revisions", "Tables", "Seconds"):
        table.add_column(heading, justify="right")
    for one in servers:
        counts = (str(len(one.revisions)), str(len(one.tables)), f"{one.seconds:.1f} s")
        table.add_row(Text(one.name), *counts)
    return table


def _differences(found: Sequence[Difference]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Class")
    table.add_column("What", overflow="fold", ratio=3)
    table.add_column("On each side", overflow="fold", ratio=5)
    table.add_column("Why it matters", overflow="fold", ratio=3)
    for group in alike(found):
        one = group[0]
        table.add_row(
            Text(one.weight, style=_STYLES.get(one.weight, "")),
            Text(_titles(group) + (f"\n(revision {one.revision})" if one.revision else "")),
            Text("\n".join(where(one))),
            Text(one.why),
            end_section=True,
        )
    return table


def alike(found: Sequence[Difference]) -> Iterator[Sequence[Difference]]:
    """Differences that are the same but for the column, so that each is explained once."""
    groups: dict[object, list[Difference]] = {}
    for one in found:
        alone = (one.table, one.name) if one.weight is Weight.DEFINITION else ()
        key = (
            one.weight,
            one.kind,
            one.attribute,
            one.sides,
            one.servers,
            one.revision,
            one.accepted,
            alone,
        )
        groups.setdefault(key, []).append(one)
    yield from groups.values()


def _titles(group: Sequence[Difference]) -> str:
    if len(group) == 1:
        return group[0].title
    names = [f"{one.table}.{one.name}" for one in group]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{group[0].attribute} of {', '.join(names[:_NAMED])}{more}"


def title(one: Difference) -> str:
    """What is different, with the revision whose downgrade it is about."""
    return f"{one.title} (revision {one.revision})" if one.revision else one.title


def where(difference: Difference) -> Iterator[str]:
    """The sides, after the servers where they are not servers themselves."""
    if difference.servers and difference.comparison not in _OF_SERVERS:
        yield f"on {', '.join(difference.servers)}"
    yield from sides(difference)


def _shortened(value: str | None) -> str:
    if value is None:
        return "none"
    return value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"


def counted(count: int, what: str) -> str:
    """A number of things, in words."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"

"""What `verify` and `drift` found as JUnit XML, which CI servers show as test cases.

A case is a table that was compared between the servers, by their answers, with the models or with
the live database, or a revision on the stairway. The form is the one that Jenkins, GitLab and
others have in common.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from bootstrap.checking.differences import Comparison, Difference
from bootstrap.checking.drifting import DriftReport
from bootstrap.checking.probed import Probed
from bootstrap.checking.verifying import VerifyReport
from bootstrap.reports.masking import Masked
from bootstrap.reports.verified import Compared, sides
from bootstrap.schema.changes import Kind

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DATABASE = "(database)"  # what belongs to no table


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    group: str
    name: str
    differences: Sequence[Difference] = ()
    skipped: str = ""
    seconds: float = 0.0

    @property
    def open(self) -> Sequence[Difference]:
        return [one for one in self.differences if not one.accepted]


def junit(report: Compared, *, masked: Masked = str) -> str:
    """The report as an XML document; `masked` takes the secrets out of texts."""
    name = "drift" if isinstance(report, DriftReport) else "verify"
    cases = list(_drifted(report) if isinstance(report, DriftReport) else _cases(report))
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(bool(case.open) for case in cases)),
        "errors": "0",
        "time": f"{report.seconds:.3f}",
    }
    root = ET.Element("testsuites", {"name": f"bootstrap {name}", **counts})
    skipped = str(sum(bool(case.skipped) for case in cases))
    suite = ET.SubElement(root, "testsuite", {"name": name, **counts, "skipped": skipped})
    for case in cases:
        _add(suite, case)
    for one in suite:
        _mask(one, masked)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _drifted(report: DriftReport) -> Iterator[_Case]:
    yield from _tables("drift", report.differences, set(report.tables))


def _cases(report: VerifyReport) -> Iterator[_Case]:
    for server in report.servers:
        yield _Case(group="verify.upgrade", name=server.name, seconds=server.seconds)
    for missing in report.not_verified:
        why = f"{missing.why}: {missing.hint}"
        yield _Case(group="verify.upgrade", name=missing.backend, skipped=why)
    found_in = _grouped(report.differences)
    tables = {table for server in report.servers for table in server.tables}
    if len(report.servers) > 1:
        yield from _tables("verify.servers", found_in[Comparison.SERVERS], tables)
    if report.probed is not None:
        yield from _probed(report.probed, found_in[Comparison.PROBE])
    for server in report.servers:
        if server.models_compared:
            found = [one for one in found_in[Comparison.MODELS] if server.name in one.servers]
            yield from _tables(f"verify.models on {server.name}", found, set(server.tables))
        yield from _stairs(report, found_in[Comparison.STAIRWAY], server.name, server.revisions)


def _probed(probed: Probed, found: Sequence[Difference]) -> Iterator[_Case]:
    """Each table; one that could not be asked about is skipped."""
    yield from _tables("verify.probe", found, set(probed.tables))
    for one in probed.not_probed:
        if not one.name:
            yield _Case(group="verify.probe", name=one.table, skipped=one.why)


def _grouped(differences: Iterable[Difference]) -> dict[Comparison, list[Difference]]:
    found: dict[Comparison, list[Difference]] = {one: [] for one in Comparison}
    for one in differences:
        found[one.comparison].append(one)
    return found


def _tables(group: str, found: Sequence[Difference], tables: set[str]) -> Iterator[_Case]:
    by_table: dict[str, list[Difference]] = {table: [] for table in tables}
    for one in found:
        by_table.setdefault(one.table or _DATABASE, []).append(one)
    for table in sorted(by_table):
        yield _Case(group=group, name=table, differences=by_table[table])


def _stairs(
    report: VerifyReport, found: Sequence[Difference], server: str, revisions: Sequence[str]
) -> Iterator[_Case]:
    """Each revision where the stairway was gone; else those whose downgrade rows prevented."""
    here = [one for one in found if server in one.servers]
    failed = {one.revision for one in here}
    for revision in revisions:
        if report.stairway or revision in failed:
            yield _Case(
                group=f"verify.stairway on {server}",
                name=revision,
                differences=[one for one in here if one.revision == revision],
            )


def _add(suite: ET.Element, case: _Case) -> None:
    attributes = {
        "classname": _clean(case.group),
        "name": _clean(case.name),
        "time": f"{case.seconds:.3f}",
    }
    element = ET.SubElement(suite, "testcase", attributes)
    if case.skipped:
        ET.SubElement(element, "skipped", {"message": _clean(case.skipped)})
    if case.open:
        weights = sorted({one.weight.value for one in case.open})
        said = "; ".join(one.title for one in case.open)
        failure = {"type": ", ".join(weights), "message": _clean(said)}
        ET.SubElement(element, "failure", failure).text = _clean(_told(case.open))
    accepted = [one for one in case.differences if one.accepted]
    if accepted:
        lines = [f"accepted: {one.title}: {one.accepted}" for one in accepted]
        ET.SubElement(element, "system-out").text = _clean("\n".join(lines))


def _mask(case: ET.Element, masked: Masked) -> None:
    """Takes the secrets out of what a case says; its class is in our words."""
    for one in case.iter():
        one.text = one.text and masked(one.text)
        for name in ("name", "message"):
            if name in one.attrib:
                one.set(name, masked(one.attrib[name]))


def _told(differences: Iterable[Difference]) -> str:
    lines: list[str] = []
    for one in differences:
        why = "" if one.kind is Kind.OTHER else f" ({one.why})"
        lines += [f"{one.weight}: {one.title}{why}", *(f"  {side}" for side in sides(one))]
    return "\n".join(lines)


def _clean(text: str) -> str:
    """Names and texts may hold characters that XML has no way to write."""
    return _NOT_IN_XML.sub("\ufffd", text)

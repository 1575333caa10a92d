"""What a report says no to, finding by finding, for the annotations of GitHub Actions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch

from bootstrap.backends.health import Verdict
from bootstrap.checking.drifting import DriftReport
from bootstrap.checking.verifying import VerifyReport
from bootstrap.examining.doctoring import DoctorReport
from bootstrap.reports.verified import sides

_MOST = 9  # GitHub shows ten errors of a step; the last one says how many there are


@singledispatch
def findings(_report: object, *, no: str) -> Sequence[str]:
    """One message for each; the answer alone where a report has no findings of its own."""
    return (no,)


@findings.register
def _(report: VerifyReport | DriftReport, *, no: str) -> Sequence[str]:
    found = ["\n".join((f"{one.weight}: {one.title}", *sides(one), one.why)) for one in report.open]
    left = len(found) - _MOST
    more = f" {left} more differences are in the report." if left > 0 else ""
    return (*found[:_MOST], f"{no}{more}")


@findings.register
def _(report: DoctorReport, *, no: str) -> Sequence[str]:
    wrong = [one for one in report.findings if one.verdict is Verdict.PROBLEM]
    found = [f"{one.check}: {one.text}\nhint: {one.hint}".removesuffix("\nhint: ") for one in wrong]
    return (*found[:_MOST], no)

"""The first thing on the page: whether it is the same, where it is not, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from bootstrap import backends
from bootstrap.checking.differences import Comparison
from bootstrap.checking.drifting import DriftReport
from bootstrap.checking.verifying import VerifyReport
from bootstrap.reports import verified
from bootstrap.reports.html.differences import title
from bootstrap.reports.html.elements import Child, code, element, prose
from bootstrap.reports.html.groups import Group
from bootstrap.reports.html.matrix import scrolled

_PLACES = 6  # that are named at once


def first(command: str, report: verified.Compared, groups: Sequence[Group], *, no: str) -> Element:
    """What everybody reads, and many read alone."""
    sign = element("span", "≠" if no else "✓", class_="sign", aria_hidden="true")
    total = verified.total(report)
    said = no or verified.SAME[type(report)]
    lead = total if no else "Nothing to do." if total == said else f"Nothing to do. {total}."
    return element(
        "header",
        element("p", f"bootstrap {command}", class_="eyebrow"),
        element("h1", sign, f" {said}"),
        element("p", lead, class_="lead"),
        _cards(command, groups) if no else None,
        *_compared(report),
        class_="first differs" if no else "first same",
    )


def _cards(command: str, groups: Sequence[Group]) -> Element:
    left = [one for one in groups if not one.one.accepted]
    where = element("ul", *(element("li", *place) for place in _places(left)))
    steps = element("ol", *(element("li", *prose(step)) for step in _steps(command, left)))
    return element(
        "div",
        element("section", element("h2", "Where"), where),
        element("section", element("h2", "What to do"), steps),
        class_="cards",
    )


def _places(left: Sequence[Group]) -> Iterator[Sequence[Child]]:
    """Each difference, or the tables and revisions that have the most of them."""
    if len(left) <= _PLACES:
        yield from ((element("a", *title(group), href=group.link),) for group in left)
        return
    links: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for group in left:
        for one in group.differences:
            name = one.table or (f"revision {one.revision}" if one.revision else "beside tables")
            links.setdefault(name, group.link)
            counts[name] += 1
    for name, count in counts.most_common(_PLACES):
        link = element("a", code(name), href=links[name])
        yield (link, f" {verified.counted(count, 'difference')}")
    if len(counts) > _PLACES:
        yield (element("a", f"and {len(counts) - _PLACES} more", href="#tables"),)


def _steps(command: str, left: Sequence[Group]) -> Iterator[str]:
    found = {one.one.comparison for one in left}
    yield "Read what differs below, and decide what was meant."
    yield from (step for comparison, step in _STEPS.items() if comparison in found)
    yield (
        f"What may stay as it is: `bootstrap {command} --accept` writes it into pyproject.toml; "
        "give each entry its reason."
    )


_STEPS = {
    Comparison.SERVERS: "Where the servers must not differ, correct the revision that made it so.",
    Comparison.MODELS: "What the models have and no revision makes: "
    "`bootstrap revision --autogenerate -m TEXT`. What they lack: correct the models.",
    Comparison.PROBE: "Where the servers must answer the same, give the column a type or a check "
    "that makes them.",
    Comparison.STAIRWAY: "Correct the downgrades, so that they leave what was there.",
    Comparison.DRIFT: "What was done by hand: `bootstrap drift --adopt -m TEXT` makes it a "
    "revision; or undo it, as “The way back” says.",
}


def _compared(report: verified.Compared) -> Iterator[Element]:
    if isinstance(report, DriftReport):
        yield _live(report)
    else:
        yield _servers(report)
        yield from _not_looked_at(report)


def _live(report: DriftReport) -> Element:
    title = backends.named(report.backend).title
    facts: Sequence[tuple[str, Child]] = (
        ("Database", code(report.database)),
        ("Server", f"{title} {report.server_version}"),
        ("Revision", code(", ".join(report.revisions)) if report.revisions else "none"),
        ("Replayed", f"on {report.shadow}"),
        ("Tables", str(len(report.tables))),
        ("Time", f"{report.seconds:.1f} s"),
    )
    pairs = (element("div", element("dt", name), element("dd", said)) for name, said in facts)
    return element("dl", *pairs, class_="facts")


def _servers(report: VerifyReport) -> Element:
    titles = ("Server", "Revisions", "Tables", "Time")
    head = element("tr", *(element("th", title, scope="col") for title in titles))
    rows = [
        element(
            "tr",
            element("th", one.name, scope="row"),
            element("td", str(len(one.revisions))),
            element("td", str(len(one.tables))),
            element("td", f"{one.seconds:.1f} s"),
        )
        for one in report.servers
    ]
    table = element("table", element("thead", head), element("tbody", *rows), class_="servers")
    return scrolled(table, label="Servers")


def _not_looked_at(report: VerifyReport) -> Iterator[Element]:
    said = [
        f"{backends.named(one.backend).title}: {one.why}. To get it: {one.hint}."
        for one in report.not_verified
    ]
    if not any(one.models_compared for one in report.servers):
        said.append("The models: env.py names none, or they were left out.")
    if not report.stairway:
        said.append("The way down and up again: `bootstrap verify --stairway` goes it.")
    if report.probed is None and len(report.servers) > 1:
        said.append("What the servers say to the same rows: `bootstrap verify --probe` asks them.")
    if said:
        yield element(
            "details",
            element("summary", f"Not looked at ({len(said)})"),
            element("ul", *(element("li", *prose(one)) for one in said)),
            class_="aside",
            open="" if report.not_verified else None,
        )

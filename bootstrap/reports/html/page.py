"""The page: a verdict, and below it what it rests on."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from xml.etree.ElementTree import Element

from bootstrap.checking.differences import Comparison
from bootstrap.checking.drifting import DriftReport
from bootstrap.reports import verified
from bootstrap.reports.html import differences, drawing, matrix, verdict
from bootstrap.reports.html.elements import code, element, serialised, several
from bootstrap.reports.html.groups import Group, grouped
from bootstrap.reports.masking import Masked
from bootstrap.version import __version__

_WIDE = 1070.0  # pixels; a drawing that is wider has to be scrolled
_THEMES = {"auto": "System", "light": "Light", "dark": "Dark"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A part of the page with a heading and an entry in the navigation."""

    id: str
    title: str
    content: tuple[Element, ...]


def page(command: str, report: verified.Compared, *, no: str = "", masked: Masked = str) -> str:
    """A whole HTML document, the same for the same report.

    Args:
        command: Which one found it.
        report: What it found.
        no: Why the answer to what it asks is no; empty where it is yes.
        masked: Takes secrets out of a text.
    """
    groups = grouped(report)
    sections = [one for one in _sections(report, groups) if one.content]
    main = element(
        "main",
        verdict.first(command, report, groups, no=no),
        *(_shown(one) for one in sections),
        id="main",
        tabindex="-1",
    )
    body = element(
        "body",
        element("a", "To the report", href="#main", class_="skip"),
        _bar(sections),
        main,
        element("footer", f"alembic-bootstrap {__version__}"),
    )
    said = no or verified.SAME[type(report)]
    head = _head(f"{'≠' if no else '✓'} bootstrap {command}: {said}")
    return serialised(element("html", head, body, lang="en"), masked=masked)


def _sections(report: verified.Compared, groups: Sequence[Group]) -> Iterator[_Section]:
    tables = tuple(matrix.shown(matrix.of_tables(report, groups)))
    yield _Section(id="tables", title="Tables", content=tables)
    left = tuple(differences.open_ones(groups))
    yield _Section(id="differences", title="Differences", content=left)
    yield _Section(id="stairway", title="Up and down", content=tuple(_stairway(report, groups)))
    yield _Section(id="answers", title="Answers", content=tuple(_answers(report)))
    yield _Section(id="way-back", title="The way back", content=tuple(_way_back(report)))
    accepted = (*differences.accepted_ones(groups), *_gone(report), *_unused(report))
    yield _Section(id="accepted", title="Accepted", content=accepted)
    yield _Section(id="schema", title="Schema", content=tuple(_drawing(report, groups)))


def _stairway(report: verified.Compared, groups: Sequence[Group]) -> Iterator[Element]:
    if isinstance(report, DriftReport):
        return
    if report.stairway:
        said = "Each revision was applied, undone and applied again."
        yield element("p", said, class_="note")
        yield from matrix.shown(matrix.of_revisions(report, groups))
    if report.losses:
        yield element("h3", "Downgrades that lose rows")
        yield element("ul", *(element("li", one) for one in verified.losses(report.losses)))
    for server, tables in report.not_filled.items():
        yield element("p", f"{server}: no row in {', '.join(tables)}.", class_="note")


def _answers(report: verified.Compared) -> Iterator[Element]:
    """What was asked of the servers, and what could not be; the answers are differences."""
    if isinstance(report, DriftReport) or report.probed is None:
        return
    asked = verified.counted(report.probed.questions, "question")
    tables = verified.counted(len(report.probed.tables), "table")
    found = [one for one in report.differences if one.comparison is Comparison.PROBE]
    accepted = sum(bool(one.accepted) for one in found)
    said = f"{verified.counted(len(found), 'difference')}, {accepted} of them accepted"
    said = said if found else "the answers were the same"
    yield element("p", f"Each server was asked {asked} about {tables}: {said}.", class_="note")
    reasons = tuple(verified.not_probed(report.probed))[1:]  # after the heading
    if reasons:
        yield element("h3", "Not probed")
        yield element("ul", *(element("li", one.strip()) for one in reasons))


def _way_back(report: verified.Compared) -> Iterator[Element]:
    """The SQL that undoes a drift, what it can lose, and what it leaves."""
    if not isinstance(report, DriftReport) or report.restoration is None:
        return
    found = report.restoration
    if found.script:
        yield element("p", f"{verified.RESTORING.rstrip(':')}.", class_="note")
        losing = dict.fromkeys(one.table or one.name for one in found.statements if one.loses)
        if losing:
            names = several([code(one) for one in losing])
            said = element("strong", "Can lose rows or values")
            yield element("p", said, " of ", *names, ": look before you run it.", class_="care")
        yield matrix.scrolled(element("pre", element("code", found.script)), label="SQL")
    left = tuple(verified.not_restored(found))
    if left:
        yield element("ul", *(element("li", one) for one in left), class_="left")


def _gone(report: verified.Compared) -> Iterator[Element]:
    if isinstance(report, DriftReport) and report.gone:
        yield element("h3", verified.gone_heading(report).rstrip(":"))
        yield element("ul", *(element("li", verified.known(one)) for one in report.gone))


def _unused(report: verified.Compared) -> Iterator[Element]:
    if report.unused:
        yield element("h3", "Accepted, and not to be found here")
        entries = (element("li", verified.acceptance(one)) for one in report.unused)
        yield element("ul", *entries)


def _drawing(report: verified.Compared, groups: Sequence[Group]) -> Iterator[Element]:
    schemas = (
        (report.live, report.history)
        if isinstance(report, DriftReport)
        else tuple(one.schema for one in report.servers)
    )
    tables = drawing.union(schemas)
    if not tables:
        return
    picture = drawing.drawn(tables, _findings(groups))
    if float(picture.get("width", "0")) > _WIDE:
        yield matrix.choice("All of it in the width of the page")
    caption = element("figcaption", _caption(report))
    yield element("figure", matrix.scrolled(picture, label="Drawing"), caption)


def _findings(groups: Sequence[Group]) -> dict[str, drawing.Finding]:
    """What is said of tables, in the drawing."""
    links: dict[str, list[str]] = {}
    for group in groups:
        for one in group.differences:
            if not one.accepted and one.table:
                links.setdefault(one.table, []).append(group.link)
    return {
        table: drawing.Finding(said=verified.counted(len(found), "difference"), link=found[0])
        for table, found in links.items()
    }


def _caption(report: verified.Compared) -> str:
    whose = (
        "the database has them, and the revisions those that it lacks"
        if isinstance(report, DriftReport)
        else f"{report.servers[0].name} has them"
    )
    return (
        f"Tables as {whose}. An arrow leads from a column to the one that it refers to; "
        "a question mark stands for NULL allowed. Framed tables differ."
    )


def _shown(section: _Section) -> Element:
    heading = element("h2", section.title, id=f"{section.id}-title")
    return element(
        "section", heading, *section.content, id=section.id, aria_labelledby=f"{section.id}-title"
    )


def _bar(sections: Sequence[_Section]) -> Element:
    """The way to each section, and the choice between light and dark."""
    links = (element("li", element("a", one.title, href=f"#{one.id}")) for one in sections)
    themes = (
        element(
            "label",
            element(
                "input",
                type="radio",
                name="theme",
                id=f"theme-{name}",
                checked="" if name == "auto" else None,
            ),
            element("span", title),
        )
        for name, title in _THEMES.items()
    )
    return element(
        "header",
        element("nav", element("ul", *links), aria_label="Sections"),
        element("fieldset", element("legend", "Colours"), *themes, class_="themes"),
        class_="bar",
    )


def _head(title: str) -> Element:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy()),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("link", rel="icon", href="data:,"),
        element("style", _style()),
    )


def _policy() -> str:
    """Nothing but this style sheet: no script, no request, even if a text became markup."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _style() -> str:
    return files(__package__).joinpath("style.css").read_text(encoding="utf-8")

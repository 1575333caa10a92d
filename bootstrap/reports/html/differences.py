"""The differences: what each side has, beside what the others have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element

from bootstrap.checking.differences import Comparison, Difference
from bootstrap.reports import verified
from bootstrap.reports.html.elements import Child, code, element, several
from bootstrap.reports.html.groups import Group
from bootstrap.reports.html.marking import Marked, marked
from bootstrap.schema.changes import Kind

_NAMED = 24  # columns in the title of a group


def open_ones(groups: Iterable[Group]) -> Iterator[Element]:
    """Those that nobody has accepted, below a heading for each comparison."""
    left = [one for one in groups if not one.one.accepted]
    for comparison, heading in verified.HEADINGS.items():
        found = [one for one in left if one.one.comparison is comparison]
        if found:
            yield element("h3", heading.rstrip(":"))
            yield from map(_article, found)


def accepted_ones(groups: Iterable[Group]) -> Iterator[Element]:
    """Those that somebody gave a reason for, each comparison to be opened."""
    by_comparison: dict[Comparison, list[Group]] = {}
    for group in groups:
        if group.one.accepted:
            by_comparison.setdefault(group.one.comparison, []).append(group)
    for comparison, found in by_comparison.items():
        count = sum(len(one.differences) for one in found)
        heading = f"{verified.HEADINGS[comparison].rstrip(':')}: {count} accepted"
        yield element("details", element("summary", element("h3", heading)), *map(_article, found))


def _article(group: Group) -> Element:
    one = group.one
    badge = element("span", one.weight, class_=f"badge {one.weight}")
    heading = element("h4", *title(group), id=f"{group.anchor}-title")
    return element(
        "article",
        element("header", badge, heading),
        element("p", *_said(one), class_="why"),
        element("dl", *_sides(one), class_="sides"),
        id=group.anchor,
        class_="difference",
        aria_labelledby=f"{group.anchor}-title",
        tabindex="-1",
    )


def title(group: Group) -> Iterator[Child]:
    """What differs, in words."""
    one = group.one
    if one.kind is Kind.OTHER and one.revision:
        yield from ("Revision ", code(one.revision), f": {one.attribute} fails")
        return
    if len(group.differences) > 1:
        names = [code(f"{one.table}.{one.name}") for one in group.differences]
        yield f"{one.attribute or one.kind} of {len(names)} {_plural(one.kind)}: "
        yield from several(names[:_NAMED])
        yield f" and {len(names) - _NAMED} more" if len(names) > _NAMED else None
        return
    alone = one.kind in (Kind.TABLE, Kind.VIEW)
    yield from (f"{one.kind} ", code(one.table if alone and one.table else one.name))
    if one.table and not alone:
        yield from (" of ", code(one.table))
    yield f": {one.attribute}" if one.attribute else None


def _plural(kind: Kind) -> str:
    return {"index": "indexes", "policy": "policies"}.get(kind, f"{kind}s")


def _said(one: Difference) -> Iterator[Child]:
    """Why it matters, and where it is."""
    yield f"{one.why[:1].upper()}{one.why[1:]}." if one.why else None
    if one.revision and one.kind is not Kind.OTHER:
        yield from (" Revision ", code(one.revision), ".")
    if one.servers and not {side.where for side in one.sides} & {*one.servers}:
        yield f" On {', '.join(one.servers)}."
    if one.accepted:
        yield element("span", f"Accepted: {one.accepted}", class_="reason")


def _sides(one: Difference) -> Iterator[Element]:
    """Each value that there is, with all that have it; marked as seen from the most frequent."""
    alike: dict[str | None, list[str]] = {}
    for side in one.sides:
        alike.setdefault(side.value, []).append(side.where)
    there = [value for value in alike if value is not None]
    most = sorted(there, key=lambda value: -len(alike[value]))
    marks: Mapping[str, Marked] = dict(zip(most, marked(most), strict=True))
    for value, who in alike.items():
        shown = (
            _value(marks[value]) if value else element("em", "none" if value is None else "empty")
        )
        yield element("div", element("dt", ", ".join(who)), element("dd", shown))


def _value(pieces: Sequence[tuple[str, bool]]) -> Element:
    return element(
        "code", *(element("mark", piece) if differs else piece for piece, differs in pieces)
    )

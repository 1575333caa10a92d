"""The page of `verify` and `drift`: what can be said of it without a browser."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.backends.altering import Statement
from bootstrap.checking.differences import Comparison, Difference, Side, from_history
from bootstrap.checking.drifting import DriftReport
from bootstrap.checking.knowing import Known
from bootstrap.checking.probed import Probed
from bootstrap.checking.restoring import Restoration
from bootstrap.checking.verifying import VerifiedServer, VerifyReport
from bootstrap.probing.plan import NotProbed
from bootstrap.reports.html import layout
from bootstrap.reports.html.elements import element, serialised
from bootstrap.reports.html.groups import grouped
from bootstrap.reports.html.marking import marked
from bootstrap.reports.html.matrix import State, of_revisions, of_tables
from bootstrap.reports.html.page import page
from bootstrap.schema.changes import Kind, Weight
from bootstrap.schema.model import Column, ForeignKey, PrimaryKey, Schema, Table
from bootstrap.schema.types import Family, Type

_BIG = Type(family=Family.INTEGER, raw="bigint", bits=64)
_THREE = ("SQLite", "PostgreSQL", "MySQL")


def _table(name: str, *targets: str) -> Table:
    """A table that refers to others."""
    return Table(
        name=name,
        columns=tuple(Column(name=one, type=_BIG) for one in ("id", *targets)),
        primary_key=PrimaryKey(columns=("id",)),
        foreign_keys=tuple(
            ForeignKey(columns=(one,), table=one, references=("id",)) for one in targets
        ),
    )


def many_tables(count: int = 500) -> DriftReport:
    """A drift between many tables, of which every third lacks a column."""
    names = [f"table_{number:03}" for number in range(count)]
    history = [_table(name, *names[max(0, n - 3) : n : 2]) for n, name in enumerate(names)]
    live = [
        one if number % 3 else replace(one, columns=one.columns[1:])
        for number, one in enumerate(history)
    ]
    here, there = (Schema(backend="sqlite", tables=tuple(one)) for one in (live, history))
    return DriftReport(
        database="sqlite:///app.db",
        backend="sqlite",
        server_version="3.40.1",
        revisions=("one",),
        tables=tuple(names),
        shadow="a file",
        live=here,
        history=there,
        differences=from_history(there, here),
        restoration=None,
        unused=(),
        baseline=None,
        gone=(),
        seconds=1.0,
    )


def _verified(*differences: Difference, stairway: bool = False) -> VerifyReport:
    return VerifyReport(
        servers=tuple(
            VerifiedServer(
                name=name,
                backend="sqlite",
                server_version="3",
                schema=Schema(backend="sqlite", tables=(_table("users"),)),
                digest="",
                tables=("users",),
                revisions=("one", "two"),
                models_compared=True,
                seconds=1.0,
            )
            for name in _THREE
        ),
        not_verified=(),
        differences=differences,
        losses=(),
        not_filled={},
        stairway=stairway,
        probed=None,
        unused=(),
        seconds=1.0,
    )


def _difference(comparison: Comparison, *values: str, accepted: str = "") -> Difference:
    """Between the servers, or on the first of them."""
    between = comparison in (Comparison.SERVERS, Comparison.PROBE)
    wheres = _THREE if between else ("before", "after the downgrade")
    return Difference(
        comparison=comparison,
        weight=Weight.DEFINITION,
        kind=Kind.COLUMN,
        table="users",
        name="email",
        attribute="length",
        sides=tuple(
            Side(where=one, value=value) for one, value in zip(wheres, values, strict=True)
        ),
        servers=_THREE if between else _THREE[:1],
        why="",
        revision="" if between else "two",
        accepted=accepted,
    )


def test_the_one_that_has_something_else_than_most_is_charged() -> None:
    report = _verified(_difference(Comparison.SERVERS, "50", "50", "30"))

    ((row),) = of_tables(report, grouped(report)).rows

    assert [State.SAME, State.SAME, State.DIFFERS] == [cell.state for cell in row.cells]
    assert "#d1" == row.cells[2].link


def test_all_are_charged_where_no_value_is_that_of_most() -> None:
    report = _verified(_difference(Comparison.SERVERS, "50", "40", "30"))

    ((row),) = of_tables(report, grouped(report)).rows

    assert [State.DIFFERS] * 3 == [cell.state for cell in row.cells]


def test_what_is_accepted_is_neither_the_same_nor_different() -> None:
    report = _verified(_difference(Comparison.SERVERS, "50", "50", "30", accepted="known"))

    ((row),) = of_tables(report, grouped(report)).rows

    assert [State.SAME, State.SAME, State.ACCEPTED] == [cell.state for cell in row.cells]
    assert row.is_same


def test_a_downgrade_is_charged_to_its_revision_and_not_to_the_table() -> None:
    report = _verified(_difference(Comparison.STAIRWAY, "50", "30"), stairway=True)

    one, two = of_revisions(report, grouped(report)).rows
    ((users),) = of_tables(report, grouped(report)).rows

    assert [State.DIFFERS, State.SAME, State.SAME] == [cell.state for cell in two.cells]
    assert one.is_same
    assert users.is_same


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        (("varchar(50)", "varchar(30)"), (["50"], ["30"])),
        (("a AND b", "a AND b AND c"), ([], [" AND c"])),
        (("yes", "no"), ([], [])),  # they have nothing in common
        (("x = 1", "x = 2", "x > 1"), (["= 1"], ["2"], [">"])),
        (("a: kept as 1", "a: refused (check)"), (["kept as 1"], ["refused (check)"])),
        (("one",), ([],)),
    ],
)
def test_what_two_values_do_not_share_is_marked(
    values: tuple[str, ...], marks: tuple[list[str], ...]
) -> None:
    found = marked(values)

    assert list(values) == ["".join(piece for piece, _ in one) for one in found]
    assert marks == tuple([piece for piece, differs in one if differs] for one in found)


def test_long_values_are_compared_by_lines() -> None:
    lines = [f"SET NEW.c{number} = {number};\n" for number in range(900)]
    changed = [*lines[:7], "SET NEW.c7 = 8;\n", *lines[8:]]

    one, other = marked(("".join(lines), "".join(changed)))

    assert [lines[7]] == [piece for piece, differs in one if differs]
    assert [changed[7]] == [piece for piece, differs in other if differs]


_NAMES = st.integers(min_value=0, max_value=11).map("t{}".format)
_LINKS = st.lists(st.tuples(_NAMES, _NAMES), max_size=30, unique=True)


@given(st.lists(st.sampled_from([40.0, 90.0, 300.0]), min_size=12, max_size=12), _LINKS)
def test_no_table_covers_another_and_every_line_has_both_ends(
    heights: list[float], links: list[tuple[str, str]]
) -> None:
    tables = [
        layout.Table(name=f"t{number}", width=150, height=height)
        for number, height in enumerate(heights)
    ]
    references = [layout.Reference(table=one, at=10, to=other, to_at=20) for one, other in links]

    found = layout.laid_out(tables, references)

    assert {one.name for one in tables} == set(found.places)
    for one, other in combinations(found.places.values(), 2):
        apart = one.x + one.width <= other.x or other.x + other.width <= one.x
        assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y
    points = {(line.x, line.y) for line in found.lines}
    points |= {(line.to_x, line.to_y) for line in found.lines}
    assert {(end.x, end.y) for end in found.ends} <= points
    assert set(found.starts) <= points
    assert all(place.x >= 0 and place.y >= 0 for place in found.places.values())


@given(_LINKS)
def test_a_table_stands_to_the_right_of_what_it_refers_to_unless_in_a_circle(
    links: list[tuple[str, str]],
) -> None:
    downwards = [(one, other) for one, other in links if int(one[1:]) > int(other[1:])]
    tables = [layout.Table(name=f"t{number}", width=150, height=90) for number in range(12)]
    references = [
        layout.Reference(table=one, at=10, to=other, to_at=20) for one, other in downwards
    ]

    places = layout.laid_out(tables, references).places

    for one, other in downwards:
        assert places[one].x >= places[other].x + places[other].width


def test_no_line_runs_behind_a_table() -> None:
    tables = [layout.Table(name=name, width=150, height=90) for name in "abcd"]
    links = [("b", "a"), ("c", "b"), ("d", "c"), ("d", "a"), ("c", "a")]
    references = [
        layout.Reference(table=child, at=40, to=parent, to_at=40) for child, parent in links
    ]

    found = layout.laid_out(tables, references)

    for line in found.lines:
        for place in found.places.values():
            beside = line.to_x <= place.x or place.x + place.width <= line.x
            above = max(line.y, line.to_y) <= place.y
            below = place.y + place.height <= min(line.y, line.to_y)
            assert beside or above or below


def test_where_nothing_differs_nothing_is_to_be_done() -> None:
    accepted = _difference(Comparison.SERVERS, "50", "50", "30", accepted="known")

    clean, known = page("verify", _verified()), page("verify", _verified(accepted))

    assert '<p class="lead">Nothing to do.</p>' in clean
    assert '<p class="lead">Nothing to do. 1 accepted.</p>' in known
    assert "What to do" not in clean + known


def test_answers_that_differ_are_charged_counted_and_what_was_not_asked_is_told() -> None:
    odd = NotProbed(table="users", name="ck_odd", why="its condition is not understood")
    probed = Probed(tables=("users",), questions=7, not_probed=(odd,))
    found = _difference(Comparison.PROBE, "kept", "kept", "cut")

    asked = page("verify", replace(_verified(found), probed=probed), no="no")
    same = page("verify", replace(_verified(), probed=replace(probed, not_probed=())))
    without = page("verify", _verified())

    assert "asked 7 questions about 1 table: 1 difference, 0 of them accepted." in asked
    assert "<h3>What the servers say to the same rows</h3>" in asked
    assert "<li>users.ck_odd: its condition is not understood</li>" in asked
    assert "about 1 table: the answers were the same." in same
    assert "Not probed" not in same
    assert '<section id="answers"' not in without
    assert "<code>bootstrap verify --probe</code> asks them" in without


def test_the_way_back_is_shown_with_what_it_can_lose_and_what_it_leaves() -> None:
    drop = Statement(sql='DROP TABLE "by_hand"', kind=Kind.TABLE, table="by_hand", loses=True)
    back = Restoration(
        statements=(drop,),
        script='DROP TABLE "by_hand";',
        missing=("check ck of users",),
        untried=(),
    )

    shown = page("drift", replace(many_tables(3), restoration=back), no="no")
    kept = page("drift", replace(many_tables(3), restoration=replace(back, statements=())), no="no")
    none = page("drift", replace(many_tables(3), restoration=replace(back, script="")), no="no")

    assert '<pre><code>DROP TABLE "by_hand";</code></pre>' in shown
    assert "<strong>Can lose rows or values</strong> of <code>by_hand</code>" in shown
    assert "<li>No statement for: check ck of users</li>" in shown
    assert "Can lose" not in kept
    assert "<pre>" not in none
    assert "<li>No statement for: check ck of users</li>" in none


def test_what_a_baseline_has_and_nobody_finds_any_longer_is_listed() -> None:
    known = Known(
        kind="view", table="totals", name="totals", attribute="", revisions=None, database="x"
    )
    report = replace(many_tables(3), baseline=Path("drift.json"), gone=(known,))

    text = page("drift", report)

    assert "<h3>In drift.json, and not to be found any longer</h3>" in text
    assert "<li>view totals</li>" in text


def test_five_hundred_tables_are_all_there_and_the_page_stays_small() -> None:
    report = many_tables()

    text = page("drift", report, no="no")

    assert all(f">{name}</text>" in text for name in report.tables)
    assert 3 * 2**20 > len(text)


def test_the_same_report_is_the_same_page_in_every_process() -> None:
    source = (
        "from tests.unit.test_html import many_tables\n"
        "from bootstrap.reports.html.page import page\n"
        "import hashlib\n"
        "print(hashlib.sha256(page('drift', many_tables(30)).encode()).hexdigest())\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", source],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert 1 == len(digests)


def test_a_secret_that_is_a_word_of_html_is_masked_in_texts_alone() -> None:
    root = element("table", element("td", "the table", title="a table", class_="table"))

    text = serialised(root, masked=lambda said: said.replace("table", "***"))

    expected = '<table><td title="a ***" class="table">the ***</td></table>'
    assert f"<!DOCTYPE html>\n{expected}\n" == text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ('<b> & "', '&lt;b&gt; &amp; "'),
        ("a\x00b\x1bc", r"a\x00b\x1bc"),
        ("left\u202eright\u200b", r"left\u202eright\u200b"),
        ("\ud800", r"\ud800"),
        ("two\nlines\tand é 😀", "two\nlines\tand é 😀"),
    ],
)
def test_every_character_is_seen_and_none_is_markup(said: str, shown: str) -> None:
    root: Element = element("p", said)

    assert f"<!DOCTYPE html>\n<p>{shown}</p>\n" == serialised(root, masked=str)

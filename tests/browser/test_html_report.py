"""The page of `verify` and `drift`, read in a real browser."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]  # has no annotations
    Axe,
)
from playwright.sync_api import Browser, Page, expect

import bootstrap
from bootstrap.checking.verifying import VerifyReport
from bootstrap.reports.html.page import page
from tests.available import without_loop
from tests.browser.conftest import Opened, watch
from tests.cli.conftest import Command
from tests.projects import three_tables

_ROOT = Path(__file__).parents[2]
_NO = "The history does not make the same schema everywhere."
_HOSTILE = "<script>alert('table')</script>"
_TURNED = "users\u202egpj.exe"


@pytest.fixture(scope="module")
def verified() -> VerifyReport:
    """The reference project on two servers, with one of its differences accepted."""
    accepted = bootstrap.Acceptance(attribute="time zone", reason="stored as UTC & <everywhere>")
    return without_loop(
        bootstrap.verify(
            project=bootstrap.Project.at(_ROOT / "alembic.ini"),
            backends=("sqlite", "postgresql"),
            accepted=(accepted,),
            stairway=True,
        )
    )


@pytest.fixture(scope="module")
def differing(verified: VerifyReport, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its page."""
    html = tmp_path_factory.mktemp("verify") / "report.html"
    html.write_text(page("verify", verified, no=_NO), encoding="utf-8")
    return html


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of two servers that were asked, one thing left out."""
    folder = three_tables(tmp_path_factory.mktemp("probe") / "project")
    folder.revision(
        "four",
        down="three",
        upgrade="op.create_table('t_four', sa.Column('id', sa.Integer, primary_key=True),"
        " sa.Column('name', sa.String(9)), sa.CheckConstraint(\"name > 'a' || 'b'\", 'ck_odd'))",
    )
    run = Command(folder=folder.root)
    servers = ("--backend", "sqlite", "--backend", "postgresql", "--no-models")
    done = run("verify", *servers, "--probe", "--html", "verify.html")
    assert 1 == done.code, done.err
    return run.folder / "verify.html"


@pytest.fixture(scope="module")
def drifted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a database to which somebody gave names that are markup."""
    run = Command(folder=three_tables(tmp_path_factory.mktemp("drift") / "project").root)
    url = ("--url", "sqlite:///app.db")
    assert 0 == run("up", *url).code
    with closing(sqlite3.connect(run.folder / "app.db")) as connection:
        connection.execute(f'CREATE TABLE "{_HOSTILE}" (id INTEGER PRIMARY KEY)')
        connection.execute(f'CREATE TABLE "{_TURNED}" (id INTEGER)')
        connection.execute('ALTER TABLE t_one ADD COLUMN """ onload=""alert(1)" TEXT')
        connection.execute("DROP TABLE t_two")
        connection.commit()
    done = run("drift", *url, "--html", "drift.html")
    assert 1 == done.code, done.err
    return run.folder / "drift.html"


@pytest.fixture
def pages(differing: Path, probed: Path, drifted: Path) -> tuple[Path, ...]:
    return (differing, probed, drifted)


def test_the_first_screen_says_that_it_differs_where_and_what_to_do(
    opened: Opened, differing: Path
) -> None:
    shown = opened(differing)

    first = shown.locator(".first")
    expect(shown).to_have_title(f"≠ bootstrap verify: {_NO}")
    expect(first.get_by_role("heading", level=1)).to_contain_text(_NO)
    expect(first).to_contain_text("1 definition difference, 1 policy difference, 1 accepted")
    expect(first.get_by_role("link")).to_have_text(
        ["check ck_users_created_at_time of users", "column created_at of users: default"]
    )
    expect(first).to_contain_text("bootstrap verify --accept")
    assert _box(first.get_by_text("What to do"))["y"] < 900


def test_the_matrix_has_each_table_on_each_server(
    opened: Opened, differing: Path, verified: VerifyReport
) -> None:
    rows = opened(differing).locator("#tables tr")

    names = [server.name for server in verified.servers]
    expect(rows.nth(0).locator("th")).to_have_text(["Table", *names])
    expect(rows.nth(1)).to_contain_text("items")
    expect(rows.nth(1).locator("td")).to_have_text(["✓ same", "✓ same"])
    expect(rows.nth(2).locator("td")).to_have_text(["≠ 2 differ", "≠ 2 differ"])


def test_each_difference_has_all_sides_beside_each_other(
    opened: Opened, differing: Path, verified: VerifyReport
) -> None:
    articles = opened(differing).locator("#differences article")

    assert len(verified.open) == articles.count() == 2
    for number, one in enumerate(verified.open):
        sides = articles.nth(number).locator("dl > div")
        expect(sides.locator("dt")).to_have_text([side.where for side in one.sides])
        expect(sides.locator("dd")).to_have_text([side.value or "none" for side in one.sides])
        left, right = _box(sides.nth(0)), _box(sides.nth(1))
        assert left["y"] == right["y"]
        assert left["x"] + left["width"] <= right["x"]


def test_the_stairway_has_each_revision_on_each_server(opened: Opened, differing: Path) -> None:
    rows = opened(differing).locator("#stairway tbody tr")

    expect(rows).to_have_count(5)
    expect(rows.locator("td")).to_have_text(["✓ same"] * 10)


def test_what_is_accepted_is_a_click_away_with_its_reason(opened: Opened, differing: Path) -> None:
    shown = opened(differing)
    accepted = shown.locator("#accepted")

    expect(accepted.get_by_text("time zone")).not_to_be_visible()
    accepted.locator("summary").click()

    expect(accepted.get_by_text("column created_at of users: time zone")).to_be_visible()
    expect(accepted).to_contain_text("Accepted: stored as UTC & <everywhere>")


def test_answers_that_differ_stand_side_by_side_and_what_was_not_asked_is_told(
    opened: Opened, probed: Path
) -> None:
    shown = opened(probed)

    length = shown.locator("#differences article", has_text="t_four: length")
    expect(length.locator("dt")).to_have_text([re.compile("SQLite"), re.compile("PostgreSQL")])
    expect(length.locator("dd").nth(1).locator("mark").last).to_have_text("cut")
    expect(shown.locator("#tables tr", has_text="t_four").locator("td.differs")).to_have_count(2)
    expect(shown.locator("#answers")).to_contain_text("t_four.ck_odd: its condition is not")
    expect(shown.locator(".first")).to_contain_text("Where the servers must answer the same")


def test_the_way_back_is_the_sql_of_the_terminal_in_a_frame_that_scrolls(
    opened: Opened, drifted: Path
) -> None:
    shown = opened(drifted, width=400)

    sql = shown.locator("#way-back pre").inner_text()
    frame = shown.get_by_role("region", name="SQL")

    run = Command(folder=drifted.parent)
    report = run("drift", "--url", "sqlite:///app.db", "--format", "json").document["report"]
    assert report["restoration"]["script"].replace("\u202e", r"\u202e") == sql
    expect(shown.locator("#way-back .care")).to_contain_text(_HOSTILE)
    assert frame.evaluate("one => one.scrollWidth > one.clientWidth && one.tabIndex === 0")


def test_the_drawing_has_every_table_and_leads_to_what_differs(
    opened: Opened, differing: Path
) -> None:
    shown = opened(differing)

    expect(shown.locator("svg .name")).to_have_text(["items", "users"])
    expect(shown.locator("svg .line")).to_have_count(1)
    shown.locator("svg a").click()
    assert shown.url.endswith("#d1")
    expect(shown.locator("#d1")).to_be_in_viewport()


def test_names_that_are_markup_are_text(opened: Opened, drifted: Path) -> None:
    shown = opened(drifted)

    expect(shown.locator("#tables")).to_contain_text(_HOSTILE)
    expect(shown.locator("svg")).to_contain_text("<script>")
    expect(shown.locator("#differences")).to_contain_text('" onload="alert(1)')
    expect(shown.locator("script, [onload]")).to_have_count(0)


def test_a_name_that_turns_the_direction_of_text_is_shown_for_what_it_is(
    opened: Opened, drifted: Path
) -> None:
    shown = opened(drifted)

    expect(shown.locator("#tables")).to_contain_text(r"users\u202egpj.exe")
    assert "\u202e" not in shown.content()


def test_tables_of_both_sides_of_a_drift_are_shown(opened: Opened, drifted: Path) -> None:
    shown = opened(drifted)

    expect(shown.locator("#tables tr", has_text="t_one").locator("td")).to_have_text("≠ 1 differs")
    expect(shown.locator("#tables tr", has_text="t_two").locator("td")).to_have_text("∅ not there")
    expect(shown.locator("#tables tr", has_text="t_three").locator("td")).to_have_text("✓ same")
    expect(shown.locator("svg .name")).to_have_count(5)


def test_even_markup_that_came_through_could_neither_run_nor_load(
    browser: Browser, differing: Path, tmp_path: Path
) -> None:
    text = differing.read_text(encoding="utf-8")
    intruder = '<script>document.title = "taken"</script><img src="http://127.0.0.1:9/pixel">'
    broken = tmp_path / "broken.html"
    broken.write_text(text.replace("<footer>", f"{intruder}<footer>"), encoding="utf-8")

    watched = watch(browser, broken)

    assert watched.page.title() != "taken"
    assert 2 == len([one for one in watched.complaints if "Content Security Policy" in one])
    watched.page.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_colours_follow_the_system_and_the_switch(
    opened: Opened, differing: Path, theme: str
) -> None:
    shown = opened(differing, theme=theme)
    other = {"light": "Dark", "dark": "Light"}[theme]

    system = _colours(shown)
    shown.get_by_text(other, exact=True).click()
    switched = _colours(shown)
    shown.get_by_text("System", exact=True).click()

    assert system != switched
    assert system == _colours(shown)
    assert (theme == "dark") == (_lightness(system[0]) < _lightness(system[1]))


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 400)])
def test_axe_finds_nothing_to_complain_about(
    opened: Opened, pages: tuple[Path, ...], theme: str, width: int
) -> None:
    for html in pages:
        shown = opened(html, theme=theme, width=width)
        for summary in shown.locator("summary").all():
            summary.click()

        found = Axe().run(shown).response

        assert [] == [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_drawing_can_be_read(opened: Opened, differing: Path, theme: str) -> None:
    shown = opened(differing, theme=theme)

    found = shown.locator("svg text").evaluate_all(
        """all => all.map(one => [
            one.textContent,
            getComputedStyle(one).fill,
            getComputedStyle(one.closest('.table').querySelector('.box')).fill,
        ])"""
    )

    assert len(found) > 20
    assert [] == [said for said, fill, behind in found if _contrast(fill, behind) < 4.5]


def test_the_keyboard_reaches_everything_in_order_and_its_place_is_seen(
    opened: Opened, differing: Path
) -> None:
    shown = opened(differing)
    expected = shown.evaluate(
        """() => [...document.querySelectorAll('a[href], input, summary, [tabindex="0"]')]
            .filter(one => one.checkVisibility() && (one.type !== 'radio' || one.checked))
            .map(one => one.outerHTML)"""
    )

    reached = []
    for _ in expected:
        shown.keyboard.press("Tab")
        reached.append(shown.evaluate("document.activeElement.outerHTML"))
        assert shown.evaluate(_SEEN), reached[-1]

    assert expected == reached


def test_the_keyboard_skips_opens_and_switches(opened: Opened, differing: Path) -> None:
    shown = opened(differing)

    shown.keyboard.press("Tab")
    shown.keyboard.press("Enter")
    assert "main" == shown.evaluate("document.activeElement.id")

    shown.locator("#accepted summary").focus()
    shown.keyboard.press("Enter")
    expect(shown.get_by_text("column created_at of users: time zone")).to_be_visible()

    before = _colours(shown)
    shown.locator("#theme-auto").focus()
    shown.keyboard.press("ArrowLeft")
    assert "theme-dark" == shown.evaluate("document.activeElement.id")
    assert before != _colours(shown)


def test_only_what_differs_is_shown_on_demand(opened: Opened, differing: Path) -> None:
    shown = opened(differing)
    items = shown.locator("#tables tr", has_text="items")

    expect(items).to_be_visible()
    shown.get_by_label("Only what differs (1 of 2)").check()

    expect(items).not_to_be_visible()
    expect(shown.locator("#tables tr", has_text="users")).to_be_visible()


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_the_page_is_never_wider_than_the_window(
    opened: Opened, pages: tuple[Path, ...], width: int
) -> None:
    for html in pages:
        assert width >= opened(html, width=width).evaluate("document.body.scrollWidth")


def test_on_paper_everything_is_open_and_the_bar_is_gone(opened: Opened, differing: Path) -> None:
    shown = opened(differing)
    shown.get_by_text("Dark", exact=True).click()

    shown.emulate_media(media="print")

    expect(shown.locator(".bar")).not_to_be_visible()
    assert _box(shown.locator("#accepted article"))["height"] > 50
    background, ink = _colours(shown)
    assert _lightness(background) > _lightness(ink)


_SEEN = """() => {
    const one = document.activeElement;
    if (one.matches('svg a')) {
        return getComputedStyle(one.querySelector('.box')).strokeWidth === '3px';
    }
    const framed = one.matches('.themes input') ? one.nextElementSibling : one;
    return getComputedStyle(framed).outlineStyle !== 'none';
}"""


def _box(one: Any) -> Any:
    found = one.bounding_box()
    assert found is not None
    return found


def _colours(shown: Page) -> tuple[str, str]:
    """What is behind the text, and the text."""
    style = "getComputedStyle(document.querySelector('h1'))"
    behind, ink = shown.evaluate(
        f"[getComputedStyle(document.body).backgroundColor, {style}.color]"
    )
    return behind, ink


def _channels(colour: str) -> list[float]:
    return [float(one) / 255 for one in colour.removeprefix("rgb(").rstrip(")").split(",")]


def _lightness(colour: str) -> float:
    """The relative luminance, as WCAG 2 defines it."""
    linear = [
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4
        for one in _channels(colour)
    ]
    return sum(part * one for part, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one: str, other: str) -> float:
    low, high = sorted(map(_lightness, (one, other)))
    return (high + 0.05) / (low + 0.05)

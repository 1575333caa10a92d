"""A real browser, and pages opened in it that nothing may go wrong on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests import available
from tests.available import Missing

_FLAGS = (
    "--no-sandbox",  # which the kernel refuses to root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A page, and what it said and asked for."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


Opened: TypeAlias = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of this module alone: while it is open, no other event loop can run in this thread."""
    found = available.browser()
    if isinstance(found, Missing):
        complain = pytest.fail if "browser" in available.required() else pytest.skip
        complain(f"a browser is missing; to get it: {found.hint}")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found.programs, args=_FLAGS)
        yield opened
        opened.close()


def watch(browser: Browser, html: Path, *, theme: str = "light", width: int = 1280) -> Watched:
    """Opens a file, and writes down what the page says and asks for."""
    context = browser.new_context(
        color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": width, "height": 900},
    )
    watched = Watched(page=context.new_page(), address=html.as_uri())
    watched.page.on("console", lambda one: watched.complaints.append(one.text))
    watched.page.on("pageerror", lambda one: watched.complaints.append(str(one)))
    watched.page.on("dialog", lambda one: watched.complaints.append(one.message))
    watched.page.on("request", lambda one: watched.requests.append(one.url))
    watched.page.goto(watched.address)
    return watched


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    """Opens files; in the end no page may have complained, or asked for anything but itself."""
    pages: list[Watched] = []

    def open_file(html: Path, *, theme: str = "light", width: int = 1280) -> Page:
        pages.append(watch(browser, html, theme=theme, width=width))
        return pages[-1].page

    yield open_file
    for one in pages:
        one.page.context.close()
        assert [] == one.complaints
        assert {one.address} == {url.partition("#")[0] for url in one.requests}

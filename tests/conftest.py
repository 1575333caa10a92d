"""What all tests share: a database on each backend, and an environment without surprises."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url

from tests import available
from tests.available import BACKENDS, Missing, Servers

# Those need projects of others, which tests/real.sh installs.
collect_ignore = [] if "BOOTSTRAP_TEST_REAL" in os.environ else ["real"]
_KEPT = re.compile(r"BOOTSTRAP_(TEST_.*|ENGINES|.*_PROGRAMS)")


def pytest_report_header() -> list[str]:
    """Says which servers were found."""
    lines = []
    for name in BACKENDS:
        found = available.look_for(name)
        said = f"missing ({found.hint})" if isinstance(found, Missing) else found.description
        lines.append(f"{name}: {said}")
    browser = available.browser()
    said = f"missing ({browser.hint})" if isinstance(browser, Missing) else browser.description
    return [*lines, f"browser: {said}"]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        ours = name.startswith("BOOTSTRAP_") and not _KEPT.fullmatch(name)
        if ours or name == "DATABASE_URL" or name.startswith("GITHUB_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The servers of this run, each started when a test first needs it."""
    running = Servers()
    yield running
    running.stop()


@pytest.fixture(params=available.schemes())
def backend_name(request: pytest.FixtureRequest) -> str:
    """The backend that the test runs on: each in turn, unless the test names some.

    A driver behind it, as in a URL, is for `scheme`: `mysql+asyncmy` is MySQL here.
    """
    name: str = request.param.partition("+")[0]
    found = available.look_for(name)
    if isinstance(found, Missing):
        complain = pytest.fail if name in available.required() else pytest.skip
        complain(f"{name} is missing; to get it: {found.hint}")
    return name


@pytest.fixture
def scheme(backend_name: str, request: pytest.FixtureRequest) -> str:
    """How the URLs of the test begin: the backend, and a driver where it is not the first one."""
    asked: str = request.node.callspec.params["backend_name"]
    return asked


@pytest.fixture
def fresh_url(backend_name: str, scheme: str, servers: Servers, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that does not exist; dropped afterwards if the test created it."""
    name = f"b_{secrets.token_hex(8)}"
    if backend_name == "sqlite":
        url = URL.create("sqlite", database=str(tmp_path / f"{name}.db"))
    else:
        url = servers.url(backend_name).set(drivername=scheme, database=name)
    yield url.render_as_string(hide_password=False)
    available.drop(url)


@pytest.fixture
def empty_url(fresh_url: str) -> str:
    """The URL of a database that exists and is empty."""
    available.create(make_url(fresh_url))
    return fresh_url

"""The table of what was killed, as docs/sqlite.md has it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from bootstrap import backends
from tests.chaos.measuring import Outcome
from tests.chaos.runner import Tool

_DOCS = Path(__file__).parents[2] / "docs"
PAGE = _DOCS / "sqlite.md"
JOURNAL = _DOCS / "journal.md"
HEADING = (
    "| Killed while it applies | `bootstrap migrate` | `alembic upgrade head` |\n|---|---|---|\n"
)

REPAIRS = (
    "| Plain `alembic upgrade head`, killed while it applies | `bootstrap repair` |\n|---|---|\n"
)


def versions() -> str:
    """With what the table was measured."""
    return (
        f"SQLite {sqlite3.sqlite_version}, SQLAlchemy {version('sqlalchemy')} and "
        f"Alembic {version('alembic')}"
    )


def cell(outcomes: Sequence[Outcome]) -> str:
    """How many points, and at how many of them something was lost."""
    return f"{len(outcomes)} points, lost: {sum(outcome.lost for outcome in outcomes)}"


def repaired(outcomes: Sequence[Outcome]) -> str:
    """How many points, and what became of them with `bootstrap repair`."""
    untold = sum(outcome.untold for outcome in outcomes)
    wrong = sum(outcome.lost for outcome in outcomes) - untold
    told = len(outcomes) - untold - wrong
    return f"{len(outcomes)} points, told: {told}, untold: {untold}, wrong: {wrong}"


def named(backend_name: str, scenario: str) -> str:
    """What a line of the table of several servers is called."""
    return f"{backends.named(backend_name).title}: {scenario}"


def row(name: str, cells: Sequence[str]) -> str:
    """One line of the table."""
    return f"| {name} | {' | '.join(cells)} |"


def documented(name: str, tool: Tool, page: Path = PAGE) -> str:
    """The cell of the table in the page."""
    for line in _lines(page):
        cells = line.strip("| ").split(" | ")
        if cells[0] == name:
            return cells[1 + list(Tool).index(tool)]
    return ""


def _lines(page: Path, heading: str = HEADING) -> list[str]:
    text = page.read_text(encoding="utf-8").partition(heading)[2]
    return text.partition("\n\n")[0].splitlines()


def write(rows: Sequence[str], page: Path = PAGE, heading: str = HEADING) -> None:
    """Puts lines into the table of the page, in the place of those of the same names."""
    lines = {line.split(" | ")[0]: line for line in (*_lines(page, heading), *rows)}
    before, heading, rest = page.read_text(encoding="utf-8").partition(heading)
    after = rest.partition("\n\n")[2]
    table = "\n".join(lines.values())
    page.write_text(f"{before}{heading}{table}\n\n{after}", encoding="utf-8")

"""The table of what was killed, as docs/sqlite.md has it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from tests.chaos.measuring import Outcome
from tests.chaos.runner import Tool
from tests.chaos.scenarios import Scenario

PAGE = Path(__file__).parents[2] / "docs" / "sqlite.md"
HEADING = (
    "| Killed while it applies | `bootstrap migrate` | `alembic upgrade head` |\n|---|---|---|\n"
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


def row(scenario: Scenario, cells: Sequence[str]) -> str:
    """One line of the table."""
    return f"| {scenario.name} | {' | '.join(cells)} |"


def documented(scenario: Scenario, tool: Tool) -> str:
    """The cell of the table in the page."""
    lines = PAGE.read_text(encoding="utf-8").partition(HEADING)[2].partition("\n\n")[0]
    for line in lines.splitlines():
        cells = line.strip("| ").split(" | ")
        if cells[0] == scenario.name:
            return cells[1 + list(Tool).index(tool)]
    return ""


def write(rows: Sequence[str]) -> None:
    """Puts the table into the page, in the place of the one that is there."""
    before, heading, rest = PAGE.read_text(encoding="utf-8").partition(HEADING)
    after = rest.partition("\n\n")[2]
    PAGE.write_text(f"{before}{heading}{chr(10).join(rows)}\n\n{after}", encoding="utf-8")

"""The table of what was measured, as docs/revisions.md has it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import URL

from bootstrap import backends
from bootstrap.testing import ThrowawayDatabases
from tests.available import BACKENDS, Servers
from tests.changes.catalogue import Change
from tests.changes.measuring import WORKS, Measured

PAGE = Path(__file__).parents[2] / "docs" / "revisions.md"
HEADING = "| Change | `bootstrap revision` | `alembic revision` |\n|---|---|---|\n"
COMPARED_ON = "sqlite"


def places(servers: Servers, folder: Path) -> dict[str, ThrowawayDatabases]:
    """Where to try a revision: on every backend, on the servers that all tests share."""
    return {name: _place(name, servers, folder) for name in BACKENDS}


def _place(name: str, servers: Servers, folder: Path) -> ThrowawayDatabases:
    backend = backends.named(name)
    if backend.features.is_file:
        url = URL.create(backend.schemes[0], database=str(folder))
    else:
        url = servers.url(name)
    return ThrowawayDatabases(backend=backend, place=url)


def versions() -> str:
    """With what the table was measured."""
    return f"SQLAlchemy {version('sqlalchemy')} and Alembic {version('alembic')}"


def row(change: Change, measured: Measured) -> str:
    """One line of the table."""
    alembics = "works or not, by chance" if change.by_chance else _cell(measured.alembics)
    return f"| {change.name} | {_cell(measured.ours)} | {alembics} |"


def _cell(words: Mapping[str, str]) -> str:
    """What is the same everywhere is said once."""
    found = list(dict.fromkeys(words.values()))
    if len(found) == 1:
        return found[0]
    return "; ".join(f"{word} on {_titles(words, word)}" for word in found if word != WORKS)


def _titles(words: Mapping[str, str], word: str) -> str:
    return ", ".join(backends.named(name).title for name, one in words.items() if one == word)


def documented() -> dict[str, str]:
    """The lines of the table in the page, by the name of the change."""
    lines = PAGE.read_text(encoding="utf-8").partition(HEADING)[2].partition("\n\n")[0]
    return {line.split(" | ")[0].removeprefix("| "): line for line in lines.splitlines()}


def write(rows: list[str]) -> None:
    """Puts the table into the page, in the place of the one that is there."""
    before, heading, rest = PAGE.read_text(encoding="utf-8").partition(HEADING)
    after = rest.partition("\n\n")[2]
    PAGE.write_text(f"{before}{heading}{chr(10).join(rows)}\n\n{after}", encoding="utf-8")

"""The table in docs/detected.md: what is found of the single changes, beside `alembic check`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from bootstrap import backends
from tests.available import BACKENDS
from tests.conformance.corpus import Case

PAGE = Path(__file__).parents[3] / "docs" / "detected.md"
_MARK = "<!-- The rest is written by `python -m tests.conformance.corpus`. -->\n"
_FOUND, _MISSED, _NONE = "found", "no", ""
_LEVEL = "nothing"  # cases so named change nothing


def changes(cases: Iterable[Case]) -> list[Case]:
    """The cases that change something."""
    return [one for one in cases if not one.name.startswith(_LEVEL)]


def versions() -> str:
    """With what the table was measured."""
    return f"SQLAlchemy {version('sqlalchemy')} and Alembic {version('alembic')}"


def page(found: Mapping[tuple[str, str], bool]) -> str:
    """The page, with what `alembic check` found of each change, by backend and name."""
    before = PAGE.read_text(encoding="utf-8").partition(_MARK)[0]
    return "\n".join((f"{before}{_MARK}", *_lines(found), ""))


def _lines(found: Mapping[tuple[str, str], bool]) -> Iterator[str]:
    yield f"Measured with {versions()}."
    yield ""
    yield "| | changes | found and named by `bootstrap` | found by `alembic check` |"
    yield "|---|---|---|---|"
    for backend in BACKENDS:
        seen = [is_found for (name, _), is_found in found.items() if name == backend]
        yield f"| {backends.named(backend).title} | {len(seen)} | {len(seen)} | {sum(seen)} |"
    yield ""
    yield f"| change | {' | '.join(backends.named(one).title for one in BACKENDS)} |"
    yield f"|---|{'---|' * len(BACKENDS)}"
    for change in dict.fromkeys(name for _, name in found):
        cells = (_cell(found.get((backend, change))) for backend in BACKENDS)
        yield f"| {change} | {' | '.join(cells)} |"


def _cell(is_found: bool | None) -> str:
    if is_found is None:
        return _NONE
    return _FOUND if is_found else _MISSED


def documented() -> dict[tuple[str, str], bool]:
    """What the page says of each change."""
    rows = PAGE.read_text(encoding="utf-8").rpartition("---|\n")[2].splitlines()
    found = {}
    for row in rows:
        change, *cells = row.removeprefix("| ").removesuffix(" |").split(" | ")
        for backend, cell in zip(BACKENDS, cells, strict=True):
            if cell.strip() != _NONE:
                found[backend, change] = cell == _FOUND
    return found

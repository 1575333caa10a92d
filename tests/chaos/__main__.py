"""Kills everything everywhere and writes the tables: `python -m tests.chaos [BACKEND]... [WORD]`.

docs/sqlite.md has that of SQLite, docs/journal.md that of servers that commit each statement, and
of PostgreSQL where a revision leaves its transaction.
With a WORD only the scenarios that have it in their names.
`python -m tests.chaos repairs [BACKEND]...` kills plain Alembic, and repairs what it has left.
"""

import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path

from bootstrap import backends
from tests.chaos import table
from tests.chaos.measuring import Outcome, measure
from tests.chaos.places import Files, durable
from tests.chaos.runner import TOOLS, Runner, Tool, running
from tests.chaos.scenarios import COMMITTING, LEAVING, SCENARIOS, Scenario

_SCENARIOS = {
    "sqlite": SCENARIOS,
    "mariadb": (*SCENARIOS, *COMMITTING),
    "mysql": (*SCENARIOS, *COMMITTING),
    "postgresql": LEAVING,
}


def main() -> None:
    """Measures, shows each cell, and writes each line as soon as it is known."""
    if sys.argv[1:2] == ["repairs"]:
        _repairs(sys.argv[2:] or list(_SCENARIOS))
        return
    asked = [one for one in sys.argv[1:] if one in _SCENARIOS]
    words = [one for one in sys.argv[1:] if one not in _SCENARIOS]
    with running() as runner:
        for backend_name in asked or _SCENARIOS:
            on_files = backend_name == "sqlite"
            for scenario in _SCENARIOS[backend_name]:
                if not all(word in scenario.name for word in words):
                    continue
                cells = [_cell(scenario, tool, runner, backend_name) for tool in TOOLS]
                name = scenario.name if on_files else table.named(backend_name, scenario.name)
                page = table.PAGE if on_files else table.JOURNAL
                table.write([table.row(name, cells)], page)


def _repairs(backend_names: list[str]) -> None:
    with running() as runner:
        for backend_name in backend_names:
            leaves = _SCENARIOS[backend_name] is LEAVING
            for scenario in LEAVING if leaves else (SCENARIOS[0], SCENARIOS[-1]):
                outcomes = _outcomes(scenario, Tool.ALEMBIC, runner, backend_name, then=Tool.REPAIR)
                cell = table.repaired(outcomes)
                print(f"{backend_name}, {scenario.name}: {cell}", flush=True)
                line = table.row(table.named(backend_name, scenario.name), [cell])
                table.write([line], table.JOURNAL, table.REPAIRS)


def _cell(scenario: Scenario, tool: Tool, runner: Runner, backend_name: str) -> str:
    started = time.monotonic()
    cell = table.cell(_outcomes(scenario, tool, runner, backend_name))
    print(f"{tool}, {scenario.name}: {cell}, {time.monotonic() - started:.0f} s", flush=True)
    return cell


def _outcomes(
    scenario: Scenario,
    tool: Tool,
    runner: Runner,
    backend_name: str,
    *,
    then: Tool | None = None,
) -> list[Outcome]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as until:
        folder = Path(name)
        place = (
            Files(folder)
            if backends.named(backend_name).server is None
            else until.enter_context(closing(durable(backend_name)))
        )
        return measure(scenario, tool=tool, place=place, runner=runner, folder=folder, then=then)


main()

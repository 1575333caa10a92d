"""Kills everything everywhere and writes the tables: `python -m tests.chaos [BACKEND]...`.

docs/sqlite.md has that of SQLite, docs/journal.md that of servers that commit each statement.
"""

import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from bootstrap import backends
from tests.chaos import table
from tests.chaos.measuring import measure
from tests.chaos.places import Durable, Files
from tests.chaos.runner import Runner, Tool, running
from tests.chaos.scenarios import COMMITTING, SCENARIOS, Scenario


def main() -> None:
    """Measures, shows each cell, and writes each line as soon as it is known."""
    with running() as runner:
        for backend_name in sys.argv[1:] or ("sqlite", "mariadb", "mysql"):
            on_files = backend_name == "sqlite"
            for scenario in SCENARIOS if on_files else (*SCENARIOS, *COMMITTING):
                cells = [_cell(scenario, tool, runner, backend_name) for tool in Tool]
                name = scenario.name if on_files else table.named(backend_name, scenario.name)
                page = table.PAGE if on_files else table.JOURNAL
                table.write([table.row(name, cells)], page)


def _cell(scenario: Scenario, tool: Tool, runner: Runner, backend_name: str) -> str:
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        if backends.named(backend_name).server is None:
            place = Files(Path(folder))
            outcomes = measure(scenario, tool=tool, place=place, runner=runner, folder=Path(folder))
        else:
            with closing(Durable(backend_name)) as server:
                outcomes = measure(
                    scenario, tool=tool, place=server, runner=runner, folder=Path(folder)
                )
    cell = table.cell(outcomes)
    print(f"{tool}, {scenario.name}: {cell}, {time.monotonic() - started:.0f} s", flush=True)
    return cell


main()

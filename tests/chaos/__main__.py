"""Kills everything everywhere and writes the table into docs/sqlite.md: `python -m tests.chaos`."""

import tempfile
import time
from pathlib import Path

from tests.chaos import table
from tests.chaos.measuring import measure
from tests.chaos.places import Files
from tests.chaos.runner import Runner, Tool, running
from tests.chaos.scenarios import SCENARIOS, Scenario


def main() -> None:
    """Measures, shows each cell, and writes the table."""
    with running() as runner:
        table.write(
            [
                table.row(scenario, [_cell(scenario, tool, runner) for tool in Tool])
                for scenario in SCENARIOS
            ]
        )


def _cell(scenario: Scenario, tool: Tool, runner: Runner) -> str:
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        place = Files(Path(folder))
        outcomes = measure(scenario, tool=tool, place=place, runner=runner, folder=Path(folder))
    cell = table.cell(outcomes)
    print(f"{tool}, {scenario.name}: {cell}, {time.monotonic() - started:.0f} s", flush=True)
    return cell


main()

"""Measures all changes and writes the table into docs/revisions.md: `python -m tests.changes`."""

import asyncio
import tempfile
import warnings
from pathlib import Path

from tests.available import Servers
from tests.changes import table
from tests.changes.catalogue import CHANGES, Change
from tests.changes.measuring import measure


def main() -> None:
    """Measures, shows each line, and writes them."""
    warnings.simplefilter("ignore")  # Alembic warns of constraints without a name
    servers = Servers()
    try:
        table.write([_row(change, servers) for change in CHANGES])
    finally:
        servers.stop()


def _row(change: Change, servers: Servers) -> str:
    with tempfile.TemporaryDirectory() as folder:
        places = table.places(servers, Path(folder))
        work = measure(change, Path(folder), places=places, compared_on=table.COMPARED_ON)
        row = table.row(change, asyncio.run(work))
    print(row, flush=True)
    return row


main()

"""Writes what differs between the backends: `python -m tests.conformance.declarations`."""

import asyncio
import tempfile
from pathlib import Path

from tests.available import Servers
from tests.conformance.declarations import DIFFERENCES, HEAD, lines, verified


def main() -> None:
    """Verifies the declarations on all servers, and writes what differs."""
    servers = Servers()
    try:
        with tempfile.TemporaryDirectory() as folder:
            report = asyncio.run(verified(Path(folder), servers))
    finally:
        servers.stop()
    DIFFERENCES.write_text("\n".join((HEAD, *lines(report), "")), encoding="utf-8")


main()

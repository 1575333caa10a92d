"""`python -m tests.engines fetch NAME...`, `list`, and `ensure`."""

from __future__ import annotations

import argparse
import sys

from tests.engines import cache, needed
from tests.engines.catalogue import ENGINES
from tests.engines.commands import EngineError


def main() -> int:
    """Does what the command line says and gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.engines")
    commands = parser.add_subparsers(dest="command", required=True)
    fetching = commands.add_parser("fetch", help="put engines into the cache")
    fetching.add_argument("names", nargs="+", choices=ENGINES, metavar="NAME")
    commands.add_parser("list", help="show what can be fetched, and what is there")
    commands.add_parser("ensure", help="get what the tests need and this machine does not have")
    arguments = parser.parse_args()
    match arguments.command:
        case "fetch":
            return _fetch(arguments.names)
        case "ensure":
            return needed.ensure()
    return _list()


def _fetch(names: list[str]) -> int:
    for name in names:
        try:
            print(f"{name}: {cache.made(name, ENGINES[name].unpack)}", flush=True)
        except EngineError as error:
            print(f"error: {name} cannot be fetched: {error}", file=sys.stderr)
            return 1
    return 0


def _list() -> int:
    for name in ENGINES:
        print(f"{name}: {cache.programs(name) or 'not fetched'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

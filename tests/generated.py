"""Writes what is in the repository and follows from the code: `python -m tests.generated`.

A test compares each of these files with what would be written now.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from bootstrap.cli import cli
from bootstrap.cli.group import leaves
from bootstrap.cli.program import functions_of, reporting_commands
from bootstrap.reports.schemas import report_of, schema
from tests import alembic_table
from tests.conformance import test_pains

ROOT = Path(__file__).parents[1]
SCHEMAS = ROOT / "docs" / "json"
_COMMANDS = ROOT / "docs" / "commands.md"
_COMMANDS_BEGIN = """# Commands

What `bootstrap --help` and `bootstrap COMMAND --help` print. `make generated` writes this page.
"""
_ALEMBIC = ROOT / "docs" / "alembic.md"
_PAINS = ROOT / "docs" / "pains.md"
_MARK = "<!-- The table is written by `make generated`. -->\n"


def files() -> Iterator[tuple[Path, str]]:
    """Each file with the text that it must have."""
    for command in reporting_commands():
        yield SCHEMAS / f"{command.replace(' ', '-')}.schema.json", json_schema(command)
    text = _ALEMBIC.read_text(encoding="utf-8").partition(_MARK)[0]
    yield _ALEMBIC, f"{text}{_MARK}\n{alembic_table.table()}"
    text = _PAINS.read_text(encoding="utf-8").partition(_MARK)[0]
    yield _PAINS, f"{text}{_MARK}\n{test_pains.table()}"
    yield _COMMANDS, commands_page()


def commands_page() -> str:
    """The help of every command."""
    context = click.Context(cli, info_name="bootstrap", terminal_width=80, **cli.context_settings)
    pages = [("bootstrap", cli.get_help(context))]
    for name, command in leaves(cli):
        shown = click.Context(command, info_name=name, parent=context)
        pages.append((f"bootstrap {name}", command.get_help(shown)))
    blocks = (f"## {title}\n\n```text\n{text.rstrip()}\n```\n" for title, text in pages)
    return "\n".join((_COMMANDS_BEGIN, *blocks))


def json_schema(command: str) -> str:
    """The schema of a command's JSON, as the command prints it."""
    text = json.dumps(
        schema(command, report_of(*functions_of(command))), indent=2, ensure_ascii=False
    )
    return f"{text}\n"


def main() -> None:
    """Writes the files, and removes schemas of commands that are no more."""
    wanted = dict(files())
    SCHEMAS.mkdir(exist_ok=True)
    for path in SCHEMAS.glob("*.schema.json"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

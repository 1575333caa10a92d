"""The commands about the program itself: they need no project and no database."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import click
from click.shell_completion import get_completion_class

import bootstrap
from bootstrap.cli.group import cli, example, leaves

_SHELLS = ("bash", "zsh", "fish")
_PROGRAM = "bootstrap"
_CALLED_TOO = {  # other options, and where the setting `databases` lists several
    "migrate": ("migration_script", "migrate_each", "plan", "plan_each"),
    "downgrade": ("migration_script", "downgrade_each"),
    "stamp": ("migration_script",),
    "ensure-version": ("version_table_script",),
    "wait": ("wait_heads",),
    "status": ("status_each",),
    "current": ("current_each",),
    "plan": ("plan_each",),
    "log": ("log_each",),
    "drift": ("adopt",),
    "repair": ("accept_changed",),
}
_VARIABLE = "_BOOTSTRAP_COMPLETE"  # click derives it from the name of the program


def reporting_commands() -> tuple[str, ...]:
    """The commands that print a JSON document with `--format json`: `migrate`, `lock status` …."""
    return tuple(
        name
        for name, command in leaves(cli)
        if any(parameter.name == "form" for parameter in command.params)
    )


def functions_of(command: str) -> tuple[Callable[..., Any], ...]:
    """The functions of the library that a command calls, and whose reports it prints."""
    names = (re.sub(r"[ -]", "_", command), *_CALLED_TOO.get(command, ()))
    return tuple(getattr(bootstrap, name) for name in names)


def _reporting(_context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]) -> str:
    name, names = " ".join(value), reporting_commands()
    if name not in names:
        raise click.BadParameter(f"{name!r} is none of {', '.join(names)}")
    return name


def _names(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    return [name for name in reporting_commands() if name.startswith(begun)]


@cli.command("json-schema", epilog=example("bootstrap json-schema migrate > migrate.schema.json"))
@click.argument("command", nargs=-1, required=True, callback=_reporting, shell_complete=_names)
def json_schema(command: str) -> None:
    """Prints the JSON Schema for the JSON of COMMAND.

    It is that of this version of bootstrap, exact to the last key.
    """
    # Imported here because `--help` must not wait for SQLAlchemy and Alembic.
    from bootstrap.reports.schemas import report_of, schema  # noqa: PLC0415

    document = schema(command, report_of(*functions_of(command)))
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


@cli.command(epilog=example('eval "$(bootstrap completion bash)"'))
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Prints the script for completion in SHELL.

    It completes commands, options, and revisions as the files have them.
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click has all of these
    click.echo(kind(cli, {}, _PROGRAM, _VARIABLE).source())

"""The options that commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What every command takes.

    Attributes:
        settings: Those of the settings that were given as options, by name.
        as_json: Print one JSON document instead of text.
        traceback: Show where an error came from.
        quiet: Show neither progress nor notes.
        x: What env.py gets as its own arguments.
        verbose: Show all that there is to show; few commands have the option.
        hooks: Run the hooks of the settings; few commands do.
    """

    settings: dict[str, object]
    as_json: bool
    traceback: bool
    quiet: bool = False
    x: tuple[str, ...] = ()
    verbose: bool = False
    hooks: bool = False


_OPTIONS = (
    click.option("--url", metavar="URL", help="The database; hides what the settings say."),
    click.option(
        "-c",
        "--config",
        multiple=True,
        metavar="FILE",
        help="Alembic's configuration file; twice for an ini file and a pyproject.toml that is "
        "not beside it.  [default: alembic.ini]",
    ),
    click.option(
        "-n", "--name", "section", metavar="SECTION", help="The section of that file to use."
    ),
    click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="What to print on standard output.",
    ),
    click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        metavar="FORM",
        help="What to write to standard error: text or json.  [default: text]",
    ),
    click.option("--echo", is_flag=True, default=None, help="Log every SQL statement."),
    click.option(
        "-x",
        "x",
        multiple=True,
        metavar="ARG",
        help="An argument for env.py (`context.get_x_argument()`); may be given several times.",
    ),
    click.option(
        "--env-var",
        metavar="NAME",
        help="An environment variable that env.py takes the URL from.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Show neither progress nor notes."),
    click.option(
        "--traceback",
        "--raiseerr",
        "traceback",
        is_flag=True,
        help="Show where an error came from.",
    ),
)
waits_for_others = click.option(
    "--wait-lock",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="How long to wait for another run.  [default: 300]",
)
_LIMITS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--lock-timeout",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="How long a statement waits for a lock of others; 0 for no limit.  [default: 3]",
    ),
    click.option(
        "--lock-retries",
        type=click.IntRange(min=0),
        metavar="COUNT",
        help="How often what got no lock is tried again.  [default: 10]",
    ),
    click.option(
        "--statement-timeout",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="Cancel a statement that takes longer.",
    ),
    click.option(
        "--retry-for",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="How long to try again after a lost connection or a deadlock; 0 for never.  "
        "[default: 120]",
    ),
)


def is_gentle(function: F) -> F:
    """Adds how long statements may stand in the way of others."""
    for option in reversed(_LIMITS):
        function = option(function)
    return function


for_environment = click.option(
    "--env",
    "environment",
    metavar="NAME",
    help="Whose data sets are added to those that all environments have.",
)
runs_hooks = click.option(
    "--no-hooks",
    "hooks",
    flag_value=False,
    default=True,
    help="Run no hooks (before_migrate, after_migrate, on_failure of the settings).",
)
lets_ahead_be = click.option(
    "--allow-ahead",
    is_flag=True,
    default=None,
    help="Do nothing, instead of failing, where newer code has migrated the database.",
)
writes_sql = click.option(
    "--sql", is_flag=True, help="Write an SQL script to standard output, and connect to nothing."
)
_NAMES = (
    "url",
    "env_var",
    "section",
    "echo",
    "log_format",
    "wait_lock",
    "lock_timeout",
    "lock_retries",
    "statement_timeout",
    "retry_for",
    "allow_ahead",
    "environment",
)
_TOML = "pyproject.toml"


def configuration_files(named: Sequence[str]) -> dict[str, str]:
    """Which setting each configuration file is for; a pyproject.toml alone stands for its ini."""
    tomls = [name for name in named if PurePath(name).name == _TOML]
    inis = [name for name in named if name not in tomls]
    if len(tomls) > 1 or len(inis) > 1:
        raise click.UsageError("--config takes one ini file and one pyproject.toml.")
    if inis and tomls:
        return {"config": inis[0], "pyproject": tomls[0]}
    return {"config": named[0]} if named else {}


def common(function: F) -> F:
    """Adds the shared options to a command, which receives them as one value, `common`."""
    return _with(_OPTIONS, function)


def common_but_url(function: F) -> F:
    """The same for a command that has a `--url` of its own, with another meaning."""
    return _with(_OPTIONS[1:], function)


def _with(options: Sequence[Callable[[F], F]], function: F) -> F:

    def gathered(**given: Any) -> Any:
        options = {name: given.pop(name, None) for name in _NAMES} | configuration_files(
            given.pop("config")
        )
        given["common"] = Common(
            settings={name: value for name, value in options.items() if value is not None},
            as_json=given.pop("form") == "json",
            traceback=given.pop("traceback"),
            quiet=given.pop("quiet"),
            x=given.pop("x"),
            verbose=given.pop("verbose", False),
            hooks=given.pop("hooks", False),
        )
        return function(**given)

    gathered.__doc__ = function.__doc__
    gathered.__name__ = function.__name__
    gathered.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]  # where click keeps them
    for option in reversed(options):
        gathered = option(gathered)
    return gathered  # type: ignore[return-value]  # click calls it by keyword, as it would the function


def before_the_command(function: F) -> F:
    """Lets the shared options stand before the name of the command too, where Alembic has some."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


asks_first = click.option("--yes", is_flag=True, help="Do not ask.")

"""The options that commands share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
        verbose: Show all that there is to show; few commands have the option.
    """

    settings: dict[str, object]
    as_json: bool
    traceback: bool
    verbose: bool = False


_OPTIONS = (
    click.option("--url", metavar="URL", help="The database; hides what the settings say."),
    click.option(
        "-c",
        "--config",
        metavar="FILE",
        help="Alembic's configuration file.  [default: alembic.ini]",
    ),
    click.option(
        "-n", "--name", "section", metavar="SECTION", help="The section of that file to use."
    ),
    click.option(
        "--format",
        "output",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="What to print on standard output.",
    ),
    click.option("--echo", is_flag=True, default=None, help="Log every SQL statement."),
    click.option("--traceback", is_flag=True, help="Show where an error came from."),
)
_NAMES = ("url", "config", "section", "echo")


def common(function: F) -> F:
    """Adds the shared options to a command, which receives them as one value, `common`."""

    def gathered(**given: Any) -> Any:
        options = {name: given.pop(name) for name in _NAMES}
        given["common"] = Common(
            settings={name: value for name, value in options.items() if value is not None},
            as_json=given.pop("output") == "json",
            traceback=given.pop("traceback"),
            verbose=given.pop("verbose", False),
        )
        return function(**given)

    gathered.__doc__ = function.__doc__
    gathered.__name__ = function.__name__
    gathered.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]  # where click keeps them
    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered  # type: ignore[return-value]  # click calls it by keyword, as it would the function

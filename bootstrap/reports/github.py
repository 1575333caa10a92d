"""What the runner of GitHub Actions reads in the output of a step: workflow commands.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands has the form; how
values are escaped is what GitHub's own toolkit does.
"""

from __future__ import annotations

from pathlib import Path

from bootstrap.errors import BootstrapError, Place
from bootstrap.reports.masking import Masked

_IN_MESSAGES = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTIES = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def error_annotation(
    command: str, error: BootstrapError, *, workspace: Path, masked: Masked = str
) -> str:
    """The annotation for an error, at the file and line to blame where there is one.

    Args:
        command: Which command failed.
        error: Why.
        workspace: The root of the checkout: GitHub wants paths from there.
        masked: Takes secrets out of a text.
    """
    message = f"{error.message}\nhint: {error.hint}" if error.hint else error.message
    return annotation(command, message, place=error.place, workspace=workspace, masked=masked)


def annotation(
    command: str,
    message: str,
    *,
    place: Place | None = None,
    workspace: Path | None = None,
    masked: Masked = str,
) -> str:
    """The annotation that a command ends with.

    Args:
        command: Which.
        message: What it says; may have several lines.
        place: Where to show it; None for the step alone.
        workspace: The root of the checkout.
        masked: Takes secrets out of a text.
    """
    properties = {"title": f"bootstrap {command}"}
    if place:
        properties["file"] = _from(workspace, place.path)
        if place.line is not None:
            properties["line"] = str(place.line)
    said = ",".join(
        f"{name}={value.translate(_IN_PROPERTIES)}" for name, value in sorted(properties.items())
    )
    return f"::error {said}::{masked(message).translate(_IN_MESSAGES)}"


def _from(workspace: Path | None, path: Path) -> str:
    absolute = path.absolute()
    if workspace and absolute.is_relative_to(workspace):
        return absolute.relative_to(workspace).as_posix()
    return str(path)

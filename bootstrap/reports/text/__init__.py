"""Reports as text for people: a sentence, or a short table.

The text of a report stands in the module that has the name of the report's room: for one of
`bootstrap.checking` in `checking` here. It is loaded when the first of its reports is shown.
"""

from importlib import import_module
from importlib.util import find_spec

from rich.console import RenderableType

from bootstrap.reports.text import rendering


def render(report: object) -> RenderableType:
    """What a person reads at the end of a command."""
    _load(report)
    return rendering.render(report)


def render_all(report: object) -> RenderableType:
    """The same with all that there is to show; as `render` where that is all."""
    _load(report)
    return rendering.render_all(report)


def _load(report: object) -> None:
    room = type(report).__module__.removeprefix("bootstrap.").partition(".")[0]
    if find_spec(f"{__name__}.{room}"):
        import_module(f"{__name__}.{room}")

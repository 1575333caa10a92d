"""How a report becomes text: two functions that know a text for each kind of report.

The modules beside this one register theirs; what they share stands here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import singledispatch

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bootstrap import backends

NOTHING_TO_DO = "Nothing was left to do."


@singledispatch
def render(report: object) -> RenderableType:
    """What a person reads at the end of a command."""
    raise TypeError(f"there is no text for {type(report).__name__}")


@singledispatch
def render_all(report: object) -> RenderableType:
    """The same with all that there is to show; as `render` where that is all."""
    return render(report)


def facts(rows: Iterable[tuple[str, str]], *, indent: int = 0) -> Table:
    """Names and values below each other."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold" if not indent else None, no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(" " * indent + name), Text(value))
    return table


def database(name: str, backend: str, version: str) -> str:
    """Which database, on what server."""
    return f"{name} ({backends.named(backend).title} {version})"


def below_each_other(blocks: Iterable[Sequence[RenderableType]]) -> Group:
    """Blocks with an empty line between each two."""
    parts = [part for block in blocks for part in ("", *block)]
    return Group(*parts[1:])


def heads(revisions: Sequence[str]) -> str:
    """Where a database is, or should be."""
    return ", ".join(revisions) or "none"


def newer(ahead: Sequence[str]) -> Text:
    """Why nothing was done for a database that newer code has migrated."""
    return Text(
        f"Newer code has migrated this database: no file here has {', '.join(ahead)}. "
        "Nothing was done."
    )

"""What a shell offers when somebody presses the tab key.

It reads files only, connects to nothing, and says nothing when something is wrong.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import click
from click.shell_completion import CompletionItem

from bootstrap import settings
from bootstrap.cli.options import configuration_files
from bootstrap.revisions.declarations import declared, version_folders
from bootstrap.settings.files import parser_of

_ELSEWHERE = ("version_locations", "recursive_version_locations")

Complete: TypeAlias = Callable[
    [click.Context, click.Parameter, str], "list[CompletionItem] | list[str]"
]
_Offer: TypeAlias = tuple[str, str]  # what to type, and what it is


def revisions(*words: str) -> Complete:
    """Completes revisions: these words, then ids and labels as the files have them.

    Args:
        words: What else the command takes, such as `head`.
    """

    def complete(
        context: click.Context, _parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        offers = [*((word, "") for word in words), *_quietly(context.params)]
        return [
            CompletionItem(name, help=said or None)
            for name, said in offers
            if name.startswith(incomplete)
        ]

    return complete


def _quietly(params: Mapping[str, Any]) -> Iterable[_Offer]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return list(_in_files(params))
    except Exception:  # noqa: BLE001 - in the middle of a line nobody can read an error
        return []


def _in_files(params: Mapping[str, Any]) -> Iterator[_Offer]:
    named = configuration_files(params.get("config") or ())
    options = named | {"section": params.get("section")}
    config, section = settings.project_at(options=options)
    folders = _usual_folder(config.value, section.value) or _folders(config.value, section.value)
    files = declared(folders)
    for file in files:
        yield file.revision, file.title
    for file in files:
        for label in file.labels:
            yield f"{label}@head", f"the newest of {label}"


def _usual_folder(ini: Path, section: str) -> tuple[Path, ...]:
    """Where the revisions of most projects are, found without Alembic: it takes long to import."""
    if not ini.is_file():
        return ()
    parser = parser_of(ini)
    if any(parser.has_option(section, name) for name in _ELSEWHERE):
        return ()
    location = parser.get(section, "script_location", fallback="")
    return (Path(location, "versions"),) if location and ":" not in location else ()


def _folders(ini: Path, section: str) -> tuple[Path, ...]:
    """Where the revisions are, as Alembic finds it."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - see above

    from bootstrap.project import Project  # noqa: PLC0415 - see above

    project = Project.at(ini, section=section)
    return version_folders(ScriptDirectory.from_config(project.configuration()))

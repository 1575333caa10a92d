"""Where settings are looked for: one function per source, a tuple of them per precedence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

from bootstrap.settings.command import url_from
from bootstrap.settings.files import text_of, url_in
from bootstrap.settings.values import Kind, Setting

T = TypeVar("T")

SECRET_FILE = "BOOTSTRAP_DATABASE_URL_FILE"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """All that a run was given.

    Attributes:
        options: Values by the name of the setting; None counts as not given.
        environ: The environment.
        folder: The working directory.
        toml: The pyproject.toml, which need not exist.
        table: Its `[tool.bootstrap]`.
    """

    options: Mapping[str, object]
    environ: Mapping[str, str]
    folder: Path
    toml: Path
    table: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A value as it was found.

    Attributes:
        raw: The value, not read yet.
        source: Where it was, in words.
        base: Where relative paths in it begin.
    """

    raw: object
    source: str
    base: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a source needs to know.

    Attributes:
        name: The setting.
        option: As it is spelled on the command line.
        environment: The variables that set it, the first one first.
        given: Where to look.
        earlier: The settings that are known by now.
    """

    name: str
    option: str
    environment: tuple[str, ...]
    given: Given
    earlier: Mapping[str, Setting[Any]]


Source: TypeAlias = Callable[[Search], Found | None]


def from_option(search: Search) -> Found | None:
    """An option of the command; an empty one counts, for `--url "$TYPO"` must not fall through."""
    raw = search.given.options.get(search.name)
    if raw is None:
        return None
    return Found(raw=raw, source=f"option {search.option}", base=search.given.folder)


def from_environment(search: Search) -> Found | None:
    """A variable of the environment; an empty one counts as not set."""
    for variable in search.environment:
        if text := search.given.environ.get(variable, "").strip():
            return Found(raw=text, source=f"environment {variable}", base=search.given.folder)
    return None


def from_secret_file(search: Search) -> Found | None:
    """A file with nothing but the value, as Docker and Kubernetes mount secrets."""
    name = search.given.environ.get(SECRET_FILE, "").strip()
    if not name:
        return None
    path = search.given.folder / name
    text = text_of(path, what="secret file")
    source = f"secret file {path} ({SECRET_FILE})"
    return Found(raw=text, source=source, base=search.given.folder)


def from_command(search: Search) -> Found | None:
    """What the program prints that `url_command` names; it runs only if this is reached."""
    command = search.earlier["url_command"]
    if command.value is None:
        return None
    url = url_from(command.value, folder=search.given.folder)
    return Found(raw=url, source=f"url_command ({command.source})", base=search.given.folder)


def from_pyproject(search: Search) -> Found | None:
    """A key of `[tool.bootstrap]`."""
    if search.name not in search.given.table:
        return None
    toml = search.given.toml
    return Found(
        raw=search.given.table[search.name],
        source=f"{toml} [tool.bootstrap] {search.name}",
        base=toml.parent,
    )


def from_ini(search: Search) -> Found | None:
    """The `sqlalchemy.url` of alembic.ini."""
    ini, section = search.earlier["config"].value, search.earlier["section"].value
    url = url_in(ini, section=section)
    if url is None:
        return None
    source = f"{ini} [{section}] sqlalchemy.url"
    return Found(raw=url, source=source, base=search.given.folder)


COMMAND: tuple[Source, ...] = (from_option, from_environment)
PLAIN: tuple[Source, ...] = (from_option, from_environment, from_pyproject)
FILE: tuple[Source, ...] = (from_pyproject,)
URL: tuple[Source, ...] = (
    from_option,
    from_environment,
    from_secret_file,
    from_command,
    from_pyproject,
    from_ini,
)
PROJECT_URL: tuple[Source, ...] = (from_ini, from_pyproject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec(Generic[T]):
    """How a setting is read.

    Attributes:
        kind: What it can be.
        default: What it is when no source has it.
        environment: The variables that set it, the first one first.
        option: As it is spelled on the command line, where that is not the name.
        sources: Where to look, in this order.
        secret: Whether the value may hold a password.
    """

    kind: Kind[T]
    default: T | None
    environment: tuple[str, ...]
    option: str = ""
    sources: tuple[Source, ...] = PLAIN
    secret: bool = False

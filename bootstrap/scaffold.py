"""Sets bootstrap up in a folder: beside Alembic where that is there, else with a new project."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bootstrap import reference, urls
from bootstrap.errors import SettingsError
from bootstrap.settings.files import tools_of

_DEFAULT_URL = "sqlite:///app.db"
_EMPTY_METADATA = "from sqlalchemy import MetaData\n\nmetadata = MetaData()"


@dataclass(frozen=True, slots=True, kw_only=True)
class InitReport:
    """What was written, relative to the folder, and what to do next."""

    folder: str
    written: tuple[str, ...]
    next_step: str


async def init(folder: Path, *, empty: bool = False, url: str | None = None) -> InitReport:
    """Sets bootstrap up in a folder; no file that is there is overwritten.

    Args:
        folder: With an Alembic project in it, or one to be made.
        empty: Begin a new project without the reference schema and its data sets.
        url: The database to write into pyproject.toml; must hold no password.

    Raises:
        SettingsError: A file is in the way, or bootstrap is set up already.
    """
    return await asyncio.to_thread(_init, folder, empty=empty, url=url)


def _init(folder: Path, *, empty: bool, url: str | None) -> InitReport:
    if url and urls.secrets_of(urls.resolve(url)[0]):
        raise SettingsError(
            "a URL with a password is not written into pyproject.toml",
            hint="leave --url out and set DATABASE_URL, or BOOTSTRAP_DATABASE_URL_FILE",
        )
    pyproject = folder / "pyproject.toml"
    existing = _is_alembic(folder, pyproject)
    files = {} if existing else dict(_new_project(empty=empty))
    settings = {} if existing else {"url": _DEFAULT_URL}
    if not existing and not empty:
        settings["datasets"] = "seeds"
    if url:
        settings["url"] = url
    _refuse_overwriting(folder, files)
    files["pyproject.toml"] = _with_settings(pyproject, settings)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    where = "" if folder == Path() else f"cd {shlex.quote(str(folder))} && "
    return InitReport(
        folder=str(folder),
        written=tuple(files),
        next_step=f"Next: {where}bootstrap {'status' if existing else 'up'}",
    )


def _is_alembic(folder: Path, pyproject: Path) -> bool:
    return (folder / "alembic.ini").is_file() or "alembic" in tools_of(pyproject)


def _new_project(*, empty: bool) -> Iterator[tuple[str, str]]:
    """The files of a new project, by their path in it."""
    yield "alembic.ini", reference.configuration_file().read_text(encoding="utf-8")
    migrations = reference.migrations_folder()
    for path in sorted(migrations.rglob("*")):
        name = path.relative_to(migrations)
        if path.suffix not in {".py", ".mako"} or (empty and name.parts[0] == "versions"):
            continue
        text = path.read_text(encoding="utf-8")
        if empty:
            text = text.replace(reference.METADATA_IMPORT, _EMPTY_METADATA)
        yield f"migrations/{name.as_posix()}", text
    if empty:
        yield "migrations/versions/.gitkeep", ""
        return
    seeds = reference.datasets_folder()
    for path in sorted(seeds.iterdir()):
        if path.suffix != ".py" and path.is_file():
            yield f"seeds/{path.name}", path.read_text(encoding="utf-8")


def _refuse_overwriting(folder: Path, files: Mapping[str, str]) -> None:
    there = [name for name in files if (folder / name).exists()]
    if there:
        raise SettingsError(
            f"{', '.join(there)} would be overwritten in {folder}",
            hint="name another folder, or move these files away",
        )


def _with_settings(pyproject: Path, settings: Mapping[str, str]) -> str:
    """The text of pyproject.toml with our table at its end; what was there stays as it was."""
    if "bootstrap" in tools_of(pyproject):
        raise SettingsError(
            f"bootstrap is set up already: {pyproject} has [tool.bootstrap]",
            hint="bootstrap config shows the settings",
        )
    # As bytes: reading as text would make \n of its \r\n.
    before = pyproject.read_bytes().decode() if pyproject.is_file() else ""
    end = "\r\n" if "\r\n" in before else "\n"
    lines = ["[tool.bootstrap]"]
    # A TOML string is written as a JSON string, but for characters beyond U+FFFF.
    lines += [
        f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in settings.items()
    ]
    gap = "" if not before else end if before.endswith("\n") else end * 2
    return before + gap + end.join(lines) + end

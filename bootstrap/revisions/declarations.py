"""What revision files declare, read without running them.

Alembic runs each file to read it, and stops at the first that is broken. This is for what must
work then too: naming all files that are involved, and completing revisions in a shell.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap.errors import Place

if TYPE_CHECKING:  # who completes in a shell must not wait for Alembic
    from alembic.script import ScriptDirectory


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """The names that one revision file gives to itself and to others.

    Attributes:
        path: The file.
        revision: Its id.
        title: The first line of its docstring.
        down_revisions: Those that it follows.
        depends_on: Those that must be applied before; may be labels.
        labels: Its own branch labels.
        lines: Where `revision`, `down_revision`, ... stand, counted from 1.
    """

    path: Path
    revision: str
    title: str
    down_revisions: tuple[str, ...]
    depends_on: tuple[str, ...]
    labels: tuple[str, ...]
    lines: Mapping[str, int]

    def place(self, name: str) -> Place:
        """Where the file gives a value to this name."""
        return Place(path=self.path, line=self.lines.get(name))


def version_folders(scripts: ScriptDirectory) -> tuple[Path, ...]:
    """The folders that hold the revision files of a project."""
    folders = [Path(one) for one in scripts._version_locations]  # noqa: SLF001 - no public name
    deep = scripts.recursive_version_locations
    below = [path for folder in folders for path in folder.rglob("*") if deep and path.is_dir()]
    return (*folders, *(path for path in below if path.name != "__pycache__"))


def declared(folders: Iterable[Path]) -> tuple[Declaration, ...]:
    """The declarations of all files that can be parsed, in the order of their names."""
    paths = {path.resolve() for folder in folders for path in folder.glob("*.py")}
    return tuple(one for path in sorted(paths) for one in _declaration(path))


def _declaration(path: Path) -> Iterator[Declaration]:
    try:
        module = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    assigned = dict(_assignments(module))
    values = {name: _names(value) for name, value in assigned.items()}
    if not values.get("revision"):
        return
    yield Declaration(
        path=path,
        revision=values["revision"][0],
        title=(ast.get_docstring(module) or "").partition("\n")[0],
        down_revisions=values.get("down_revision", ()),
        depends_on=values.get("depends_on", ()),
        labels=values.get("branch_labels", ()),
        lines={name: value.lineno for name, value in assigned.items()},
    )


def _assignments(module: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in module.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value


def _names(value: ast.expr) -> tuple[str, ...]:
    """The texts of a literal; none where the file computes them."""
    try:
        found = ast.literal_eval(value)
    except ValueError:
        return ()
    several = found if isinstance(found, (tuple, list, set)) else (found,)
    return tuple(one for one in several if isinstance(one, str))

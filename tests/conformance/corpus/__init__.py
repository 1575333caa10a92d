"""Single changes of a schema, read from the files beside this one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent
_EXPECTED = "-- expect: "
_SETUP = "-- setup: "
_ONLY = "-- only: "


@dataclass(frozen=True, kw_only=True)
class Case:
    """One change: the SQL before it, the SQL that makes it, and what must be found."""

    backend: str
    name: str
    setup: tuple[str, ...]
    change: tuple[str, ...]
    expected: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.backend}: {self.name}"


def cases(backend: str, *, file: str = "") -> list[Case]:
    """The cases of a backend."""
    text = (_FOLDER / f"{file or backend}.sql").read_text(encoding="utf-8")
    setup, *parts = re.split(r"^--- ", text, flags=re.MULTILINE)
    parts = [part for part in parts if _is_for(backend, part)]
    return [_case(backend, part, statements(setup)) for part in parts]


def _is_for(backend: str, text: str) -> bool:
    only = [line for line in text.splitlines() if line.startswith(_ONLY)]
    return not only or f"{_ONLY}{backend}" in only


def _case(backend: str, text: str, setup: tuple[str, ...]) -> Case:
    name, _, body = text.partition("\n")
    lines = body.splitlines()
    sql = [line for line in lines if not line.startswith((_EXPECTED, _SETUP, _ONLY))]
    own = [line.removeprefix(_SETUP) for line in lines if line.startswith(_SETUP)]
    expected = [line.removeprefix(_EXPECTED) for line in lines if line.startswith(_EXPECTED)]
    return Case(
        backend=backend,
        name=name,
        setup=(*setup, *own),
        change=statements("\n".join(sql)),
        expected=tuple(sorted(expected)),
    )


def statements(text: str) -> tuple[str, ...]:
    """Cuts SQL at each `;` that ends a line."""
    parts = re.split(r";[ ]*(?:\n|\Z)", text)
    return tuple(part.strip() for part in parts if part.strip())


CASES = (
    *cases("sqlite"),
    *cases("postgresql"),
    *cases("mysql"),
    *cases("mariadb", file="mysql"),
)

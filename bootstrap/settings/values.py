"""One setting: its value with where it came from, and how a value is read."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})
_HANDED = ("nothing", "connection")
_LOGGED = ("text", "json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[T]):
    """A setting in force.

    Attributes:
        name: As in `[tool.bootstrap]`.
        value: What it is.
        source: Where it came from, in words: `environment DATABASE_URL`.
        secret: Whether the value may hold a password.
    """

    name: str
    value: T
    source: str
    secret: bool

    def __repr__(self) -> str:
        value = "***" if self.secret and self.value is not None else repr(self.value)
        return f"Setting(name={self.name!r}, value={value}, source={self.source!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[T]):
    """What a setting can be.

    Attributes:
        expected: For the error message: what a value must be.
        parse: Makes the value of what was found, and of the folder where relative paths begin;
            raises ValueError for anything else.
    """

    expected: str
    parse: Callable[[object, Path], T]


def _text(raw: object, _base: Path) -> str:
    if isinstance(raw, str) and raw.strip():
        return raw.strip()
    raise ValueError


def _names(raw: object, _base: Path) -> tuple[str, ...]:
    """A list, or one text with commas in it; each name once."""
    words = raw.split(",") if isinstance(raw, str) else raw
    if not isinstance(words, list | tuple):
        raise ValueError  # noqa: TRY004 - what a Kind raises for all that it does not take
    names = tuple(dict.fromkeys(_text(word, _base) for word in words))
    if not names:
        raise ValueError
    return names


def _databases(raw: object, base: Path) -> Mapping[str, str]:
    """A table of names, each with a URL or the name of a variable that has one."""
    if not isinstance(raw, Mapping) or not raw:
        raise ValueError
    return {_text(name, base): _text(url, base) for name, url in raw.items()}


def _path(raw: object, base: Path) -> Path:
    if isinstance(raw, str) and raw.strip():
        return base / raw
    if isinstance(raw, Path):
        return base / raw
    raise ValueError


def _configuration(raw: object, base: Path) -> Path:
    """An ini file; its pyproject.toml stands for it, as in Alembic."""
    path = _path(raw, base)
    return path.with_name("alembic.ini") if path.name == "pyproject.toml" else path


def _handed(raw: object, _base: Path) -> str:
    if raw in _HANDED:
        return str(raw)
    raise ValueError


def _command(raw: object, _base: Path) -> str:
    """A program with its arguments, as a shell would split it, or a list; quoted for a shell."""
    words = shlex.split(raw) if isinstance(raw, str) else raw
    if not isinstance(words, list) or not words or not all(isinstance(one, str) for one in words):
        raise ValueError
    return shlex.join(words)


def _logged(raw: object, _base: Path) -> str:
    if raw in _LOGGED:
        return str(raw)
    raise ValueError


def _seconds(raw: object, _base: Path) -> float:
    value = float(str(raw))  # a bool becomes True, which is no number
    if math.isfinite(value) and value >= 0:
        return value
    raise ValueError


def _count(raw: object, _base: Path) -> int:
    value = int(str(raw))  # a bool becomes True, which is no number
    if value >= 0:
        return value
    raise ValueError


def _flag(raw: object, _base: Path) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise ValueError


TEXT = Kind(expected="a text that is not empty", parse=_text)
NAMES = Kind(expected="names, as a list or with commas between them", parse=_names)
DATABASES = Kind(
    expected='a table of names with URLs or, after a $, variables: {one = "$ONE_URL"}',
    parse=_databases,
)
PATH = Kind(expected="the path of a file or folder", parse=_path)
CONFIGURATION = Kind(expected="the path of an alembic.ini", parse=_configuration)
COMMAND_LINE = Kind(
    expected='a command, such as "pg_dump app", or a list of its words', parse=_command
)
SECONDS = Kind(expected="seconds, such as 60 or 2.5", parse=_seconds)
COUNT = Kind(expected="a whole number from 0 on", parse=_count)
HANDED = Kind(expected=" or ".join(_HANDED), parse=_handed)
LOGGED = Kind(expected=" or ".join(_LOGGED), parse=_logged)
FLAG = Kind(expected="true or false", parse=_flag)

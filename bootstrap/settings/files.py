"""The files that settings stand in.

They hold secrets, so an error names the place and never quotes what stands there.
"""

from __future__ import annotations

import configparser
import difflib
import tomllib
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bootstrap.errors import SettingsError

_URL = "sqlalchemy.url"
_PLACEHOLDER = "driver://"  # what `alembic init` writes


def text_of(path: Path, *, what: str, encoding: str = "utf-8") -> str:
    """Reads a file.

    Args:
        path: Which file.
        what: What it is called in the error message.
        encoding: As for `open`.

    Raises:
        SettingsError: It is missing, may not be read, or is no text.
    """
    try:
        return path.read_text(encoding=encoding)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SettingsError(f"the {what} {path} cannot be read: {reason}") from error
    except UnicodeDecodeError:
        pass
    # Raised out here: that exception holds the bytes of the file.
    raise SettingsError(f"the {what} {path} cannot be read: it is not text in UTF-8")


def tools_of(path: Path) -> Mapping[str, Any]:
    """Reads `[tool]` of a pyproject.toml; empty when there is none.

    Raises:
        SettingsError: The file cannot be read, or is no TOML.
    """
    if not path.is_file():
        return {}
    try:
        tool = tomllib.loads(text_of(path, what="file")).get("tool", {})
    except tomllib.TOMLDecodeError as error:
        # Its message tells the place and quotes at most a key: "Invalid value (at line 3, …)".
        raise SettingsError(f"{path} is not valid TOML: {error}") from error
    return tool if isinstance(tool, dict) else {}


def table_of(path: Path, *, known: Collection[str]) -> Mapping[str, Any]:
    """Reads `[tool.bootstrap]` of a pyproject.toml; empty when there is none.

    Args:
        path: The pyproject.toml.
        known: The keys that may stand there.

    Raises:
        SettingsError: The file is no TOML, or has a key that is not known.
    """
    table = tools_of(path).get("bootstrap", {})
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: tool.bootstrap is not a table", hint="[tool.bootstrap]")
    for key in table:
        if key not in known:
            raise _unknown_key(path, key, known)
    return table


def _unknown_key(path: Path, key: str, known: Collection[str]) -> SettingsError:
    nearest = difflib.get_close_matches(key.replace("-", "_"), known, n=1)
    return SettingsError(
        f"{path}: [tool.bootstrap] has a key that bootstrap does not know: {key!r}",
        hint=f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(sorted(known))}",
    )


def url_in(ini: Path, *, section: str) -> str | None:
    """The `sqlalchemy.url` of an alembic.ini, read as Alembic reads it; None when not set.

    Raises:
        SettingsError: The file cannot be read, or has a `%` that is no interpolation.
    """
    if not ini.is_file():
        return None
    parser = parser_of(ini)
    url = None
    with suppress(configparser.InterpolationError):
        url = parser.get(section, _URL, fallback="").strip()
    if url is None:
        # Raised out here: that exception quotes the value, which holds the password.
        raise SettingsError(
            f"{ini}: {_URL} in [{section}] holds a % that stands for nothing",
            hint="write %% for each % of the URL, such as p%%40ss for the password p@ss",
        )
    return None if url.startswith(_PLACEHOLDER) else url or None


def parser_of(ini: Path) -> configparser.ConfigParser:
    """Reads an ini file with Alembic's one default, and its encoding (`Config.file_config`).

    Raises:
        SettingsError: It is no ini file; the line is named and not quoted.
    """
    content = text_of(ini, what="file", encoding="locale")
    parser = configparser.ConfigParser({"here": ini.absolute().parent.as_posix()})
    line = 0
    try:
        parser.read_string(content)
    except configparser.Error as error:
        line = _line_of(error)
    else:
        return parser
    # Raised out here: that exception quotes the line, which may hold a password.
    raise SettingsError(f"{ini}:{line}: this line does not fit into an ini file")


def _line_of(error: configparser.Error) -> int:
    """The first line that did not fit; which of the two attributes an error has, varies."""
    lines = [line for line, _ in getattr(error, "errors", ())]
    return int(lines[0] if lines else getattr(error, "lineno", None) or 0)

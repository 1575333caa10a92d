"""The options in a URL's query: looked up in a list of known ones, and read as values.

What a driver does not know never reaches it: its TypeError for an unexpected keyword would name
neither the URL nor the remedy.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL

from bootstrap.errors import SettingsError

T = TypeVar("T")

_SWITCHES = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def options_of(
    url: URL, known: Collection[str], *, ignored: Collection[str] = ()
) -> dict[str, str]:
    """The options of a URL by name; of a repeated one the last counts, as in libpq.

    Args:
        url: Whose options they are.
        known: Those that have a meaning.
        ignored: Those that may be there, and are left out.

    Raises:
        SettingsError: An option that is neither.
    """
    given = {name: value for name, value in url.query.items() if name not in ignored}
    for name in given:
        if name not in known:
            raise _unknown(name, known)
    return {name: value if isinstance(value, str) else value[-1] for name, value in given.items()}


def without_options(url: URL, *, keep: Collection[str] = ()) -> URL:
    """The URL with nothing in its query but what SQLAlchemy itself reads there."""
    return url.set(query={name: value for name, value in url.query.items() if name in keep})


def seconds(name: str, text: str) -> float | None:
    """Reads a time-out: zero and below mean without limit, as in libpq.

    Raises:
        SettingsError: It is not a number.
    """
    value = number(name, text, kind=float, expected="seconds")
    return value if value > 0 else None


def number(name: str, text: str, *, kind: type[T], expected: str = "a whole number") -> T:
    """Reads a number.

    Raises:
        SettingsError: It is not one.
    """
    try:
        return kind(text)  # type: ignore[call-arg]  # int and float take a text
    except ValueError as error:
        raise refused(name, text, expected=expected) from error


def switch(name: str, text: str) -> bool:
    """Reads a yes or no.

    Raises:
        SettingsError: It is neither.
    """
    return _SWITCHES[word(name, text.lower(), _SWITCHES)]


def word(name: str, text: str, words: Collection[str]) -> str:
    """Takes one of some words.

    Raises:
        SettingsError: It is none of them.
    """
    if text not in words:
        raise refused(name, text, expected=f"one of {', '.join(words)}")
    return text


def file(name: str, text: str) -> Path:
    """Takes a file that can be read, as seen from the working directory.

    Raises:
        SettingsError: There is no such file, or it may not be read.
    """
    path = Path(text)
    if not path.is_file() or not os.access(path, os.R_OK):
        raise refused(name, text, expected="a file that can be read")
    return path


def refused(name: str, text: str, *, expected: str) -> SettingsError:
    """The error for a value that an option cannot have."""
    return SettingsError(
        f"the option {name} in the database URL cannot be {text!r}",
        hint=f"expected: {expected}",
    )


def _unknown(name: str, known: Collection[str]) -> SettingsError:
    nearest = difflib.get_close_matches(name, known, n=1)
    return SettingsError(
        f"the database URL has an option that bootstrap does not know: {name!r}",
        hint=f"did you mean {nearest[0]}?" if nearest else f"remove {name} from the URL",
    )

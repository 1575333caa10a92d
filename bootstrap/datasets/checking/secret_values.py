"""Values that a data set names and does not have: `{env: NAME}` and `{file: path}`.

No message has such a value, and none says how long it is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from bootstrap.datasets.reading.form import ENVIRONMENT, Cell, SeedFile

HIDDEN = "***"


def value_of(cell: Cell, file: SeedFile, *, label: str) -> str:
    """The value that a cell names.

    Args:
        cell: One of which `is_named` is true.
        file: Where the cell stands; relative paths begin in its folder.
        label: The column that gets the value, for a message.

    Raises:
        SeedError: The variable is not set, or the file cannot be read.
    """
    assert isinstance(cell.content, Mapping)  # noqa: S101 - as `is_named` has seen
    ((marker, named),) = cell.content.items()
    if not isinstance(named.content, str) or not named.content:
        what = "a variable of the environment" if marker == ENVIRONMENT else "a file"
        raise file.fault(cell.line, f"{label} must name {what}")
    read = _variable if marker == ENVIRONMENT else _text_of
    return read(named.content, cell.line, file, label)


def _variable(name: str, line: int, file: SeedFile, label: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise file.fault(
            line,
            f"{label} has its value in the variable {name}, which is not set",
            hint=f"set {name}, and run it again; nothing of this data set was written",
        )
    return value


def _text_of(name: str, line: int, file: SeedFile, label: str) -> str:
    """What a file has, without the line break at its end, which editors add."""
    path = file.path.parent / name
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        said = error.strerror or "it is no file"
    except (UnicodeDecodeError, ValueError):  # ValueError: U+0000 in the name
        said = "it is not encoded in UTF-8"
    else:
        return text.removesuffix("\n").removesuffix("\r")
    raise file.fault(
        line,
        f"{label} has its value in the file {name}, which cannot be read: {said}",
        hint="paths begin in the folder of the data set; nothing of this data set was written",
    )

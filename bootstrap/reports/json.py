"""Reports as JSON: one document for each command, with the version of its form."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Any

from bootstrap.errors import BootstrapError, RowsWouldBeLost

VERSION = 1


def document(command: str, report: object) -> str:
    """The JSON of a command that did what it should."""
    return _dump({"version": VERSION, "command": command, "report": _plain(report)})


def error_document(command: str, error: BaseException, *, exit_code: int) -> str:
    """The JSON of a command that failed; it never holds a secret, as the error does not."""
    said: dict[str, Any] = {"kind": type(error).__name__, "exit_code": exit_code}
    if isinstance(error, BootstrapError):
        said |= {"message": error.message, "hint": error.hint}
    if isinstance(error, RowsWouldBeLost):
        said["tables"] = error.tables
    return _dump({"version": VERSION, "command": command, "error": said})


def _dump(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2)


def _plain(value: object) -> Any:
    """Values of the library as what JSON has; properties of a report count as its fields."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        names += [name for name, one in vars(type(value)).items() if isinstance(one, property)]
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, PurePath):
        return str(value)
    return round(value, 6) if isinstance(value, float) else value

"""Reports as JSON: one document for each command, with the version of its form."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from pathlib import PurePath
from typing import Any

from bootstrap.errors import BootstrapError, Place, RowsWouldBeLost
from bootstrap.reports.masking import Masked

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReport:
    """Why a command did not do what it should; it never holds a secret.

    Attributes:
        kind: The class of the error: one of bootstrap's own, UsageError, Abort when the answer to
            a question was no, KeyboardInterrupt, Terminated, or another one for a defect.
        exit_code: That of the command.
        message: What was tried, on what, and why it did not work; empty for a defect. When the
            command was ended by a signal: where that left the database, if it is known.
        hint: What to do next; empty when there is nothing better to say.
        place: The file and line to look at, where one is to blame.
        tables: The tables that would lose rows, with how many they have; for RowsWouldBeLost only.
    """

    kind: str
    exit_code: int
    message: str
    hint: str
    place: Place | None
    tables: Mapping[str, int] | None

    @classmethod
    def of(cls, error: BaseException, *, exit_code: int, left: str = "") -> ErrorReport:
        """Takes from an error what may be shown of it.

        Args:
            error: An error of ours, or another one.
            exit_code: That of the command.
            left: How a command that was ended has left the database.
        """
        ours = error if isinstance(error, BootstrapError) else None
        return cls(
            kind=type(error).__name__,
            exit_code=exit_code,
            message=left or str(getattr(error, "message", "")),  # click's errors have one too
            hint=ours.hint if ours else "",
            place=ours.place if ours else None,
            tables=error.tables if isinstance(error, RowsWouldBeLost) else None,
        )


def document(command: str, report: object, *, masked: Masked = str) -> str:
    """The JSON of a command that did what it should; `masked` takes the secrets out of texts."""
    return _dump({"version": VERSION, "command": command, "report": _plain(report, masked)})


def error_document(
    command: str,
    error: BaseException,
    *,
    exit_code: int,
    left: str = "",
    masked: Masked = str,
) -> str:
    """The JSON of a command that failed; `left` is for `ErrorReport.of`."""
    failed = ErrorReport.of(error, exit_code=exit_code, left=left)
    return _dump({"version": VERSION, "command": command, "error": _plain(failed, masked)})


def planned_document(command: str, planned: object, *, masked: Masked = str) -> str:
    """The JSON of what a command is about to do, for a hook."""
    return _dump({"version": VERSION, "command": command, "planned": _plain(planned, masked)})


@cache
def parts(kind: type) -> Mapping[str, Any]:
    """What JSON has of a class, with the types: its fields, and its properties after them.

    A field whose metadata says `{"json": False}` is left out.
    """
    hints = typing.get_type_hints(kind)
    fields = [one for one in dataclasses.fields(kind) if one.metadata.get("json", True)]
    found = {field.name: hints[field.name] for field in fields}
    for name, member in vars(kind).items():
        if isinstance(member, property) and not name.startswith("_"):
            found[name] = typing.get_type_hints(member.fget)["return"]
    return found


def _dump(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2)


def _plain(value: object, masked: Masked) -> Any:
    """Values of the library as what JSON has; the words of an enumeration are never secret."""
    if isinstance(value, (str, PurePath)):
        return value if isinstance(value, Enum) else masked(str(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(getattr(value, name), masked) for name in parts(type(value))}
    if isinstance(value, Mapping):
        return {masked(str(key)): _plain(one, masked) for key, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(one, masked) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return round(value, 6) if isinstance(value, float) else value

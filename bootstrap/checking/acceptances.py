"""Differences that a project has accepted, each with a reason, in pyproject.toml.

Those of `verify` stand in `[tool.bootstrap.verify]`, those of `drift` in `[tool.bootstrap.drift]`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import Array, InlineTable, Table

from bootstrap.checking.differences import Difference
from bootstrap.checking.files import write_text
from bootstrap.errors import SettingsError
from bootstrap.settings.files import text_of, tools_of

_VERIFY = "verify"
_FORM = 'accept = [{table = "users", name = "email", attribute = "length", reason = "why"}]'
_ANY = "*"
_CLASS = "class"  # what TOML calls the weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What may differ, and why; in each field but the reason `*` stands for anything.

    Attributes:
        reason: Why it is as it should be.
        comparison: `servers`, `models`, `stairway` or `probe`; for drift there is one only.
        weight: `policy` or `definition`; `class` in pyproject.toml.
        kind: `column`, `index` and so on.
        table: The table or view.
        name: The object.
        attribute: What of it differs; empty where one side does not have it at all.
        revision: The one that is undone, in the stairway.
    """

    reason: str
    comparison: str = _ANY
    weight: str = _ANY
    kind: str = _ANY
    table: str = _ANY
    name: str = _ANY
    attribute: str = _ANY
    revision: str = _ANY

    def fits(self, difference: Difference) -> bool:
        """Whether it is about this difference."""
        return all(
            re.fullmatch(
                re.escape(getattr(self, name)).replace(r"\*", ".*"), getattr(difference, name)
            )
            for name in _FIELDS
        )


_FIELDS = tuple(field.name for field in dataclasses.fields(Acceptance) if field.name != "reason")


def accept_known(
    differences: Iterable[Difference], accepted: Sequence[Acceptance]
) -> tuple[Difference, ...]:
    """The differences, those that are accepted with the reason; the first that fits gives it."""
    return tuple(
        replace(one, accepted=next((each.reason for each in accepted if each.fits(one)), ""))
        for one in differences
    )


def unused(
    differences: Sequence[Difference], accepted: Iterable[Acceptance]
) -> tuple[Acceptance, ...]:
    """Those that no difference fits."""
    return tuple(
        each for each in accepted if not any(each.fits(difference) for difference in differences)
    )


def read_accepted(pyproject: Path, *, of: str = _VERIFY) -> tuple[Acceptance, ...]:
    """Reads the accepted differences of a project.

    Args:
        pyproject: The file.
        of: The command whose differences they are.

    Raises:
        SettingsError: What stands there is not understood.
    """
    heading = f"[tool.bootstrap.{of}]"
    table = tools_of(pyproject).get("bootstrap", {}).get(of, {})
    if not isinstance(table, dict) or table.keys() - {"accept"}:
        raise SettingsError(f"{pyproject}: {heading} knows the key accept and no other", hint=_FORM)
    found = table.get("accept", [])
    if not isinstance(found, list):
        raise SettingsError(f"{pyproject}: {heading} accept is not a list", hint=_FORM)
    return tuple(
        _acceptance(one, where=f"{pyproject}: entry {number} of {heading} accept")
        for number, one in enumerate(found, start=1)
    )


def _acceptance(found: Any, *, where: str) -> Acceptance:
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise SettingsError(f"{where} is not a table of texts", hint=_FORM)
    given = {"weight" if key == _CLASS else key: value for key, value in found.items()}
    unknown = sorted(given.keys() - {*_FIELDS, "reason"})
    if unknown:
        known = ", ".join((*map(_key, _FIELDS), "reason"))
        raise SettingsError(f"{where} has a key {unknown[0]!r}", hint=f"known are {known}")
    if not given.get("reason", "").strip():
        raise SettingsError(f"{where} has no reason", hint=_FORM)
    if given.keys() <= {"reason", "weight", "comparison"}:
        raise SettingsError(
            f"{where} does not say what it is about", hint='name a kind, table = "…" or more'
        )
    return Acceptance(**given)


def write_accepted(differences: Sequence[Difference], pyproject: Path, *, of: str = _VERIFY) -> int:
    """Adds those that nobody has accepted to pyproject.toml, and leaves all else as it is.

    Args:
        differences: Some of them accepted already.
        pyproject: The file; it is made where it is missing.
        of: The command whose differences they are.

    Returns:
        How many were added.

    Raises:
        SettingsError: The file cannot be read or written.
    """
    added = [one for one in differences if not one.accepted]
    if not added:
        return 0
    tools_of(pyproject)  # whose error does not quote the file
    text = text_of(pyproject, what="file") if pyproject.is_file() else ""
    document = tomlkit.parse(text)
    entries = _entries(document, of)
    for one in added:
        entries.add_line(_entry(one))
    entries.add_line(indent="")
    write_text(tomlkit.dumps(document), pyproject, what="file")
    return len(added)


def _entries(document: tomlkit.TOMLDocument, of: str) -> Array:
    tables: Any = document
    for name in ("tool", "bootstrap", of):
        if name not in tables:
            tables[name] = tomlkit.table(is_super_table=name == "tool")
        tables = tables[name]
    table: Table = tables
    if "accept" not in table:
        table["accept"] = tomlkit.array()
    entries = table["accept"]
    assert isinstance(entries, Array)  # noqa: S101 - it was read before
    return entries


def _entry(one: Difference) -> InlineTable:
    entry = tomlkit.inline_table()
    for name in _FIELDS:
        value = str(getattr(one, name))
        if value or name == "attribute":
            entry[_key(name)] = value
    entry["reason"] = f"TODO: {one.why}"
    return entry


def _key(name: str) -> str:
    return _CLASS if name == "weight" else name

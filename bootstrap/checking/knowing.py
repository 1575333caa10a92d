"""The differences that a database had when somebody began to look: a file beside the project.

Unlike what is accepted in pyproject.toml they have no reason, and are known with what each side
has: one that changes again is new.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bootstrap.checking.differences import Difference
from bootstrap.checking.files import write_text
from bootstrap.errors import SettingsError

_VERSION = 1
_HINT = "bootstrap drift --baseline FILE --update-baseline writes one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One difference that is known.

    Attributes:
        kind: What is different.
        table: Of which table or view; empty for what stands beside tables.
        name: The object.
        attribute: What of it differs; empty when one side does not have it at all.
        revisions: What the history makes, in words; None where that is nothing.
        database: What the database has.
    """

    kind: str
    table: str
    name: str
    attribute: str
    revisions: str | None
    database: str | None

    @classmethod
    def of(cls, one: Difference) -> Known:
        """What is known of a difference."""
        history, live = (side.value for side in one.sides)
        return cls(
            kind=str(one.kind),
            table=one.table,
            name=one.name,
            attribute=one.attribute,
            revisions=history,
            database=live,
        )


def accept_baseline(
    differences: Iterable[Difference], known: Iterable[Known], path: Path
) -> tuple[Difference, ...]:
    """The differences, those that are known and not accepted already with the file as reason."""
    there = frozenset(known)
    return tuple(
        replace(one, accepted=f"in {path}") if not one.accepted and Known.of(one) in there else one
        for one in differences
    )


def gone(differences: Iterable[Difference], known: Iterable[Known]) -> tuple[Known, ...]:
    """Those that do not differ any longer, or not so."""
    found = frozenset(map(Known.of, differences))
    return tuple(one for one in known if one not in found)


def read_baseline(path: Path) -> tuple[Known, ...]:
    """Reads the differences that are known.

    Raises:
        SettingsError: The file cannot be read, or is none of these.
    """
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no JSON"
        raise SettingsError(f"cannot read the baseline {path}: {why}", hint=_HINT) from error
    if not isinstance(found, dict) or found.get("version") != _VERSION:
        raise SettingsError(f"{path} is no baseline of version {_VERSION}", hint=_HINT)
    entries = found.get("differences")
    if not isinstance(entries, list) or not all(map(_is_known, entries)):
        raise SettingsError(f"{path} is not a baseline of drift", hint=_HINT)
    return tuple(Known(**entry) for entry in entries)


def _is_known(entry: Any) -> bool:
    names = {field.name for field in dataclasses.fields(Known)}
    return (
        isinstance(entry, dict)
        and entry.keys() == names
        and all(isinstance(value, str) or value is None for value in entry.values())
    )


def write_baseline(differences: Sequence[Difference], path: Path) -> int:
    """Writes all that nobody has accepted with a reason, in place of what was known before.

    Returns:
        How many there are.

    Raises:
        SettingsError: The file cannot be written.
    """
    known = [dataclasses.asdict(Known.of(one)) for one in differences if not one.accepted]
    text = json.dumps({"version": _VERSION, "differences": known}, ensure_ascii=False, indent=2)
    write_text(f"{text}\n", path, what="baseline")
    return len(known)

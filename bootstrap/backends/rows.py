"""Rows of a catalogue: grouped by their table, and as a hash."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any


def by_table(rows: Sequence[Any]) -> Mapping[tuple[str, str], list[Any]]:
    """Rows by the schema and the table that they name; nothing for a table without rows."""
    found: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in rows:
        found[row.schema, row.table].append(row)
    return found


def hashed(rows: Mapping[str, Sequence[Any]]) -> str:
    """A hash of rows, in whatever order the server gave them."""
    digest = hashlib.sha256()
    for name in sorted(rows):
        digest.update(name.encode())
        for line in sorted(repr(tuple(row)) for row in rows[name]):
            digest.update(line.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()

"""Reads the manifest of a folder of data sets: what the files in it do not say themselves.

order = ["people.csv", "books.csv"]

[environments]
dev = ["dev"]

[tables.people]
key = "email"

[[checks]]
name = "the authors are there"
table = "people"
rows = 2
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bootstrap.datasets.reading.form import SeedFile, nearest
from bootstrap.errors import SeedError

NAME = "manifest.toml"

_MEMBERS = ("order", "environments", "files", "tables", "checks")
_CORRECT_IT = "nothing was written; correct the manifest and run it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What must be so when all is written: a query without rows, or the number of rows of a table.

    Attributes:
        file: The manifest that has it.
        name: What it is about, for a message.
        query: SQL that must give no row; empty for a number of rows.
        table: The table whose rows are counted; empty for a query.
        rows: How many it must have, exactly.
        environments: Where it holds; empty for everywhere.
    """

    file: SeedFile
    name: str
    query: str = field(default="", repr=False)
    table: str = ""
    rows: int = 0
    environments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What the manifest of a folder says; nothing where there is none.

    Attributes:
        file: Where it stands, or would stand.
        order: Files that are applied one after the other, whatever else is known of them.
        environments: The folders and files that each environment adds, the later ones over the
            earlier ones; None where the folders in the folder tell.
        tables_of_files: The tables of files whose name does not tell.
        keys: The natural keys of tables whose files do not tell.
        pruned: The tables whose further rows may be deleted.
        checks: What must be so in the end.
    """

    file: SeedFile
    order: tuple[str, ...] = ()
    environments: Mapping[str, tuple[str, ...]] | None = None
    tables_of_files: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pruned: frozenset[str] = frozenset()
    checks: tuple[Check, ...] = ()


def manifest_of(folder: Path) -> Manifest:
    """Reads the manifest of a folder, if it has one.

    Raises:
        SeedError: It is not TOML, or says something else than a manifest does.
    """
    file = SeedFile(path=folder / NAME)
    if not file.path.is_file():
        return Manifest(file=file)
    return _Reader(file).manifest(_document(file))


def _document(file: SeedFile) -> dict[str, Any]:
    try:
        return tomllib.loads(file.path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise SeedError(f"cannot read {file.path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise file.fault(
            None, "the file is not encoded in UTF-8", hint="save it as UTF-8"
        ) from error
    except tomllib.TOMLDecodeError as error:
        said, _, place = str(error).partition(" (at line ")
        line = re.match(r"\d+", place)
        raise file.fault(
            int(line[0]) if line else None, f"this is not valid TOML: {said}", hint=_CORRECT_IT
        ) from error


class _Reader:
    """Makes a manifest of a document; each error names the member that is to blame."""

    def __init__(self, file: SeedFile) -> None:
        self._file = file

    def manifest(self, document: Mapping[str, Any]) -> Manifest:
        self._known(document, _MEMBERS, "a manifest")
        tables = self._table(document, "tables", ("key", "prune"))
        files = self._table(document, "files", ("table",))
        environments = document.get("environments")
        return Manifest(
            file=self._file,
            order=self._names(document.get("order", []), "order"),
            environments=None if environments is None else self._environments(environments),
            tables_of_files={
                name: self._text(rules["table"], f"files.{name}.table")
                for name, rules in files.items()
                if "table" in rules
            },
            keys={
                name: self._key(rules["key"], f"tables.{name}.key")
                for name, rules in tables.items()
                if "key" in rules
            },
            pruned=frozenset(name for name, rules in tables.items() if self._prune(name, rules)),
            checks=tuple(self._checks(document.get("checks", []))),
        )

    def _fault(self, member: str, expected: str) -> SeedError:
        return self._file.fault(None, f"{member} must be {expected}", hint=_CORRECT_IT)

    def _known(self, found: Mapping[str, Any], known: tuple[str, ...], what: str) -> None:
        for name in found:
            if name not in known:
                raise self._file.fault(
                    None, f"{what} has no {name!r}", hint=nearest(name, known) or _CORRECT_IT
                )

    def _table(
        self, document: Mapping[str, Any], member: str, known: tuple[str, ...]
    ) -> dict[str, dict[str, Any]]:
        """The tables of a table, by their names."""
        found = document.get(member, {})
        if not isinstance(found, dict):
            raise self._fault(member, "a table")
        for name, rules in found.items():
            if not isinstance(rules, dict):
                raise self._fault(f"{member}.{name}", "a table")
            self._known(rules, known, f"{member}.{name}")
        return found

    def _text(self, found: object, member: str) -> str:
        if not isinstance(found, str) or not found.strip():
            raise self._fault(member, "a text that is not empty")
        return found

    def _names(self, found: object, member: str) -> tuple[str, ...]:
        if not isinstance(found, list) or len(set(map(str, found))) < len(found):
            raise self._fault(member, "a list of names, each once")
        return tuple(self._text(one, member) for one in found)

    def _key(self, found: object, member: str) -> tuple[str, ...]:
        key = self._names([found] if isinstance(found, str) else found, member)
        if not key:
            raise self._fault(member, "a column, or a list of columns")
        return key

    def _prune(self, name: str, rules: Mapping[str, Any]) -> bool:
        found = rules.get("prune", False)
        if not isinstance(found, bool):
            raise self._fault(f"tables.{name}.prune", "true or false")
        return found

    def _environments(self, found: object) -> dict[str, tuple[str, ...]]:
        if not isinstance(found, dict):
            raise self._fault("environments", "a table of names with folders or files")
        return {name: self._names(one, f"environments.{name}") for name, one in found.items()}

    def _checks(self, found: object) -> Iterator[Check]:
        if not isinstance(found, list):
            raise self._fault("checks", "written as [[checks]]")
        for number, one in enumerate(found, start=1):
            if not isinstance(one, dict):
                raise self._fault("checks", "written as [[checks]]")
            yield self._check(one, f"check {number}")

    def _check(self, found: Mapping[str, Any], what: str) -> Check:
        self._known(found, ("name", "query", "table", "rows", "environments"), what)
        name = self._text(found.get("name"), f"the name of {what}")
        environments = self._names(found.get("environments", []), f"the environments of {what}")
        if found.keys() & {"query", "table", "rows"} == {"query"}:
            query = self._text(found["query"], f"the query of {what}")
            return Check(file=self._file, name=name, query=query, environments=environments)
        rows = found.get("rows")
        if "query" in found or type(rows) is not int or rows < 0:
            raise self._fault(what, "a query that gives no row, or a table and its number of rows")
        table = self._text(found.get("table"), f"the table of {what}")
        return Check(file=self._file, name=name, table=table, rows=rows, environments=environments)

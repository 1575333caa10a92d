"""What a revision loses by accident: rows and parts of tables that it makes anew.

SQLite cannot alter a table much, so Alembic's batch mode and revisions by hand make a new one,
copy the rows, drop the old one and rename (sqlite.org/lang_altertable.html). A table is looked at
just before it is dropped, and compared when another one has its name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, table

from bootstrap.backends.sqlite.catalog import SQLiteCatalog
from bootstrap.backends.sqlite.catalog.declarations import tokens
from bootstrap.backends.sqlite.driver import send
from bootstrap.backends.sqlite.foreign_keys import Violations, cascades_to, violations
from bootstrap.backends.sqlite.parts import BESIDE, Kind, Part, of_alembic, of_table
from bootstrap.backends.sqlite.statements import Effect, Statement, folded
from bootstrap.errors import RevisionError

_CATALOG = SQLiteCatalog()
_NO_PARTS: frozenset[Part] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """What Alembic's batch mode saw of a table, and what its columns are called afterwards."""

    seen: frozenset[Part]
    names: dict[str, str]

    def unseen(self, parts: frozenset[Part]) -> Iterator[Part]:
        """The parts that it could not keep, but for what goes with a column that it drops."""
        dropped = {
            name
            for part in self.seen
            if part.kind is Kind.COLUMN
            for name in part.columns
            if name not in self.names
        }
        for part in parts - self.seen:
            words = {token.name.lower() for token in tokens(part.name)} | set(part.columns)
            if not dropped & words:
                yield part.renamed(self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Old:
    """A table just before it is dropped."""

    parts: frozenset[Part]
    rows: int
    last_id: int | None  # where AUTOINCREMENT is
    batch: _Batch | None  # None: made anew by hand


class Losses:
    """Follows one revision after the other on one connection.

    Args:
        connection: The one of env.py.
        enforced: Whether foreign keys are, because they could not be switched off.
    """

    def __init__(self, connection: Connection, *, enforced: bool) -> None:
        self._connection = connection
        self._enforced = enforced
        self._violations: Violations | None = None
        self.forget()

    def forget(self) -> None:
        """A revision begins."""
        self._risky = False
        self._batches: dict[str, _Batch] = {}
        self._olds: dict[str, _Old] = {}  # by the name that another one gets or has
        self._names: dict[str, str] = {}  # what a renamed table is called -> was called
        self._renamed: set[str] = set()  # got the name of a dropped table just now
        self._rows: dict[str, str] = {}
        self._parts: dict[str, frozenset[Part]] = {}
        self._meant: set[str] = set()

    def batch(self, batch: Any) -> None:
        """Alembic is about to make a table anew; takes its `ApplyBatchImpl`."""
        names = {old.lower(): str(new.name).lower() for old, new in batch.columns.items()}
        seen = _Batch(seen=of_alembic(batch.table), names=names)
        self._batches[folded(str(batch.table.name))] = seen

    def watch(self, said: Statement) -> None:
        """Looks at what a statement is about to take away."""
        self._settle()
        if said.effect is not Effect.WRITES:
            return
        if not (said.makes or self._risky):
            self._risky = True
            if self._violations is None:
                self._violations = violations(self._connection)
        if said.drops_part:
            self._meant.add(folded(said.drops_part))
        if said.drops:
            self._drop(folded(said.drops))
        elif said.renames:
            self._rename(*(folded(name) for name in said.renames))

    def found(self) -> tuple[str, ...]:
        """What is lost, in words; called when the revision has done everything."""
        self._settle()
        for name in list(self._olds):
            if self._count(name):  # dropped, created again and filled again
                self._compare(name)
        words = [*self._rows.values()]
        for name, parts in self._parts.items():
            there = self._parts_of(name)
            lost = parts - there if there else _NO_PARTS
            words += [f"{part} of {name}" for part in _sorted(lost) if part.name not in self._meant]
        return (*words, *self._new_violations())

    def _drop(self, name: str) -> None:
        if not self._exists(name):
            return
        if self._enforced:
            self._refuse_cascade(name)
        original = self._names.pop(name, name)
        given_away = original != name and self._exists(original)  # the new one is there and filled
        kept = original if given_away else name
        old = self._olds[kept] = self._look(name, batch=self._batches.pop(name, None))
        if given_away:
            self._compare_rows(kept, old)
            self._renamed.add(kept)

    def _refuse_cascade(self, name: str) -> None:
        """Dropping a table deletes its rows first, and what refers to them follows."""
        for child in cascades_to(self._connection, name):
            if self._count(child):
                raise RevisionError(
                    f"a revision drops table {name} while foreign keys are enforced, which would "
                    f"delete or change the rows of {child} that refer to it; nothing was committed",
                    hint="begin no transaction before the migrations: then they can be off",
                )

    def _rename(self, old: str, new: str) -> None:
        if new in self._olds:
            self._renamed.add(new)
            self._names.pop(old, None)
        else:
            self._names[new] = self._names.pop(old, old)

    def _settle(self) -> None:
        """Compares what a rename has completed, before anything else is done to it."""
        for name in sorted(self._renamed):
            self._compare(name)
        self._renamed.clear()

    def _compare(self, name: str) -> None:
        old = self._olds.pop(name, None)
        there = self._parts_of(name)
        if old is None or not there:
            return
        if name in self._renamed:
            self._compare_rows(name, old)
        self._hand_on_last_id(name, old, there)
        if old.batch is None:
            lost = {part for part in old.parts if part.kind in BESIDE}
        else:
            lost = set(old.batch.unseen(old.parts))
        if lost - there:
            self._parts[name] = self._parts.get(name, _NO_PARTS) | (lost - there)

    def _compare_rows(self, name: str, old: _Old) -> None:
        lost = old.rows - self._count(name)
        if lost > 0:
            self._rows[name] = f"{lost} of {_rows(old.rows)} of {name}"

    def _hand_on_last_id(self, name: str, old: _Old, there: frozenset[Part]) -> None:
        """Counted from the rows alone, deleted ids would come again (sqlite.org/autoinc.html)."""
        if old.last_id is None or Part(kind=Kind.AUTOINCREMENT) not in there:
            return
        stored = send(
            self._connection,
            "SELECT name, seq FROM sqlite_sequence WHERE name = ? COLLATE NOCASE",
            [name],
        )
        if not stored:
            written = send(
                self._connection,
                "SELECT name FROM sqlite_master WHERE name = ? COLLATE NOCASE",
                [name],
            )
            send(
                self._connection,
                "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)",
                [written[0][0], old.last_id],
            )
        elif stored[0][1] < old.last_id:
            send(
                self._connection,
                "UPDATE sqlite_sequence SET seq = ? WHERE name = ?",
                [old.last_id, stored[0][0]],
            )

    def _look(self, name: str, *, batch: _Batch | None) -> _Old:
        parts = self._parts_of(name)
        last_id = None
        if Part(kind=Kind.AUTOINCREMENT) in parts:
            asked = "SELECT seq FROM sqlite_sequence WHERE name = ? COLLATE NOCASE"
            last_id = next((row[0] for row in send(self._connection, asked, [name])), None)
        return _Old(parts=parts, rows=self._count(name), last_id=last_id, batch=batch)

    def _exists(self, name: str) -> bool:
        asked = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE"
        return bool(send(self._connection, asked, [name]))

    def _parts_of(self, name: str) -> frozenset[Part]:
        asked = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE"
        written = [row[0] for row in send(self._connection, asked, [name])]
        found = _CATALOG.read(self._connection, written).tables if written else ()
        return of_table(found[0]) if found else _NO_PARTS

    def _count(self, name: str) -> int:
        if not self._exists(name):
            return 0
        return self._connection.scalar(select(func.count()).select_from(table(name))) or 0

    def _new_violations(self) -> tuple[str, ...]:
        """Rows that refer to none, beyond those that did before the revision."""
        if not self._risky:
            return ()
        before, self._violations = self._violations or Counter(), violations(self._connection)
        after: Violations = Counter()
        for (child, parent), count in self._violations.items():
            after[self._names.get(child, child), parent] += count
        return tuple(
            f"the rows of {parent} that {_rows(count)} of {child} {_refer(count)} to"
            for (child, parent), count in sorted((after - before).items())
        )


def _sorted(parts: frozenset[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: (part.kind, part.name, part.columns))


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _refer(count: int) -> str:
    return "refers" if count == 1 else "refer"

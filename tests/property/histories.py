"""Makes histories by chance: branches, merges, dependencies, and revisions that do all sorts."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.scenarios import ENV
from tests.projects import ProjectFolder, new_project

_MOST_REVISIONS = 6
_MOST_OPERATIONS = 7


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One revision, and what it is built upon."""

    name: str
    down: tuple[str, ...]
    depends_on: tuple[str, ...]
    upgrade: str


@dataclass
class _Table:
    """A table as it is at this point of a revision."""

    name: str
    columns: list[str] = field(default_factory=lambda: ["id", "n"])
    indexes: int = 0
    rows: int = 0


class _Writer:
    """Writes the operations of one revision, on tables of its own.

    Revisions of two branches may be applied in either order, so none changes a table of another.
    Each statement would fail, or leave other rows, if it took effect twice.
    """

    def __init__(self, name: str, chance: random.Random) -> None:
        self._name = name
        self._chance = chance
        self._made = 0
        self._tables: list[_Table] = []
        self.lines: list[str] = []

    def write(self) -> str:
        """A number of operations, the first of which makes a table."""
        self.make()
        choices: list[Callable[[_Table], None]] = [
            *[self.insert] * 3,
            *[self.update] * 3,
            self.add_column,
            self.index,
            self.rename,
            self.copy,
            self.delete,
            self.drop,
            lambda _: self.make(),
        ]
        for _ in range(self._chance.randint(1, _MOST_OPERATIONS)):
            self._chance.choice(choices)(self._chance.choice(self._tables))
        return "\n".join(self.lines)

    def make(self) -> None:
        self._made += 1
        table = _Table(name=f"t_{self._name}_{self._made}")
        self._tables.append(table)
        self.lines.append(
            f"op.create_table({table.name!r}, sa.Column('id', sa.Integer, primary_key=True), "
            "sa.Column('n', sa.Integer, nullable=False))"
        )

    def insert(self, table: _Table) -> None:
        """One row, or several at once."""
        count = self._chance.randint(1, 4)
        first = table.rows * 100
        rows = [{"id": first + n, "n": self._chance.randint(1, 9)} for n in range(1, count + 1)]
        table.rows += 1
        self.lines.append(
            f"op.bulk_insert(sa.table({table.name!r}, sa.column('id'), sa.column('n')), {rows})"
        )

    def update(self, table: _Table) -> None:
        factor, more = self._chance.randint(2, 3), self._chance.randint(1, 5)
        self._sql(f"UPDATE {table.name} SET n = n * {factor} + {more}")

    def add_column(self, table: _Table) -> None:
        name = f"c{len(table.columns)}"
        table.columns.append(name)
        self.lines.append(
            f"op.add_column({table.name!r}, sa.Column({name!r}, sa.String(20), "
            f"server_default={name!r}))"
        )

    def index(self, table: _Table) -> None:
        table.indexes += 1
        column = self._chance.choice(table.columns)
        self._made += 1
        name = f"ix_{self._name}_{self._made}"
        self.lines.append(f"op.create_index({name!r}, {table.name!r}, [{column!r}])")

    def rename(self, table: _Table) -> None:
        self._made += 1
        before, table.name = table.name, f"t_{self._name}_{self._made}"
        self.lines.append(f"op.rename_table({before!r}, {table.name!r})")

    def copy(self, table: _Table) -> None:
        first = table.rows * 100
        table.rows *= 2
        self._sql(f"INSERT INTO {table.name} (id, n) SELECT id + {first}, n + 1 FROM {table.name}")

    def delete(self, table: _Table) -> None:
        odd = self._chance.randint(0, 1)
        self._sql(f"DELETE FROM {table.name} WHERE n % 2 = {odd}")

    def drop(self, table: _Table) -> None:
        if len(self._tables) > 1:
            self._tables.remove(table)
            self.lines.append(f"op.drop_table({table.name!r})")

    def _sql(self, statement: str) -> None:
        self.lines.append(f"op.execute({statement!r})")


def history(chance: random.Random) -> list[Revision]:
    """Revisions, each after those that it is built upon."""
    made: list[Revision] = []
    heads: list[str] = []
    for number in range(1, chance.randint(2, _MOST_REVISIONS) + 1):
        name = f"r{number}"
        down = _down(chance, made, heads)
        below = _below(down, made)  # Alembic 1.20 fails when a merge depends on one of those too
        others = [one.name for one in made if one.name not in below]
        depends_on = tuple(chance.sample(others, 1)) if others and chance.random() < 0.2 else ()
        heads = [one for one in heads if one not in down] + [name]
        writer = _Writer(name, chance)
        made.append(Revision(name=name, down=down, depends_on=depends_on, upgrade=writer.write()))
    return made


def _below(names: tuple[str, ...], made: list[Revision]) -> set[str]:
    """Revisions, and all that they are built upon."""
    found = set(names)
    for one in reversed(made):
        if one.name in found:
            found |= {*one.down, *one.depends_on}
    return found


def _down(chance: random.Random, made: list[Revision], heads: list[str]) -> tuple[str, ...]:
    """A head, two that are merged, a revision that others follow already, or nothing."""
    what = chance.random()
    if not made or what < 0.1:
        return ()
    if len(heads) > 1 and what < 0.45:
        return tuple(chance.sample(heads, 2))
    if what < 0.65:
        return (chance.choice(made).name,)
    return (chance.choice(heads),)


def written(root: Path, revisions: list[Revision]) -> ProjectFolder:
    """The project of a history, whose env.py can be killed at a statement."""
    folder = new_project(root)
    folder.env(ENV)
    for one in revisions:
        down = one.down if len(one.down) > 1 else next(iter(one.down), None)
        extra = f"depends_on = {one.depends_on!r}" if one.depends_on else ""
        folder.revision(one.name, down=down, upgrade=one.upgrade, extra=extra)
    return folder

"""What takes one SQLite database to the schema of another: tables are made anew, rows copied."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from bootstrap.backends.altering import Made, Part, Statement, way
from bootstrap.backends.rows import by_table
from bootstrap.backends.sqlite.catalog import queries
from bootstrap.backends.sqlite.catalog.reading import is_virtual, shadows_of
from bootstrap.backends.sqlite.definitions import mixed
from bootstrap.schema.changes import Kind

_KINDS = {"index": Kind.INDEX, "trigger": Kind.TRIGGER, "view": Kind.VIEW}
_STAGES = {"table": 0, "index": 1, "view": 2, "trigger": 3}
_PLAIN = 0  # `hidden` of PRAGMA table_xinfo: a column that can be written


class SQLiteAlterations:
    """Makes the new table of the statement that made the other one, word by word.

    The old one is renamed first, and with `legacy_alter_table` nothing that refers to it is
    rewritten ("ALTER TABLE", "Making Other Kinds Of Table Schema Changes").
    """

    before: tuple[str, ...] = ("PRAGMA foreign_keys = OFF",)
    after: tuple[str, ...] = ("PRAGMA foreign_keys = ON",)

    def made(self, connection: Connection) -> tuple[Made, ...]:
        """What there is, in the words of `sqlite_master`."""
        rows = queries.rows(connection, None)
        columns = by_table(rows["columns"])
        shadows = shadows_of(rows["master"])
        return tuple(
            _made(row, columns.get(("", row.name), ()))
            for row in rows["master"]
            if not row.name.startswith(shadows)
        )

    def keeping(self, own: Made, other: Made, parts: Collection[Part]) -> Made:
        """Exchanges the definitions of these parts; a column that the other has not comes last."""
        sql = mixed(own.create[0], other.create[0], parts)
        if sql == other.create[0]:
            return other
        facts = {
            name: quoted
            for made, stays in ((other, False), (own, True))
            for name, quoted in made.facts.items()
            if ((Kind.COLUMN, name.lower()) in parts) is stays
        }
        return replace(other, create=(sql,), facts=facts)

    def between(self, before: Sequence[Made], after: Sequence[Made]) -> tuple[Statement, ...]:
        """The statements from one to the other."""
        new = {one.key: one for one in after}
        rebuilt = {
            one.name
            for one in before
            if one.kind is Kind.TABLE and one.key in new and new[one.key].create != one.create
        }
        # Indexes and triggers go with the old table.
        kept = [one for one in before if one.after not in rebuilt]
        found = way(kept, after, _change)
        if not rebuilt:
            return found
        legacy = Statement(sql="PRAGMA legacy_alter_table = ON", kind=Kind.DATABASE)
        return (legacy, *found, replace(legacy, sql="PRAGMA legacy_alter_table = OFF"))


def _made(row: Any, columns: Sequence[Any]) -> Made:
    name = _quoted(row.name)
    drop = f"DROP {row.type.upper()} {name}"
    if row.type == "table" and is_virtual(row):
        return Made(
            kind=Kind.OTHER,
            name=row.name,
            create=(row.sql,),
            drop=(drop,),
            stage=_STAGES["table"],
            loses=True,
        )
    beside = row.type in ("index", "trigger")
    written = {one.name: _quoted(one.name) for one in columns if one.hidden == _PLAIN}
    return Made(
        kind=_KINDS.get(row.type, Kind.TABLE),
        table=row.tbl_name,
        name=row.name,
        create=(row.sql,),
        drop=(drop,),
        stage=_STAGES[row.type],
        facts=written if row.type == "table" else {},
        loses=row.type == "table",
        after=row.tbl_name if beside else "",
    )


def _change(was: Made, becomes: Made) -> Sequence[Statement] | None:
    return tuple(_rebuilt(was, becomes)) if was.kind is Kind.TABLE else None


def _rebuilt(was: Made, becomes: Made) -> Iterator[Statement]:
    name = _quoted(was.name)
    aside = _quoted(f"{was.name}_before")
    both = ", ".join(quoted for column, quoted in becomes.facts.items() if column in was.facts)
    loses = bool(was.facts.keys() - becomes.facts.keys())
    yield was.says(f"ALTER TABLE {name} RENAME TO {aside}")
    yield was.says(becomes.create[0])
    if both:
        copy = f"INSERT INTO {name} ({both}) SELECT {both} FROM {aside}"  # noqa: S608 - quoted
        yield was.says(copy, loses=loses)
    if all("AUTOINCREMENT" in made.create[0].upper() for made in (was, becomes)):
        yield from _counted_on(was)
    yield was.says(f"DROP TABLE {aside}")


def _counted_on(was: Made) -> Iterator[Statement]:
    """The counter goes on, also where the last rows were deleted."""
    name, aside = _literal(was.name), _literal(f"{was.name}_before")
    counters = "sqlite_sequence"
    yield was.says(f"DELETE FROM {counters} WHERE name = {name}")  # noqa: S608 - a literal
    yield was.says(
        f"INSERT INTO {counters} (name, seq) "  # noqa: S608 - literals
        f"SELECT {name}, seq FROM {counters} WHERE name = {aside}"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

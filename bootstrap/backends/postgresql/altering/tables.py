"""Tables and columns: what makes them, and what changes them in their place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from bootstrap.backends.altering import Made, Statement
from bootstrap.backends.postgresql.altering.words import (
    comment,
    of_table,
    path,
    plain,
    quoted,
)
from bootstrap.backends.postgresql.catalog.queries import Rows
from bootstrap.backends.postgresql.catalog.reading import COMPRESSION, STORAGE
from bootstrap.backends.rows import by_table
from bootstrap.schema.changes import Kind

STAGE = 10
_IDENTITY = {"a": "ALWAYS", "d": "BY DEFAULT"}
_REPLICA_IDENTITY = {"d": "DEFAULT", "n": "NOTHING", "f": "FULL"}
_DEFAULT = "default"
_Facts = Mapping[str, str]


def made(rows: Rows) -> Iterator[Made]:
    """The tables, and their columns."""
    columns = by_table(sorted(rows["columns"], key=lambda row: row.place))
    indexes = by_table(rows["indexes"])
    sequences = {
        (row.table_schema, row.table, row.column): row
        for row in rows["sequences"]
        if row.belongs == "i"
    }
    for row in rows["relations"]:
        if row.kind not in "rp":
            continue
        own = [
            _column(one, sequences.get((one.schema, one.table, one.name)))
            for one in columns.get((row.schema, row.name), ())
        ]
        yield from own
        yield _table(row, own, indexes.get((row.schema, row.name), ()))


def _table(row: Any, columns: Sequence[Made], indexes: Sequence[Any]) -> Made:
    name = path(row)
    facts = dict(_table_facts(row, indexes))
    extra = [sql for one in columns for sql in _beside(one)]
    return Made(
        kind=Kind.TABLE,
        table=plain(row),
        name=plain(row),
        create=(_create_table(row, columns), *extra, *_table_settings(name, {}, facts)),
        drop=(f"DROP TABLE {name}",),
        stage=STAGE,
        facts={"path": name, **facts},
        loses=True,
    )


def _create_table(row: Any, columns: Sequence[Made]) -> str:
    unlogged = "UNLOGGED " if row.persistence == "u" else ""
    head = f"CREATE {unlogged}TABLE {path(row)}"
    if row.bounds:
        parts = [f"{head} PARTITION OF {row.parents[0]} {row.bounds}"]
    else:
        own = [one for one in columns if one.facts["inherited"] == "0"]
        lines = ",\n".join(f"  {one.facts['definition']}" for one in own)
        parts = [f"{head} (\n{lines}\n)" if lines else f"{head} ()"]
        parts += [f"INHERITS ({', '.join(row.parents)})"] if row.parents else []
    parts += [f"PARTITION BY {row.partitioning}"] if row.partitioning else []
    parts += [f"USING {quoted(row.method)}"] if row.method not in (None, "heap") else []
    parts += [f"TABLESPACE {quoted(row.tablespace)}"] if row.tablespace else []
    return " ".join(parts)


def _table_facts(row: Any, indexes: Iterable[Any]) -> Iterator[tuple[str, str]]:
    yield "logged", "UNLOGGED" if row.persistence == "u" else "LOGGED"
    yield "options", json.dumps(sorted(row.options or ()))
    yield "row security", "ENABLE" if row.row_security else "DISABLE"
    yield "forced", "FORCE" if row.row_security_forced else "NO FORCE"
    named = [one.name for one in indexes if one.replica_identity]
    using = f"USING INDEX {quoted(named[0])}" if named else "NOTHING"
    yield "replica identity", _REPLICA_IDENTITY.get(row.replica_identity, using)
    clustered = [one.name for one in indexes if one.clustered]
    yield "clustered", f"CLUSTER ON {quoted(clustered[0])}" if clustered else "SET WITHOUT CLUSTER"
    yield "parent", row.parents[0] if row.bounds else ""
    yield "bounds", row.bounds or ""
    yield "comment", row.comment or ""


def changed_table(was: Made, becomes: Made) -> Iterator[Statement]:
    """Changes all of a table but its columns."""
    for sql in _table_settings(becomes.facts["path"], was.facts, becomes.facts):
        yield becomes.says(sql)


def _table_settings(name: str, old: _Facts, new: _Facts) -> Iterator[str]:
    """What is set after a table was made, which has the server's defaults then."""
    table = f"ALTER TABLE {name}"
    if old:
        yield from _attached(name, old, new)
        if old["logged"] != new["logged"]:
            yield f"{table} SET {new['logged']}"
    yield from _options(table, old.get("options", "[]"), new["options"])
    for fact, default, words in _SETTINGS:
        if old.get(fact, default) != new[fact]:
            yield f"{table} {words.format(new[fact])}"
    if old.get("comment", "") != new["comment"]:
        yield comment(f"TABLE {name}", new["comment"])


_SETTINGS = (
    ("row security", "DISABLE", "{} ROW LEVEL SECURITY"),
    ("forced", "NO FORCE", "{} ROW LEVEL SECURITY"),
    ("replica identity", "DEFAULT", "REPLICA IDENTITY {}"),
    ("clustered", "SET WITHOUT CLUSTER", "{}"),
)


def _attached(name: str, old: _Facts, new: _Facts) -> Iterator[str]:
    places = [(facts["parent"], facts["bounds"]) for facts in (old, new)]
    if places[0] == places[1]:
        return
    if old["parent"]:
        yield f"ALTER TABLE {old['parent']} DETACH PARTITION {name}"
    if new["parent"]:
        yield f"ALTER TABLE {new['parent']} ATTACH PARTITION {name} {new['bounds']}"


def _options(alter: str, old: str, new: str) -> Iterator[str]:
    """Storage parameters, as lists of `name=value`."""
    before, after = json.loads(old), json.loads(new)
    names = {one.partition("=")[0] for one in after}
    gone = sorted({one.partition("=")[0] for one in before} - names)
    if gone:
        yield f"{alter} RESET ({', '.join(gone)})"
    come = [one for one in after if one not in before]
    if come:
        yield f"{alter} SET ({', '.join(come)})"


def _column(row: Any, sequence: Any) -> Made:
    table, name = of_table(row), quoted(row.name)
    facts = dict(_column_facts(row, sequence))
    definition = _definition(name, facts)
    made = Made(
        kind=Kind.COLUMN,
        table=plain(row, row.table),
        name=row.name,
        create=(),
        drop=(f"ALTER TABLE {table} DROP COLUMN {name}",),
        stage=STAGE + 1,
        facts={"path": table, "quoted": name, "definition": definition, **facts},
        loses=not facts["generated"],
        within=plain(row, row.table),
    )
    return _with_create(made, f"ALTER TABLE {table} ADD COLUMN {definition}")


def _with_create(made: Made, create: str) -> Made:
    return Made(
        kind=made.kind,
        table=made.table,
        name=made.name,
        create=(create, *_beside(made)),
        drop=made.drop,
        stage=made.stage,
        facts=made.facts,
        loses=made.loses,
        within=made.within,
    )


def _column_facts(row: Any, sequence: Any) -> Iterator[tuple[str, str]]:
    yield "type", row.type
    yield "collation", row.collation or ""
    yield "null", "" if not row.not_null else "NOT NULL"
    yield "default", "" if row.generated else row.expression or ""
    kept = {"s": "STORED", "v": "VIRTUAL"}.get(row.generated, "")
    yield "generated", f"({row.expression}) {kept}" if kept else ""
    yield "identity", _IDENTITY.get(row.identity, "")
    yield "sequence", numbers(sequence) if sequence else ""
    yield "storage", STORAGE.get(row.storage, "").upper()
    yield "own storage", STORAGE.get(row.own_storage, "").upper()
    yield "compression", COMPRESSION.get(row.compression, "")
    yield "statistics", "" if row.statistics is None else str(row.statistics)
    yield "options", json.dumps(sorted(row.options or ()))
    yield "comment", row.comment or ""
    yield "inherited", str(row.inherited)


def numbers(row: Any) -> str:
    """The parameters of a sequence, all of them."""
    cycle = "CYCLE" if row.cycle else "NO CYCLE"
    return (
        f"INCREMENT BY {row.increment} MINVALUE {row.minimum} MAXVALUE {row.maximum} "
        f"START WITH {row.start} CACHE {row.cache} {cycle}"
    )


def _definition(name: str, facts: _Facts) -> str:
    parts = [name, facts["type"]]
    parts += [f"COLLATE {quoted(facts['collation'])}"] if facts["collation"] else []
    parts += [f"GENERATED ALWAYS AS {facts['generated']}"] if facts["generated"] else []
    parts += [f"DEFAULT {facts['default']}"] if facts["default"] else []
    if facts["identity"]:
        parts.append(f"GENERATED {facts['identity']} AS IDENTITY ({facts['sequence']})")
    return " ".join((*parts, facts["null"])).strip()


def _beside(made: Made) -> Iterator[str]:
    """What is said of a new column after it was made."""
    plain_facts = {**made.facts, "storage": "", "compression": "", "statistics": ""}
    bare = {**plain_facts, "options": "[]", "comment": ""}
    yield from _settings(bare, made.facts)


def changed_column(was: Made, becomes: Made) -> Sequence[Statement] | None:
    """Changes a column in its place; None where it must be made anew."""
    old, new = was.facts, becomes.facts
    if new["generated"] and old["generated"] != new["generated"]:
        return None
    # The table's statements change it too; all others of an inherited column fail.
    if "0" not in (old["inherited"], new["inherited"]):
        return ()
    alter = f"ALTER TABLE {new['path']} ALTER COLUMN {new['quoted']}"
    found = [becomes.says(f"{alter} {words}") for words in _first(old, new)]
    if (old["type"], old["collation"]) != (new["type"], new["collation"]):
        found.append(becomes.says(f"{alter} {_retyped(new)}", loses=old["type"] != new["type"]))
    found += [becomes.says(f"{alter} {words}") for words in _second(old, new)]
    return [*found, *(becomes.says(sql) for sql in _settings(old, new))]


def _retyped(new: _Facts) -> str:
    collation = f" COLLATE {quoted(new['collation'])}" if new["collation"] else ""
    return f"TYPE {new['type']}{collation} USING CAST({new['quoted']} AS {new['type']})"


def _first(old: _Facts, new: _Facts) -> Iterator[str]:
    """What is in the way of another type."""
    if old["generated"] and not new["generated"]:
        yield "DROP EXPRESSION"
    if old["identity"] and not new["identity"]:
        yield "DROP IDENTITY"
    if old["default"] and (old["default"], old["type"]) != (new["default"], new["type"]):
        yield "DROP DEFAULT"


def _second(old: _Facts, new: _Facts) -> Iterator[str]:
    if new["default"] and (old["default"], old["type"]) != (new["default"], new["type"]):
        yield f"SET DEFAULT {new['default']}"
    if old["null"] != new["null"]:
        yield f"{'SET' if new['null'] else 'DROP'} NOT NULL"
    if new["identity"] and not old["identity"]:
        yield f"ADD GENERATED {new['identity']} AS IDENTITY ({new['sequence']})"
    elif new["identity"] and old["identity"] != new["identity"]:
        yield f"SET GENERATED {new['identity']}"
    if old["sequence"] and new["sequence"] and old["sequence"] != new["sequence"]:
        yield " ".join(f"SET {words}" for words in _each(new["sequence"]))


def _each(numbers: str) -> Iterator[str]:
    """`INCREMENT BY 1 MINVALUE 1 …`, cut before each parameter."""
    words = numbers.split()
    starts = ("INCREMENT", "MINVALUE", "MAXVALUE", "START", "CACHE", "CYCLE", "NO")
    places = [
        place for place, word in enumerate(words) if word in starts and words[place - 1] != "NO"
    ]
    for place, end in zip(places, (*places[1:], len(words)), strict=True):
        yield " ".join(words[place:end])


def _settings(old: _Facts, new: _Facts) -> Iterator[str]:
    alter = f"ALTER TABLE {new['path']} ALTER COLUMN {new['quoted']}"
    for fact, words in _OF_COLUMN.items():
        if old[fact] != new[fact]:
            yield f"{alter} SET {words(new)}"
    yield from _options(alter, old["options"], new["options"])
    if old["comment"] != new["comment"]:
        yield comment(f"COLUMN {new['path']}.{new['quoted']}", new["comment"])


_OF_COLUMN: Mapping[str, Callable[[_Facts], str]] = {
    "storage": lambda new: f"STORAGE {new['storage'] or new['own storage']}",
    "compression": lambda new: f"COMPRESSION {new['compression'] or _DEFAULT}",
    "statistics": lambda new: f"STATISTICS {new['statistics'] or -1}",
}

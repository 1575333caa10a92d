"""What takes one MySQL or MariaDB database to the schema of another: SHOW CREATE, line by line."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, text

from bootstrap.backends.altering import Made, Part, Statement, way
from bootstrap.backends.mysql.catalog import queries
from bootstrap.backends.mysql.catalog.fingerprint import NAMES, without_counter
from bootstrap.backends.mysql.catalog.reading import unqualified
from bootstrap.schema.changes import Kind

# The columns of SHOW CREATE that hold the statement.
_SHOWN = re.compile(r"Create (Table|View|Procedure|Function|Event)|SQL Original Statement")
_DEFINER = re.compile(r"^(CREATE (?:ALGORITHM=\w+ )?)DEFINER=\S+@\S+ ")
_KINDS = {
    "TABLE": (Kind.TABLE, 1),
    "SEQUENCE": (Kind.SEQUENCE, 0),
    "VIEW": (Kind.VIEW, 3),
    "TRIGGER": (Kind.TRIGGER, 4),
    "PROCEDURE": (Kind.OTHER, 2),
    "FUNCTION": (Kind.OTHER, 2),
    "EVENT": (Kind.OTHER, 5),
}
_NAME = re.compile(r"`((?:[^`]|``)+)`")
_PARTITIONED = re.compile(r"(?:/\*!\d+)?\s*PARTITION BY .*\Z", re.DOTALL)
_OPTION = re.compile(r"((?:DEFAULT )?[A-Z_]+)=('(?:[^'\\]|\\.|'')*'|\S+)")
_UNSEEN = re.compile(r" (?:/\*!\d+ )?(INVISIBLE|IGNORED)(?: \*/)?$")  # MySQL's word, MariaDB's
_VERSIONED = "WITH SYSTEM VERSIONING"
# What an option is set to where it is not to be there.
_UNSET = {
    "COMMENT": "''",
    "ROW_FORMAT": "DEFAULT",
    "KEY_BLOCK_SIZE": "0",
    "STATS_PERSISTENT": "DEFAULT",
}
_COLLATED = ("DEFAULT CHARSET", "COLLATE")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What SHOW CREATE TABLE says, cut into its lines.

    Attributes:
        columns: Their definitions, in order, by name.
        keys: Indexes, unique and primary keys, checks: what is added, by what drops it.
        references: The same for foreign keys.
        options: What stands behind the bracket, by name.
        versioned: Whether old rows are kept (MariaDB).
        partitioning: PARTITION BY and what follows.
    """

    columns: Mapping[str, str]
    keys: Mapping[str, str]
    references: Mapping[str, str]
    options: Mapping[str, str]
    versioned: bool
    partitioning: str


class MySQLAlterations:
    """One ALTER TABLE for each table, because its parts depend on each other."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    def made(self, connection: Connection) -> tuple[Made, ...]:
        """What there is, in the words of SHOW CREATE."""
        database = queries.database(connection)
        found = []
        for row in connection.execute(text(NAMES)).all():
            quoted = _quoted(row.name)
            said = connection.exec_driver_sql(f"SHOW CREATE {row.kind} {quoted}").mappings().one()
            sql = next(str(said[name]) for name in said if _SHOWN.fullmatch(name))
            found.append(_made(row.kind, row.name, row.table, unqualified(sql, database)))
        return tuple(found)

    def between(self, before: Sequence[Made], after: Sequence[Made]) -> tuple[Statement, ...]:
        """The statements from one to the other; foreign keys go first and come last."""
        old = {one.name: one for one in before if one.kind is Kind.TABLE}
        new = {one.name: one for one in after if one.kind is Kind.TABLE}
        ways = (old, new)
        return (
            *_dropped_references(*ways),
            *way([_bare(one) for one in before], [_bare(one) for one in after], _change),
            *_added_references(*ways),
        )

    def keeping(self, own: Made, other: Made, parts: Collection[Part]) -> Made:
        """Exchanges the lines of these parts; a column that the other has not comes last."""
        mine, theirs = _lines(own.create[0]), _lines(other.create[0])
        kept = {_part(line): line for line in mine.inner if _part(line) in parts}
        inner = [
            kept.pop(_part(line), line)
            for line in theirs.inner
            if _part(line) not in parts or _part(line) in kept
        ]
        inner = sorted((*inner, *kept.values()), key=lambda line: not line.startswith("`"))
        sql = f"{theirs.head}\n" + ",\n".join(f"  {line}" for line in inner) + f"\n{theirs.tail}"
        return replace(other, create=(sql,))


def _part(line: str) -> Part:
    """Which part of a table a line makes; an index, a key and a check are told by their names."""
    kind = Kind.COLUMN if line.startswith("`") else Kind.INDEX
    return kind, "" if line.startswith("PRIMARY KEY") else _named(line).lower()


def _made(kind: str, name: str, table: str, sql: str) -> Made:
    model, stage = _KINDS[kind]
    beside = kind == "TRIGGER"
    of = table if kind in ("TABLE", "VIEW", "TRIGGER") else ""
    return Made(
        kind=model,
        table=of,
        name=name,
        create=(_DEFINER.sub(r"\1", without_counter(sql)),),
        drop=(f"DROP {kind} {_quoted(name)}",),
        stage=stage,
        loses=kind == "TABLE",
        after=table if beside else "",
    )


def _bare(made: Made) -> Made:
    """A table without its foreign keys, which are added when all tables are there."""
    if made.kind is not Kind.TABLE:
        return made
    lines = _lines(made.create[0])
    inner = [line for line in lines.inner if not _is_reference(line)]
    sql = f"{lines.head}\n" + ",\n".join(f"  {line}" for line in inner) + f"\n{lines.tail}"
    return replace(made, create=(sql,))


def _change(was: Made, becomes: Made) -> Sequence[Statement] | None:
    if was.kind is Kind.TABLE:
        return tuple(_altered(was, becomes))
    if was.kind is Kind.SEQUENCE:
        return [
            becomes.says(becomes.create[0].replace("CREATE ", "ALTER ", 1).partition(" ENGINE")[0])
        ]
    if was.kind is Kind.VIEW:
        return [becomes.says(becomes.create[0].replace("CREATE ", "CREATE OR REPLACE ", 1))]
    return None


def _altered(was: Made, becomes: Made) -> Iterator[Statement]:
    old, new = _shown(was.create[0]), _shown(becomes.create[0])
    table = f"ALTER TABLE {_quoted(was.name)}"
    if old.versioned and not new.versioned:
        yield was.says(f"{table} DROP SYSTEM VERSIONING")
    if old.partitioning and not new.partitioning:
        yield was.says(f"{table} REMOVE PARTITIONING")
    clauses = [*_options(old, new), *_columns(old, new), *_keys(old, new)]
    if clauses:
        loses = bool(old.columns.keys() - new.columns.keys()) or _retyped(old, new)
        yield was.says(f"{table}\n  " + ",\n  ".join(clauses), loses=loses)
    if new.partitioning and old.partitioning != new.partitioning:
        yield was.says(f"{table} {new.partitioning}")
    if new.versioned and not old.versioned:
        yield was.says(f"{table} ADD SYSTEM VERSIONING")


def _columns(old: _Shown, new: _Shown) -> Iterator[str]:
    for name in old.columns:
        if name not in new.columns:
            yield f"DROP COLUMN {_quoted(name)}"
    both = [name for name in old.columns if name in new.columns]
    moved = both != [name for name in new.columns if name in old.columns]
    place = "FIRST"
    for name, definition in new.columns.items():
        if name not in old.columns:
            yield f"ADD COLUMN {definition} {place}"
        elif _is_remade(old.columns[name], definition):
            yield f"DROP COLUMN {_quoted(name)}"
            yield f"ADD COLUMN {definition} {place}"
        elif old.columns[name] != definition or moved:
            yield f"MODIFY COLUMN {definition}{f' {place}' if moved else ''}"
        place = f"AFTER {_quoted(name)}"


def _is_remade(old: str, new: str) -> bool:
    """Whether a column cannot be modified: what is not stored has no place to take values from."""
    return old != new and " VIRTUAL" in old + new and " AS (" in old + new


def _retyped(old: _Shown, new: _Shown) -> bool:
    return any(
        _type(definition) != _type(new.columns[name])
        for name, definition in old.columns.items()
        if name in new.columns
    )


def _type(definition: str) -> str:
    return re.sub(r"\(.*?\)", lambda found: found[0].replace(" ", ""), definition).split()[1]


def _keys(old: _Shown, new: _Shown) -> Iterator[str]:
    both = {drop for drop in old.keys if drop in new.keys}
    seen = {drop for drop in both if _seen(old.keys[drop]) == _seen(new.keys[drop])}
    for drop, definition in old.keys.items():
        if new.keys.get(drop) != definition and drop not in seen:
            yield drop
    for drop, definition in new.keys.items():
        if old.keys.get(drop) == definition:
            continue
        yield _looked_at(definition, old.keys[drop]) if drop in seen else f"ADD {definition}"


def _seen(definition: str) -> str:
    """An index as it is when the optimizer looks at it."""
    return _UNSEEN.sub("", definition)


def _looked_at(definition: str, before: str) -> str:
    """Both servers take an index that is dropped and added in one ALTER for the one that it was."""
    found = _UNSEEN.search(definition)
    said = found or _UNSEEN.search(before)
    assert said is not None, definition  # noqa: S101 - they differ in this
    shown = "NOT IGNORED" if said[1] == "IGNORED" else "VISIBLE"
    return f"ALTER INDEX {_quoted(_named(definition))} {said[1] if found else shown}"


def _options(old: _Shown, new: _Shown) -> Iterator[str]:
    differing = {
        name
        for name in {**old.options, **new.options}
        if old.options.get(name) != new.options.get(name)
    }
    if differing & set(_COLLATED):
        said = [f"{name}={new.options[name]}" for name in _COLLATED if name in new.options]
        yield " ".join(said)
    for name in sorted(differing - set(_COLLATED)):
        value = new.options.get(name) or _UNSET.get(name, "DEFAULT")
        yield f"{name}={value}"


def _dropped_references(old: Mapping[str, Made], new: Mapping[str, Made]) -> Iterator[Statement]:
    for name, was in old.items():
        wanted = _shown(new[name].create[0]).references if name in new else {}
        found = _shown(was.create[0]).references
        drops = [drop for drop, definition in found.items() if wanted.get(drop) != definition]
        if drops:
            yield _reference(was, drops)


def _added_references(old: Mapping[str, Made], new: Mapping[str, Made]) -> Iterator[Statement]:
    for name, becomes in new.items():
        there = _shown(old[name].create[0]).references if name in old else {}
        wanted = _shown(becomes.create[0]).references
        adds = [f"ADD {sql}" for drop, sql in wanted.items() if there.get(drop) != sql]
        if adds:
            yield _reference(becomes, adds)


def _reference(made: Made, clauses: Sequence[str]) -> Statement:
    return made.says(f"ALTER TABLE {_quoted(made.name)}\n  " + ",\n  ".join(clauses))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lines:
    """CREATE TABLE cut where the server breaks its lines."""

    head: str
    inner: Sequence[str]
    tail: str


def _lines(sql: str) -> _Lines:
    head, *rest = sql.split("\n")
    end = next(place for place, line in enumerate(rest) if line.startswith(")"))
    inner = [line.strip().removesuffix(",") for line in rest[:end]]
    return _Lines(head=head, inner=inner, tail="\n".join(rest[end:]))


def _shown(sql: str) -> _Shown:
    lines = _lines(sql)
    tail = lines.tail.removeprefix(")")
    partitioned = _PARTITIONED.search(tail)
    options = tail[: partitioned.start()] if partitioned else tail
    columns = {_named(line): line for line in lines.inner if line.startswith("`")}
    others = [line for line in lines.inner if not line.startswith("`")]
    return _Shown(
        columns=columns,
        keys={_drop(line): line for line in others if not _is_reference(line)},
        references={_drop(line): line for line in others if _is_reference(line)},
        options={found[1]: found[2] for found in _OPTION.finditer(options)},
        versioned=_VERSIONED in options,
        partitioning=partitioned[0].strip() if partitioned else "",
    )


def _drop(line: str) -> str:
    """The clause that drops what a line adds."""
    if line.startswith("PRIMARY KEY"):
        return "DROP PRIMARY KEY"
    name = _quoted(_named(line))
    if _is_reference(line):
        return f"DROP FOREIGN KEY {name}"
    return f"DROP CONSTRAINT {name}" if line.startswith("CONSTRAINT") else f"DROP INDEX {name}"


def _is_reference(line: str) -> bool:
    return re.match(r"CONSTRAINT `(?:[^`]|``)+` FOREIGN KEY", line) is not None


def _named(line: str) -> str:
    found = _NAME.search(line)
    assert found is not None, line  # noqa: S101 - the server names all of them
    return found[1].replace("``", "`")


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"

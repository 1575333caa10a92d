"""What tells whether a statement that cannot run in a transaction was carried out.

Such a statement commits in several steps, and what is there after some of them stays: an index that
is not valid, a partition that is being detached ("Building Indexes Concurrently", "ALTER TABLE" in
the manual).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, text

from bootstrap.backends.postgresql.journal.statements import mark
from bootstrap.backends.postgresql.journal.tokens import tokens
from bootstrap.journal.statements import Decision, Said
from bootstrap.journal.tokens import Token

_OID = text("SELECT CAST(CAST(to_regclass(CAST(:name AS text)) AS oid) AS bigint)")
_INDEXES = (
    "SELECT CAST(i.indexrelid AS bigint) AS oid, CAST(i.indrelid AS bigint) AS on_table,"
    " i.indisvalid AS valid, n.nspname AS schema, c.relname AS name"
    # That of a partitioned table is not valid until each partition has one.
    " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'"
    " JOIN pg_namespace n ON n.oid = c.relnamespace"
)
_OF_TABLE = text(f"{_INDEXES} WHERE i.indrelid = CAST(CAST(:oid AS bigint) AS oid)")
# What reindexing leaves on a TOAST table nobody may drop.
_INVALID = text(f"{_INDEXES} WHERE NOT i.indisvalid AND n.nspname <> 'pg_toast'")
_IS_THERE = text("SELECT count(*) FROM pg_class WHERE oid = CAST(CAST(:oid AS bigint) AS oid)")
_PENDING = text(
    "SELECT inhdetachpending FROM pg_inherits"
    " WHERE inhrelid = CAST(CAST(:partition AS bigint) AS oid)"
    " AND inhparent = CAST(CAST(:oid AS bigint) AS oid)"
)
_NAMED = {  # whether there is one of that name
    "DATABASE": text("SELECT count(*) FROM pg_database WHERE datname = :name"),
    "TABLESPACE": text("SELECT count(*) FROM pg_tablespace WHERE spcname = :name"),
    "SUBSCRIPTION": text("SELECT count(*) FROM pg_subscription WHERE subname = :name"),
    "PREPARED": text("SELECT count(*) FROM pg_prepared_xacts WHERE gid = :name"),
}
_REBUILT = ("_ccnew", "_ccold")  # and a number where there are several


class Rule(StrEnum):
    """How the evidence is read."""

    BUILT = "built"  # a valid index that was not there before; what is not valid goes first
    GONE = "gone"  # it is not there any more
    REBUILT = "rebuilt"  # does the same when it is sent once more, without what is not valid
    DETACHED = "detached"  # no partition any more; it has a statement of its own to be finished
    EXISTS = "exists"  # it is there and was not, or the other way round
    AGAIN = "again"  # does the same when it is sent once more
    NOBODY_KNOWS = "nobody knows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index, and the table that it is on."""

    oid: int
    on_table: int
    valid: bool
    schema: str
    name: str


class Evidence:
    """Looks at what statements name.

    Args:
        connection: The migrating one; nothing is read in a transaction where none is open.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def before(self, said: Said) -> str:
        """What there is before a statement, as text."""
        found = self._tokens(said)
        words = [token.word for token in found]
        rule = _rule(words)
        try:
            about = _about(rule, words, found)
        except (ValueError, IndexError):  # a word is missing, as the server will say
            rule, about = Rule.AGAIN, _About()
        evidence: dict[str, Any] = {"rule": rule, "mark": mark(said.sql), "kind": about.kind}
        if about.is_relation:
            evidence["oid"] = self.oid(about.name)
            evidence["partition"] = self.oid(about.partition) if about.partition else None
        else:
            evidence["name"] = about.name
        evidence["indexes"] = [one.oid for one in self._indexes(evidence)]
        return json.dumps(evidence | {"there": self._is_there(evidence)})

    def decide(self, written: str) -> Decision:
        """Whether the statement was carried out."""
        before = json.loads(written)
        match Rule(before["rule"]):
            case Rule.AGAIN:
                return Decision.AGAIN
            case Rule.NOBODY_KNOWS:
                return Decision.IN_DOUBT
            case Rule.REBUILT:
                return Decision.NOT_APPLIED if self.leftovers(written) else Decision.AGAIN
            case Rule.BUILT:
                new = [one for one in self._indexes(before) if one.oid not in before["indexes"]]
                applied = any(one.valid for one in new)
            case Rule.DETACHED if self._is_pending(before):
                return Decision.AGAIN
            case _:
                applied = self._is_there(before) != before["there"]
        return Decision.APPLIED if applied else Decision.NOT_APPLIED

    def leftovers(self, written: str) -> tuple[Index, ...]:
        """Indexes that are not valid, which a statement began and did not end."""
        before = json.loads(written)
        rule = Rule(before["rule"])
        if rule not in (Rule.BUILT, Rule.REBUILT):
            return ()
        new = (one for one in self._indexes(before) if one.oid not in before["indexes"])
        return tuple(
            one for one in new if not one.valid and (rule is Rule.BUILT or _is_rebuilt(one.name))
        )

    def stays_half_done(self, written: str) -> bool:
        """Whether something is left that only another statement ends, or nobody can tell."""
        before = json.loads(written)
        rule = Rule(before["rule"])
        if rule is Rule.DETACHED:
            return self._is_pending(before)
        return rule is Rule.NOBODY_KNOWS or bool(self.leftovers(written))

    def unfinished(self, said: Said) -> Index | None:
        """The index of that name that is there already, and is not valid: a build was given up.

        The server refuses to make another one; with IF NOT EXISTS it takes it for the index.
        """
        found = self._tokens(said)
        words = [token.word for token in found]
        if _rule(words) is not Rule.BUILT or "CONCURRENTLY" not in words:
            return None
        begin = words.index("CONCURRENTLY") + 1
        # With ON at once the server will give it a name; without, it will refuse it.
        if "ON" not in words[begin + 1 :] or words[begin] == "ON":
            return None
        oid = self.oid(_name(found, words.index("ON", begin) + 1))
        name = _folded_name(found, begin)
        indexes = self._indexes({"rule": Rule.BUILT, "oid": oid})
        return next((one for one in indexes if one.name == name and not one.valid), None)

    def is_valid(self, index: Index) -> bool:
        """Whether it is by now, or gone."""
        asked = {"rule": Rule.BUILT, "oid": index.on_table}
        found = [one for one in self._indexes(asked) if one.oid == index.oid]
        return not found or found[0].valid

    def oid(self, name: str) -> int | None:
        """The number of a table or index, as the session would find it."""
        found = self._connection.execute(_OID, {"name": name}).scalar()
        return None if found is None else int(found)

    def _tokens(self, said: Said) -> tuple[Token, ...]:
        """Those of the statement as the server gets it: some drivers want each `%` twice."""
        doubled = self._connection.dialect.paramstyle in ("format", "pyformat")
        return tokens(said.sql.replace("%%", "%") if doubled else said.sql)

    def _indexes(self, asked: dict[str, Any]) -> list[Index]:
        match Rule(asked["rule"]):
            case Rule.BUILT if asked["oid"] is not None:
                rows = self._connection.execute(_OF_TABLE, {"oid": asked["oid"]}).all()
            case Rule.REBUILT:
                rows = self._connection.execute(_INVALID).all()
            case _:
                rows = []
        return [Index(**row._mapping) for row in rows]  # noqa: SLF001 - its documented name

    def _is_there(self, asked: dict[str, Any]) -> bool:
        match Rule(asked["rule"]):
            case Rule.GONE:
                found = self._connection.execute(_IS_THERE, {"oid": asked["oid"]}).scalar()
            case Rule.DETACHED:
                found = self._pending(asked) is not None
            case Rule.EXISTS:
                statement = _NAMED[asked["kind"]]
                found = self._connection.execute(statement, {"name": asked["name"]}).scalar()
            case _:
                return False
        return bool(found)

    def _is_pending(self, asked: dict[str, Any]) -> bool:
        return bool(self._pending(asked))

    def _pending(self, asked: dict[str, Any]) -> bool | None:
        """Whether it is being detached; None when it is no partition of the table."""
        values = {"oid": asked["oid"], "partition": asked["partition"]}
        found: bool | None = self._connection.execute(_PENDING, values).scalar()
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _About:
    """What a statement is about."""

    name: str = ""
    is_relation: bool = False
    partition: str = ""
    kind: str = ""


def _rule(words: Sequence[str]) -> Rule:
    """How the evidence of a statement is read: the first that fits."""
    first, second = [*words, "", ""][:2]
    about_index = first in ("CREATE", "DROP") and "INDEX" in words[1:3]
    rules = {
        Rule.REBUILT: first == "REINDEX",
        Rule.DETACHED: first == "ALTER" and "DETACH" in words,
        Rule.BUILT: about_index and first == "CREATE",
        Rule.GONE: about_index,
        Rule.EXISTS: second in _NAMED and first != "ALTER",
        Rule.AGAIN: first in ("VACUUM", "CLUSTER")
        or (first == "ALTER" and second in ("SYSTEM", "DATABASE")),
    }
    return next((rule for rule, fits in rules.items() if fits), Rule.NOBODY_KNOWS)


def _about(rule: Rule, words: Sequence[str], found: Sequence[Token]) -> _About:
    match rule:
        case Rule.BUILT:
            return _About(name=_name(found, words.index("ON") + 1), is_relation=True)
        case Rule.GONE:
            return _About(name=_name(found, words.index("CONCURRENTLY") + 1), is_relation=True)
        case Rule.DETACHED:
            partition = words.index("PARTITION", words.index("DETACH")) + 1
            return _About(
                name=_name(found, words.index("TABLE") + 1),
                partition=_name(found, partition),
                is_relation=True,
            )
        case Rule.EXISTS:
            return _About(name=_folded_name(found, 2), kind=words[1])
    return _About()


def _begin(found: Sequence[Token], place: int) -> int:
    """Where a name begins, behind IF NOT EXISTS and ONLY."""
    while found[place].word in ("IF", "NOT", "EXISTS", "ONLY"):
        place += 1
    return place


def _name(found: Sequence[Token], place: int) -> str:
    """The name from a place on, with its schema where that is said, as SQL has it."""
    place = _begin(found, place)
    parts = [found[place].text]
    while place + 2 < len(found) and found[place + 1].text == ".":
        place += 2
        parts.append(found[place].text)
    return ".".join(parts)


def _folded_name(found: Sequence[Token], place: int) -> str:
    """The name, or the literal, from a place on, as the catalogue has it."""
    token = found[_begin(found, place)]
    if token.kind == "text":
        return token.text[1:-1].replace("''", "'")
    return token.name if token.kind == "quoted" else token.name.lower()


def _is_rebuilt(name: str) -> bool:
    return name.rstrip("0123456789").endswith(_REBUILT)

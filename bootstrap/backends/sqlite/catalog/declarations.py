"""Reads CREATE TABLE and CREATE INDEX: what no pragma tells stands only there.

SQLite keeps the statements as they were written, and accepts a list of constraints with or
without commas between them ("CREATE TABLE", table-constraint), so this reads clause after clause.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""\s+|--[^\n]*|/\*.*?(?:\*/|\Z)"""  # left out
    r"""|(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])"""
    r"""|(?P<word>[^\W\d][\w$]*)|(?P<number>\.?\d(?:[\w.]|(?<=[eE])[+-])*)"""
    r"""|(?P<sign>\|\||<>|<=|>=|==|!=|<<|>>|->>|->|.)""",
    re.DOTALL,
)
CONSTRAINTS = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A word, name, literal or sign, and where it stands."""

    text: str
    start: int
    end: int
    quoted: bool

    @property
    def word(self) -> str:
        """A keyword in capitals; empty for what is in quotes."""
        return "" if self.quoted else self.text.upper()

    @property
    def name(self) -> str:
        """What it names, without quotes."""
        if not self.quoted:
            return self.text
        mark = self.text[-1]
        inner = self.text[1:-1]
        return inner if mark == "]" else inner.replace(mark * 2, mark)


@dataclass(slots=True, kw_only=True)
class ForeignKeyDeclaration:
    """What PRAGMA foreign_key_list leaves out."""

    name: str = ""
    deferrable: bool = False
    initially_deferred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDeclaration:
    """A primary key or a unique constraint."""

    name: str
    columns: tuple[str, ...]
    conflict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDeclaration:
    """A check, its condition without the brackets."""

    name: str
    text: str


@dataclass(slots=True, kw_only=True)
class TableDeclaration:
    """What a CREATE TABLE says beyond the pragmas; columns by their lower-case names."""

    primary_key: KeyDeclaration | None = None
    autoincrement: bool = False
    uniques: list[KeyDeclaration] = field(default_factory=list)
    checks: list[CheckDeclaration] = field(default_factory=list)
    foreign_keys: list[ForeignKeyDeclaration] = field(default_factory=list)
    collations: dict[str, str] = field(default_factory=dict)
    computed: dict[str, str] = field(default_factory=dict)
    conflicts: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()


def tokens(sql: str) -> list[Token]:
    """Cuts a statement into tokens; white space and comments go."""
    return list(tokens_of(sql))


def tokens_of(sql: str) -> Iterator[Token]:
    """Cuts a statement into tokens, no further than they are asked for."""
    for found in _TOKEN.finditer(sql):
        if found.lastgroup:
            yield Token(
                text=found[0],
                start=found.start(),
                end=found.end(),
                quoted=found.lastgroup == "quoted",
            )


def table_declaration(sql: str) -> TableDeclaration:
    """Reads a CREATE TABLE."""
    declared = TableDeclaration()
    found = tokens(sql)
    opening = next((n for n, token in enumerate(found) if token.word == "("), None)
    if opening is None:
        return declared
    closing = _closing(found, opening)
    for part in _parts(found[opening + 1 : closing]):
        _Clauses(sql=sql, tokens=part, declared=declared).read()
    rest = " ".join(token.word for token in found[closing + 1 :])
    declared.options = tuple(one.strip() for one in rest.split(",") if one.strip())
    return declared


def index_parts(sql: str) -> tuple[tuple[str, ...], str]:
    """Reads a CREATE INDEX: its keys without their order, and the condition after WHERE."""
    found = tokens(sql)
    opening = next(n for n, token in enumerate(found) if token.word == "(")
    closing = _closing(found, opening)
    keys = tuple(_key(sql, part) for part in _parts(found[opening + 1 : closing]))
    rest = found[closing + 1 :]
    return keys, sql[rest[1].start : rest[-1].end] if len(rest) > 1 else ""


def _key(sql: str, part: list[Token]) -> str:
    while part[-1].word in ("ASC", "DESC") and len(part) > 1:
        part = part[:-1]
    if len(part) > 2 and part[-2].word == "COLLATE":
        part = part[:-2]
    return sql[part[0].start : part[-1].end]


def _closing(found: list[Token], opening: int) -> int:
    """Where the bracket closes that opens at a place."""
    depth = 0
    for place in range(opening, len(found)):
        depth += {"(": 1, ")": -1}.get(found[place].word, 0)
        if depth == 0:
            return place
    return len(found)


def _parts(found: list[Token]) -> Iterator[list[Token]]:
    """Cuts at the commas that stand outside of brackets."""
    depth, part = 0, list[Token]()
    for token in found:
        depth += {"(": 1, ")": -1}.get(token.word, 0)
        if token.word == "," and depth == 0:
            yield part
            part = []
        else:
            part.append(token)
    if part:
        yield part


@dataclass(slots=True, kw_only=True)
class _Clauses:
    """Reads one column, or constraints of the table, clause after clause."""

    sql: str
    tokens: list[Token]
    declared: TableDeclaration
    place: int = 0
    column: str = ""
    name: str = ""
    key: ForeignKeyDeclaration | None = None

    def read(self) -> None:
        """Reads to the end."""
        if self.tokens[0].word not in CONSTRAINTS:
            self.column = self.tokens[0].name
            self.place = 1
        while self.place < len(self.tokens):
            self._clause()

    def _clause(self) -> None:
        """Reads what begins with the next word; a word that means nothing here is passed."""
        read: dict[str, Callable[[], None]] = {
            "CONSTRAINT": self._constraint,
            "PRIMARY": self._primary_key,
            "UNIQUE": self._unique,
            "CHECK": self._check,
            "NOT": self._not,
            "DEFAULT": self._default,
            "COLLATE": self._collate,
            "AS": self._computed,
            "REFERENCES": self._references,
            "DEFERRABLE": self._deferrable,
        }
        word = self._word()
        self.place += 1
        if word in read:
            read[word]()
        elif word == "(":
            self.place -= 1
            self._bracketed()

    def _constraint(self) -> None:
        self.name = self.tokens[self.place].name
        self.place += 1

    def _unique(self) -> None:
        self.declared.uniques.append(self._key(self._columns()))

    def _check(self) -> None:
        check = CheckDeclaration(name=self._named(), text=self._bracketed())
        self.declared.checks.append(check)

    def _not(self) -> None:
        if self._word() == "NULL":
            self.place += 1
            if conflict := self._conflict():
                self.declared.conflicts[self.column.lower()] = conflict

    def _default(self) -> None:
        """A default is a literal with or without a sign, a word, or in brackets."""
        if self._word() in ("+", "-"):
            self.place += 1
        if self._word() == "(":
            self._bracketed()
        else:
            self.place += 1

    def _collate(self) -> None:
        self.declared.collations[self.column.lower()] = self.tokens[self.place].name
        self.place += 1

    def _computed(self) -> None:
        self.declared.computed[self.column.lower()] = self._bracketed()

    def _references(self) -> None:
        self.key = ForeignKeyDeclaration(name=self._named())
        self.declared.foreign_keys.append(self.key)

    def _primary_key(self) -> None:
        self.place += 1  # KEY
        columns = self._columns()
        if self._word() in ("ASC", "DESC"):
            self.place += 1
        self.declared.primary_key = self._key(columns)
        self.declared.autoincrement = self._word() == "AUTOINCREMENT"

    def _key(self, columns: tuple[str, ...]) -> KeyDeclaration:
        return KeyDeclaration(name=self._named(), columns=columns, conflict=self._conflict())

    def _deferrable(self) -> None:
        if self.key is None or self._word(-2) == "NOT":
            return
        self.key.deferrable = True
        self.key.initially_deferred = (self._word(), self._word(1)) == ("INITIALLY", "DEFERRED")

    def _columns(self) -> tuple[str, ...]:
        """The columns in brackets that come next; the column itself when there are none."""
        if self._word() != "(":
            return (self.column,)
        closing = _closing(self.tokens, self.place)
        parts = _parts(self.tokens[self.place + 1 : closing])
        self.place = closing + 1
        return tuple(part[0].name for part in parts)

    def _bracketed(self) -> str:
        """The text between the brackets that come next."""
        closing = _closing(self.tokens, self.place)
        inner = self.tokens[self.place + 1 : closing]
        self.place = closing + 1
        return self.sql[inner[0].start : inner[-1].end] if inner else ""

    def _conflict(self) -> str:
        if (self._word(), self._word(1)) != ("ON", "CONFLICT"):
            return ""
        self.place += 3
        return self._word(-1)

    def _named(self) -> str:
        """The name that CONSTRAINT gave to the clause that follows it."""
        name, self.name = self.name, ""
        return name

    def _word(self, offset: int = 0) -> str:
        place = self.place + offset
        return self.tokens[place].word if 0 <= place < len(self.tokens) else ""

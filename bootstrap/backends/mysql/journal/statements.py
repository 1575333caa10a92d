"""What a statement means for the journal, told from its words.

What commits by itself: "Statements That Cause an Implicit Commit" in the manual of MySQL, "SQL
statements That Cause an Implicit Commit" in that of MariaDB. Whatever is not known not to commit
is taken for something that does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bootstrap.backends.mysql.journal.tokens import tokens
from bootstrap.errors import RevisionError
from bootstrap.journal.entries import NAME
from bootstrap.journal.statements import Nature, Said
from bootstrap.journal.tokens import Token, shown

_READS = {
    "SELECT",
    "SHOW",
    "DESCRIBE",
    "DESC",
    "EXPLAIN",
    "VALUES",
    "TABLE",
    "HELP",
    "CHECKSUM",
} | {*("SAVEPOINT", "RELEASE")}
_WRITES = {"INSERT", "UPDATE", "DELETE", "REPLACE", "DO", "HANDLER"}
_BEFORE_TARGET = {"INTO", "FROM", "IGNORE", "LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "QUICK"}
_SESSION = {"SET", "USE", "PREPARE", "DEALLOCATE", "LOCK", "UNLOCK"}
_UNSURE = {"EXECUTE", "CALL", "XA"}
_BODIES = {"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"}
_WRAPPED = {"(", "WITH"}
_DROP_LIST = re.compile(r"\bDROP\s+(TABLES?|VIEW|SEQUENCE)\b", re.IGNORECASE)


def read(sql: str) -> Said:
    """Reads a statement.

    Raises:
        RevisionError: It is several in one string, of which nobody can tell which were applied.
    """
    found = tokens(sql)
    while found and found[-1].text == ";":
        found.pop()
    words = [token.word for token in found[:4]] + [""] * 4
    if not _has_body(words, found) and any(token.text == ";" for token in found):
        raise RevisionError(
            f"several statements in one string: {shown(found)}",
            hint="give each statement an op.execute() of its own: when such a string fails or is "
            "killed, nobody can tell which of them were applied",
        )
    nature, commits = _nature(words, found)
    variables = _variables(found)
    if nature is Nature.READS and variables:
        nature = Nature.SESSION
    return Said(
        nature=nature,
        sql=sql,
        shown=shown(found),
        words=frozenset(token.name.lower() for token in found if token.name),
        savepoint=_savepoint(words, found),
        variables=variables,
        only_variables=bool(variables) and _sets_only_variables(words, found),
        sent=_locking(sql) if words[0] == "LOCK" and words[1] != "INSTANCE" else "",
        finish=_finishing(sql) if words[0] == "DROP" and "IF" not in words else "",
        target=_target(words, found),
        commits=commits,
        unsure=words[0] in _UNSURE,
    )


def _target(words: Sequence[str], found: Sequence[Token]) -> str:
    """The table whose rows are written; of several, the first."""
    if words[0] not in _WRITES:
        return ""
    names = (token for token in found[1:] if token.name and token.word not in _BEFORE_TARGET)
    return next((token.name.lower() for token in names), "")


def _locking(sql: str) -> str:
    """LOCK TABLES with the journal, which could not be written otherwise."""
    return f"{sql.rstrip().rstrip(';')}, {NAME} WRITE"


def _finishing(sql: str) -> str:
    """DROP of a list, of which a part is gone already."""
    return _DROP_LIST.sub(r"\g<0> IF EXISTS", sql, count=1)


def _has_body(words: Sequence[str], found: Sequence[Token]) -> bool:
    """Whether semicolons are part of it: CREATE PROCEDURE, TRIGGER ..., and MariaDB's blocks."""
    if words[0] == "BEGIN":
        return words[1] == "NOT"
    making = words[0] in ("CREATE", "ALTER")
    return making and any(token.word in _BODIES for token in found[:12])


def _nature(words: Sequence[str], found: Sequence[Token]) -> tuple[Nature, bool]:
    """What it does, and whether it commits what was before it."""
    first, second = words[:2]
    if first in _SESSION:
        return _session(words, found)
    if first in _WRAPPED:
        inner = {token.word for token in found}
        return (Nature.WRITES if inner & {"UPDATE", "DELETE", "INSERT"} else Nature.READS), False
    natures = {
        Nature.READS: first in _READS,
        Nature.WRITES: first in _WRITES or (first == "LOAD" and second in ("DATA", "XML")),
        Nature.SESSION: "TEMPORARY" in words and first in ("CREATE", "DROP"),
        Nature.UNDOES: first == "ROLLBACK",
        Nature.ENDS: first == "COMMIT"
        or (first == "BEGIN" and second != "NOT")
        or (first == "START" and second == "TRANSACTION"),
    }
    nature = next((nature for nature, fits in natures.items() if fits), Nature.COMMITS)
    return nature, nature in (Nature.COMMITS, Nature.ENDS)


def _session(words: Sequence[str], found: Sequence[Token]) -> tuple[Nature, bool]:
    if words[0] == "SET":
        names = {token.text.lower() for token in found}
        return Nature.SESSION, bool(names & {"autocommit", "@@autocommit", "password"})
    return Nature.SESSION, words[0] in ("LOCK", "UNLOCK")


def _savepoint(words: Sequence[str], found: Sequence[Token]) -> str:
    if words[0] == "SAVEPOINT" and len(found) > 1:
        return found[1].name.lower()
    if words[0] == "ROLLBACK" and "TO" in words:
        return found[-1].name.lower()
    return ""


def _variables(found: Sequence[Token]) -> tuple[str, ...]:
    """The user variables that are given a value: by SET, `:=` or INTO."""
    names: dict[str, None] = {}
    is_set = bool(found) and found[0].word == "SET"
    for before, token, after in zip([None, *found], found, [*found[1:], None], strict=False):
        if token.kind != "variable" or token.text.startswith("@@"):
            continue
        signs = {":=", "="} if is_set else {":="}
        assigned = after is not None and after.text in signs
        into = before is not None and before.word == "INTO"
        if assigned or into:
            names[token.text] = None
    return tuple(names)


def _sets_only_variables(words: Sequence[str], found: Sequence[Token]) -> bool:
    """Whether a SET has no assignment to a variable of the server."""
    if words[0] != "SET":
        return False
    depth, begins = 0, True
    for token in found[1:]:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if begins and (token.kind != "variable" or token.text.startswith("@@")):
            return False
        begins = token.text == "," and depth == 0
    return True

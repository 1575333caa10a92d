"""What a statement means for the journal, told from its words.

What cannot run in a transaction: the manual says so with each command. What is not known here shows
itself when the server refuses it there (`PostgreSQLPolicy.needs_no_transaction`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache

from bootstrap.backends.postgresql.journal.tokens import tokens
from bootstrap.journal.entries import NAME
from bootstrap.journal.statements import Nature, Said
from bootstrap.journal.tokens import Token, shown

MARKED = f"/* {NAME} "  # with this begins what cannot run in a transaction, as it is sent
_READS = {"SHOW", "FETCH", "SAVEPOINT", "RELEASE"}
_QUERIES = {"SELECT", "VALUES", "TABLE", "(", "WITH"}
_WRITING = {"INSERT", "UPDATE", "DELETE", "MERGE", "INTO"}
_SESSION = {
    *("SET", "RESET", "DISCARD", "PREPARE", "DEALLOCATE", "LISTEN", "UNLISTEN", "LOCK", "DECLARE"),
    *("CLOSE", "MOVE", "LOAD", "BEGIN", "START", "COMMIT", "END"),
}
_COMMITS = {"COMMIT", "END"}
_BEGINS = {"BEGIN", "START"}
_NO_ROWS = re.compile(
    r"\s*(?:CREATE|ALTER|DROP|COMMENT|GRANT|REVOKE|(?P<writes>INSERT|UPDATE|DELETE))\b",
    re.IGNORECASE,
)
_MAYBE_ROWS = re.compile(r";|\bRETURNING\b|\bAS\b", re.IGNORECASE)
_ABOUT_SESSION = re.compile(r"set_config|pg_(try_)?advisory_(xact_)?lock(_shared)?")
_TEMPORARY = {"TEMP", "TEMPORARY"}
_ALONE = {"DATABASE", "TABLESPACE", "SUBSCRIPTION"}
_CONCURRENTLY = re.compile(r"\bCONCURRENTLY\b", re.IGNORECASE)
_LONG = 2_000  # characters
_NOISE = {"INTO", "FROM", "ONLY", "TABLE", "IF", "NOT", "EXISTS"}


def mark(sql: str) -> str:
    """What is put before a statement, so that the server's list of sessions tells who sends it."""
    return f"{NAME} {hashlib.sha256(sql.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


@lru_cache(maxsize=32)  # batches of rows come with the same text
def read(sql: str) -> Said:
    """Reads a statement; of many rows that are inserted the beginning is enough."""
    is_cut = len(sql) > _LONG and sql.lstrip()[:6].upper() == "INSERT"
    found = [*tokens(sql[:_LONG] if is_cut else sql)]
    while found and found[-1].text == ";":
        found.pop()
    words = [token.word for token in found]
    nature = _nature(words, found)
    alone = nature is Nature.COMMITS
    return Said(
        nature=nature,
        sql=sql,
        shown=shown(found),
        words=frozenset(_folded(token) for token in found if token.name)
        | ({"from"} if is_cut else set()),
        target=_target(words, found),
        savepoint=_savepoint(words, found),
        sent=f"/* {mark(sql)} */ {sql}" if alone else "",
        finish=_finishing(sql) if alone and "DETACH" in words else "",
        commits=words[0] in _COMMITS if words else False,
        only_once=nature is Nature.SESSION and words[0] == "CREATE" and "FROM" in words,
    )


def gives_no_rows(sql: str) -> bool:
    """Whether it is one statement that surely gives none; a long one is not read for that."""
    found = _NO_ROWS.match(sql)
    if not found or len(sql) > _LONG:
        return False
    if not _MAYBE_ROWS.search(sql):  # spares most of them the reading
        return True
    words = [token.word for token in tokens(sql)]
    if ";" in words[:-1]:
        return False
    # CREATE TABLE AS says how many rows it has selected, as a SELECT does.
    return ("RETURNING" if found["writes"] else "AS") not in words


def begins(said: Said) -> bool:
    """Whether it begins a transaction."""
    return bool(_BEGINS & {said.shown.partition(" ")[0].upper()})


def is_temporary(words: Sequence[str]) -> bool:
    """Whether it makes something that goes with the session."""
    if words[:1] == ["CREATE"]:
        return bool(_TEMPORARY & set(words[1:5]))
    if words[:1] != ["SELECT"] or "INTO" not in words:
        return False
    return bool(_TEMPORARY & set(words[words.index("INTO") :][:3]))


def _nature(words: Sequence[str], found: Sequence[Token]) -> Nature:
    first, second = [*words, "", ""][:2]
    rolls_back = first in ("ROLLBACK", "ABORT")
    natures = {
        Nature.COMMITS: _is_alone(words),
        Nature.UNDOES: rolls_back and second != "PREPARED",
        Nature.SESSION: first in _SESSION or is_temporary(words) or _is_about_session(words, found),
        Nature.READS: first in _READS
        or (first == "EXPLAIN" and "ANALYZE" not in words)
        or (first in _QUERIES and not _WRITING & set(words)),
    }
    return next((nature for nature, fits in natures.items() if fits), Nature.WRITES)


def _is_about_session(words: Sequence[str], found: Sequence[Token]) -> bool:
    return words[:1] == ["SELECT"] and any(
        _ABOUT_SESSION.fullmatch(token.name.lower()) for token in found if token.name
    )


def _is_alone(words: Sequence[str]) -> bool:
    """Whether it cannot run in a transaction."""
    first, second = [*words, "", ""][:2]
    match first:
        case "VACUUM" | "CLUSTER" | "REINDEX":
            return True
        case "CREATE" | "DROP" | "ALTER":
            if second == "DATABASE" and first == "ALTER":
                return "TABLESPACE" in words
            if second == "SYSTEM" or second in _ALONE:
                return not (first == "ALTER" and second == "TABLESPACE")
            return "CONCURRENTLY" in words and ("INDEX" in words[1:3] or "DETACH" in words)
        case "COMMIT" | "ROLLBACK":
            return second == "PREPARED"
    return False


def _finishing(sql: str) -> str:
    """What ends a DETACH that was interrupted."""
    return f"/* {mark(sql)} */ {_CONCURRENTLY.sub('FINALIZE', sql)}"


def _savepoint(words: Sequence[str], found: Sequence[Token]) -> str:
    if words[:1] == ["SAVEPOINT"] and len(found) > 1:
        return found[1].name.lower()
    if words[:1] == ["ROLLBACK"] and "TO" in words:
        return found[-1].name.lower()
    return ""


def _target(words: Sequence[str], found: Sequence[Token]) -> str:
    """The table that is written, changed or dropped; of several, the first."""
    begin = words.index("ON") if words[:1] == ["CREATE"] and "ON" in words else 0
    names = (token for token in found[begin + 1 :] if token.name and token.word not in _NOISE)
    return next((_folded(token) for token in names if token.word not in _TEMPORARY), "")


def _folded(token: Token) -> str:
    return token.name if token.kind == "quoted" else token.name.lower()

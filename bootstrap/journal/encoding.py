"""Parameters and results as text: JSON in which each value keeps its type."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from bootstrap.journal.entries import Outcome, Refusal

_LONGEST = 1_000_000  # characters of a result that are kept
_PLAIN = (str, int, float, bool, bytes, Decimal, datetime, date)
_TYPE, _VALUE = "type", "value"


class NotKept(ValueError):
    """A value has a type that is not kept."""


def _timedelta(value: timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


_WRITTEN: Mapping[type, tuple[str, Callable[[Any], Any]]] = {
    Decimal: ("decimal", str),
    datetime: ("datetime", datetime.isoformat),
    date: ("date", date.isoformat),
    time: ("time", time.isoformat),
    timedelta: ("timedelta", _timedelta),
    bytes: ("bytes", bytes.hex),
    bytearray: ("bytes", bytearray.hex),
    memoryview: ("bytes", lambda value: bytes(value).hex()),
    UUID: ("uuid", str),
    float: ("float", repr),
    set: ("set", lambda value: sorted(_value(one) for one in value)),
    frozenset: ("set", lambda value: sorted(_value(one) for one in value)),
    tuple: ("tuple", lambda value: [_value(one) for one in value]),
    list: ("list", lambda value: [_value(one) for one in value]),
    dict: ("dict", lambda value: [[_value(k), _value(v)] for k, v in value.items()]),
}
_READ: Mapping[str, Callable[[Any], Any]] = {
    "decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda value: timedelta(*value),
    "bytes": bytes.fromhex,
    "uuid": UUID,
    "float": float,
    "set": lambda value: {_restored(one) for one in value},
    "tuple": lambda value: tuple(_restored(one) for one in value),
    "list": lambda value: [_restored(one) for one in value],
    "dict": lambda value: {_restored(k): _restored(v) for k, v in value},
}


def _value(value: Any) -> Any:
    if value is None or type(value) in (bool, int, str):
        return value
    for kind in type(value).__mro__:  # a driver's own str or dict is one too
        if kind in (bool, int, str):
            return kind(value)
        if kind in _WRITTEN:
            name, write = _WRITTEN[kind]
            return {_TYPE: name, _VALUE: write(value)}
    raise NotKept(type(value).__name__)


def _restored(value: Any) -> Any:
    return _READ[value[_TYPE]](value[_VALUE]) if isinstance(value, dict) else value


def digest(sql: str, parameters: Any) -> str:
    """A hash of a statement with its parameters.

    A value of an unknown type counts by its `repr`, which is another one in another process if it
    has an address in it: then the statement is taken for another one, and nothing is guessed.
    """
    if _is_plain(parameters):
        written = repr(parameters)
    else:
        try:
            written = json.dumps(_value(parameters), sort_keys=True)
        except NotKept:
            written = repr(parameters)
    return hashlib.sha256(f"{sql}\0{written}".encode("utf-8", "surrogatepass")).hexdigest()


def _is_plain(value: Any) -> bool:
    """Whether its `repr` tells all of it; for many rows that takes a tenth of the time."""
    if type(value) in (tuple, list):
        return all(map(_is_plain, value))
    return value is None or type(value) in _PLAIN


def written(outcome: Outcome) -> str:
    """An outcome as text; without its rows where they are too many, or of unknown types."""
    try:
        text = _text(outcome, rows=_value(None if outcome.rows is None else list(outcome.rows)))
    except NotKept:
        text = _text(outcome, rows=None)
    return text if len(text) <= _LONGEST else _text(outcome, rows=None)


def _text(outcome: Outcome, *, rows: Any) -> str:
    refusal = outcome.refusal
    fields = {
        "columns": None if outcome.columns is None else [_column(one) for one in outcome.columns],
        "rows": rows,
        "rowcount": outcome.rowcount,
        "lastrowid": outcome.lastrowid,
        "refusal": refusal
        and [refusal.names, [_plain(one) for one in refusal.arguments], refusal.state],
        "variables": {name: _value(value) for name, value in outcome.variables.items()},
    }
    return json.dumps({name: value for name, value in fields.items() if value is not None})


def _column(column: tuple[Any, ...]) -> list[Any]:
    """A column's description; a type that is an object of the driver is left out."""
    return [one if type(one) in (bool, int, str) else None for one in column]


def _plain(value: Any) -> Any:
    return value if type(value) in (bool, int, str) else str(value)


def read(text: str) -> Outcome:
    """The outcome that was written."""
    fields = json.loads(text)
    refusal = fields.get("refusal")
    columns = fields.get("columns")
    rows = fields.get("rows")
    return Outcome(
        columns=None if columns is None else tuple(tuple(one) for one in columns),
        rows=None if rows is None else [tuple(one) for one in _restored(rows)],
        rowcount=fields["rowcount"],
        lastrowid=fields.get("lastrowid"),
        refusal=refusal
        and Refusal(names=tuple(refusal[0]), arguments=tuple(refusal[1]), state=refusal[2]),
        variables={name: _restored(value) for name, value in fields["variables"].items()},
    )

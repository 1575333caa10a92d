"""The canonical schema as JSON, and back; and its digest."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import types
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from bootstrap.errors import SettingsError
from bootstrap.schema.model import Schema

VERSION = 1
_T = TypeVar("_T")


def dumps(schema: Schema) -> str:
    """The schema as a JSON document: the same text for the same schema, ready for a repository."""
    content = {"version": VERSION, "schema": _plain(schema)}
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def loads(text: str) -> Schema:
    """Reads what `dumps` wrote.

    Raises:
        SettingsError: It is not such a document, or one of another version.
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise SettingsError(f"the snapshot is not JSON: {error}") from error
    if not isinstance(content, dict) or "schema" not in content:
        raise SettingsError("the document is not a snapshot", hint=_AGAIN)
    if content.get("version") != VERSION:
        found = content.get("version")
        raise SettingsError(f"the snapshot has version {found}, not {VERSION}", hint=_AGAIN)
    try:
        schema: Schema = _value(Schema, content["schema"])
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"the snapshot cannot be read: {error}", hint=_AGAIN) from error
    return schema


_AGAIN = "write it again: bootstrap snapshot --output FILE"


def digest(schema: Schema) -> str:
    """A hash that two schemas share when they are equal, in any process: `sha256:…`."""
    text = json.dumps(_plain(schema), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _plain(value: object) -> Any:
    """A value as what JSON has; fields that have their default are left out."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    found = {}
    for field in dataclasses.fields(value):
        held = getattr(value, field.name)
        if field.default is dataclasses.MISSING or held != field.default:
            found[field.name] = _plain(held)
    return found


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _value(kind: Any, found: Any) -> Any:
    """What JSON has as a value of a declared type."""
    if get_origin(kind) in (Union, types.UnionType):
        if found is None:
            return None
        (kind,) = (one for one in get_args(kind) if one is not type(None))
    if get_origin(kind) is tuple:
        return tuple(_value(get_args(kind)[0], one) for one in _instance(list, found))
    if dataclasses.is_dataclass(kind):
        hints = _hints(kind)  # type: ignore[arg-type]  # a class, not an instance of one
        given = {name: _value(hints[name], one) for name, one in _instance(dict, found).items()}
        return kind(**given)  # type: ignore[operator]  # as above
    if issubclass(kind, StrEnum):
        return kind(found)
    return _instance(kind, found)


def _instance(kind: type[_T], found: Any) -> _T:
    """Refuses a value of another type; a boolean is not an integer here."""
    if isinstance(found, bool) is not (kind is bool) or not isinstance(found, kind):
        raise TypeError(f"{found!r} is not {kind.__name__}")
    return found

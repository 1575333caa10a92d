"""The form of the JSON documents as JSON Schema (draft 2020-12), derived from the report classes.

What a person would write by hand stands in the classes already: the types of their fields, and
their docstrings. docs/json has the result for each command.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import PurePath
from typing import Any, TypeAlias

from bootstrap.reports.json import VERSION, ErrorReport, parts

Schema: TypeAlias = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PLAIN: Mapping[object, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    types.NoneType: {"type": "null"},
    datetime: {"type": "string", "format": "date-time"},
}


def schema(command: str, report: object) -> Schema:
    """The schema of what a command prints with `--format json`: its report, or an error.

    Args:
        command: Its name, as on the command line.
        report: The type of what it reports: a dataclass, or a union of some.
    """
    classes: dict[str, Schema] = {}
    described = _of(report, classes)
    failed = _of(ErrorReport, classes)
    return {
        "$schema": _DIALECT,
        "$id": f"urn:alembic-bootstrap:json:{VERSION}:{command.replace(' ', '-')}",
        "title": f"bootstrap {command} --format json",
        "oneOf": [
            _document(command, "report", described),
            _document(command, "error", failed),
        ],
        "$defs": {name: classes[name] for name in sorted(classes)},
    }


def report_of(*functions: object) -> object:
    """The type that a function of the library gives back, or what several do."""
    return typing.Union[tuple(typing.get_type_hints(one)["return"] for one in functions)]  # noqa: UP007 - made here


def _document(command: str, member: str, content: Schema) -> Schema:
    return _object({"version": {"const": VERSION}, "command": {"const": command}, member: content})


def _object(properties: Mapping[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _of(kind: Any, classes: dict[str, Schema]) -> Schema:
    """The schema of a type; classes get an entry of their own, and a reference to it."""
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    if typing.get_origin(kind):
        return _of_several(kind, classes)
    if issubclass(kind, PurePath):
        return {"type": "string"}
    if issubclass(kind, StrEnum):
        return {"enum": [one.value for one in kind], "description": _summary(kind)}
    if dataclasses.is_dataclass(kind):
        return _reference(kind, classes)
    raise TypeError(f"{kind} has no form in JSON")


def _of_several(kind: Any, classes: dict[str, Schema]) -> Schema:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in {typing.Union, types.UnionType}:
        return {"anyOf": [_of(one, classes) for one in arguments]}
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _of(arguments[1], classes)}
    if issubclass(origin, Sequence):
        return {"type": "array", "items": _of(arguments[0], classes)}
    raise TypeError(f"{kind} has no form in JSON")


def _reference(kind: Any, classes: dict[str, Schema]) -> Schema:
    if kind.__name__ not in classes:
        classes[kind.__name__] = {}  # a class may refer to itself
        said = dict(_attributes(kind))
        properties = {
            name: _described(_of(one, classes), said.get(name, ""))
            for name, one in parts(kind).items()
        }
        classes[kind.__name__] = {"description": _summary(kind), **_object(properties)}
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _described(content: Schema, said: str) -> Schema:
    return {**content, "description": said} if said else content


def _summary(kind: type) -> str:
    """What a docstring says before its sections."""
    return _one_line(re.split(r"\n\n(?=\w+:\n)", inspect.getdoc(kind) or "")[0])


def _attributes(kind: type) -> Iterator[tuple[str, str]]:
    """What the docstrings of a class and of its properties say about its members."""
    section = (inspect.getdoc(kind) or "").partition("Attributes:\n")[2]
    for name, said in re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", section, re.MULTILINE):
        yield name, _one_line(said)
    for name, member in vars(kind).items():
        if isinstance(member, property):
            yield name, _one_line(inspect.getdoc(member) or "")


def _one_line(text: str) -> str:
    return " ".join(text.split())

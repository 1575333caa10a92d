"""Reads JSON lines: the first line names table and key, each further line is a row.

{"table": "items", "key": ["name", "owner_id"]}
{"name": "Globe", "price": 12.50, "owner_id": {"email": "ada@example.com"}}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from io import StringIO
from itertools import islice
from typing import Any, Final

from bootstrap.datasets.reading.batches import ROWS, Batch, Batches, Slot
from bootstrap.datasets.reading.form import Cell, DataSet, SeedFile, data_set
from bootstrap.datasets.reading.opening import lines_of

_FORM = 'the first line names table and key: {"table": "items", "key": ["name"]}'
_UNSAID: Final = object()


class _Repeated(ValueError):
    """A name that stands in an object twice."""


def read(file: SeedFile, text: str) -> DataSet:
    """Reads a data set.

    Raises:
        SeedError: A line is not JSON, a name repeats in an object, or it is no data set.
    """
    objects = _objects(file, StringIO(text, newline=""))
    line, head = _begun(file, objects)
    rows = [_cell(number, found) for number, found in objects]
    return data_set(file, _root(file, line, head, rows))


def read_large(file: SeedFile) -> DataSet:
    """Reads the first line of a data set, whose rows come in batches.

    Raises:
        SeedError: It does not name table and key.
    """
    line, head = _begun(file, _objects(file, lines_of(file)))
    found = data_set(file, _root(file, line, head, []))
    return replace(found, batches=Batches(read=partial(_batches, file)))


def _begun(file: SeedFile, objects: Iterator[tuple[int, Any]]) -> tuple[int, dict[str, Any]]:
    line, head = next(objects, (1, None))
    if head is None:
        raise file.fault(line, "the file is empty", hint=_FORM)
    if not isinstance(head, dict) or head.keys() - {"table", "key"}:
        raise file.fault(line, "the first line must have a table and its key only", hint=_FORM)
    return line, head


def _root(file: SeedFile, line: int, head: Mapping[str, Any], rows: list[Cell]) -> Cell:
    members = {name: _cell(line, content) for name, content in head.items()}
    return Cell(content={**members, "rows": Cell(content=rows, line=line)}, line=line)


def _cell(line: int, content: Any) -> Cell:
    if isinstance(content, dict):
        content = {name: _cell(line, one) for name, one in content.items()}
    elif isinstance(content, list):
        content = [_cell(line, one) for one in content]
    return Cell(content=content, line=line)


def _objects(file: SeedFile, lines: Iterable[str]) -> Iterator[tuple[int, Any]]:
    """What stands on the lines that are not empty."""
    for number, line in enumerate(lines, start=1):
        if text := line.strip():
            found, fault = _decoded(file, number, text)
            if fault:
                raise fault
            yield number, found


def _decoded(file: SeedFile, number: int, text: str) -> tuple[Any, Exception | None]:
    """What a line says, or its error: returned, so that the text is not in its context."""
    try:
        return _DECODER.decode(text), None
    except json.JSONDecodeError as error:
        said = f"this is not valid JSON: {error.msg}"
        return None, file.fault(number, said, hint="each line is a JSON document of its own")
    except _Repeated as error:
        return None, file.fault(number, f"{error.args[0]!r} stands here twice")
    except RecursionError:
        return None, file.fault(number, "this is nested too deeply")


def _members(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Repeated(next(name for name in names if names.count(name) > 1))
    return found


# Numbers stay exact; NaN, which only Python's JSON knows, becomes one that no column takes.
_DECODER = json.JSONDecoder(
    parse_float=Decimal, parse_int=Decimal, parse_constant=Decimal, object_pairs_hook=_members
)


def _batches(file: SeedFile) -> Iterator[Batch]:
    objects = _objects(file, lines_of(file))
    next(objects, None)  # what names table and key
    while found := list(islice(objects, ROWS)):
        _refuse_other_forms(file, found)
        rows = [dict(_slots(row)) for _, row in found]
        slots = tuple(dict.fromkeys(slot for row in rows for slot in row))
        yield Batch(
            lines=[line for line, _ in found],
            slots=slots,
            columns=[[row.get(slot, _UNSAID) for row in rows] for slot in slots],
            unsaid=_UNSAID,
        )


def _slots(row: Mapping[str, Any]) -> Iterator[tuple[Slot, Any]]:
    for name, content in row.items():
        if isinstance(content, dict) and content:
            for inner, one in content.items():
                yield Slot(name, inner), one
        else:
            yield Slot(name), content


def _refuse_other_forms(file: SeedFile, found: Sequence[tuple[int, Any]]) -> None:
    """Refuses what is no row, in the words for a small file."""
    for line, row in found:
        if not isinstance(row, dict) or not row or any(map(_is_nested, row.values())):
            head = {"table": "-", "key": "-"}
            data_set(file, _root(file, line, head, [_cell(line, row)]))


def _is_nested(content: Any) -> bool:
    """Whether a value needs a closer look: a list, or a mapping that is empty or deeper."""
    if isinstance(content, dict):
        return not content or any(isinstance(one, dict | list) for one in content.values())
    return isinstance(content, list)

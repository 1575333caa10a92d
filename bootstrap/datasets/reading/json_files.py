"""Reads JSON, and keeps the line of every value."""

from __future__ import annotations

import json
import re
from decimal import Decimal

from bootstrap.datasets.reading.form import Cell, Content, DataSet, SeedFile, data_set

_SPACE = re.compile(r"[ \t\r\n]*")
# Numbers stay exact; NaN, which only Python's JSON knows, becomes one that no column takes.
_DECODER = json.JSONDecoder(parse_float=Decimal, parse_int=Decimal, parse_constant=Decimal)


def read(file: SeedFile, text: str) -> DataSet:
    """Reads a data set.

    Raises:
        SeedError: It is not JSON, a name repeats in a mapping, or it is no data set.
    """
    fault = _syntax_fault(file, text)
    if fault:
        raise fault
    return data_set(file, _Walk(file, text).cell())


def _syntax_fault(file: SeedFile, text: str) -> Exception | None:
    """The error for what is no JSON; returned, so that the text is not in its context."""
    try:
        _DECODER.decode(text)
    except json.JSONDecodeError as error:
        return file.fault(error.lineno, f"this is not valid JSON: {error.msg}")
    except RecursionError:
        return file.fault(1, "this is nested too deeply")
    return None


class _Walk:
    """Goes through valid JSON: `json` itself does not tell where its values stood."""

    def __init__(self, file: SeedFile, text: str) -> None:
        self._file = file
        self._text = text
        self._at = 0
        self._line = 1

    def cell(self) -> Cell:
        """The value that begins here."""
        sign = self._next_sign()
        line = self._line
        content: Content
        if sign == "{":
            content = self._mapping()
        elif sign == "[":
            content = self._list()
        else:
            content = self._scalar()
        return Cell(content=content, line=line)

    def _mapping(self) -> dict[str, Cell]:
        self._at += 1
        found: dict[str, Cell] = {}
        while self._next_sign() != "}":
            name = str(self._scalar())
            if name in found:
                raise self._file.fault(self._line, f"{name!r} stands here twice")
            self._skip(":")
            found[name] = self.cell()
            self._skip(",")
        self._at += 1
        return found

    def _list(self) -> list[Cell]:
        self._at += 1
        found = []
        while self._next_sign() != "]":
            found.append(self.cell())
            self._skip(",")
        self._at += 1
        return found

    def _scalar(self) -> str | Decimal | bool | None:
        content: str | Decimal | bool | None
        content, self._at = _DECODER.raw_decode(self._text, self._at)
        return content

    def _skip(self, sign: str) -> None:
        if self._next_sign() == sign:
            self._at += 1

    def _next_sign(self) -> str:
        start = self._at
        end = self._at = _SPACE.match(self._text, start).end()  # type: ignore[union-attr]  # * matches everywhere
        self._line += self._text.count("\n", start, end)
        return self._text[end]

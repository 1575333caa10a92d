"""Reads YAML, and keeps the line of every value.

Values stay texts until the type of their column is known, whatever YAML would take them for: the
name `no` is no boolean, and the zip code `01234` no octal number.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.error import MarkedYAMLError
from yaml.reader import Reader

from bootstrap.datasets.reading.form import FORM, Cell, DataSet, SeedFile, data_set

# libyaml's is ten times as fast; not every build of PyYAML has it.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_OWN = "tag:yaml.org,2002:"
_TEXTS = {_OWN + name for name in ("str", "int", "float", "bool", "timestamp", "value", "merge")}
_NULL = _OWN + "null"
_DEEPEST = 5  # one more than the form has; aliases can make a circle


def read(file: SeedFile, text: str) -> DataSet:
    """Reads a data set.

    Raises:
        SeedError: It is not YAML, has a tag, a name repeats in a mapping, or it is no data set.
    """
    if found := Reader.NON_PRINTABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise file.fault(line, "this has a control character, which YAML does not allow")
    node, fault = _composed(file, text)
    if fault:
        raise fault
    if node is None:
        raise file.fault(1, "the file is empty", hint=FORM)
    return data_set(file, _Nodes(file).cell(node))


def _composed(file: SeedFile, text: str) -> tuple[yaml.Node | None, Exception | None]:
    """The document, or its error: returned, so that the text is not in its context.

    Of a stream PyYAML shows no excerpt in its exceptions.
    """
    try:
        return yaml.compose(StringIO(text), Loader=_LOADER), None
    except ComposerError as error:
        line = _line(error)
        said = "an alias (*) has no anchor (&), or a second document begins"
        return None, file.fault(line, said, hint="put a value that begins with * or & in quotes")
    except MarkedYAMLError as error:
        return None, file.fault(_line(error), f"this is not valid YAML: {error.problem}")


def _line(error: MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return mark.line + 1 if mark else 1


class _Nodes:
    """Makes cells of nodes, each once, so that aliases of aliases cost nothing."""

    def __init__(self, file: SeedFile) -> None:
        self._file = file
        self._made: dict[yaml.Node, Cell] = {}

    def cell(self, node: yaml.Node, depth: int = 0) -> Cell:
        """The cell of a node and of all that is in it."""
        if node not in self._made:
            self._made[node] = self._cell(node, depth)
        return self._made[node]

    def _cell(self, node: yaml.Node, depth: int) -> Cell:
        line = node.start_mark.line + 1
        if depth > _DEEPEST:
            raise self._file.fault(line, "this is nested too deeply", hint=FORM)
        if isinstance(node, yaml.MappingNode):
            return Cell(content=dict(self._members(node, depth)), line=line)
        if isinstance(node, yaml.SequenceNode):
            return Cell(content=[self.cell(one, depth + 1) for one in node.value], line=line)
        return Cell(content=None if node.tag == _NULL else self._text(node), line=line)

    def _members(self, node: yaml.MappingNode, depth: int) -> Iterator[tuple[str, Cell]]:
        seen = set()
        for name_node, value in node.value:
            name = self._text(name_node)
            if name in seen:
                line = name_node.start_mark.line + 1
                raise self._file.fault(line, f"{name!r} stands here twice")
            seen.add(name)
            yield name, self.cell(value, depth + 1)

    def _text(self, node: yaml.Node) -> str:
        if isinstance(node, yaml.ScalarNode) and (node.tag in _TEXTS or node.tag == _NULL):
            return str(node.value)
        raise self._file.fault(
            node.start_mark.line + 1,
            "a plain value must stand here, without a tag",
            hint="put a value that begins with ! in quotes",
        )

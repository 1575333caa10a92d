"""Finds the files of data sets and reads them, whatever their format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bootstrap.datasets import csv_files, json_files, json_lines, yaml_files
from bootstrap.datasets.form import DataSet, SeedFile
from bootstrap.datasets.opening import PACKED, beginning, decoded, text_of
from bootstrap.errors import SeedError

# Where a file counts as large: up to here the rows are compared in memory, which is as fast and
# names each row that a server refuses at once; 20,000 users are about as much.
LARGE = 2**21  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Format:
    read: Callable[[SeedFile, str], DataSet]
    read_large: Callable[[SeedFile], DataSet] | None = None  # None: it is read as a whole


_YAML = _Format(read=yaml_files.read)
_FORMATS: Mapping[str, _Format] = {
    ".csv": _Format(read=csv_files.read, read_large=csv_files.read_large),
    ".json": _Format(read=json_files.read),
    ".jsonl": _Format(read=json_lines.read, read_large=json_lines.read_large),
    ".yaml": _YAML,
    ".yml": _YAML,
}
_SUFFIXES = f"data sets are files that end in {', '.join(_FORMATS)}, also packed ({PACKED})"


def read_all(paths: Iterable[Path]) -> tuple[DataSet, ...]:
    """Reads all data sets of files and folders; those of a folder in the order of their names.

    Raises:
        SeedError: A path has no data set, or one cannot be read.
    """
    return tuple(_read(file) for path in paths for file in _found(path))


def _found(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    files = [one for one in path.iterdir() if _format(one) and one.is_file()]
    shown = sorted((one for one in files if not one.name.startswith(".")), key=_name)
    if not shown:
        raise SeedError(f"the folder {path} has no data sets", hint=_SUFFIXES)
    yield from shown


def _name(path: Path) -> str:
    return path.name


def _format(path: Path) -> _Format | None:
    return _FORMATS.get(Path(path.name.removesuffix(PACKED)).suffix)


def _read(path: Path) -> DataSet:
    if not path.is_file():
        raise SeedError(f"there is no file or folder {path} to seed from")
    found = _format(path)
    if found is None:
        raise SeedError(f"{path} is no data set", hint=_SUFFIXES)
    file = SeedFile(path=path)
    if found.read_large is None:
        return found.read(file, text_of(file))
    content = beginning(file, LARGE + 1)
    if len(content) > LARGE:
        return found.read_large(file)
    return found.read(file, decoded(file, content))

"""Finds the files of data sets and reads them, whatever their format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bootstrap.datasets.reading import csv_files, json_files, json_lines, yaml_files
from bootstrap.datasets.reading.form import DataSet, SeedFile
from bootstrap.datasets.reading.opening import PACKED, beginning, decoded, text_of
from bootstrap.errors import SeedError

# Where a file counts as large. 2 MB are about 11,000 users: compared in memory they take a second
# of CPU time, the other way a fifth of one. Below that little is gained, and each row that differs
# is known by itself.
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
SUFFIXES = f"data sets are files that end in {', '.join(_FORMATS)}, also packed ({PACKED})"


def read_all(files: Iterable[SeedFile]) -> tuple[DataSet, ...]:
    """Reads the data sets of some files.

    Raises:
        SeedError: There is none in a file, or it cannot be read.
    """
    return tuple(_read(file) for file in files)


def files_in(folder: Path) -> list[Path]:
    """The files of data sets in a folder, by their names; not those of folders in it."""
    files = [one for one in folder.iterdir() if _format(one) and one.is_file()]
    return sorted((one for one in files if not one.name.startswith(".")), key=_name)


def _name(path: Path) -> str:
    return path.name


def _format(path: Path) -> _Format | None:
    return _FORMATS.get(Path(path.name.removesuffix(PACKED)).suffix)


def _read(file: SeedFile) -> DataSet:
    path = file.path
    if not path.is_file():
        raise SeedError(f"there is no file or folder {path} to seed from")
    found = _format(path)
    if found is None:
        raise SeedError(f"{path} is no data set", hint=SUFFIXES)
    if found.read_large is None:
        return found.read(file, text_of(file))
    content = beginning(file, LARGE + 1)
    if len(content) > LARGE:
        return found.read_large(file)
    return found.read(file, decoded(file, content))

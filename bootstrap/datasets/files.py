"""Finds the files of data sets and reads them, whatever their format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from bootstrap.datasets import csv_files, json_files, yaml_files
from bootstrap.datasets.form import DataSet, SeedFile
from bootstrap.errors import SeedError

_READERS: Mapping[str, Callable[[SeedFile, str], DataSet]] = {
    ".csv": csv_files.read,
    ".json": json_files.read,
    ".yaml": yaml_files.read,
    ".yml": yaml_files.read,
}
_SUFFIXES = f"data sets are files that end in {', '.join(_READERS)}"
_BOM = "\ufeff"  # Excel puts it at the beginning of "CSV UTF-8"


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
    files = [one for one in path.iterdir() if one.suffix in _READERS and one.is_file()]
    shown = sorted((one for one in files if not one.name.startswith(".")), key=_name)
    if not shown:
        raise SeedError(f"the folder {path} has no data sets", hint=_SUFFIXES)
    yield from shown


def _name(path: Path) -> str:
    return path.name


def _read(path: Path) -> DataSet:
    if not path.is_file():
        raise SeedError(f"there is no file or folder {path} to seed from")
    if path.suffix not in _READERS:
        raise SeedError(f"{path} is no data set", hint=_SUFFIXES)
    file = SeedFile(path=path)
    return _READERS[path.suffix](file, _text(file))


def _text(file: SeedFile) -> str:
    try:
        content = file.path.read_bytes()
    except OSError as error:
        raise SeedError(f"cannot read {file.path}: {error.strerror}") from error
    try:
        return content.decode("utf-8").removeprefix(_BOM)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise file.fault(
            line, "the file is not encoded in UTF-8", hint="save it as UTF-8"
        ) from error

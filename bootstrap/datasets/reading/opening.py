"""Opens the files of data sets, packed by gzip or not, and reads no more of them than needed."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from bootstrap.datasets.reading.form import SeedFile
from bootstrap.errors import SeedError

PACKED = ".gz"
LONGEST_LINE = 2**24  # characters; a longer one is no row, and would have to fit into memory
_BOM = "\ufeff"  # Excel puts it at the beginning of "CSV UTF-8"
_UNREADABLE = (EOFError, zlib.error, OSError)  # gzip says the first of a file that is cut off
_PACK_AGAIN = "pack it again: gzip 10_users.csv"


def plain_name(file: SeedFile) -> str:
    """The name of the file without the ending that says that it is packed."""
    return file.path.name.removesuffix(PACKED)


def beginning(file: SeedFile, size: int) -> bytes:
    """The first bytes of the content, all of them where it is not larger.

    Raises:
        SeedError: The file cannot be read.
    """
    with _opened(file) as binary, _explained(file):
        return binary.read(size)


def digest(file: SeedFile) -> str:
    """SHA-256 of the file as it is, packed or not.

    Raises:
        SeedError: The file cannot be read.
    """
    with _explained(file), file.path.open("rb") as binary:
        return hashlib.file_digest(binary, "sha256").hexdigest()


def text_of(file: SeedFile) -> str:
    """The whole content.

    Raises:
        SeedError: The file cannot be read, or is not UTF-8.
    """
    return decoded(file, beginning(file, -1))


def decoded(file: SeedFile, content: bytes) -> str:
    """The text of the whole content.

    Raises:
        SeedError: It is not UTF-8.
    """
    try:
        return content.decode("utf-8").removeprefix(_BOM)
    except UnicodeDecodeError as error:
        raise _not_utf8(file, content.count(b"\n", 0, error.start) + 1) from error


def lines_of(file: SeedFile) -> Iterator[str]:
    """The lines of the content, with what ends them, one after the other.

    Raises:
        SeedError: The file cannot be read, is not UTF-8, or has a line without an end.
    """
    number = 0
    try:
        with _opened(file) as binary:
            text = io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")
            while line := text.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
                    raise file.fault(number, f"this line has more than {LONGEST_LINE:,} characters")
                yield line
    except UnicodeDecodeError as error:
        # What was decoded is a block of many lines.
        raise _not_utf8(file, _undecodable(file)) from error
    except _UNREADABLE as error:
        raise _unreadable(file, number + 1, error) from error


def _undecodable(file: SeedFile) -> int:
    with _opened(file) as binary, _explained(file):
        number = 0
        while line := binary.readline(LONGEST_LINE):
            number += 1
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                break
    return number


def _not_utf8(file: SeedFile, line: int) -> SeedError:
    return file.fault(line, "the file is not encoded in UTF-8", hint="save it as UTF-8")


@contextmanager
def _opened(file: SeedFile) -> Iterator[IO[bytes]]:
    try:
        binary: IO[bytes] = file.path.open("rb")
    except OSError as error:
        raise SeedError(f"cannot read {file.path}: {error.strerror}") from error
    with binary:
        if file.path.suffix == PACKED:
            with gzip.GzipFile(fileobj=binary) as unpacked:
                yield io.BufferedReader(unpacked)
        else:
            yield binary


@contextmanager
def _explained(file: SeedFile) -> Iterator[None]:
    try:
        yield
    except _UNREADABLE as error:
        raise _unreadable(file, None, error) from error


def _unreadable(file: SeedFile, line: int | None, error: Exception) -> SeedError:
    match error:
        case EOFError():
            return file.fault(line, "the gzip file is cut off", hint=_PACK_AGAIN)
        case gzip.BadGzipFile() | zlib.error():
            return file.fault(line, "this is not valid gzip", hint=_PACK_AGAIN)
    return SeedError(f"cannot read {file.path}: {getattr(error, 'strerror', error)}")

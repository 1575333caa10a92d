"""Large files are read in batches, and say what small ones say, with the same errors."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from bootstrap.datasets.reading import csv_files, files, json_lines, opening
from bootstrap.datasets.reading.form import Cell, DataSet, SeedFile
from bootstrap.errors import SeedError


@pytest.fixture(autouse=True)
def _three_rows_in_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (csv_files, json_lines):
        monkeypatch.setattr(module, "ROWS", 3)


def _read(path: Path, content: str | bytes) -> DataSet:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    (read,) = files.read_all([SeedFile(path=path)])
    return read


def _plain(content: Any) -> Any:
    if isinstance(content, Cell):
        return _plain(content.content)
    if isinstance(content, dict):
        return {name: _plain(one) for name, one in content.items()}
    return content


def _rows(data_set: DataSet) -> list[tuple[int, Any]]:
    rows = data_set.rows
    if data_set.batches:
        rows = tuple(row for batch in data_set.batches.read() for row in batch.rows())
    return [(row.line, _plain(row.values)) for row in rows]


_HEAD = '{"table": "t", "key": "a"}\n'
_CONTENTS: dict[str, str | bytes] = {
    "plain.csv": "a (key),b\n" + "".join(f"{n},x{n}\n" for n in range(10)),
    "breaks.csv": 'a (key),b\n1,"x\ny"\r\n\n2,\r\n,,\n"3\r\n4",y\n5,z\n6,z\n'.replace(",,", ","),
    "bom.csv": "\ufeffa (key),b\n1,2\n",
    "carriage returns.csv": "a (key),b\r1,2\r3,4\r",
    "references.csv": "a.x (key),a.y (key),b (argon2)\n1,2,3\n4,,\n",
    "packed.csv.gz": gzip.compress(b"a (key)\n1\n2\n"),
    "rows.jsonl": _HEAD
    + '{"a": 1.50, "b": null}\n\n{"a": true, "c": {"x": 1, "y": "2"}}\n{"a": ""}\n',
    "more.jsonl": _HEAD + "".join(f'{{"a": {n}}}\n' for n in range(10)),
    "empty.jsonl": _HEAD + "{}\n",
}


@pytest.mark.parametrize("name", _CONTENTS)
def test_a_large_file_says_what_a_small_one_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    small = _read(tmp_path / name, _CONTENTS[name])

    monkeypatch.setattr(files, "LARGE", 0)
    large = _read(tmp_path / name, _CONTENTS[name])

    assert (small.table, small.key, small.line) == (large.table, large.key, large.line)
    assert small.batches is None
    assert large.batches is not None
    assert _rows(small) == _rows(large)


_BROKEN: dict[str, tuple[str | bytes, int, str]] = {
    "quote.csv": ('a (key)\n1\n2\n3\n4\n"5"x\n', 6, "this is not valid CSV"),
    "open.csv": ('a (key)\n1\n2\n3\n4\n"5\n6\n', 6, "this is not valid CSV"),
    "width.csv": (
        'a (key),b\n1,"\n"\n2,2\n3,3\n4,4\n5\n',
        7,
        "this row has 1 cells, the header has 2",
    ),
    "nothing.csv": ("\n\n", 1, "the file is empty"),
    "latin.csv": (b"a (key)\n1\n2\n3\n4\n5\n\xe9\n", 7, "not encoded in UTF-8"),
    "nothing.jsonl": ("\n", 1, "the file is empty"),
    "head.jsonl": ('{"a": 1}\n', 1, "the first line must have a table and its key only"),
    "no key.jsonl": ('{"table": "t"}\n', 1, "the data set has no 'key'"),
    "line.jsonl": (_HEAD + '{"a": 1}\n{"a": \n', 3, "this is not valid JSON"),
    "twice.jsonl": (_HEAD + '{"a": 1, "a": 2}\n', 2, "'a' stands here twice"),
    "list.jsonl": (_HEAD + "[1]\n", 2, "a row must be a mapping"),
    "deep.jsonl": (_HEAD + '{"a": {"b": {"c": 1}}}\n', 2, "a has a value of an unknown form"),
    "nested.jsonl": (_HEAD + "[" * 100_000 + "\n", 2, "this is nested too deeply"),
}


@pytest.mark.parametrize("size", [0, files.LARGE], ids=["large", "small"])
@pytest.mark.parametrize("name", _BROKEN)
def test_what_is_broken_is_refused_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, size: int
) -> None:
    monkeypatch.setattr(files, "LARGE", size)
    content, line, message = _BROKEN[name]

    with pytest.raises(SeedError) as refused:
        _rows(_read(tmp_path / name, content))

    assert refused.value.message.startswith(f"{tmp_path / name}:{line}: ")
    assert message in refused.value.message


def test_a_line_without_an_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGE", 0)
    monkeypatch.setattr(opening, "LONGEST_LINE", 1000)
    path = tmp_path / "t.jsonl"

    with pytest.raises(SeedError) as refused:
        _rows(_read(path, _HEAD + '{"a": 1}\n{"a": "' + "x" * 5000))

    assert f"{path}:3: this line has more than 1,000 characters" == refused.value.message


@pytest.mark.parametrize("size", [0, files.LARGE], ids=["large", "small"])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda packed: packed[:-20], "the gzip file is cut off"),
        (lambda packed: b"a (key)\n1\n", "this is not valid gzip"),
        (lambda packed: packed[:-8] + bytes(8), "this is not valid gzip"),
    ],
    ids=["cut off", "not packed", "wrong checksum"],
)
def test_a_damaged_gzip_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, damage: Any, message: str
) -> None:
    monkeypatch.setattr(files, "LARGE", size)
    text = "a (key)\n" + "".join(f"{n * n}\n" for n in range(1000))
    path = tmp_path / "t.csv.gz"

    with pytest.raises(SeedError) as refused:
        _rows(_read(path, damage(gzip.compress(text.encode()))))

    assert message in refused.value.message
    assert "gzip" in refused.value.hint

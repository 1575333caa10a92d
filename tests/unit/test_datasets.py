"""Files of seed data are read as they were meant, or refused with file and line."""

from __future__ import annotations

import gzip
import traceback
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from argon2 import PasswordHasher
from sqlalchemy import (
    CHAR,
    Boolean,
    Date,
    DateTime,
    Double,
    Enum,
    Float,
    Integer,
    LargeBinary,
    Numeric,
    String,
    Text,
    Time,
    Uuid,
)
from sqlalchemy.types import TypeEngine

from bootstrap.datasets.checking.kinds import UNFIT, kind_of
from bootstrap.datasets.checking.passwords import ClearPassword
from bootstrap.datasets.reading import yaml_files
from bootstrap.datasets.reading.choosing import choose
from bootstrap.datasets.reading.files import read_all
from bootstrap.datasets.reading.form import Cell, DataSet, SeedFile
from bootstrap.errors import SeedError

_YAML = """\
table: items
key: [name, owner_id]
rows:
  - name: Globe
    price: 12.50
    owner_id: {email: ada@example.com}
"""
_JSON = """\
{"table": "items", "key": ["name", "owner_id"], "rows": [
  {"name": "Globe", "price": "12.50", "owner_id": {"email": "ada@example.com"}}
]}
"""
_JSON_LINES = """\
{"table": "items", "key": ["name", "owner_id"]}

{"name": "Globe", "price": "12.50", "owner_id": {"email": "ada@example.com"}}
"""
_CSV = """\
name (key),price,owner_id.email (key)
Globe,12.50,ada@example.com
"""


def _read(folder: Path, name: str, content: str | bytes) -> DataSet:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    (read,) = read_all([SeedFile(path=path)])
    return read


def _chosen(*paths: Path) -> tuple[DataSet, ...]:
    return read_all(choose(paths, environment=None).files)


def _plain(content: Any) -> Any:
    if isinstance(content, Cell):
        return _plain(content.content)
    if isinstance(content, dict):
        return {name: _plain(one) for name, one in content.items()}
    return content


def _rows(data_set: DataSet) -> list[dict[str, Any]]:
    return [_plain(row.values) for row in data_set.rows]


@pytest.fixture(params=["libyaml", "python"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """YAML is read the same with and without libyaml."""
    import yaml

    name: str = request.param
    if name == "python":
        monkeypatch.setattr(yaml_files, "_LOADER", yaml.SafeLoader)
    else:
        assert yaml.CSafeLoader is yaml_files._LOADER
    return name


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("items.yaml", _YAML),
        ("x.yml", _YAML),
        ("20_items.json", _JSON),
        ("items.jsonl", _JSON_LINES),
        ("20_items.csv", _CSV),
        ("20_items.csv.gz", gzip.compress(_CSV.encode(), mtime=0)),
        ("x.jsonl.gz", gzip.compress(_JSON_LINES.encode(), mtime=0)),
        ("x.yaml.gz", gzip.compress(_YAML.encode(), mtime=0)),
        ("x.json.gz", gzip.compress(_JSON.encode(), mtime=0)),
    ],
)
def test_the_formats_say_the_same(tmp_path: Path, name: str, content: str | bytes) -> None:
    read = _read(tmp_path, name, content)

    assert ("items", ("name", "owner_id")) == (read.table, read.key)
    expected = {"name": "Globe", "price": "12.50", "owner_id": {"email": "ada@example.com"}}
    assert [expected] == _rows(read)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("items.yaml", _YAML),
        ("items.json", _JSON),
        ("items.jsonl", _JSON_LINES),
        ("items.csv", _CSV),
    ],
)
def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(
    tmp_path: Path, name: str, content: str
) -> None:
    plain = _read(tmp_path, name, content)

    windows = _read(tmp_path, name, b"\xef\xbb\xbf" + content.replace("\n", "\r\n").encode())

    assert plain == windows


def test_a_key_of_one_column_needs_no_list(tmp_path: Path) -> None:
    assert ("a",) == _read(tmp_path, "x.yaml", "{table: t, key: a, rows: []}").key


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("users.csv", "users"),
        ("20_users.csv", "users"),
        ("3-users.csv", "users"),
        ("2fa.csv", "2fa"),
    ],
)
def test_the_name_of_a_csv_file_gives_the_table(tmp_path: Path, name: str, table: str) -> None:
    assert table == _read(tmp_path, name, "a (key)\n").table


def test_yaml_does_not_turn_texts_into_something_else(tmp_path: Path, loader: str) -> None:
    rows = "[{a: no, b: 01234, c: 1.10, d: 2026-01-05, e: null, f: ~, g: 'null', h: =, i: ''}]"

    read = _read(tmp_path, "x.yaml", f"{{table: t, key: a, rows: {rows}}}")

    texts = {"a": "no", "b": "01234", "c": "1.10", "d": "2026-01-05", "g": "null", "h": "="}
    assert [{**texts, "e": None, "f": None, "i": ""}] == _rows(read)


def test_a_yaml_alias_stands_for_its_anchor(tmp_path: Path, loader: str) -> None:
    read = _read(tmp_path, "x.yaml", "{table: t, key: a, rows: [{a: &x 1, b: *x}]}")

    assert [{"a": "1", "b": "1"}] == _rows(read)


def test_json_numbers_stay_exact(tmp_path: Path) -> None:
    row = '{"a": 0.10, "b": 12345678901234567890.5, "c": true, "d": null, "e": 7}'

    read = _read(tmp_path, "x.json", f'{{"table": "t", "key": "a", "rows": [{row}]}}')

    (found,) = _rows(read)
    assert "0.10" == str(found["a"])
    assert Decimal("12345678901234567890.5") == found["b"]
    assert (True, None, 7) == (found["c"], found["d"], found["e"])


def test_json_may_have_tabs_and_escapes_that_are_not_yaml(tmp_path: Path) -> None:
    text = '{"table": "t",\n\t"key": "a",\n\t"rows": [\n\t\t{"a": "\\ud83d\\ude00 \\/"}\n\t]\n}'

    read = _read(tmp_path, "x.json", text)

    assert [{"a": "😀 /"}] == _rows(read)
    assert [4] == [row.line for row in read.rows]


def test_every_value_in_yaml_and_json_knows_its_line(tmp_path: Path, loader: str) -> None:
    yaml = "table: t\nkey: a\nrows:\n  - a: 1\n\n    b: 2\n  - {a: 3,\n     b: 4}\n"
    json = '{"table": "t",\n"key": "a", "rows": [\n{"a": 1,\n\n"b": 2},\n{"a": 3,\n"b": 4}]}'

    for name, text, first in (("x.yaml", yaml, 4), ("x.json", json, 3)):
        read = _read(tmp_path, name, text)
        lines = [(row.line, [one.line for one in row.values.values()]) for row in read.rows]
        second = first + 3
        assert [(first, [first, first + 2]), (second, [second, second + 1])] == lines


def test_a_csv_row_begins_on_the_line_of_its_first_cell(tmp_path: Path) -> None:
    read = _read(tmp_path, "t.csv", 'a (key),b\n1,"one\ntwo"\n\n2,"say ""hi"", please"\n,\n')

    assert [2, 5] == [row.line for row in read.rows]
    assert [{"a": "1", "b": "one\ntwo"}, {"a": "2", "b": 'say "hi", please'}] == _rows(read)


def test_an_empty_csv_cell_says_nothing(tmp_path: Path) -> None:
    read = _read(tmp_path, "t.csv", 'a (key),b,c_id.name,d\n1,,,""\n')

    assert [{"a": "1"}] == _rows(read)


def test_a_csv_column_can_have_passwords(tmp_path: Path) -> None:
    read = _read(tmp_path, "t.csv", "a (key),hash (argon2)\n1,open sesame\n")

    assert [{"a": "1", "hash": {"argon2": "open sesame"}}] == _rows(read)


def test_a_reference_by_two_columns_is_one_value_in_csv(tmp_path: Path) -> None:
    read = _read(tmp_path, "t.csv", "a_id.x (key),a_id.y (key)\n1,2\n")

    assert (("a_id",), [{"a_id": {"x": "1", "y": "2"}}]) == (read.key, _rows(read))


_HEAD = "table: t\nkey: a\nrows:\n"
_JSON_HEAD = '{"table": "t", "key": "a", "rows": [\n'


@pytest.mark.parametrize(
    ("name", "content", "line", "message"),
    [
        ("empty.yaml", "", 1, "the file is empty"),
        ("comment.yaml", "# nothing\n", 1, "the file is empty"),
        ("broken.yaml", _HEAD + "  - {a: 1\n  - {a: 2}\n", 5, "not valid YAML"),
        ("tab.yaml", _HEAD + "\t- a: 1\n", 4, "not valid YAML"),
        ("control.yaml", _HEAD + "  - a: x\x07\n", 4, "control character"),
        ("twice.yaml", _HEAD + "  - a: 1\n    b: 2\n    a: 3\n", 6, "'a' stands here twice"),
        ("tag.yaml", _HEAD + "  - a: !!python/name:os.system x\n", 4, "without a tag"),
        ("tag.yaml", _HEAD + "  - a: !secret\n", 4, "without a tag"),
        ("name.yaml", _HEAD + "  - [a]: 1\n", 4, "without a tag"),
        ("alias.yaml", _HEAD + "  - a: *secret\n", 4, "an alias (*) has no anchor (&)"),
        ("two.yaml", _HEAD + "  - a: 1\n---\nb: 2\n", 5, "a second document begins"),
        ("circle.yaml", "&a [*a]", 1, "nested too deeply"),
        ("list.yaml", "- a: 1\n", 1, "no data set"),
        ("member.yaml", _HEAD + "  []\nrow: 1\n", 5, "a data set has no 'row'"),
        ("rows.yaml", "table: t\nkey: a\n", 1, "the data set has no 'rows'"),
        ("table.yaml", "table: [t]\nkey: a\nrows: []\n", 1, "name of a table"),
        ("key.yaml", "table: t\nkey: []\nrows: []\n", 2, "the key has no column"),
        ("key.yaml", "table: t\nkey:\nrows: []\n", 2, "name of a table or a column"),
        ("rows.yaml", "table: t\nkey: a\nrows: {a: 1}\n", 3, "rows must be a list"),
        ("row.yaml", _HEAD + "  - a: 1\n  - a\n", 5, "a row must be a mapping"),
        ("value.yaml", _HEAD + "  - a: 1\n    b: [1]\n", 5, "b has a value of an unknown form"),
        ("value.yaml", _HEAD + "  - a: {b: {c: 1}}\n", 4, "a has a value of an unknown form"),
        ("empty.json", "", 1, "not valid JSON"),
        ("colon.json", _JSON_HEAD + '{"a" 1}\n]}', 2, "not valid JSON"),
        ("quote.json", _JSON_HEAD + '{"a": "x}\n]}', 2, "not valid JSON"),
        ("twice.json", _JSON_HEAD + '{"a": 1,\n"b": 2,\n"a": 3}]}', 4, "'a' stands here twice"),
        ("value.json", _JSON_HEAD + '{"a": 1,\n"b": [1]}]}', 3, "b has a value"),
        ("deep.json", "[" * 100_000, 1, "nested too deeply"),
        ("list.json", '[{"a": 1}]', 1, "no data set"),
        ("empty.csv", "", 1, "the file is empty"),
        ("quote.csv", 'a (key)\n1\n"2\n3\n', 3, "not valid CSV"),
        ("quote.csv", 'a (key),b\n"1"x,2\n', 2, "not valid CSV"),
        ("many.csv", "a (key),b\n1,2\n3,4,5\n", 3, "3 cells, the header has 2"),
        ("few.csv", 'a (key),b\n"1\n1",2\n3\n', 4, "1 cells, the header has 2"),
        ("key.csv", "a,b\n1,2\n", 1, "does not say which columns tell the rows apart"),
        ("mark.csv", "a (clef),b\n1,2\n", 1, "marks a with (clef)"),
        ("twice.csv", "a (key),a\n1,2\n", 1, "names a twice"),
        ("twice.csv", "a (key),a.b\n1,2\n", 1, "names a twice"),
        ("nameless.csv", "a (key),\n1,2\n", 1, "names no column"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(
    tmp_path: Path, loader: str, name: str, content: str, line: int, message: str
) -> None:
    with pytest.raises(SeedError) as refused:
        _read(tmp_path, name, content)

    assert refused.value.message.startswith(f"{tmp_path / name}:{line}: ")
    assert message in refused.value.message


@pytest.mark.parametrize("name", ["x.yaml", "x.json", "x.csv"])
def test_another_encoding_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(SeedError, match=rf"{name}:2: the file is not encoded in UTF-8") as refused:
        _read(tmp_path, name, "a (key)\nGrößenwahn\n".encode("latin-1"))

    assert "save it as UTF-8" == refused.value.hint


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.yaml", _HEAD + "  - a: {argon2: open sesame\n"),
        ("x.yaml", _HEAD + "  - a: {argon2: *sesame}\n"),
        ("x.yaml", _HEAD + "  - a: {argon2: !sesame}\n"),
        ("x.yaml", _HEAD + "  - a: {argon2: open\tsesame\x07}\n"),
        ("x.yaml", _HEAD + "  - a: {argon2: 'sesame'x}\n"),
        ("x.yaml", _HEAD + "  - a: {argon2: %sesame}\n"),
        ("x.json", _JSON_HEAD + '{"a": {"argon2": "open sesame}\n]}'),
        ("x.csv", 'a (key),b (argon2)\n1,"open sesame"x\n'),
        ("x.csv", "a (key),b (argon2)\n1,open,sesame\n"),
        ("x.csv", "a (key),b (argon2)\n1,open sesame\nsesäme\n".encode("latin-1")),
    ],
)
def test_no_error_shows_what_stands_in_the_file(
    tmp_path: Path, loader: str, name: str, content: str | bytes
) -> None:
    with pytest.raises(SeedError) as refused:
        _read(tmp_path, name, content)

    shown = "".join(traceback.format_exception(refused.value))
    assert [] == [line for line in shown.splitlines() if "sesame" in line and "test_" not in line]
    assert refused.value.__context__ is refused.value.__cause__


def test_no_repr_shows_a_value(tmp_path: Path) -> None:
    read = _read(tmp_path, "t.csv", "a (key),hash (argon2)\n1,open sesame\n")

    assert "sesame" not in repr(read) + repr(ClearPassword(text="open sesame"))


def test_the_files_of_a_folder_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("30_c.yaml", "10_a.json", "20_b.csv", "README.md", ".10_a.csv", "._10_a.csv"):
        text = {".csv": "a (key)\n", ".json": '{"table": "a", "key": "a", "rows": []}'}
        content = text.get(Path(name).suffix, "{table: c, key: a, rows: []}")
        (tmp_path / name).write_text("broken" if name.startswith(".") else content)
    (tmp_path / "folder.csv").mkdir()

    read = _chosen(tmp_path, tmp_path / "10_a.json")

    assert ["a", "b", "c", "a"] == [data_set.table for data_set in read]


def test_a_folder_without_data_sets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SeedError, match="has no data sets") as refused:
        _chosen(tmp_path)

    assert (
        "data sets are files that end in .csv, .json, .jsonl, .yaml, .yml, also packed (.gz)"
        == (refused.value.hint)
    )


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SeedError, match=r"there is no file or folder .*absent\.yaml"):
        _chosen(tmp_path / "absent.yaml")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.symlink_to("/proc/self/mem")  # a file without content at its beginning, also for root

    with pytest.raises(SeedError, match=r"cannot read .*t\.csv: Input/output error"):
        read_all([SeedFile(path=path)])


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SeedError, match=r"t\.xlsx is no data set"):
        _read(tmp_path, "t.xlsx", b"PK")


@pytest.mark.parametrize(
    ("column_type", "content", "value"),
    [
        (String(3), "äöü", "äöü"),
        (Text(), "x" * 100_000, "x" * 100_000),
        (Enum("low", "high", name="level"), "low", "low"),
        (Boolean(), "TRUE", True),
        (Boolean(), "off", False),
        (Boolean(), Decimal(1), True),
        (Boolean(), False, False),
        (Integer(), "-12", -12),
        (Integer(), Decimal(12), 12),
        (Integer(), "01234", 1234),
        (Integer(), True, 1),
        (Integer(), "false", 0),
        (Numeric(12, 2), "12.50", Decimal("12.50")),
        (Numeric(12, 2), Decimal("12.5000"), Decimal("12.5")),
        (Numeric(12, 2), "9999999999.99", Decimal("9999999999.99")),
        (Numeric(), "0.123456789012345678", Decimal("0.123456789012345678")),
        (Float(), "0.5", 0.5),
        (Double(), Decimal("0.1"), 0.1),
        (Date(), "2026-01-05", date(2026, 1, 5)),
        (Time(), "09:12:00", time(9, 12)),
        (DateTime(), "2026-01-05T10:12:00.5+01:00", datetime(2026, 1, 5, 9, 12, 0, 500_000)),
        (DateTime(), "2026-01-05 09:12:00", datetime(2026, 1, 5, 9, 12)),
        (
            DateTime(timezone=True),
            "2026-01-05T09:12:00Z",
            datetime(2026, 1, 5, 9, 12, tzinfo=UTC),
        ),
        (DateTime(timezone=True), "2026-01-05", datetime(2026, 1, 5, tzinfo=UTC)),
        (
            Uuid(),
            "12345678-1234-5678-1234-567812345678",
            UUID(int=0x12345678123456781234567812345678),
        ),
    ],
)
def test_a_value_takes_the_type_of_its_column(
    column_type: TypeEngine[Any], content: Any, value: Any
) -> None:
    kind = kind_of(column_type)

    assert kind is not None
    read = kind.value(content)
    assert (type(value), value) == (type(read), read)


@pytest.mark.parametrize(
    ("column_type", "content", "words"),
    [
        (String(3), "four", "a text of at most 3 characters"),
        (Text(), Decimal(1), "a text"),
        (Text(), "a\x00", "a text"),
        (Text(), "\ud83d", "a text"),
        (String(), True, "a text"),
        (Enum("low", "high", name="level"), "middle", "one of low, high"),
        (Boolean(), "perhaps", "true or false"),
        (Boolean(), Decimal(2), "true or false"),
        (Integer(), "1.5", "a whole number of at most 64 bits"),
        (Integer(), Decimal("1.5"), "a whole number of at most 64 bits"),
        (Integer(), str(2**63), "a whole number of at most 64 bits"),
        (
            Numeric(12, 2),
            "12,50",
            "a number with at most 10 digits before the point and 2 after it",
        ),
        (Numeric(3, 1), "9.99", "a number with at most 2 digits before the point and 1 after it"),
        (Numeric(3, 1), "100", "a number with at most 2 digits before the point and 1 after it"),
        (Numeric(), True, "a number such as 12.50"),
        (Numeric(), Decimal("NaN"), "a number such as 12.50"),
        (Float(), "Infinity", "a number"),
        (Double(), "1e999", "a number"),
        (Date(), "05.01.2026", "a date such as 2026-01-05"),
        (Time(), "9", "a time of day such as 09:12:00"),
        (DateTime(), "yesterday", "a time such as 2026-01-05T09:12:00Z"),
        (DateTime(), "0001-01-01T00:00:00+01:00", "a time such as 2026-01-05T09:12:00Z"),
        (Uuid(), "1234", "a UUID"),
    ],
)
def test_a_value_of_another_type_does_not_fit(
    column_type: TypeEngine[Any], content: Any, words: str
) -> None:
    kind = kind_of(column_type)

    assert kind is not None
    assert (UNFIT, words) == (kind.value(content), kind.words)


@pytest.mark.parametrize(
    ("column_type", "written", "stored"),
    [
        (Numeric(12, 2), Decimal("12.50"), 12.5),
        (Numeric(12, 2), Decimal("0.10"), 0.1),
        (Numeric(12, 2), Decimal("12.50"), Decimal("12.5")),
        (Float(), 0.1, 0.10000000149011612),
        (CHAR(5), "ab", "ab   "),
        (Boolean(), True, 1),
        (String(), None, None),
    ],
)
def test_what_a_driver_hands_out_differently_is_the_same(
    column_type: TypeEngine[Any], written: Any, stored: Any
) -> None:
    kind = kind_of(column_type)

    assert kind is not None
    assert kind.normal_form(written) == kind.normal_form(stored)


def test_a_type_without_a_form_in_files_has_no_kind() -> None:
    assert kind_of(LargeBinary()) is None


def test_a_password_is_found_in_its_hash() -> None:
    password = ClearPassword(text="öpen sesame")
    weaker = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("öpen sesame")

    stored = password.hash()

    assert stored.startswith("$argon2id$")
    assert password.is_kept_in(stored)
    assert not ClearPassword(text="open sesame").is_kept_in(stored)
    assert not password.is_kept_in(weaker)
    assert not password.is_kept_in("öpen sesame")

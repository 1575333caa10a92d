"""Data sets are applied once and for all, the same on every backend."""

from __future__ import annotations

import json
import sqlite3
import traceback
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Boolean as SQLBoolean
from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    event,
    func,
    insert,
    select,
    true,
)

import bootstrap
from bootstrap import events, reference
from bootstrap.datasets.reports import DataSetReport
from bootstrap.types import ExactDecimal, ExactString, UtcDateTime

_METADATA = MetaData()
_PEOPLE = Table(
    "people",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("email", ExactString(100), nullable=False, unique=True),
    Column("name", ExactString(50), nullable=False, unique=True),
    Column("hash", ExactString(255)),
    Column("active", SQLBoolean, nullable=False, server_default=true()),
    Column("joined", UtcDateTime()),
    Column("born", Date),
    Column("height", Float),
)
_BOOKS = Table(
    "books",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("title", ExactString(100), nullable=False),
    Column("price", ExactDecimal(10, 2)),
    Column("note", Text),
    Column("author_id", Integer, ForeignKey("people.id"), nullable=False),
    CheckConstraint("price >= 0", name="ck_price"),
)
_ADA = "{email: ada@x.org, name: Ada}"
_BOB = "{email: bob@x.org, name: Bob}"


@pytest.fixture
async def url(empty_url: str) -> str:
    """A database with the two tables of these tests."""
    async with bootstrap.Database.of(empty_url).connect() as connection:
        await connection.run_sync(_METADATA.create_all)
        await connection.commit()
    return empty_url


class Folder:
    """A folder of data sets."""

    def __init__(self, path: Path) -> None:
        self.path = path / "seeds"
        self.path.mkdir()

    def write(self, name: str, content: str) -> Path:
        path = self.path / name
        path.write_text(dedent(content), encoding="utf-8")
        return path

    def people(self, *rows: str, name: str = "10_people.yaml") -> Path:
        lines = "".join(f"  - {row}\n" for row in rows)
        return self.write(name, f"table: people\nkey: email\nrows:\n{lines or '  []'}")

    def books(self, *lines: str, name: str = "20_books.csv") -> Path:
        return self.write(name, "\n".join(["title (key),price,author_id.email (key),note", *lines]))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is sent to any database meanwhile."""
    seen: list[str] = []

    def note(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _writes(sent: Sequence[str]) -> list[str]:
    return [one for one in sent if one.split()[0] in {"INSERT", "UPDATE", "DELETE", "REPLACE"}]


async def _rows(url: str, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    query = select(*(table.c[name] for name in columns)).order_by(table.c.id)
    async with bootstrap.Database.of(url).connect() as connection:
        return [tuple(row) for row in await connection.execute(query)]


async def _add(url: str, table: Table, **values: Any) -> None:
    async with bootstrap.Database.of(url).connect() as connection:
        await connection.execute(insert(table), values)
        await connection.commit()


def _counts(report: bootstrap.SeedReport | DataSetReport) -> tuple[int, int, int]:
    return report.inserted, report.updated, report.unchanged


async def test_a_second_run_writes_nothing(url: str, folder: Folder) -> None:
    folder.people(
        "{email: ada@x.org, name: Ada, hash: {argon2: engine}, joined: 2026-01-05T10:12:00+01:00}",
        "{email: bob@x.org, name: no, active: no, born: 1815-12-10, height: 1.8, hash: null}",
    )
    folder.books("One,12.5,ada@x.org,", 'Two,0.10,bob@x.org,"naïve, 😀"')
    rows = [{"title": "Three", "price": 1850, "author_id": {"email": "bob@x.org"}}]
    more = {"table": "books", "key": ["title", "author_id"], "rows": rows}
    folder.write("30_more.json", json.dumps(more))

    first = await bootstrap.seed(url, datasets=folder.path)
    with statements() as sent:
        second = await bootstrap.seed(url, datasets=folder.path)

    assert [(2, 0, 0), (2, 0, 0), (1, 0, 0)] == [_counts(one) for one in first.data_sets]
    assert (0, 0, 5) == _counts(second)
    assert sent
    assert [] == _writes(sent)


async def test_values_arrive_as_they_were_meant(url: str, folder: Folder) -> None:
    folder.people(
        "{email: ada@x.org, name: no, active: off, joined: 2026-01-05T10:12:00.25+01:00}",
        "{email: bob@x.org, name: '01234', joined: 2026-01-05 09:12:00, height: .5}",
    )
    folder.books('One,0.10,ada@x.org,"naïve, 😀\nand more"', "Two,,bob@x.org,")

    await bootstrap.seed(url, datasets=folder.path)

    people = await _rows(url, _PEOPLE, "name", "active", "joined", "height")
    ada = ("no", False, datetime(2026, 1, 5, 9, 12, 0, 250_000, tzinfo=UTC), None)
    bob = ("01234", True, datetime(2026, 1, 5, 9, 12, tzinfo=UTC), 0.5)
    assert [ada, bob] == people
    books = await _rows(url, _BOOKS, "title", "price", "author_id", "note")
    assert [("One", Decimal("0.10"), 1, "naïve, 😀\nand more"), ("Two", None, 2, None)] == books


async def test_only_what_differs_is_written(url: str, folder: Folder) -> None:
    folder.people(_ADA, "{email: bob@x.org, name: Bob, born: 1815-12-10}")
    await bootstrap.seed(url, datasets=folder.path)

    folder.people(_ADA, "{email: bob@x.org, name: Rob, born: 1815-12-10}", "{email: c, name: C}")
    with statements() as sent:
        report = await bootstrap.seed(url, datasets=folder.path)

    assert (1, 1, 1) == _counts(report)
    update, created = _writes(sent)
    assert ("UPDATE", "INSERT") == (update.split()[0], created.split()[0])
    assert "born" not in update
    assert [("Ada",), ("Rob",), ("C",)] == await _rows(url, _PEOPLE, "name")


async def test_a_column_that_is_left_out_stays_as_it_is(url: str, folder: Folder) -> None:
    await _add(url, _PEOPLE, email="ada@x.org", name="Ada", active=False, height=1.7)
    folder.write("people.csv", "email (key),name,height\nada@x.org,Ada,\n")

    report = await bootstrap.seed(url, datasets=folder.path)

    assert (0, 0, 1) == _counts(report)
    assert [(False, 1.7)] == await _rows(url, _PEOPLE, "active", "height")


async def test_null_is_written_where_it_is_said(url: str, folder: Folder) -> None:
    await _add(url, _PEOPLE, email="ada@x.org", name="Ada", height=1.7)
    folder.people("{email: ada@x.org, name: Ada, height: null}")

    report = await bootstrap.seed(url, datasets=folder.path)

    assert (0, 1, 0) == _counts(report)
    assert [(None,)] == await _rows(url, _PEOPLE, "height")


async def test_the_key_counts_case_and_spaces(url: str, folder: Folder) -> None:
    await _add(url, _PEOPLE, email="ADA@x.org", name="other")
    await _add(url, _PEOPLE, email="ada@x.org ", name="padded")
    folder.people(_ADA)

    report = await bootstrap.seed(url, datasets=folder.path)

    assert (1, 0, 0) == _counts(report)
    assert [("other",), ("padded",), ("Ada",)] == await _rows(url, _PEOPLE, "name")


async def test_a_new_row_may_take_a_unique_value_that_another_gives_up(
    url: str, folder: Folder
) -> None:
    await _add(url, _PEOPLE, email="ada@x.org", name="Bob")
    folder.people(_BOB, _ADA)

    report = await bootstrap.seed(url, datasets=folder.path)

    assert (1, 1, 0) == _counts(report)


async def test_a_password_is_hashed_once(url: str, folder: Folder) -> None:
    folder.people("{email: ada@x.org, name: Ada, hash: {argon2: analytical engine}}")
    await bootstrap.seed(url, datasets=folder.path)
    ((first,),) = await _rows(url, _PEOPLE, "hash")

    report = await bootstrap.seed(url, datasets=folder.path)

    assert (0, 0, 1) == _counts(report)
    assert [(first,)] == await _rows(url, _PEOPLE, "hash")
    assert PasswordHasher().verify(first, "analytical engine")


@pytest.mark.parametrize(
    "stored",
    [
        None,
        "analytical engine",
        PasswordHasher(1, 8, 1).hash("analytical engine"),
        PasswordHasher().hash("another"),
    ],
    ids=["none", "in clear", "weaker parameters", "another password"],
)
async def test_a_password_is_hashed_again_where_it_must_be(
    url: str, folder: Folder, stored: str | None
) -> None:
    await _add(url, _PEOPLE, email="ada@x.org", name="Ada", hash=stored)
    folder.people("{email: ada@x.org, name: Ada, hash: {argon2: analytical engine}}")

    report = await bootstrap.seed(url, datasets=folder.path)

    ((now,),) = await _rows(url, _PEOPLE, "hash")
    assert (0, 1, 0) == _counts(report)
    assert PasswordHasher().verify(now, "analytical engine")


async def test_events_and_report_tell_what_happens(url: str, folder: Folder) -> None:
    folder.people(_ADA)
    folder.books("One,1,ada@x.org,", "Two,2,ada@x.org,")
    seen: list[events.Event] = []

    report = await bootstrap.seed(url, datasets=folder.path, emit=seen.append)

    started = [one for one in seen if isinstance(one, events.DataSetStarted)]
    finished = [one for one in seen if isinstance(one, events.DataSetFinished)]
    assert [seen[0], seen[2]] == started
    assert [seen[1], seen[3]] == finished
    expected = [("10_people.yaml", "people", 1), ("20_books.csv", "books", 2)]
    assert expected == [(one.data_set, one.table, one.rows) for one in started]
    assert expected == [(one.data_set, one.table, one.inserted) for one in report.data_sets]
    assert [one.seconds for one in report.data_sets] == [one.seconds for one in finished]
    assert str(bootstrap.Database.of(url)) == report.database


async def test_no_data_sets_are_nothing_to_do(url: str) -> None:
    report = await bootstrap.seed(url, datasets=())

    assert ((), 0) == (report.data_sets, report.inserted)


async def test_data_sets_without_rows_are_nothing_to_do(url: str, folder: Folder) -> None:
    folder.people()
    folder.books()

    report = await bootstrap.seed(url, datasets=folder.path)

    assert [(0, 0, 0)] * 2 == [_counts(one) for one in report.data_sets]


async def test_ten_thousand_rows_take_few_statements(url: str, folder: Folder) -> None:
    folder.people(_ADA)
    folder.books(*(f"Book {number},{number}.50,ada@x.org," for number in range(10_000)))

    with statements() as sent:
        first = await bootstrap.seed(url, datasets=folder.path)
    second = await bootstrap.seed(url, datasets=folder.path)

    assert (10_001, 0, 0) == _counts(first)
    assert (0, 0, 10_001) == _counts(second)
    assert len(sent) < 200


async def _refused(url: str, datasets: Path | Sequence[Path]) -> bootstrap.SeedError:
    with pytest.raises(bootstrap.SeedError) as refused:
        await bootstrap.seed(url, datasets=datasets)
    return refused.value


async def test_nothing_is_written_when_a_later_file_is_wrong(url: str, folder: Folder) -> None:
    folder.people(_ADA)
    path = folder.books("One,1,ada@x.org,", "Two,cheap,ada@x.org,")

    error = await _refused(url, folder.path)

    assert error.message.startswith(f"{path}:3: price must be a number with at most 8 digits")
    assert [] == await _rows(url, _PEOPLE, "name")


_HEAD = "table: people\nkey: email\nrows:\n"


@pytest.mark.parametrize(
    ("content", "line", "message", "hint"),
    [
        (
            _HEAD.replace("people", "peopel") + "  []",
            1,
            "the database has no table 'peopel'",
            "people",
        ),
        (_HEAD.replace("email", "mail") + "  []", 1, "people has no column 'mail'", "email"),
        (_HEAD + "  - {email: a,\n     nam: b}\n", 5, "people has no column 'nam'", "name"),
        (_HEAD + "  - {name: b}\n", 4, "no value for email, which is part of its natural key", ""),
        (_HEAD + "  - {email: null, name: b}\n", 4, "email must have a value", ""),
        (_HEAD + "  - {email: {argon2: x}, name: b}\n", 4, "no value for email", ""),
        (_HEAD + "  - {email: a}\n", 4, "no value for name, which has no default", ""),
        (_HEAD + "  - {email: a, name: null}\n", 4, "name must have a value", ""),
        (
            _HEAD + "  - {email: a, name: b}\n  - {name: c, email: a}\n",
            5,
            "the same natural key (email) as the one on line 4",
            "add a column to the key",
        ),
        (
            _HEAD + f"  - {{email: a, name: {'x' * 51}}}\n",
            4,
            "name must be a text of at most 50 characters",
            "",
        ),
        (_HEAD + "  - {email: a, name: b, born: today}\n", 4, "born must be a date", ""),
        (_HEAD + "  - {email: a, name: {email: b}}\n", 4, "no foreign key", "argon2"),
        (_HEAD + "  - {email: a, name: {argon2: null}}\n", 4, "must be a text", ""),
        (_HEAD + "  - {email: a, name: b, born: {argon2: c}}\n", 4, "cannot keep a password", ""),
    ],
)
async def test_a_data_set_that_does_not_fit_is_refused(
    url: str, folder: Folder, content: str, line: int, message: str, hint: str
) -> None:
    path = folder.write("x.yaml", content)

    error = await _refused(url, path)

    assert error.message.startswith(f"{path}:{line}: ")
    assert message in error.message
    assert hint in error.hint
    assert [] == await _rows(url, _PEOPLE, "name")


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        ("title (key),author_id.email", "One,nobody@x.org", "no row of people has this email"),
        ("title (key),author_id.height", "One,1.5", "2 rows of people have this height"),
        ("title (key),author_id.mail", "One,a", "people has no column 'mail'"),
        ("title (key),author_id.born", "One,a", "author_id.born must be a date"),
        ("title (key),price.email,author_id", "One,a,1", "price cannot refer to another table"),
    ],
)
async def test_a_reference_that_leads_nowhere_is_refused(
    url: str, folder: Folder, header: str, row: str, message: str
) -> None:
    folder.people(
        "{email: ada@x.org, name: Ada, height: 1.5}", "{email: bob@x.org, name: Bob, height: 1.5}"
    )
    path = folder.write("20_books.csv", f"{header}\n{row}\n")

    error = await _refused(url, folder.path)

    assert f"{path}:2: {message}" in error.message
    assert [] == await _rows(url, _BOOKS, "title")


@pytest.mark.parametrize(
    ("reference_", "message"),
    [
        ("{}", "author_id must name the row of people by a column"),
        ("{height: null}", "author_id.height must have a value"),
    ],
)
async def test_an_empty_reference_is_refused(
    url: str, folder: Folder, reference_: str, message: str
) -> None:
    path = folder.write(
        "x.yaml", f"{{table: books, key: title, rows: [{{title: A, author_id: {reference_}}}]}}"
    )

    error = await _refused(url, path)

    assert f"{path}:1: {message}" == error.message


async def test_an_unknown_column_is_refused_in_a_header_without_rows(
    url: str, folder: Folder
) -> None:
    path = folder.write("people.csv", "email (key),name,hight\n")

    error = await _refused(url, path)

    assert f"{path}:1: people has no column 'hight'" == error.message
    assert "did you mean height?" == error.hint


async def test_two_references_to_the_same_row_do_not_hide_a_repeated_key(
    url: str, folder: Folder
) -> None:
    folder.people(_ADA)
    path = folder.write(
        "20_books.yaml",
        """\
        table: books
        key: [title, author_id]
        rows:
          - {title: One, author_id: {email: ada@x.org}}
          - {title: One, author_id: {name: Ada}}
        """,
    )

    error = await _refused(url, folder.path)

    assert f"{path}:5: this row has the same natural key" in error.message
    assert [] == await _rows(url, _BOOKS, "title")


async def test_a_key_that_several_rows_have_is_refused(url: str, folder: Folder) -> None:
    await _add(url, _PEOPLE, email="ada@x.org", name="Ada")
    for _ in range(2):
        await _add(url, _BOOKS, title="One", price=Decimal(1), author_id=1)
    path = folder.books("One,2,ada@x.org,")

    error = await _refused(url, path)

    assert f"{path}:2: books has 2 rows with the natural key of this one" == error.message
    assert [(Decimal(1),), (Decimal(1),)] == await _rows(url, _BOOKS, "price")


async def test_what_the_database_refuses_undoes_its_data_set_only(url: str, folder: Folder) -> None:
    folder.people(_ADA)
    path = folder.books(*(f"Book {number},{250 - number},ada@x.org," for number in range(300)))

    error = await _refused(url, folder.path)

    assert error.message.startswith(f"{path}:253: the database refused this row of books (")
    assert "ck_price" in error.message
    assert [("Ada",)] == await _rows(url, _PEOPLE, "name")
    assert [] == await _rows(url, _BOOKS, "title")


async def test_a_unique_value_taken_by_another_row_is_refused(url: str, folder: Folder) -> None:
    await _add(url, _PEOPLE, email="ada@x.org", name="Ada")
    path = folder.people(_BOB, "{email: carl@x.org, name: Ada, hash: $argon2id$geheim}")

    error = await _refused(url, path)

    assert error.message.startswith(f"{path}:5: the database refused this row of people (")
    assert error.hint.startswith("nothing of this data set was written")
    assert [("Ada",)] == await _rows(url, _PEOPLE, "name")
    shown = "".join(traceback.format_exception(error))
    assert "geheim" not in shown
    assert "carl" not in shown


@pytest.mark.parametrize("backend_name", ["postgresql", "mysql", "mariadb"], indirect=True)
async def test_a_row_that_is_not_there_cannot_be_referred_to(url: str, folder: Folder) -> None:
    path = folder.write("books.csv", "title (key),author_id\nOne,4711\n")

    error = await _refused(url, path)

    assert error.message.startswith(f"{path}:2: the database refused this row of books (")


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_what_is_refused_at_the_commit_names_the_file(url: str, folder: Folder) -> None:
    metadata = MetaData()
    people = ForeignKey("people.id", deferrable=True, initially="DEFERRED")
    Table("people", metadata, Column("id", Integer, primary_key=True))
    late = Table("late", metadata, Column("id", Integer, primary_key=True), Column("who", people))
    async with bootstrap.Database.of(url).connect() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.commit()
    path = folder.write("late.csv", "id (key),who\n1,4711\n")

    error = await _refused(url, path)

    assert error.message.startswith(f"{path}: the database refused these rows of late (23503: ")
    assert [] == await _rows(url, late, "id")


@pytest.mark.parametrize("backend_name", ["mysql", "mariadb"], indirect=True)
async def test_a_value_that_the_server_alters_in_silence_is_refused(
    empty_url: str, folder: Folder
) -> None:
    metadata = MetaData()
    Table("days", metadata, Column("id", Integer, primary_key=True), Column("at", DateTime))
    async with bootstrap.Database.of(empty_url).connect() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.commit()
    exact = folder.write("days.csv", "id (key),at\n1,2026-01-05T09:12:00Z\n")
    await bootstrap.seed(empty_url, datasets=exact)
    path = folder.write("days.csv", "id (key),at\n1,2026-01-05T09:12:00.25Z\n2,2026-01-05\n")

    error = await _refused(empty_url, path)

    assert error.message.startswith(f"{path}:2: the database keeps another value for at")
    (day,) = (
        await bootstrap.seed(
            empty_url, datasets=folder.write("days.csv", "id (key),at\n1,2026-01-05T09:12:00Z\n")
        )
    ).data_sets
    assert 1 == day.unchanged


async def test_a_table_without_a_primary_key_is_seeded_too(empty_url: str, folder: Folder) -> None:
    metadata = MetaData()
    table = Table("facts", metadata, Column("name", String(20)), Column("size", Integer))
    async with bootstrap.Database.of(empty_url).connect() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.commit()
    await bootstrap.seed(
        empty_url, datasets=folder.write("facts.csv", "name (key),size\na,1\nb,1\n")
    )

    path = folder.write("facts.csv", "name (key),size\na,1\nb,2\n")
    report = await bootstrap.seed(empty_url, datasets=path)

    assert (0, 1, 1) == _counts(report)
    async with bootstrap.Database.of(empty_url).connect() as connection:
        total = await connection.execute(select(func.sum(table.c.size)))
        assert 3 == int(total.scalar_one())


async def test_a_type_that_files_cannot_say_is_refused(empty_url: str, folder: Folder) -> None:
    from sqlalchemy import LargeBinary

    metadata = MetaData()
    Table("blobs", metadata, Column("id", Integer, primary_key=True), Column("b", LargeBinary))
    async with bootstrap.Database.of(empty_url).connect() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.commit()
    path = folder.write("blobs.csv", "id (key),b\n1,x\n")

    error = await _refused(empty_url, path)

    assert error.message.startswith(f"{path}:2: b is of type ")
    assert error.message.endswith(", which data sets cannot fill")


async def test_a_database_without_tables_is_told_to_migrate(empty_url: str, folder: Folder) -> None:
    error = await _refused(empty_url, folder.people(_ADA))

    assert "the database has no table 'people'" in error.message
    assert "bootstrap migrate" == error.hint


async def test_a_missing_database_is_not_created(fresh_url: str, folder: Folder) -> None:
    with pytest.raises(bootstrap.DatabaseMissing):
        await bootstrap.seed(fresh_url, datasets=folder.people(_ADA))

    assert not await bootstrap.Database.of(fresh_url).exists()


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_a_locked_database_is_no_fault_of_the_data(
    backend_name: str, url: str, folder: Folder
) -> None:
    path = folder.people(_ADA)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as other:
        other.execute("BEGIN IMMEDIATE")  # others may read, and not write
        with pytest.raises(bootstrap.DatabaseError, match="cannot seed SQLite file"):
            await bootstrap.seed(f"{url}?timeout=0.1", datasets=path)


async def test_the_development_data_sets_fit_the_reference_schema(empty_url: str) -> None:
    async with bootstrap.Database.of(empty_url).connect() as connection:
        await connection.run_sync(reference.metadata.create_all)
        await connection.commit()

    first = await bootstrap.seed(empty_url, datasets=reference.datasets_folder())
    second = await bootstrap.seed(empty_url, datasets=reference.datasets_folder())

    assert (12, 0, 0) == _counts(first)
    assert (0, 0, 12) == _counts(second)
    assert {".yaml", ".csv", ".json"} == {Path(one.data_set).suffix for one in first.data_sets}

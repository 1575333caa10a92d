"""A large file that has not changed is not read again, unless its table is not as it was."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Double,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    Time,
    inspect,
    text,
    true,
)

import bootstrap
from bootstrap.datasets.reading import files
from bootstrap.datasets.writing import large, loading, merging
from bootstrap.records.names import SEEDS
from bootstrap.types import ExactDecimal, UtcDateTime

_METADATA = MetaData()
_OWNERS = Table(
    "owners", _METADATA, Column("id", Integer, primary_key=True), Column("email", String(50))
)
_THINGS = Table(
    "things",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String(60), nullable=False),
    Column("note", Text),
    Column("size", Integer),
    Column("price", ExactDecimal(10, 2)),
    Column("ratio", Double),
    Column("rough", Float),
    Column("is_new", Boolean, nullable=False, server_default=true()),
    Column("opens", Time),
    Column("seen", UtcDateTime()),
    Column("raw", LargeBinary),
    Column("more", JSON),
    Column("owner_id", Integer, ForeignKey("owners.id")),
)
_HEAD = "name (key),note,size,price,seen"


@pytest.fixture
async def url(empty_url: str) -> str:
    """A database with the two tables of these tests."""
    async with bootstrap.Database.of(empty_url).connect() as connection:
        await connection.run_sync(_METADATA.create_all)
        await connection.commit()
    return empty_url


@pytest.fixture(autouse=True)
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Makes every file a large one; the tables whose files were read."""
    monkeypatch.setattr(files, "LARGE", 0)
    seen: list[str] = []
    begin = large.LargeSet._read

    def noted(self: large.LargeSet, *arguments: Any) -> Any:
        seen.append(self._data_set.table.name)
        return begin(self, *arguments)

    monkeypatch.setattr(large.LargeSet, "_read", noted)
    return seen


@pytest.fixture
def things(tmp_path: Path) -> Path:
    return _written(tmp_path / "things.csv", range(20))


def _written(path: Path, numbers: Sequence[int], head: str = _HEAD) -> Path:
    rows = (f"thing {n},it's 😀 {n},{n},{n}.50,2026-01-05T09:12:00.25" for n in numbers)
    path.write_text("\n".join([head, *rows, ""]))
    return path


async def _seeded(url: str, *paths: Path, **options: Any) -> tuple[int, int, int]:
    report = await bootstrap.seed(url, datasets=paths, **options)
    return report.inserted, report.updated, report.unchanged


async def _sent(url: str, *statements: str) -> None:
    async with bootstrap.Database.of(url).connect() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)
        await connection.commit()


async def _kept(url: str) -> int:
    async with bootstrap.Database.of(url).connect() as connection:
        if not await connection.run_sync(lambda plain: inspect(plain).has_table(SEEDS)):
            return 0
        found: int | None = await connection.scalar(text(f"SELECT count(*) FROM {SEEDS}"))
        return found or 0


async def test_it_is_not_read_again(url: str, things: Path, read: list[str]) -> None:
    first = await _seeded(url, things)
    second = await _seeded(url, things)
    by_now = list(read)
    await _sent(url, f"DELETE FROM {SEEDS}")
    compared = await _seeded(url, things)
    remembered = await _seeded(url, things)

    assert [(20, 0, 0), (0, 0, 20), (0, 0, 20)] == [first, second, compared]
    assert ["things"] == by_now
    assert (0, 0, 20) == remembered
    assert ["things"] * 2 == read


async def test_what_was_there_before_is_remembered_with_it(
    url: str, things: Path, read: list[str]
) -> None:
    await _sent(
        url,
        "INSERT INTO things (name, size) VALUES ('thing 1', 7)",
        "INSERT INTO things (name, note) VALUES ('another', NULL)",
    )

    assert (19, 1, 0) == await _seeded(url, things)
    assert (0, 0, 20) == await _seeded(url, things)
    assert ["things"] == read


_TIME = "1999-12-31 23:59:59"
_BY_HAND = {
    "a value": ("UPDATE things SET size = 99 WHERE name = 'thing 3'", (0, 1, 19)),
    "a letter": ("UPDATE things SET note = UPPER(note) WHERE name = 'thing 3'", (0, 1, 19)),
    "a NULL": ("UPDATE things SET note = NULL WHERE name = 'thing 3'", (0, 1, 19)),
    "an empty text": ("UPDATE things SET note = '' WHERE name = 'thing 3'", (0, 1, 19)),
    "a time": (f"UPDATE things SET seen = '{_TIME}' WHERE name = 'thing 3'", (0, 1, 19)),
    "a key": ("UPDATE things SET name = 'other' WHERE name = 'thing 3'", (1, 0, 19)),
    "rows in turn": ("UPDATE things SET size = 19 - size", (0, 20, 0)),
    "a row less": ("DELETE FROM things WHERE name = 'thing 3'", (1, 0, 19)),
    "all rows": ("DELETE FROM things", (20, 0, 0)),
    "a row more": ("INSERT INTO things (name) VALUES ('other')", (0, 0, 20)),
    "another column": ("UPDATE things SET is_new = NOT is_new", (0, 0, 20)),
    "JSON": ("UPDATE things SET more = '{}' WHERE name = 'thing 3'", (0, 0, 20)),
    "a double": ("UPDATE things SET ratio = 0.30000000000000004 WHERE ratio = 0.3", (0, 0, 20)),
    "a float": ("UPDATE things SET rough = 16777215 WHERE rough = 16777214", (0, 0, 20)),
    "a new column": ("ALTER TABLE things ADD COLUMN extra INTEGER", (0, 0, 20)),
    "a default": ("ALTER TABLE things ADD COLUMN another INTEGER DEFAULT 3", (0, 0, 20)),
    "a new name": ("ALTER TABLE things RENAME COLUMN raw TO bytes", (0, 0, 20)),
    "a column less": ("ALTER TABLE things DROP COLUMN bytes", (0, 0, 20)),
}


async def test_a_change_by_hand_is_noticed(url: str, things: Path, read: list[str]) -> None:
    found: dict[str, list[Any]] = {}
    for what, (statement, _) in _BY_HAND.items():
        await _seeded(url, things)
        await _sent(url, "UPDATE things SET ratio = 0.3, rough = 16777214")
        await _seeded(url, things)
        read.clear()
        found[what] = [await _seeded(url, things), list(read)]
        await _sent(url, statement)
        found[what] += [await _seeded(url, things), list(read)]

    expected = {
        what: [(0, 0, 20), [], counts, ["things"]] for what, (_, counts) in _BY_HAND.items()
    }
    assert expected == found


async def test_a_change_that_is_taken_back_is_none(url: str, things: Path, read: list[str]) -> None:
    await _seeded(url, things)
    await _sent(url, "UPDATE things SET size = size + 1", "UPDATE things SET size = size - 1")

    assert (0, 0, 20) == await _seeded(url, things)
    assert ["things"] == read


async def test_equal_rows_in_pairs_do_not_cancel_out(
    empty_url: str, tmp_path: Path, read: list[str]
) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("a (key),b\nx,1\n")
    await _sent(
        empty_url,
        "CREATE TABLE pairs (a VARCHAR(5), b INTEGER)",
        "INSERT INTO pairs VALUES ('x', 1), ('y', 2), ('y', 2)",
    )
    await _seeded(empty_url, path)
    await _sent(empty_url, "UPDATE pairs SET b = 3 WHERE a = 'y'")

    await _seeded(empty_url, path)

    assert ["pairs", "pairs"] == read


async def test_what_ends_a_value_is_told_from_what_is_in_one(
    empty_url: str, tmp_path: Path, read: list[str]
) -> None:
    """The same letters, and another column or no value at all has them."""
    path = tmp_path / "pairs.csv"
    path.write_text("k (key)\nx\n")
    values = ["'1:a', 'b'", "'1', ':ab'", "'N', NULL", "NULL, 'N'", "'', NULL", "NULL, ''"]
    values += ["'NULL', '(a,b)'", "'a,b', 'c'", "'a', 'b,c'", "'a\"', '\"b'", "'a', 'b'"]
    await _sent(
        empty_url,
        "CREATE TABLE pairs (k VARCHAR(5), a VARCHAR(9), b VARCHAR(9))",
        "INSERT INTO pairs (k) VALUES ('x')",
    )

    for one in values:
        a, b = one.rsplit(", ", 1)
        await _sent(empty_url, f"UPDATE pairs SET a = {a}, b = {b}")
        await _seeded(empty_url, path)

    assert ["pairs"] * len(values) == read


async def test_another_file_is_read(url: str, things: Path, read: list[str]) -> None:
    await _seeded(url, things)
    _written(things, range(1, 21))

    assert (1, 0, 19) == await _seeded(url, things)
    assert (0, 0, 20) == await _seeded(url, things)
    assert ["things"] * 2 == read


async def test_the_same_file_with_another_key_is_read(
    url: str, things: Path, read: list[str]
) -> None:
    await _seeded(url, things)
    content = things.read_text()
    _written(things, range(20), head="name (key),note,size (key),price,seen")

    assert (0, 0, 20) == await _seeded(url, things)
    things.write_text(content)
    assert (0, 0, 20) == await _seeded(url, things)
    assert ["things"] * 2 == read


async def test_files_that_are_seeded_in_turns_are_all_remembered(
    url: str, tmp_path: Path, read: list[str]
) -> None:
    paths = [_written(tmp_path / "things.csv", range(9)), tmp_path / "2_things.csv"]
    _written(paths[1], range(9, 20))
    for _ in range(2):
        for path in paths:
            await _seeded(url, path)
    read.clear()

    found = [await _seeded(url, path) for path in paths]

    assert [(0, 0, 9), (0, 0, 11)] == found
    assert [] == read
    assert 2 == await _kept(url)


async def test_a_reference_is_looked_up_each_time(
    url: str, tmp_path: Path, read: list[str]
) -> None:
    """The rows of a file that has some follow from another table, too."""
    path = tmp_path / "things.csv"
    path.write_text("name (key),owner_id.email\na,x\nb,x\n")
    insertion = "INSERT INTO owners (id, email) VALUES"
    await _sent(url, f"{insertion} (1, 'x'), (2, 'y')")
    await _seeded(url, path)
    swapped = (
        "UPDATE owners SET email = 'z' WHERE id = 1",
        "UPDATE owners SET email = 'x' WHERE id = 2",
    )
    await _sent(url, *swapped)

    assert (0, 2, 0) == await _seeded(url, path)
    assert 0 == await _kept(url)


async def test_json_lines_are_remembered_where_no_value_stands_elsewhere(
    url: str, tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIZE", "1")
    path = tmp_path / "things.jsonl"
    head = {"table": "things", "key": "name"}
    rows = [{"name": f"thing {n}", "size": n} for n in range(9)]
    path.write_text("".join(f"{json.dumps(one)}\n" for one in [head, *rows]))
    await _seeded(url, path)
    read.clear()
    again = await _seeded(url, path), list(read)
    named = {"name": "named", "size": {"env": "SIZE"}}
    path.write_text("".join(f"{json.dumps(one)}\n" for one in [head, *rows, named]))
    await _seeded(url, path)
    monkeypatch.setenv("SIZE", "2")

    assert ((0, 0, 9), []) == again
    assert (0, 1, 9) == await _seeded(url, path)


async def test_a_dry_run_leaves_nothing_and_uses_what_is_there(
    url: str, things: Path, read: list[str]
) -> None:
    first = await _seeded(url, things, dry_run=True)
    between = await _kept(url)
    await _seeded(url, things)
    read.clear()
    second = await _seeded(url, things, dry_run=True)

    assert ((20, 0, 0), 0) == (first, between)
    assert ((0, 0, 20), []) == (second, read)


@pytest.mark.parametrize("rows", [20, 21])
async def test_nothing_is_remembered_of_a_run_that_is_undone(
    url: str, things: Path, tmp_path: Path, read: list[str], rows: int
) -> None:
    check = f'[[checks]]\nname = "all"\ntable = "things"\nrows = {rows}\n'
    (tmp_path / "manifest.toml").write_text(check)

    if rows == 20:
        assert (20, 0, 0) == await _seeded(url, tmp_path)
    else:
        with pytest.raises(bootstrap.SeedError):
            await _seeded(url, tmp_path)

    assert (rows == 20) == await _kept(url)


@pytest.mark.parametrize("commits", [True, False])
async def test_in_a_transaction_of_the_program_it_is_the_programs(
    url: str, things: Path, read: list[str], *, commits: bool
) -> None:
    await _seeded(url, things)
    await _sent(url, "DELETE FROM things")
    async with bootstrap.Database.of(url).connect() as connection:
        await connection.execute(text("INSERT INTO owners (email) VALUES ('x')"))
        await bootstrap.seed(connection, datasets=things)
        report = await bootstrap.seed(connection, datasets=things)
        await (connection.commit() if commits else connection.rollback())
    by_now = len(read)

    after = await _seeded(url, things)

    assert (20, 2) == (report.unchanged, by_now)
    assert ((0, 0, 20), 2) if commits else ((20, 0, 0), 3) == (after, len(read))


async def test_of_several_files_only_the_changed_one_is_read(
    url: str, things: Path, tmp_path: Path, read: list[str]
) -> None:
    owners = tmp_path / "owners.csv"
    owners.write_text("email (key)\nx\ny\n")
    await _seeded(url, things, owners)
    owners.write_text("email (key)\nx\ny\nz\n")
    read.clear()

    assert (1, 0, 22) == await _seeded(url, things, owners)
    assert {"owners"} == set(read)


async def test_a_known_file_whose_table_was_changed_is_written_among_others(
    url: str, things: Path, tmp_path: Path, read: list[str]
) -> None:
    path = tmp_path / "owners.jsonl"
    path.write_text('{"table": "owners", "key": "email"}\n{"email": "x"}\n{"email": "y"}\n')
    await _seeded(url, things, path)
    await _sent(url, "DELETE FROM owners")

    assert (2, 0, 20) == await _seeded(url, things, path)
    assert (0, 0, 22) == await _seeded(url, things, path)


_SERVERS = ["postgresql", "mysql", "mariadb"]


@pytest.mark.parametrize("backend_name", _SERVERS, indirect=True)
async def test_a_row_that_somebody_adds_meanwhile_is_not_taken_for_one_of_the_file(
    url: str, things: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = loading.Load._keep_copied

    async def after_another(self: loading.Load, *arguments: Any) -> None:
        await _sent(url, "INSERT INTO things (name, size) VALUES ('thing 3', 3)")
        await keep(self, *arguments)

    monkeypatch.setattr(loading.Load, "_keep_copied", after_another)
    await _seeded(url, things)

    with pytest.raises(bootstrap.SeedError, match="2 rows with the natural key"):
        await _seeded(url, things)


@pytest.mark.parametrize("backend_name", _SERVERS, indirect=True)
async def test_a_row_that_somebody_alters_meanwhile_is_written_by_the_next_run(
    url: str, things: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await _seeded(url, things)
    await _sent(url, f"DELETE FROM {SEEDS}")
    state = merging.Staged.state

    async def after_another(self: merging.Staged, *arguments: Any) -> str | None:
        await _sent(url, "UPDATE things SET size = 99 WHERE name = 'thing 3'")
        return await state(self, *arguments)

    monkeypatch.setattr(merging.Staged, "state", after_another)
    first = await _seeded(url, things)
    monkeypatch.undo()
    monkeypatch.setattr(files, "LARGE", 0)

    assert (0, 0, 20) == first
    assert (0, 1, 19) == await _seeded(url, things)


@asynccontextmanager
async def _without_create(url: str) -> AsyncIterator[str]:
    """An account that may write rows into all tables, and make temporary ones only."""
    database, name = bootstrap.Database.of(url), f"poor_{secrets.token_hex(4)}"
    if database.backend.name == "postgresql":
        made = ["REVOKE CREATE ON SCHEMA public FROM PUBLIC", f"CREATE ROLE {name} LOGIN"]
        rights = ["ALL ON ALL TABLES IN SCHEMA public", "ALL ON ALL SEQUENCES IN SCHEMA public"]
        made += [f"GRANT {one} TO {name}" for one in rights]
        dropped = [f"DROP OWNED BY {name}", f"DROP ROLE {name}"]
    else:
        some = "SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES"
        made = [f"CREATE USER {name}@'%%'", f"GRANT {some} ON {database.name}.* TO {name}@'%%'"]
        dropped = [f"DROP USER {name}@'%%'"]
    await _sent(url, *made)
    try:
        yield database.url.set(username=name, password=None).render_as_string()
    finally:
        await _sent(url, *dropped)


@pytest.mark.parametrize("backend_name", _SERVERS, indirect=True)
async def test_without_the_right_to_make_the_table_all_goes_as_before(
    url: str, things: Path, read: list[str]
) -> None:
    async with _without_create(url) as poor:
        first = await _seeded(poor, things)
        second = await _seeded(poor, things)

    assert [(20, 0, 0), (0, 0, 20)] == [first, second]
    assert ["things"] * 2 == read
    assert 0 == await _kept(url)


async def test_a_row_from_a_newer_bootstrap_means_nothing(
    url: str, things: Path, read: list[str]
) -> None:
    await _seeded(url, things)
    await _sent(url, f"UPDATE {SEEDS} SET form = 99, rows_of_file = 7")

    assert (0, 0, 20) == await _seeded(url, things)
    assert (0, 0, 20) == await _seeded(url, things)
    assert ["things"] * 2 == read


async def test_a_table_of_that_name_that_is_not_ours_is_left_alone(
    url: str, things: Path, read: list[str]
) -> None:
    await _sent(url, f"CREATE TABLE {SEEDS} (id INTEGER)", f"INSERT INTO {SEEDS} VALUES (1)")

    assert (20, 0, 0) == await _seeded(url, things)
    assert (0, 0, 20) == await _seeded(url, things)
    assert ["things"] * 2 == read
    assert 1 == await _kept(url)


async def test_a_table_of_many_columns_is_remembered(
    empty_url: str, tmp_path: Path, read: list[str]
) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("c0 (key)\n1\n2\n")
    await _sent(empty_url, f"CREATE TABLE wide ({', '.join(f'c{n} INTEGER' for n in range(250))})")

    first = [await _seeded(empty_url, path) for _ in range(2)], len(read)
    await _sent(empty_url, "UPDATE wide SET c249 = 1 WHERE c0 = 2")
    await _seeded(empty_url, path)

    assert ([(2, 0, 0), (0, 0, 2)], 1) == first
    assert 2 == len(read)


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_a_text_that_is_none_is_no_error(
    empty_url: str, tmp_path: Path, read: list[str]
) -> None:
    """Python cannot read it, so no fingerprint is made."""
    path = tmp_path / "texts.csv"
    path.write_text("a (key)\nx\n")
    await _sent(
        empty_url,
        "CREATE TABLE texts (a TEXT, b TEXT)",
        "INSERT INTO texts VALUES ('y', CAST(x'ff' AS TEXT))",
    )

    assert (1, 0, 0) == await _seeded(empty_url, path)
    assert (0, 0, 1) == await _seeded(empty_url, path)
    assert ["texts"] * 2 == read


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_a_session_that_rounds_floats_remembers_nothing(
    url: str, things: Path, read: list[str]
) -> None:
    rounding = f"{url}?options=-c%20extra_float_digits%3D0"

    await _seeded(rounding, things)
    first = await _kept(url)
    await _seeded(url, things)
    await _seeded(rounding, things)

    assert (0, 1) == (first, await _kept(url))
    assert ["things"] * 3 == read

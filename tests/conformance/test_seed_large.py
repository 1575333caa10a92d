"""Large data sets, which go another way into the database, end as small ones do."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    Time,
    insert,
    select,
    true,
)

import bootstrap
from bootstrap.datasets.reading import batches, csv_files, files, json_lines
from bootstrap.datasets.writing import comparing, loading, merging
from bootstrap.types import ExactDecimal, ExactString, UtcDateTime

_METADATA = MetaData()
_OWNERS = Table(
    "owners",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("email", ExactString(100), nullable=False),
    Column("place", Integer, nullable=False),
)
_THINGS = Table(
    "things",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", ExactString(60), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("note", Text),
    Column("size", Integer),
    Column("price", ExactDecimal(10, 2)),
    Column("ratio", Double),
    Column("is_new", Boolean, nullable=False, server_default=true()),
    Column("made", Date),
    Column("opens", Time),
    Column("seen", UtcDateTime()),
    Column("owner_id", Integer, ForeignKey("owners.id")),
    CheckConstraint("size > -10", name="ck_size"),
)
_TEXTS = (
    *(
        "plain",
        "no",
        "null",
        r"\N",
        "\\",
        "it's",
        'say "x"',
        "a\tb",
        "a\nb",
        "a\r\nb",
        "naïve",
        "😀",
    ),
    *(" padded ", "%s", "100%", ":name", "$1", "{}", "'; DROP TABLE things; --", "ADA", "ada"),
)


@pytest.fixture
async def url(empty_url: str) -> str:
    """A database with the two tables of these tests, of which one has rows."""
    async with bootstrap.Database.of(empty_url).connect() as connection:
        await connection.run_sync(_METADATA.create_all)
        rows = [{"email": f"o{number}@x.org", "place": number // 2} for number in range(10)]
        await connection.execute(insert(_OWNERS), rows)
        await connection.commit()
    return empty_url


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes every file from now on a large one, of batches with few rows."""

    def begin() -> None:
        monkeypatch.setattr(files, "LARGE", 0)
        for module in (batches, csv_files, json_lines):
            monkeypatch.setattr(module, "ROWS", 7)

    return begin


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[comparing.Counts]:
    """What was written into empty tables without a comparison."""
    return _results(monkeypatch, loading.Load, "_copied")


@pytest.fixture
def merged(monkeypatch: pytest.MonkeyPatch) -> list[comparing.Counts]:
    """What was merged on the server."""
    return _results(monkeypatch, merging.Staged, "merge")


def _results(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> list[comparing.Counts]:
    seen: list[comparing.Counts] = []
    method = getattr(owner, name)

    async def noted(*arguments: Any) -> comparing.Counts:
        counts: comparing.Counts = await method(*arguments)
        seen.append(counts)
        return counts

    monkeypatch.setattr(owner, name, noted)
    return seen


def _thing(chance: random.Random, number: int) -> dict[str, Any]:
    """A row as JSON has it; some columns are left out, some are null."""
    row: dict[str, Any] = {
        "name": f"{chance.choice(_TEXTS)} {number}",
        "kind": chance.choice(["a", "A", "b"]),
        "note": chance.choice([*_TEXTS, None]),
        "size": chance.choice([0, -5, 2**31 - 1, None]),
        "price": chance.choice(["0.10", "1850.00", "-0.01", None]),
        "ratio": chance.choice([0.1, 1e-7, 12345678.25, None]),
        "is_new": chance.choice(["yes", "no"]),
        "made": chance.choice(["2026-01-05", "0999-12-31", None]),
        "opens": chance.choice(["09:12:00", "23:59:59", None]),
        "seen": chance.choice(["2026-01-05T10:12:00.25+01:00", "1999-12-31 23:59:59", None]),
        "owner_id": chance.choice([{"email": f"o{chance.randrange(10)}@x.org"}, None]),
    }
    left_out = chance.sample(list(row)[2:], chance.choice([0, 0, 1, 3]))
    return {name: value for name, value in row.items() if name not in left_out}


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    head = {"table": "things", "key": ["name", "kind"]}
    text = "".join(f"{json.dumps(one)}\n" for one in [head, *rows])
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


async def _rows(url: str, table: Table = _THINGS) -> list[tuple[Any, ...]]:
    """All but the ids: they follow the file only where all its rows name the same columns."""
    async with bootstrap.Database.of(url).connect() as connection:
        columns = [one for one in table.columns if one.name != "id"]
        found = await connection.execute(select(*columns))
        return sorted((tuple(row) for row in found), key=repr)


def _counts(report: bootstrap.SeedReport) -> tuple[int, int, int]:
    return report.inserted, report.updated, report.unchanged


async def _both_ways(
    url: str, tmp_path: Path, rows: Sequence[Sequence[dict[str, Any]]], large: Callable[[], None]
) -> tuple[list[Any], list[Any]]:
    """What reports and rows are after files, small at first and then as large ones."""
    paths = [_write(tmp_path / f"{place}.jsonl", some) for place, some in enumerate(rows)]

    async def run() -> list[Any]:
        seen: list[Any] = []
        for path in paths:
            seen.append(_counts(await bootstrap.seed(url, datasets=path)))
            seen.append(await _rows(url))
        return seen

    small = await run()
    async with bootstrap.Database.of(url).connect() as connection:
        await connection.execute(_THINGS.delete())
        await connection.commit()
    large()
    return small, await run()


@pytest.mark.parametrize("seed", range(3))
async def test_a_large_file_ends_as_a_small_one(
    url: str, tmp_path: Path, large: Callable[[], None], merged: list[comparing.Counts], seed: int
) -> None:
    chance = random.Random(seed)
    first = [_thing(chance, number) for number in range(60)]
    second = [{**_thing(chance, number), **one} for number, one in enumerate(first)]
    for one in chance.sample(second, 20):
        one.update(
            {
                name: value
                for name, value in _thing(chance, 0).items()
                if name not in ("name", "kind")
            }
        )
    second = chance.sample(second, 40) + [_thing(chance, number) for number in range(60, 80)]

    small, now = await _both_ways(url, tmp_path, [first, second, second], large)

    assert small == now
    assert 3 == len(merged)
    assert (0, 0, 60) == small[4]


_HEAD = "name (key),kind (key),note,size,price,made,is_new"


def _csv(path: Path, *lines: str, head: str = _HEAD) -> Path:
    text = "\n".join([head, *lines, ""])
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("packed", ["", ".gz"])
async def test_an_empty_table_gets_the_rows_at_once(
    url: str,
    tmp_path: Path,
    large: Callable[[], None],
    copied: list[comparing.Counts],
    merged: list[comparing.Counts],
    packed: str,
) -> None:
    large()
    rows = [f'"it\'s ""{n}"" \\ 😀\nnext",a,{n % 3 or ""},{n},{n}.5,2026-01-05,' for n in range(50)]
    path = _csv(tmp_path / f"things.csv{packed}", *rows)

    first = await bootstrap.seed(url, datasets=path)
    _csv(path, *rows[:40], "new,A,,7,,,no")
    second = await bootstrap.seed(url, datasets=path)

    assert ((50, 0, 0), (1, 0, 40)) == (_counts(first), _counts(second))
    assert ([50], [1]) == ([one.inserted for one in copied], [one.inserted for one in merged])
    found = {row[0]: row[1:8] for row in await _rows(url)}
    four = ("a", "1", 4, Decimal("4.50"), None, True, date(2026, 1, 5))
    assert four == found['it\'s "4" \\ 😀\nnext']
    assert 51 == len(found)


async def test_a_table_with_a_trigger_gets_them_through_a_comparison(
    url: str, tmp_path: Path, large: Callable[[], None], copied: list[comparing.Counts]
) -> None:
    async with bootstrap.Database.of(url).connect() as connection:
        for statement in _TRIGGERS[connection.dialect.name]:
            await connection.exec_driver_sql(statement)
        await connection.commit()
    large()
    path = _csv(tmp_path / "things.csv", *(f"thing {n},a,note,,,," for n in range(20)))

    error = await _refused(url, path)

    assert f"{path}:2: the database keeps another value for note than the one" in error.message
    assert [] == copied
    assert [] == await _rows(url)


_CUT = "UPDATE things SET note = 'cut' WHERE id = NEW.id"
_TRIGGERS = {
    "sqlite": [f"CREATE TRIGGER cut AFTER INSERT ON things BEGIN {_CUT}; END"],
    "postgresql": [
        "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.note := 'cut'; RETURN NEW; END $$",
        "CREATE TRIGGER cut BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION cut()",
    ],
    "mysql": ["CREATE TRIGGER cut BEFORE INSERT ON things FOR EACH ROW SET NEW.note = 'cut'"],
    "mariadb": ["CREATE TRIGGER cut BEFORE INSERT ON things FOR EACH ROW SET NEW.note = 'cut'"],
}


async def _refused(url: str, path: Path) -> bootstrap.SeedError:
    with pytest.raises(bootstrap.SeedError) as refused:
        await bootstrap.seed(url, datasets=path)
    return refused.value


@pytest.mark.parametrize(
    ("head", "line", "message"),
    [
        (_HEAD, "a,b,,x,,,", "size must be a whole number"),
        (_HEAD, "a,b,,,1.234,,", "price must be a number with at most 8 digits"),
        (_HEAD, f"{'x' * 61},b,,,,,", "name must be a text of at most 60 characters"),
        (_HEAD, "a,,,,,,", "no value for kind, which is part of its natural key"),
        (_HEAD, "a,b", "this row has 2 cells, the header has 7"),
        (_HEAD, 'a,"b"c,,,,,', "this is not valid CSV"),
        (_HEAD, "thing 7,a,,,,,", "the same natural key (name, kind) as the one on line 9"),
        (_HEAD, "a,b,,-99,,,", "the database refused this row of things"),
        ("name (key),kind (key),owner_id.email", "a,b,nobody", "no row of owners has this email"),
        ("name (key),kind (key),owner_id.place", "a,b,3", "2 rows of owners have this place"),
        ("name (key),kind (key),owner_id", "a,b,4711", "the database refused this row of things"),
    ],
)
async def test_a_bad_row_among_many_is_named(
    url: str, tmp_path: Path, large: Callable[[], None], head: str, line: str, message: str
) -> None:
    large()
    blanks = "," * (head.count(",") - 1)
    good = [f"thing {number},a{blanks}" for number in range(20)]
    path = _csv(
        tmp_path / "things.csv",
        *good,
        line,
        *(f"{one}".replace("thing", "other") for one in good),
        head=head,
    )

    error = await _refused(url, path)

    assert error.message.startswith(f"{path}:22: ")
    assert message in error.message
    assert 8 == error.exit_code
    assert [] == await _rows(url)


async def test_a_key_of_several_rows_is_refused_in_a_large_file(
    url: str, tmp_path: Path, large: Callable[[], None]
) -> None:
    async with bootstrap.Database.of(url).connect() as connection:
        await connection.execute(insert(_THINGS), [{"name": "thing 3", "kind": "a"}] * 2)
        await connection.commit()
    large()
    path = _csv(tmp_path / "things.csv", *(f"thing {n},a,,,,," for n in range(20)))

    error = await _refused(url, path)

    assert f"{path}:5: things has 2 rows with the natural key of this one" == error.message
    assert 2 == len(await _rows(url))


async def test_nothing_is_written_when_a_row_of_a_later_large_file_is_wrong(
    url: str, tmp_path: Path, large: Callable[[], None]
) -> None:
    large()
    first = _csv(tmp_path / "1_things.csv", *(f"thing {n},a,,,,," for n in range(20)))
    second = _csv(tmp_path / "2_things.csv", "x,a,,many,,,")

    with pytest.raises(bootstrap.SeedError, match=r"2_things\.csv:2: size must be"):
        await bootstrap.seed(url, datasets=[first, second])

    assert [] == await _rows(url)


@pytest.mark.parametrize("backend_name", ["mysql", "mariadb"], indirect=True)
async def test_what_a_lenient_server_would_alter_is_refused(
    empty_url: str, tmp_path: Path, large: Callable[[], None]
) -> None:
    """A time of which it keeps the seconds, and a letter that its character set does not have."""
    async with bootstrap.Database.of(empty_url).connect() as connection:
        await connection.exec_driver_sql(
            "CREATE TABLE days (name VARCHAR(20) CHARACTER SET latin1, at DATETIME)"
        )
    large()
    lenient = f"{empty_url}?sql_mode=NO_ENGINE_SUBSTITUTION"
    path = tmp_path / "days.csv"

    time = await _refused(lenient, _csv(path, "a,2026-01-05T09:12:00.25Z", head="name (key),at"))
    letter = await _refused(
        lenient, _csv(path, "a,2026-01-05", "☃,2026-01-05", head="name (key),at")
    )

    assert f"{path}:2: the database keeps another value for at" in time.message
    assert letter.message.startswith(f"{path}")
    async with bootstrap.Database.of(empty_url).connect() as connection:
        assert [] == (await connection.exec_driver_sql("SELECT * FROM days")).all()


_TIMES = (
    *("2026-01-05 09:12:00.250001", "2026-01-05T09:12:00.25Z", "2026-01-05T09:12:00.250+00:00"),
    *("2026-01-05 10:12:00+01:00", "2026-01-05", "2026-01-05 09:12", "20260105T091200", ""),
    *("1000-01-01 00:00:00", "9999-12-31 23:59:59", "2026-01-05 09:12:00.000000"),
)
_NUMBERS = ("5", "+5", " 5", "05", "1_000", "\u0665", "-0", "true", "")


@pytest.mark.parametrize("there", [0, 1], ids=["empty", "with a row"])
async def test_times_and_numbers_of_all_forms_are_those_of_a_small_file(
    url: str, tmp_path: Path, large: Callable[[], None], there: int
) -> None:
    """Each form fills a batch of its own, and stands among others once more."""
    forms = [(one, "7") for one in _TIMES for _ in range(7)]
    forms += [("", one) for one in _NUMBERS for _ in range(7)]
    forms += [*zip(_TIMES, _NUMBERS, strict=False)]
    lines = [f"thing {n},a,{number},{time}" for n, (time, number) in enumerate(forms)]
    path = _csv(tmp_path / "things.csv", *lines, head="name (key),kind (key),size,seen")
    await bootstrap.seed(url, datasets=path)
    small = await _rows(url)
    async with bootstrap.Database.of(url).connect() as connection:
        await connection.execute(_THINGS.delete())
        if there:
            await connection.execute(insert(_THINGS), {"name": "thing 0", "kind": "a"})
        await connection.commit()

    large()
    report = await bootstrap.seed(url, datasets=path)

    assert small == await _rows(url)
    assert (len(forms) - there, there, 0) == _counts(report)


async def test_a_time_is_the_same_key_in_any_form(
    url: str, tmp_path: Path, large: Callable[[], None]
) -> None:
    large()
    lines = [f"2026-01-05 09:12:{second:02},n,a" for second in range(14)]
    path = _csv(
        tmp_path / "things.csv",
        *lines,
        "2026-01-05T10:12:03+01:00,n,a",
        head="seen (key),name,kind",
    )

    error = await _refused(url, path)

    assert f"{path}:16: " in error.message
    assert "the same natural key (seen) as the one on line 5" in error.message
    assert [] == await _rows(url)

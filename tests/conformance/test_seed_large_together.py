"""Large data sets beside others: environments, pruning, dry runs, one transaction for all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, MetaData, Table, select

import bootstrap
from bootstrap.datasets.reading import files
from bootstrap.datasets.writing import loading
from bootstrap.errors import Place
from bootstrap.types import ExactString
from tests.conformance.test_doctor import executed, poor_account

_METADATA = MetaData()
_OWNERS = Table(
    "owners",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("email", ExactString(50), nullable=False, unique=True),
    Column("age", Integer),
    Column("parent_id", Integer, ForeignKey("owners.id", name="fk_parent")),
    CheckConstraint("age < 200", name="ck_age"),
)
_THINGS = Table(
    "things",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", ExactString(50), nullable=False, unique=True),
    Column("owner_id", Integer, ForeignKey("owners.id", name="fk_owner"), nullable=False),
    Column("size", Integer),
    CheckConstraint("size < 200", name="ck_size"),
)
_OWNERS_FILE = "email (key),age\n" + "".join(f"o{n}@x.org,{20 + n}\n" for n in range(30))
_THINGS_FILE = "name (key),owner_id.email\n" + "".join(f"t{n},o{n}@x.org\n" for n in range(30))


@pytest.fixture
async def url(empty_url: str) -> str:
    """A database with the two tables of these tests."""
    async with bootstrap.Database.of(empty_url).connect() as connection:
        await connection.run_sync(_METADATA.create_all)
        await connection.commit()
    return empty_url


@pytest.fixture
def merges(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Makes every file a large one; the tables that were written at once."""
    monkeypatch.setattr(files, "LARGE", 0)
    seen: list[str] = []
    write = loading.Load.at_once

    async def noted(self: loading.Load, *arguments: Any) -> Any:
        counts = await write(self, *arguments)
        seen.append(self.data_set.table.name)
        return counts

    monkeypatch.setattr(loading.Load, "at_once", noted)
    return seen


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """A folder in which the file that needs the other one comes first."""
    folder = tmp_path / "seeds"
    (folder / "dev").mkdir(parents=True)
    (folder / "1_things.csv").write_text(_THINGS_FILE)
    (folder / "2_owners.csv").write_text(_OWNERS_FILE)
    return folder


async def _all(url: str, *columns: Column[Any]) -> set[Sequence[Any]]:
    async with bootstrap.Database.of(url).connect() as connection:
        return {tuple(row) for row in await connection.execute(select(*columns))}


def _counts(report: bootstrap.SeedReport) -> tuple[int, int, int]:
    return report.inserted, report.updated, report.unchanged


async def test_they_are_sorted_and_merged(url: str, seeds: Path, merges: list[str]) -> None:
    first = await bootstrap.seed(url, datasets=seeds)
    second = await bootstrap.seed(url, datasets=seeds)

    assert [(60, 0, 0), (0, 0, 60)] == [_counts(first), _counts(second)]
    assert ["owners", "things", "things"] == merges  # without references a file is remembered


async def test_an_environment_goes_over_one_that_is_in_memory_then(
    url: str, seeds: Path, merges: list[str]
) -> None:
    (seeds / "dev" / "owners.csv").write_text("email (key),age\no1@x.org,99\nnew@x.org,1\n")

    first = await bootstrap.seed(url, datasets=seeds, environment="dev")
    second = await bootstrap.seed(url, datasets=seeds, environment="dev")

    assert [(61, 0, 0), (0, 0, 61)] == [_counts(first), _counts(second)]
    ages = await _all(url, _OWNERS.c.email, _OWNERS.c.age)
    assert {("o1@x.org", 99), ("o2@x.org", 22), ("new@x.org", 1)} <= ages
    assert ["things"] * 2 == merges


async def test_rows_may_need_each_other(url: str, seeds: Path, merges: list[str]) -> None:
    (seeds / "2_owners.csv").unlink()
    (seeds / "1_things.csv").unlink()
    rows = "".join(f"o{n}@x.org,o{n + 1}@x.org\n" for n in range(9))
    (seeds / "owners.csv").write_text(f"email (key),parent_id.email\n{rows}o9@x.org,\n")

    assert (10, 0, 0) == _counts(await bootstrap.seed(url, datasets=seeds))
    assert [] == merges


async def test_a_dry_run_counts_and_undoes(url: str, seeds: Path, merges: list[str]) -> None:
    report = await bootstrap.seed(url, datasets=seeds, dry_run=True)

    assert (60, 0, 0) == _counts(report)
    assert ["owners", "things"] == merges
    assert set() == await _all(url, _OWNERS.c.id)


async def test_a_table_is_pruned_that_a_large_file_fills(
    url: str, seeds: Path, merges: list[str]
) -> None:
    await bootstrap.seed(url, datasets=seeds)
    fewer = _THINGS_FILE.splitlines(keepends=True)[:21]
    (seeds / "1_things.csv").write_text("".join(fewer))
    merges.clear()

    report = await bootstrap.seed(url, datasets=seeds, prune=["things"])

    assert [10] == [one.deleted for one in report.pruned]
    assert {(f"t{n}",) for n in range(20)} == await _all(url, _THINGS.c.name)
    assert [] == merges


@pytest.mark.parametrize("whole", [False, True])
async def test_the_row_that_is_refused_is_named(
    url: str, seeds: Path, merges: list[str], *, whole: bool
) -> None:
    lines = _OWNERS_FILE.splitlines(keepends=True)
    lines[17] = "o16@x.org,700\n"
    (seeds / "2_owners.csv").write_text("".join(lines))
    if whole:  # with a check, all data sets are one transaction
        check = '[[checks]]\nname = "thirty"\ntable = "owners"\nrows = 30\n'
        (seeds / "manifest.toml").write_text(check)

    with pytest.raises(bootstrap.SeedError) as refused:
        await bootstrap.seed(url, datasets=seeds)

    assert refused.value.place == Place(path=seeds / "2_owners.csv", line=18)
    assert set() == await _all(url, _OWNERS.c.id)
    assert [] == merges


async def test_the_row_that_is_refused_is_named_after_others_that_went_with_it(
    url: str, seeds: Path, merges: list[str]
) -> None:
    lines = [f"{line},{number}\n" for number, line in enumerate(_THINGS_FILE.splitlines())]
    lines[0], lines[9] = "name (key),owner_id.email,size\n", "t8,o8@x.org,700\n"
    (seeds / "1_things.csv").write_text("".join(lines))
    check = '[[checks]]\nname = "thirty"\ntable = "owners"\nrows = 30\n'
    (seeds / "manifest.toml").write_text(check)

    with pytest.raises(bootstrap.SeedError) as refused:
        await bootstrap.seed(url, datasets=seeds)

    assert refused.value.place == Place(path=seeds / "1_things.csv", line=10)
    assert set() == await _all(url, _OWNERS.c.id)
    assert "owners" in merges


@pytest.mark.parametrize("backend_name", ["postgresql", "mysql", "mariadb"], indirect=True)
async def test_one_transaction_for_all_needs_no_right_to_make_temporary_tables(
    url: str, seeds: Path, merges: list[str]
) -> None:
    (seeds / "manifest.toml").write_text('[[checks]]\nname = "all"\ntable = "owners"\nrows = 30\n')

    async with _without_temporary_tables(url, "SELECT, INSERT, UPDATE") as poor:
        first = await bootstrap.seed(poor, datasets=seeds)
        second = await bootstrap.seed(poor, datasets=seeds)

    assert [(60, 0, 0), (0, 0, 60)] == [_counts(first), _counts(second)]
    assert ["owners"] == merges  # which was empty


@pytest.mark.parametrize("backend_name", ["postgresql", "mysql", "mariadb"], indirect=True)
async def test_a_right_that_is_missing_in_one_transaction_for_all_is_no_fault_of_rows(
    url: str, seeds: Path, merges: list[str]
) -> None:
    (seeds / "manifest.toml").write_text('[[checks]]\nname = "all"\ntable = "owners"\nrows = 30\n')

    async with _without_temporary_tables(url, "SELECT") as poor:
        with pytest.raises(bootstrap.DatabaseError) as refused:
            await bootstrap.seed(poor, datasets=seeds)

    assert "cannot seed" in refused.value.message
    assert "refused these rows" not in refused.value.message
    assert set() == await _all(url, _OWNERS.c.email)


@asynccontextmanager
async def _without_temporary_tables(url: str, rights: str) -> AsyncIterator[str]:
    """An account that has these rights on all tables, and not that to make temporary ones."""
    database = bootstrap.Database.of(url)
    grants = [f"GRANT {rights} ON {database.name}.*"]
    if database.backend.name == "postgresql":
        await executed(url, f"REVOKE TEMPORARY ON DATABASE {database.name} FROM PUBLIC")
        grants = [
            f"GRANT {rights} ON ALL TABLES IN SCHEMA public",
            "GRANT ALL ON ALL SEQUENCES IN SCHEMA public",
        ]
    async with poor_account(url, *grants) as poor:
        yield poor

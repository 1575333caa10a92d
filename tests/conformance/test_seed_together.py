"""Several data sets as one: order, circles, environments, manifests, checks, pruning, dry runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import permutations
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    insert,
    select,
)

import bootstrap
from bootstrap.types import ExactString

_METADATA = MetaData()
_TEAMS = Table(
    "teams",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", ExactString(50), nullable=False, unique=True),
    Column("lead_id", Integer, ForeignKey("people.id", name="fk_teams_lead")),
)
_PEOPLE = Table(
    "people",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("email", ExactString(100), nullable=False, unique=True),
    Column("name", ExactString(50)),
    Column("team_id", Integer, ForeignKey("teams.id", name="fk_people_team")),
    Column("boss_id", Integer, ForeignKey("people.id", name="fk_people_boss")),
)
_BOOKS = Table(
    "books",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("title", ExactString(100), nullable=False),
    Column(
        "author_id",
        Integer,
        ForeignKey("people.id", name="fk_books_author", ondelete="CASCADE"),
        nullable=False,
    ),
)
_STRICT = MetaData()
_HENS = Table(
    "hens",
    _STRICT,
    Column("id", Integer, primary_key=True),
    Column("name", ExactString(20), nullable=False),
    Column("egg_id", Integer, ForeignKey("eggs.id", name="fk_hens"), nullable=False),
)
_EGGS = Table(
    "eggs",
    _STRICT,
    Column("id", Integer, primary_key=True),
    Column("name", ExactString(20), nullable=False),
    Column("hen_id", Integer, ForeignKey("hens.id", name="fk_eggs"), nullable=False),
)


async def _create(url: str, metadata: MetaData) -> None:
    # Of a copy: SQLAlchemy remembers which foreign keys of a circle it once added by ALTER TABLE.
    copy = MetaData()
    for table in metadata.tables.values():
        table.to_metadata(copy)
    async with bootstrap.Database.of(url).connect() as connection:
        await connection.run_sync(copy.create_all)
        await connection.commit()


@pytest.fixture
async def url(empty_url: str) -> str:
    """A database with the three tables of these tests."""
    await _create(empty_url, _METADATA)
    return empty_url


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """A folder for data sets."""
    folder = tmp_path / "seeds"
    folder.mkdir()
    return folder


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(content), encoding="utf-8")


async def _rows(url: str, table: Table, *columns: str) -> set[tuple[Any, ...]]:
    query = select(*(table.c[name] for name in columns))
    async with bootstrap.Database.of(url).connect() as connection:
        return {tuple(row) for row in await connection.execute(query)}


async def _refused(url: str, folder: Path, **options: Any) -> bootstrap.SeedError:
    with pytest.raises(bootstrap.SeedError) as refused:
        await bootstrap.seed(url, datasets=folder, **options)
    return refused.value


async def _bosses(url: str) -> set[tuple[str, str | None]]:
    boss = _PEOPLE.alias()
    query = select(_PEOPLE.c.email, boss.c.email).outerjoin_from(
        _PEOPLE, boss, boss.c.id == _PEOPLE.c.boss_id
    )
    async with bootstrap.Database.of(url).connect() as connection:
        return {(row[0], row[1]) for row in await connection.execute(query)}


_FILES = {
    "books.csv": "title (key),author_id.email (key)\nOne,ada@x\nTwo,bob@x\n",
    "people.csv": "email (key),team_id.name,boss_id.email\nbob@x,red,ada@x\nada@x,,\n",
    "more.yaml": "table: people\nkey: email\nrows: [{email: eve@x, boss_id: {email: bob@x}}]\n",
    "teams.csv": "name (key)\nred\n",
}


async def test_the_order_of_files_does_not_matter(url: str, seeds: Path) -> None:
    _write(seeds, _FILES)
    found = set()

    for names in permutations(_FILES):
        report = await bootstrap.seed(url, datasets=[seeds / one for one in names], dry_run=True)
        found.add(frozenset((one.data_set, one.line) for one in report.differences))
    last = sorted(_FILES, reverse=True)
    await bootstrap.seed(url, datasets=[seeds / one for one in last])

    assert {frozenset([(name, line) for name, line in _LINES])} == found
    assert {("ada@x", None), ("bob@x", "ada@x"), ("eve@x", "bob@x")} == await _bosses(url)


_LINES = [
    ("books.csv", 2),
    ("books.csv", 3),
    ("people.csv", 2),
    ("people.csv", 3),
    ("more.yaml", 3),
    ("teams.csv", 2),
]


async def test_parents_of_the_same_file_may_come_later(url: str, seeds: Path) -> None:
    rows = "".join(f"p{number},p{number + 1}\n" for number in range(20))
    _write(seeds, {"people.csv": f"email (key),boss_id.email\n{rows}p20,\n"})

    first = await bootstrap.seed(url, datasets=seeds)
    second = await bootstrap.seed(url, datasets=seeds)

    assert (21, 0) == (first.inserted, second.changed)
    assert ("p0", "p1") in await _bosses(url)


async def test_a_circle_is_opened_where_a_column_may_be_null(url: str, seeds: Path) -> None:
    files = {
        "people.csv": "email (key),team_id.name,boss_id.email\nada@x,red,bob@x\nbob@x,red,ada@x\n",
        "teams.csv": "name (key),lead_id.email\nred,ada@x\n",
    }
    _write(seeds, files)

    first = await bootstrap.seed(url, datasets=seeds)
    second = await bootstrap.seed(url, datasets=seeds)

    assert (3, 0, 0) == (first.inserted, first.updated, first.unchanged)
    assert (0, 3) == (second.changed, second.unchanged)
    assert {("ada@x", "bob@x"), ("bob@x", "ada@x")} == await _bosses(url)
    assert all(lead for _, lead in await _rows(url, _TEAMS, "name", "lead_id"))


@pytest.mark.parametrize("boss", ["7", "{id: 7}", "{email: ada@x}"])
async def test_a_row_may_refer_to_itself(url: str, seeds: Path, boss: str) -> None:
    row = f"{{id: 7, email: ada@x, boss_id: {boss}}}"
    _write(seeds, {"people.yaml": f"table: people\nkey: id\nrows: [{row}]\n"})

    first = await bootstrap.seed(url, datasets=seeds)
    second = await bootstrap.seed(url, datasets=seeds)

    assert (1, 0, 1) == (first.inserted, second.changed, second.unchanged)
    assert {("ada@x", "ada@x")} == await _bosses(url)


async def test_a_circle_that_cannot_be_opened_is_named(empty_url: str, seeds: Path) -> None:
    await _create(empty_url, _STRICT)
    _write(
        seeds,
        {
            "eggs.csv": "name (key),hen_id.name\ne,h\n",
            "hens.csv": "name (key),egg_id.name\nh,e\n",
        },
    )

    error = await _refused(empty_url, seeds)

    assert error.message.startswith(f"{seeds / 'eggs.csv'}:2: data sets need each other")
    assert f"{seeds / 'hens.csv'}:2 (egg_id) needs eggs.csv" in error.message
    assert set() == await _rows(empty_url, _HENS, "id") | await _rows(empty_url, _EGGS, "id")


@pytest.mark.parametrize(
    ("files", "place", "said"),
    [
        (
            {"books.csv": "title (key),author_id.email\nOne,nobody@x\n"},
            "books.csv:2",
            "no row of people has this email",
        ),
        (
            {
                "books.csv": "title (key),author_id.name\nOne,Ada\n",
                "people.csv": "email (key),name\na@x,Ada\nb@x,Ada\n",
            },
            "books.csv:2",
            "2 rows of people have this name",
        ),
        (
            {"a.csv": "email (key)\na@x\n", "b.csv": "email (key)\nb@x\na@x\n"},
            "b.csv:3",
            "the same natural key (email) as ",
        ),
    ],
    ids=["none", "several", "twice"],
)
async def test_what_can_be_known_is_said_before_anything_is_written(
    url: str, seeds: Path, files: Mapping[str, str], place: str, said: str
) -> None:
    named = '[files."a.csv"]\ntable = "people"\n[files."b.csv"]\ntable = "people"\n'
    manifest = {"manifest.toml": named} if "a.csv" in files else {}
    _write(seeds, {"teams.csv": "name (key)\nred\n", **files, **manifest})

    error = await _refused(url, seeds)

    assert error.message.startswith(f"{seeds / place}: ")
    assert said in error.message
    assert set() == await _rows(url, _TEAMS, "name")


@pytest.mark.parametrize("names", [("1.yaml", "2.yaml"), ("1.yaml", "dev/2.yaml")])
async def test_rows_that_turn_out_to_be_one_are_refused(
    url: str, seeds: Path, names: tuple[str, str]
) -> None:
    head = "table: books\nkey: [title, author_id]\nrows:\n"
    _write(
        seeds,
        {
            "people.csv": "email (key),name\nada@x,Ada\n",
            names[0]: head + "  - {title: One, author_id: {email: ada@x}}\n",
            names[1]: head + "  - {title: One, author_id: {name: Ada}}\n",
        },
    )
    environment = "dev" if "dev/2.yaml" in names else None

    error = await _refused(url, seeds, environment=environment)

    assert error.message == (
        f"{seeds / names[1]}:4: this row has the same natural key (title, author_id)"
        f" as {seeds / names[0]}:4"
    )


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_what_is_refused_at_the_end_of_one_transaction_is_no_defect(
    empty_url: str, seeds: Path
) -> None:
    metadata = MetaData()
    Table("late", metadata, Column("id", Integer, primary_key=True), Column("who", Integer, _LATE))
    await _create(empty_url, metadata)
    check = '[[checks]]\nname = "one"\ntable = "late"\nrows = 1\n'
    _write(seeds, {"late.csv": "id (key),who\n1,4711\n", "manifest.toml": check})

    error = await _refused(empty_url, seeds)

    assert error.message.startswith("the database refused what was written, at its end (23503: ")


_LATE = ForeignKey("late.id", deferrable=True, initially="DEFERRED")


async def test_a_manifest_gives_tables_keys_and_an_order(url: str, seeds: Path) -> None:
    _write(
        seeds,
        {
            "manifest.toml": """\
                order = ["z.csv", "a.yaml"]
                [files."z.csv"]
                table = "teams"
                [tables]
                teams.key = "name"
                people.key = ["email"]
                """,
            "z.csv": "name\nred\n",
            "a.yaml": "table: people\nrows: [{email: ada@x, team_id: {name: red}}]\n",
        },
    )

    report = await bootstrap.seed(url, datasets=seeds)
    alone = await bootstrap.seed(url, datasets=seeds / "z.csv")

    assert ["z.csv", "a.yaml"] == [one.data_set for one in report.data_sets]
    assert (2, 1) == (report.inserted, alone.unchanged)


async def test_an_order_that_foreign_keys_forbid_is_named(empty_url: str, seeds: Path) -> None:
    await _create(empty_url, _METADATA)
    manifest = 'order = ["books.csv", "people.csv"]'
    _write(seeds, {"manifest.toml": manifest, **_FILES})

    error = await _refused(empty_url, seeds)

    assert f"{seeds / 'books.csv'}:2 (author_id) needs people.csv" in error.message
    assert f"{seeds / 'people.csv'} comes after books.csv by the manifest" in error.message


_BASE = {
    "people.csv": "email (key),name\nada@x,Ada\nbob@x,Bob\n",
    "dev/people.yaml": """\
        table: people
        key: email
        rows:
          - {email: ada@x, name: Dev}
          - {email: dev@x}
        """,
    "prod/people.csv": "email (key)\nroot@x\n",
}


async def test_an_environment_adds_rows_and_goes_over_others(url: str, seeds: Path) -> None:
    _write(seeds, _BASE)

    report = await bootstrap.seed(url, datasets=seeds, environment="dev")

    assert {("ada@x", "Dev"), ("bob@x", "Bob"), ("dev@x", None)} == await _rows(
        url, _PEOPLE, "email", "name"
    )
    assert ("dev", 3) == (report.environment, report.inserted)
    again = await bootstrap.seed(url, datasets=seeds, environment="dev")
    assert (0, 3) == (again.changed, again.unchanged)


async def test_without_an_environment_there_are_the_rows_of_all(url: str, seeds: Path) -> None:
    _write(seeds, _BASE)

    await bootstrap.seed(url, datasets=seeds)

    assert {("ada@x", "Ada"), ("bob@x", "Bob")} == await _rows(url, _PEOPLE, "email", "name")


async def test_a_manifest_says_what_an_environment_is_made_of(url: str, seeds: Path) -> None:
    environments = '[environments]\nstage = ["dev", "stage.csv"]\n'
    table = '[files."more/stage.csv"]\ntable = "people"\n'
    stage = {"more/stage.csv": "email (key),name\nada@x,Stage\n"}
    listed = environments.replace("stage.csv", "more") + table
    _write(seeds, {**_BASE, **stage, "manifest.toml": listed})

    await bootstrap.seed(url, datasets=seeds, environment="stage")

    named = {("ada@x", "Stage"), ("bob@x", "Bob"), ("dev@x", None)}
    assert named == await _rows(url, _PEOPLE, "email", "name")


async def test_an_unknown_environment_is_refused_with_the_known_ones(url: str, seeds: Path) -> None:
    _write(seeds, _BASE)

    with pytest.raises(bootstrap.SettingsError, match="no data sets are for the environment") as no:
        await bootstrap.seed(url, datasets=seeds, environment="stage")

    assert "known are dev, prod" == no.value.hint
    assert set() == await _rows(url, _PEOPLE, "email")


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ('table = "people"\nrows = 3', "does not hold: people has 2 rows, and not 3"),
        (
            "query = \"SELECT 1 FROM people WHERE email LIKE 'a%' AND name <> ':x'\"",
            "does not hold: its query gives rows",
        ),
        ('query = "SELECT 1 FROM peopel"', "cannot be asked ("),
        ("query = \"DELETE FROM people WHERE email = 'ada@x'\"", "cannot be asked ("),
    ],
    ids=["rows", "query", "broken", "no query"],
)
async def test_a_check_that_does_not_hold_undoes_everything(
    url: str, seeds: Path, check: str, said: str
) -> None:
    manifest = f'[[checks]]\nname = "two of them"\n{check}\n'
    _write(seeds, {**_BASE, "manifest.toml": manifest})

    error = await _refused(url, seeds)

    assert error.message.startswith(f"{seeds / 'manifest.toml'}: the check 'two of them' {said}")
    assert set() == await _rows(url, _PEOPLE, "email")


async def test_checks_that_hold_let_it_be(url: str, seeds: Path) -> None:
    manifest = """\
        [[checks]]
        name = "two of them"
        table = "people"
        rows = 2
        [[checks]]
        name = "each has a name"
        query = "SELECT email FROM people WHERE name IS NULL"
        [[checks]]
        name = "elsewhere"
        table = "people"
        rows = 17
        environments = ["prod"]
        """
    _write(seeds, {**_BASE, "manifest.toml": manifest})

    report = await bootstrap.seed(url, datasets=seeds)

    assert 2 == report.inserted
    assert 2 == len(await _rows(url, _PEOPLE, "email"))


async def test_in_one_transaction_the_refused_row_is_named_too(url: str, seeds: Path) -> None:
    files = {
        "people.csv": "email (key),name\nada@x,Ada\n",
        "teams.csv": "id (key),name\n1,red\n2,blue\n3,red\n",
        "manifest.toml": '[[checks]]\nname = "x"\ntable = "teams"\nrows = 3\n',
    }
    _write(seeds, files)

    error = await _refused(url, seeds)

    assert error.message.startswith(f"{seeds / 'teams.csv'}:4: the database refused this row of ")
    assert set() == await _rows(url, _PEOPLE, "email")


async def _add(url: str, table: Table, **values: Any) -> None:
    async with bootstrap.Database.of(url).connect() as connection:
        await connection.execute(insert(table), values)
        await connection.commit()


_PRUNED = {
    "manifest.toml": "[tables.people]\nprune = true\n[tables.books]\nprune = true\n",
    "people.csv": "email (key),name\nada@x,Ada\n",
    "books.csv": "title (key),author_id.email (key)\nOne,ada@x\n",
}


async def _with_more(url: str, seeds: Path) -> None:
    _write(seeds, _PRUNED)
    await bootstrap.seed(url, datasets=seeds)
    await _add(url, _PEOPLE, id=50, email="old@x", name="Old")
    await _add(url, _PEOPLE, id=51, email="older@x", boss_id=50)
    await _add(url, _PEOPLE, id=52, email="oldest@x", boss_id=51)
    await _add(url, _BOOKS, title="Gone", author_id=51)


async def test_pruning_deletes_what_no_data_set_has(url: str, seeds: Path) -> None:
    await _with_more(url, seeds)
    kept = await bootstrap.seed(url, datasets=seeds)

    looked = await bootstrap.seed(url, datasets=seeds, prune=True, dry_run=True)
    assert 4 == len(await _rows(url, _PEOPLE, "email"))
    report = await bootstrap.seed(url, datasets=seeds, prune=True)
    again = await bootstrap.seed(url, datasets=seeds, prune=True)

    assert ({"books": 1, "people": 3}, 2) == (
        {one.table: one.deleted for one in report.pruned},
        report.unchanged,
    )
    assert looked.pruned == report.pruned
    assert {"old@x", "older@x", "oldest@x"} == {
        one.key["email"] for one in looked.differences if one.table == "people"
    }
    assert (0, 0) == (kept.deleted, again.deleted)
    assert {("ada@x",)} == await _rows(url, _PEOPLE, "email")
    assert {("One",)} == await _rows(url, _BOOKS, "title")


async def test_rows_to_which_others_refer_are_not_deleted(url: str, seeds: Path) -> None:
    await _with_more(url, seeds)

    error = await _refused(url, seeds, prune=["people"])

    assert "1 row of books refers to them (author_id)" in error.message
    assert 4 == len(await _rows(url, _PEOPLE, "email"))
    assert 2 == len(await _rows(url, _BOOKS, "title"))


async def test_nothing_is_pruned_that_no_manifest_allows(url: str, seeds: Path) -> None:
    _write(seeds, _BASE)

    error = await _refused(url, seeds, prune=True)
    other = await _refused(url, seeds, prune=["book"])

    assert "no manifest says of which tables rows may be deleted" == error.message
    assert other.message.startswith("no data set has rows of 'book'")
    assert set() == await _rows(url, _PEOPLE, "email")


async def test_a_dry_run_shows_what_differs_and_writes_nothing(url: str, seeds: Path) -> None:
    _write(seeds, {**_FILES, "teams.csv": "name (key),lead_id.email\nred,ada@x\n"})
    await _add(url, _PEOPLE, email="ada@x", name="Ada")

    looked = await bootstrap.seed(url, datasets=seeds, dry_run=True)
    before = await _rows(url, _PEOPLE, "email")
    report = await bootstrap.seed(url, datasets=seeds)

    assert looked.dry_run
    assert {("ada@x",)} == before
    assert (looked.inserted, looked.updated) == (report.inserted, report.updated)
    (book,) = [one for one in looked.differences if (one.data_set, one.line) == ("books.csv", 2)]
    assert {"title": "One", "author_id.email": "ada@x"} == book.key
    assert ("title", "author_id") == book.columns
    assert () == report.differences


async def test_a_dry_run_in_a_transaction_of_the_program_leaves_it_as_it_was(
    url: str, seeds: Path
) -> None:
    _write(seeds, _BASE)
    async with bootstrap.Database.of(url).connect() as connection:
        await connection.execute(insert(_TEAMS), {"name": "mine"})

        looked = await bootstrap.seed(connection, datasets=seeds, dry_run=True)
        await connection.commit()

    assert 2 == looked.inserted
    assert {("mine",)} == await _rows(url, _TEAMS, "name")
    assert set() == await _rows(url, _PEOPLE, "email")


async def test_values_come_from_the_environment_and_from_files(
    url: str, seeds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_EMAIL", "root@x")
    _write(
        seeds,
        {
            "people.yaml": """\
                table: people
                key: email
                rows:
                  - {email: {env: APP_EMAIL}, name: {file: secrets/name}}
                  - {email: eve@x, boss_id: {email: {env: APP_EMAIL}}}
                """,
            "secrets/name": "Geheim\n",
        },
    )

    looked = await bootstrap.seed(url, datasets=seeds, dry_run=True)
    await bootstrap.seed(url, datasets=seeds)

    assert {("root@x", "Geheim"), ("eve@x", None)} == await _rows(url, _PEOPLE, "email", "name")
    assert [{"email": "***"}, {"email": "eve@x"}] == [one.key for one in looked.differences]
    assert {("root@x", None), ("eve@x", "root@x")} == await _bosses(url)


@pytest.mark.parametrize("backend_name", ["postgresql", "mysql", "mariadb"], indirect=True)
async def test_no_message_of_the_database_shows_a_secret(
    url: str, seeds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_TEAM", "geheim")
    _write(
        seeds,
        {
            "teams.yaml": """\
                table: teams
                key: id
                rows: [{id: 1, name: {env: APP_TEAM}}, {id: 2, name: {env: APP_TEAM}}]
                """
        },
    )

    error = await _refused(url, seeds)

    assert "the database refused this row of teams" in error.message
    assert "geheim" not in f"{error.message} {error.hint} {error!r} {error.__context__!r}"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{env: NOT_SET}", "name has its value in the variable NOT_SET, which is not set"),
        ("{file: absent}", "name has its value in the file absent, which cannot be read: No such"),
        ("{env: null}", "name must name a variable of the environment"),
        ("{argon2: {env: NOT_SET}}", "name has its value in the variable NOT_SET"),
    ],
)
async def test_a_value_that_is_not_there_is_named_with_its_line(
    url: str, seeds: Path, value: str, said: str
) -> None:
    rows = f"  - {{email: a@x, name: a}}\n  - {{email: b@x, name: {value}}}\n"
    _write(seeds, {"people.yaml": f"table: people\nkey: email\nrows:\n{rows}"})

    error = await _refused(url, seeds)

    assert error.message.startswith(f"{seeds / 'people.yaml'}:5: {said}")
    assert set() == await _rows(url, _PEOPLE, "email")


@pytest.mark.parametrize("backend_name", ["postgresql", "mysql", "mariadb"], indirect=True)
@pytest.mark.parametrize(
    ("column", "largest"), [("id", 2**31 - 1), ("small", 2**15 - 1), ("big", 2**63 - 1)]
)
async def test_a_number_out_of_the_range_of_its_column_is_refused(
    empty_url: str, seeds: Path, column: str, largest: int
) -> None:
    metadata = MetaData()
    small, big = Column("small", SmallInteger), Column("big", BigInteger)
    numbers = Table("numbers", metadata, Column("id", Integer, primary_key=True), small, big)
    await _create(empty_url, metadata)
    filled = ",".join(str(largest if name == column else 1) for name in ("id", "small", "big"))
    _write(seeds, {"numbers.csv": f"id (key),small,big\n{filled}\n"})
    await bootstrap.seed(empty_url, datasets=seeds)
    more = filled.replace(str(largest), str(largest + 1))
    _write(seeds, {"numbers.csv": f"id (key),small,big\n{filled}\n{more}\n"})

    error = await _refused(empty_url, seeds)

    said = f"{column} must be a whole number from {-largest - 1} to {largest}"
    assert f"{seeds / 'numbers.csv'}:3: {said}" == error.message
    assert 1 == len(await _rows(empty_url, numbers, "id"))


_NAME = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
_PERSON = st.fixed_dictionaries({}, optional={"name": _NAME, "boss": st.integers(0, 5)})


def test_seeding_twice_is_seeding_once(url: str, tmp_path: Path) -> None:
    import json

    path = tmp_path / "people.json"

    @settings(
        max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    @given(st.dictionaries(st.integers(0, 5), _PERSON, min_size=6, max_size=6))
    def check(people: dict[int, dict[str, Any]]) -> None:
        rows = [
            {"email": f"p{number}"}
            | ({"name": one["name"]} if "name" in one else {})
            | ({"boss_id": {"email": f"p{one['boss']}"}} if "boss" in one else {})
            for number, one in people.items()
        ]
        path.write_text(json.dumps({"table": "people", "key": "email", "rows": rows}))

        async def twice() -> tuple[int, int]:
            await bootstrap.seed(url, datasets=path)
            once = await _rows(url, _PEOPLE, "email", "name", "boss_id")
            again = await bootstrap.seed(url, datasets=path)
            assert once == await _rows(url, _PEOPLE, "email", "name", "boss_id")
            return again.changed, again.unchanged

        assert (0, 6) == asyncio.run(twice())

    check()

"""`verify --probe`: schemas that are declared alike and act differently are found and explained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import text

import bootstrap
from bootstrap.checking.differences import Comparison, Difference
from bootstrap.checking.verifying import VerifyReport
from bootstrap.database import Database
from bootstrap.probing.asking import answers
from bootstrap.probing.plan import planned
from bootstrap.project import Project
from tests import available
from tests.available import Servers
from tests.conformance.test_verify import REFERENCE, urls_of
from tests.projects import new_project

SERVERS = frozenset({"PostgreSQL", "MySQL", "MariaDB"})
ALL = SERVERS | {"SQLite"}
ON_MYSQL = "if op.get_context().dialect.name == 'mysql' and not op.get_bind().dialect.is_mariadb:\n"
ID = "sa.Column('id', sa.Integer, primary_key=True, autoincrement=False), "


def table(name: str, columns: str) -> str:
    return f"op.create_table('{name}', {ID}{columns})\n"


# What a table is declared with, and what must be found: the object, the cause, and what each says.
CORPUS: Mapping[str, tuple[str, tuple[str, str], Mapping[str, str]]] = {
    "a collation that ignores case, for a unique value": (
        table("people", "sa.Column('name', sa.String(20), unique=True)"),
        ("people.name", "collation"),
        {
            "PostgreSQL": "'row' and 'ROW', 'row' and 'row ', 'e' and 'é', 'é' and the same as two "
            "characters: accepted",
            "MySQL": "'row' and 'ROW', 'e' and 'é', 'é' and the same as two characters: "
            "refused (unique); 'row' and 'row ': accepted",
            "MariaDB": "'row' and 'ROW', 'row' and 'row ', 'e' and 'é': refused (unique); "
            "'é' and the same as two characters: accepted",
        },
    ),
    "a collation that takes a text for its twin in normal form D": (
        table("places", "sa.Column('name', sa.String(20))"),
        ("places.name", "collation"),
        {
            "PostgreSQL": "'é' and the same as two characters: different",
            "MySQL": "'é' and the same as two characters: the same",
        },
    ),
    "a collation that pads": (
        table("tags", "sa.Column('name', sa.String(20))"),
        ("tags.name", "collation"),
        {
            "PostgreSQL": "'row' and 'row ', 'e' and 'é', 'é' and the same as two characters: "
            "different",
            "MySQL": "'row' and 'row ': different",
            "MariaDB": "'row' and 'ROW', 'row' and 'row ', 'e' and 'é': the same",
        },
    ),
    "a CHAR that is padded": (
        table("countries", "sa.Column('code', sa.CHAR(4))"),
        ("countries.code", "padding"),
        {
            "SQLite": "a space at the end: kept",
            "PostgreSQL": "a space at the end: becomes 'a   '",
            "MySQL": "a space at the end: cut",
            "MariaDB": "a space at the end: cut",
        },
    ),
    "a length that is not checked": (
        table("cities", "sa.Column('name', sa.String(10))"),
        ("cities.name", "length"),
        {
            "SQLite": "the longest and one more, the longest and a space: kept",
            **dict.fromkeys(SERVERS, "the longest and one more: refused (too long)"),
        },
    ),
    "a TEXT that ends at 64 KiB": (
        table("notes", "sa.Column('body', sa.Text)"),
        ("notes.body", "length"),
        {
            "SQLite": "the longest and one more, the longest and a space: kept",
            "PostgreSQL": "the longest and one more, the longest and a space: kept",
            "MySQL": "the longest and one more: refused (too long)",
            "MariaDB": "the longest and one more: refused (too long)",
        },
    ),
    "decimals beyond the scale": (
        table("prices", "sa.Column('amount', sa.Numeric(8, 2))"),
        ("prices.amount", "scale"),
        {
            "SQLite": "half of 0.01: kept",
            **dict.fromkeys(SERVERS, "half of 0.01: becomes 0.01"),
        },
    ),
    "more digits than a double holds": (
        table("masses", "sa.Column('amount', sa.Numeric(30, 10))"),
        ("masses.amount", "precision"),
        {
            "SQLite": "the largest of 30 digits: becomes 100000000000000000000",
            **dict.fromkeys(SERVERS, "the largest of 30 digits: kept"),
        },
    ),
    "an integer that has 64 bits": (
        table("counts", "sa.Column('number', sa.Integer)"),
        ("counts.number", "range"),
        {
            "SQLite": "2147483648, -2147483649: kept",
            **dict.fromkeys(SERVERS, "2147483648, -2147483649: refused (out of range)"),
        },
    ),
    "an integer that takes a text": (
        table("amounts", "sa.Column('number', sa.Integer)"),
        ("amounts.number", "type"),
        {"SQLite": "1.5, a text: kept", **dict.fromkeys(SERVERS, "a text: refused (invalid)")},
    ),
    "an offset from UTC": (
        table("visits", "sa.Column('at', sa.DateTime(timezone=True))"),
        ("visits.at", "time zone"),
        {
            "SQLite": "an offset of +05:30: kept",
            "PostgreSQL": "an offset of +05:30: becomes 2026-07-01 06:30:00",
            "MySQL": "an offset of +05:30: becomes 2026-07-01 06:30:00",
            "MariaDB": "an offset of +05:30: refused (invalid)",
        },
    ),
    "fractions of a second": (
        table("events", "sa.Column('at', sa.DateTime)"),
        ("events.at", "fraction"),
        {
            "SQLite": "microseconds: kept",
            "PostgreSQL": "microseconds: kept",
            "MySQL": "microseconds: cut",
            "MariaDB": "microseconds: cut",
        },
    ),
    "a day that is in no calendar": (
        table("days", "sa.Column('day', sa.Date)"),
        ("days.day", "type"),
        {
            "SQLite": "30 February, a date with a time: kept",
            "PostgreSQL": "30 February: refused (out of range)",
        },
    ),
    "a float of single precision": (
        table("sizes", "sa.Column('size', sa.Float)"),
        ("sizes.size", "precision"),
        {"PostgreSQL": "17 digits: kept", "MySQL": "17 digits: becomes 0.123457"},
    ),
    "NaN": (
        table("rates", "sa.Column('rate', sa.Double)"),
        ("rates.rate", "not finite"),
        {
            "PostgreSQL": "NaN, Infinity: kept",
            "SQLite": "NaN: becomes NULL; Infinity: kept",
            "MySQL": "NaN, Infinity: refused (invalid)",
        },
    ),
    "a boolean of 2": (
        table("flags", "sa.Column('flag', sa.Boolean)"),
        ("flags.flag", "type"),
        {
            "SQLite": "2: kept",
            "PostgreSQL": "2: refused (invalid)",
            "MySQL": "2: kept",
            "MariaDB": "2: kept",
        },
    ),
    "a check that one server ignores": (
        table("ages", "sa.Column('age', sa.Integer), sa.CheckConstraint('age >= 0', 'ck_age')")
        + ON_MYSQL
        + "    op.execute('ALTER TABLE ages ALTER CHECK ck_age NOT ENFORCED')\n",
        ("ages.ck_age", "enforced"),
        {
            "MySQL": "age -1: accepted",
            **dict.fromkeys(ALL - {"MySQL"}, "age -1: refused (check)"),
        },
    ),
    "an enum that is a text": (
        table("states", "sa.Column('state', sa.Enum('open', 'shut', name='state'))"),
        ("states.state", "values"),
        {
            "SQLite": "a case twin, a value that is not in the list, the empty string: kept",
            "PostgreSQL": "a case twin, a value that is not in the list, the empty string: "
            "refused (invalid)",
            "MySQL": "a case twin: becomes 'open'; a value that is not in the list, the empty "
            "string: refused (invalid)",
        },
    ),
    "an enum that is left out": (
        table("moods", "sa.Column('mood', sa.Enum('good', 'bad', name='mood'), nullable=False)"),
        ("moods.mood", "default"),
        {
            "MySQL": "left out: becomes 'good'",
            "PostgreSQL": "left out: refused (not null)",
        },
    ),
    "JSON that is a text": (
        table("documents", "sa.Column('content', sa.JSON)"),
        ("documents.content", "json"),
        {
            "PostgreSQL": "twin keys",
            "MySQL": 'twin keys: becomes {"a": 2}; order of keys: becomes {"a": 2, "b": 1}',
        },
    ),
    "bytes that are padded": (
        "from sqlalchemy.dialects import mysql\n"
        + table(
            "keys", "sa.Column('key', sa.LargeBinary().with_variant(mysql.BINARY(4), 'mysql'))"
        ),
        ("keys.key", "bytes"),
        {
            "PostgreSQL": "bytes that are no UTF-8: kept",
            "MySQL": "bytes that are no UTF-8: becomes ff00fe00",
        },
    ),
    "rows that follow the deleted one": (
        table("parents", "sa.Column('name', sa.String(20))")
        + "follows = 'CASCADE' if op.get_context().dialect.name == 'sqlite' else 'SET NULL'\n"
        + table(
            "children",
            "sa.Column('parent', sa.Integer,"
            " sa.ForeignKey('parents.id', name='fk_parent', ondelete=follows))",
        ),
        ("children.fk_parent", "on delete"),
        {
            "SQLite": "the row that it refers to is deleted: the row is gone",
            **dict.fromkeys(SERVERS, "the row that it refers to is deleted: becomes NULL"),
        },
    ),
}


@pytest.fixture(scope="module")
def report(servers: Servers) -> Iterator[VerifyReport]:
    """The answers about all tables of the corpus, asked once."""
    with TemporaryDirectory() as name:
        folder = new_project(Path(name) / "project")
        folder.revision("one", down=None, upgrade="".join(step for step, _, _ in CORPUS.values()))
        yield available.without_loop(
            bootstrap.verify(
                project=folder.project,
                backends=("sqlite",),
                urls=urls_of(servers),
                models=False,
                probe=True,
            )
        )


def said(one: Difference) -> dict[str, str]:
    return {side.where.partition(" ")[0]: str(side.value) for side in one.sides}


@pytest.mark.parametrize("declared", list(CORPUS))
def test_what_is_declared_alike_and_acts_differently_is_found(
    report: VerifyReport, declared: str
) -> None:
    _, (about, cause), expected = CORPUS[declared]

    (found,) = [
        one
        for one in report.differences
        if one.comparison is Comparison.PROBE
        and (f"{one.table}.{one.name}", one.attribute) == (about, cause)
    ]

    answered = said(found)
    there = {server.name.partition(" ")[0] for server in report.servers}
    assert {} == {
        name: answered.get(name)
        for name, answer in expected.items()
        if name in there and answer not in answered.get(name, "")
    }
    assert found.why


async def test_the_reference_project_acts_alike_but_for_what_it_has_accepted(
    servers: Servers,
) -> None:
    project = Project.at(REFERENCE)

    report = await bootstrap.verify(
        project=project, backends=("sqlite",), urls=urls_of(servers), models=False, probe=True
    )

    found = {
        (f"{one.table}.{one.name}", one.attribute)
        for one in report.differences
        if one.comparison is Comparison.PROBE
    }
    assert report.is_clean, [one.title for one in report.open]
    assert () == report.unused
    assert report.probed is not None
    assert ("items", "users") == report.probed.tables
    assert [("users", "ck_users_created_at_time")] == [
        (one.table, one.name) for one in report.probed.not_probed
    ]
    assert {
        ("users.created_at", "time zone"),
        ("users.created_at", "type"),
        ("users.id", "type"),
        ("users.id", "numbering"),
        ("items.id", "type"),
        ("items.id", "numbering"),
        ("items.name", "length"),
        ("items.name", "characters"),
        ("items.price", "scale"),
        *(
            (f"users.{name}", cause)
            for name in ("email", "hashed_password", "name", "username")
            for cause in ("length", "characters")
        ),
    } == found


CIRCLE = """
op.create_table('hens', sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('egg', sa.Integer, nullable=False))
op.create_table('eggs', sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('hen', sa.Integer, sa.ForeignKey('hens.id'), nullable=False))
with op.batch_alter_table('hens') as batch:
    batch.create_foreign_key('fk_egg', 'eggs', ['egg'], ['id'])
op.create_table('nests', sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('hen', sa.Integer, sa.ForeignKey('hens.id')))
op.create_table('trees', sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('parent', sa.Integer, sa.ForeignKey('trees.id', ondelete='CASCADE')),
    sa.Column('root', sa.Integer, sa.ForeignKey('trees.id'), nullable=False))
op.create_table('odd', sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('name', sa.String(20), nullable=False),
    sa.CheckConstraint("coalesce(nullif(name, 'row-1'), '') = 'only this'", name='ck_only'))
"""


async def test_what_cannot_be_asked_is_said_with_its_reason(
    servers: Servers, tmp_path: Path
) -> None:
    folder = new_project(tmp_path / "project")
    folder.revision("one", down=None, upgrade=CIRCLE)

    report = await bootstrap.verify(
        project=folder.project,
        backends=("sqlite",),
        urls=urls_of(servers),
        models=False,
        probe=True,
    )

    assert report.probed is not None
    why = {f"{one.table}.{one.name}".strip("."): one.why for one in report.probed.not_probed}
    circle = "they need each other, and none may be NULL: "
    assert f"{circle}eggs → hens → eggs" == why["eggs"]
    assert f"{circle}hens → eggs → hens" == why["hens"]
    assert why["odd"].startswith("an ordinary row is refused (SQLite")
    assert why["odd"].count("refused (check)") == len(report.servers)
    assert "its condition is not understood" == why["odd.ck_only"]
    assert "there is no row of hens that could be deleted" == why["nests.(hen)"]
    assert ("nests", "trees") == report.probed.tables


async def test_nothing_of_it_remains(empty_url: str, backend_name: str, tmp_path: Path) -> None:
    folder = new_project(tmp_path / "project")
    rows = "op.execute(\"INSERT INTO people (id, name) VALUES (1, 'Ada'), (2, 'Bo')\")\n"
    people = table("people", "sa.Column('name', sa.String(20), unique=True)")
    folder.revision("one", down=None, upgrade=people + rows)
    await bootstrap.migrate(empty_url, project=folder.project)
    schema = (await bootstrap.snapshot(empty_url)).schema.without(["alembic_version"])
    plan = planned({"one": schema, "other": schema})
    database = Database.of(empty_url)

    answered = await answers(database, schema, plan)

    assert len(plan.tables[0].questions) == len(answered["people"]) > 10
    assert any(str(one) == "kept" for one in answered["people"])
    async with database.connect() as connection:
        found = await connection.execute(text("SELECT id, name FROM people ORDER BY id"))
        assert [(1, "Ada"), (2, "Bo")] == [tuple(row) for row in found]
    assert schema == (await bootstrap.snapshot(empty_url)).schema.without(["alembic_version"])


async def test_a_server_that_fails_lets_the_others_not_wait_for_it(
    servers: Servers, tmp_path: Path
) -> None:
    folder = new_project(tmp_path / "project")
    folder.revision(
        "one",
        down=None,
        upgrade="if op.get_context().dialect.name == 'sqlite': op.execute('SELECT wrong')",
    )

    with pytest.raises(bootstrap.StatementFailed, match="SQLite, upgrade"):
        await bootstrap.verify(
            project=folder.project,
            backends=("sqlite",),
            urls=urls_of(servers)[:1],
            models=False,
            probe=True,
        )

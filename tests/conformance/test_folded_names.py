"""A server for which `Things` and `things` are one table (lower_case_table_names = 1).

The value 2 belongs to file systems that fold names themselves, as on macOS; on others the servers
take 0 instead. What it leaves in the catalogue is compared as a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, text

import bootstrap
from bootstrap.checking.differences import Comparison
from bootstrap.database import Database
from bootstrap.schema.compare import compare
from bootstrap.schema.model import Column, ForeignKey, Schema, Table
from bootstrap.schema.types import Family, Type
from tests import available
from tests.available import Missing
from tests.conformance.test_run_lock import session_of
from tests.prepared import throwaway
from tests.projects import ProjectFolder, new_project

_MODELS = """
sa.Table("Things", metadata, sa.Column("id", sa.Integer, primary_key=True))
sa.Table(
    "Parts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("thing_id", sa.ForeignKey("Things.id"), index=True),
)
"""


@pytest.fixture(scope="module", params=["mysql", "mariadb"])
def folding_server(request: pytest.FixtureRequest) -> Iterator[URL]:
    """Where it answers."""
    found = available.look_for(request.param)
    if isinstance(found, Missing) or found.programs is None:
        complain = pytest.fail if request.param in available.required() else pytest.skip
        complain(f"the programs of {request.param} are missing")
    options = ("--lower-case-table-names=1",)
    server = throwaway(request.param, programs=found.programs, options=options)
    yield server.start().url
    server.stop()


@pytest.fixture
def url(folding_server: URL) -> Iterator[str]:
    """The URL of a database with capitals in its name, which the server keeps in small letters."""
    url = folding_server.set(database="Shop")
    available.create(url)
    yield url.render_as_string(hide_password=False)
    available.drop(url)


def project(root: Path) -> ProjectFolder:
    folder = new_project(root)
    folder.models(_MODELS)
    making = f"metadata = sa.MetaData()\n{_MODELS}\nmetadata.create_all(op.get_bind())"
    folder.revision("one", down=None, upgrade=making, downgrade="op.drop_table('Parts')")
    return folder


async def test_a_history_with_capitals_is_applied_once_and_read_back(
    url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path)
    first = await bootstrap.migrate(url, project=folder.project)
    again = await bootstrap.migrate(url, project=folder.project)
    schema = (await bootstrap.snapshot(url, leave_out=["PARTS"])).schema

    assert ["one"] == [step.revision for step in first.steps]
    assert () == again.steps
    assert schema.folds_names
    assert ["things"] == [table.name for table in schema.tables]


async def test_tables_are_found_by_whatever_letters_they_are_named_with(
    url: str, tmp_path: Path
) -> None:
    await bootstrap.migrate(url, project=project(tmp_path).project)
    database = Database.of(url)
    async with database.connect() as connection:
        catalog = database.present(connection.dialect).catalog
        named = await connection.run_sync(catalog.read, ["Things"])
        before = await connection.run_sync(catalog.fingerprint, ["Things"])
        await connection.execute(text("ALTER TABLE THINGS ADD COLUMN more INTEGER"))
        after = await connection.run_sync(catalog.fingerprint, ["Things"])

    assert ["things"] == [table.name for table in named.tables]
    assert before != after


async def test_verify_compares_it_with_a_backend_that_keeps_capitals(
    url: str, tmp_path: Path
) -> None:
    report = await bootstrap.verify(
        project=project(tmp_path).project, backends=["sqlite"], urls=[url], accepted=()
    )

    assert () == report.differences
    assert [("Parts", "Things"), ("parts", "things")] == [one.tables for one in report.servers]


async def test_a_difference_is_found_all_the_same(url: str, tmp_path: Path) -> None:
    folder = project(tmp_path)
    folder.models(_MODELS + 'metadata.tables["Things"].append_column(sa.Column("n", sa.Integer))')

    report = await bootstrap.verify(project=folder.project, urls=[url], accepted=())

    (found,) = report.differences
    assert (Comparison.MODELS, "column n of things") == (found.comparison, found.title)


async def test_there_is_one_lock_for_all_spellings_of_the_database(url: str) -> None:
    other_url = url.replace("Shop", "SHOP")
    first, second = await session_of(url), await session_of(other_url)

    try:
        assert [True, False] == [await first.acquire(), await second.acquire()]
    finally:
        await first.close()
        await second.close()


def test_names_kept_as_they_were_written_are_compared_without_regard_to_capitals() -> None:
    def schema(things: str, referred: str) -> Schema:
        column = Column(name="id", type=Type(family=Family.INTEGER, raw="int", bits=32))
        key = ForeignKey(columns=("id",), table=referred, references=("id",), name="fk")
        parts = Table(name="Parts", columns=(column,), foreign_keys=(key,))
        tables = (Table(name=things, columns=(column,)), parts)
        return Schema(backend="mysql", tables=tables, folds_names=True)

    assert () == compare(schema("Things", "things"), schema("THINGS", "Things"))

"""Every single change of the corpus is found, named, and nothing else."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import Connection

from bootstrap.database import Database
from bootstrap.schema.changes import Change, Kind
from bootstrap.schema.compare import compare
from bootstrap.schema.document import dumps, loads
from bootstrap.schema.model import Schema
from tests.conformance.corpus import CASES, Case, table
from tests.conformance.corpus.alembic_check import finds

# What Alembic finds is measured anew for some of them. `make test-full` does so for all.
EVERY = 1 if os.environ.get("BOOTSTRAP_TEST_CHANGES") == "all" else 6


def said(change: Change) -> str:
    """A change in the words of the corpus."""
    of = f" of {change.table}" if change.kind is not Kind.TABLE and change.table else ""
    name = change.table if change.kind is Kind.TABLE else change.name
    attribute = f": {change.attribute}" if change.attribute else ""
    return f"{change.action} {change.kind} {name}{of}{attribute}"


@pytest.mark.parametrize(
    ("backend_name", "case"),
    [pytest.param(case.backend, case, id=str(case)) for case in CASES],
    indirect=["backend_name"],
)
async def test_a_single_change_is_found_and_named(case: Case, empty_url: str) -> None:
    database = Database.of(empty_url)

    def read(connection: Connection) -> tuple[Schema, str]:
        catalog = database.backend.catalog
        return catalog.read(connection), catalog.fingerprint(connection)

    async with database.connect() as connection:
        for statement in case.setup:
            await connection.exec_driver_sql(statement)
        await connection.commit()
        before, fingerprint = await connection.run_sync(read)
        assert (before, fingerprint) == await connection.run_sync(read)
        for statement in case.change:
            await connection.exec_driver_sql(statement)
        await connection.commit()
        after, other_fingerprint = await connection.run_sync(read)

    changes = compare(before, after)
    assert list(case.expected) == sorted(said(change) for change in changes)
    assert case.name.startswith("nothing") or fingerprint != other_fingerprint
    assert all(change.why for change in changes)
    backwards = {change.inverse() for change in compare(after, before)}
    assert set(changes) == backwards
    assert () == compare(after, loads(dumps(after)))
    assert after == loads(dumps(after))


def test_the_table_beside_alembic_check_has_every_change_once() -> None:
    changes = [(case.backend, case.name) for case in table.changes(CASES)]

    assert sorted(changes) == sorted(table.documented())
    assert table.PAGE.read_text(encoding="utf-8") == table.page(table.documented())


@pytest.mark.parametrize(
    ("backend_name", "case"),
    [pytest.param(case.backend, case, id=str(case)) for case in table.changes(CASES)[::EVERY]],
    indirect=["backend_name"],
)
async def test_alembic_check_finds_what_the_table_says(case: Case, empty_url: str) -> None:
    if table.versions() not in table.PAGE.read_text(encoding="utf-8"):
        pytest.skip(f"the table was not measured with {table.versions()}")

    assert table.documented()[case.backend, case.name] == await finds(case, empty_url)

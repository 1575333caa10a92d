"""The SQL that `bootstrap drift` prints brings a database back, or it says what it does not."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

import bootstrap
from bootstrap import backends
from bootstrap.checking.acceptances import Acceptance
from bootstrap.checking.differences import from_history
from bootstrap.checking.restoring import Restoration, Restoring, Stand, stand
from bootstrap.checking.shadows import shadow_of
from bootstrap.database import Database
from tests.available import BACKENDS
from tests.conformance.corpus import CASES, Case, cases, table
from tests.conformance.test_drift import by_hand
from tests.projects import new_project, three_tables

# `make test-full` tries all of them.
EVERY = 1 if os.environ.get("BOOTSTRAP_TEST_CHANGES") == "all" else 8
SEEDS = range(int(os.environ.get("BOOTSTRAP_TEST_ORACLE_SEEDS", "1")))
# PostgreSQL puts each new column at the end of its table, and cannot move one.
_NO_STATEMENT = {
    ("postgresql", "drop a column"): ("table t: column order",),
    ("postgresql", "rename a column"): ("table t: column order",),
}


async def run(database: Database, statements: Sequence[str]) -> None:
    """Runs them as a client program does: each commits."""
    async with database.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT", no_parameters=True)
        for statement in statements:
            await connection.exec_driver_sql(statement)


async def apply(found: Restoration | None, live: Database) -> None:
    """Runs what was printed."""
    assert found is not None
    async with live.connect() as connection:
        known = live.present(connection.dialect).alterations
    await run(live, (*known.before, *(one.sql for one in found.statements), *known.after))


async def restored(live: Database, history: Stand, shadow: Database) -> Restoration:
    there = await stand(live)
    async with live.connect() as connection:
        backend = live.present(connection.dialect)
    restoring = Restoring(
        shadow=shadow,
        backend=backend,
        history=history,
        live=there,
        differences=from_history(history.schema, there.schema),
        left_out=(),
    )
    return await restoring.found()


@pytest.mark.parametrize(
    ("backend_name", "case"),
    [pytest.param(case.backend, case, id=str(case)) for case in table.changes(CASES)[4::EVERY]]
    if EVERY > 1
    else [pytest.param(case.backend, case, id=str(case)) for case in table.changes(CASES)],
    indirect=["backend_name"],
)
async def test_what_is_printed_undoes_a_single_change(case: Case, empty_url: str) -> None:
    live = Database.of(empty_url)
    await run(live, case.setup)
    history = await stand(live)
    async with shadow_of(live, history.schema, server_version="") as (shadow, _):
        await run(shadow, case.setup)
        await run(live, case.change)
        assert from_history(history.schema, (await stand(live)).schema)

        found = await restored(live, history, shadow)

    await apply(found, live)
    left = from_history(history.schema, (await stand(live)).schema)
    assert found.missing == tuple(one.title for one in left)
    assert _NO_STATEMENT.get((case.backend, case.name), ()) == found.missing


@pytest.mark.parametrize("seed", SEEDS)
async def test_of_several_changes_at_once_what_is_left_was_said(
    backend_name: str, empty_url: str, seed: int
) -> None:
    file = "mysql" if backend_name == "mariadb" else backend_name
    pool = cases(backend_name, file=file)
    live = Database.of(empty_url)
    await run(live, pool[0].setup)
    history = await stand(live)
    order = random.Random(f"{backend_name} {seed}")
    for case in order.sample(pool, 8):
        with suppress(DBAPIError):  # a change before it took away what this one needs
            await run(live, case.change)
    async with shadow_of(live, history.schema, server_version="") as (shadow, _):
        await run(shadow, pool[0].setup)
        found = await restored(live, history, shadow)

    await apply(found, live)

    left = [one.title for one in from_history(history.schema, (await stand(live)).schema)]
    assert list(found.missing) == left
    assert found.statements
    assert all(title.endswith(": column order") for title in left)


def test_the_table_in_the_docs_says_what_is_known_of_each_change() -> None:
    found = table.documented()
    lines = []
    for name in BACKENDS:
        changes = [case for case in table.changes(CASES) if case.backend == name]
        seen = sum(found[name, case.name] for case in changes)
        undone = sum((name, case.name) not in _NO_STATEMENT for case in changes)
        cells = (len(changes), len(changes), 0, seen, undone)
        lines.append(f"| {backends.named(name).title} | {' | '.join(map(str, cells))} |")

    assert "\n".join(lines) in (table.PAGE.parent / "drift.md").read_text(encoding="utf-8")


async def test_rows_survive_and_what_would_lose_some_is_marked(
    empty_url: str, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path)
    await bootstrap.migrate(empty_url, project=folder.project)
    await by_hand(
        empty_url,
        "INSERT INTO t_one (id) VALUES (7)",
        "ALTER TABLE t_one ADD COLUMN extra INTEGER",
        "DROP TABLE t_two",
        "CREATE TABLE by_hand (id INTEGER)",
    )

    report = await bootstrap.drift(empty_url, project=folder.project)
    found = report.restoration
    await apply(found, Database.of(empty_url))

    assert found is not None
    assert {"t_one", "by_hand"} == {one.table for one in found.statements if one.loses}
    assert "-- can lose rows or values of by_hand:" in found.script
    assert (await bootstrap.drift(empty_url, project=folder.project)).is_clean
    async with Database.of(empty_url).connect() as connection:
        rows = (await connection.exec_driver_sql("SELECT id FROM t_one")).all()
    assert [7] == [row[0] for row in rows]


async def test_what_was_accepted_of_a_table_stays_when_the_rest_is_taken_back(
    empty_url: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path)
    folder.revision(
        "one",
        down=None,
        upgrade="""
        op.create_table(
            't',
            sa.Column('id', sa.Integer, primary_key=True),
            sa.Column('name', sa.String(20), nullable=False),
            sa.Column('unused', sa.Integer),
            sa.CheckConstraint("name <> ''", name='ck_t_name'),
        )
        """,
    )
    await bootstrap.migrate(empty_url, project=folder.project)
    await by_hand(
        empty_url,
        "ALTER TABLE t ADD COLUMN kept INTEGER DEFAULT 7",
        "ALTER TABLE t ADD COLUMN gone INTEGER",
        "ALTER TABLE t DROP COLUMN unused",
        "INSERT INTO t (id, name, kept, gone) VALUES (1, 'a', 8, 9)",
    )
    accepted = [
        Acceptance(reason="to be a revision", table="t", name=name) for name in ("kept", "unused")
    ]

    report = await bootstrap.drift(empty_url, project=folder.project, accepted=accepted)
    await apply(report.restoration, Database.of(empty_url))
    again = await bootstrap.drift(empty_url, project=folder.project, accepted=accepted)

    assert report.restoration is not None
    assert ((), ()) == (report.restoration.missing, report.restoration.untried)
    assert ["kept", "unused"] == sorted(one.name for one in again.differences)
    assert again.is_clean
    async with Database.of(empty_url).connect() as connection:
        rows = (await connection.exec_driver_sql("SELECT id, name, kept FROM t")).all()
    assert [(1, "a", 8)] == [tuple(row) for row in rows]


async def test_what_was_accepted_is_left_as_it_is(empty_url: str, tmp_path: Path) -> None:
    folder = three_tables(tmp_path)
    await bootstrap.migrate(empty_url, project=folder.project)
    await by_hand(
        empty_url, "CREATE INDEX ix_kept ON t_one (id)", "CREATE INDEX ix_gone ON t_one (id)"
    )
    kept = Acceptance(reason="needed", kind="index", name="ix_kept")

    report = await bootstrap.drift(empty_url, project=folder.project, accepted=[kept])
    found = report.restoration
    await apply(found, Database.of(empty_url))

    assert found is not None
    assert ((), ()) == (found.missing, found.untried)
    again = await bootstrap.drift(empty_url, project=folder.project, accepted=[kept])
    assert ["ix_kept"] == [one.name for one in again.differences]
    assert again.is_clean
    assert again.restoration is None

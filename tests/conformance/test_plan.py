"""`bootstrap plan`: what a run would do, and nothing done."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

import bootstrap
from bootstrap.backends.effects import Blocks
from tests.cli.conftest import Command
from tests.conformance.test_moves import tables_of
from tests.projects import ProjectFolder, new_project, three_tables

ONE_DRIVER = pytest.mark.parametrize(
    "backend_name", ["sqlite", "postgresql", "mysql", "mariadb"], indirect=True
)
POSTGRESQL = pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    return three_tables(tmp_path / "project")


def sql(report: bootstrap.PlanReport) -> list[str]:
    return [
        " ".join(sent.sql.split())
        for step in report.steps
        for operation in step.operations
        for sent in operation.statements
    ]


async def insert(url: str, table: str, rows: int) -> None:
    async with bootstrap.Database.of(url).connect() as connection:
        for begin in range(1, rows + 1, 1000):
            ids = range(begin, min(begin + 1000, rows + 1))
            values = ", ".join(f"({one})" for one in ids)
            await connection.execute(text(f"INSERT INTO {table} (id) VALUES {values}"))
        await connection.commit()


async def test_it_says_what_would_be_run_and_runs_nothing(
    empty_url: str, folder: ProjectFolder
) -> None:
    report = await bootstrap.plan(empty_url, "two", project=folder.project)

    assert ((), ("two",)) == (report.before, report.after)
    assert ["one", "two"] == [step.revision for step in report.steps]
    assert ["create table t_one (id)"] == [one.text for one in report.steps[0].operations]
    assert sql(report)[0].startswith("CREATE TABLE t_one ( id ")
    assert set() == await tables_of(empty_url)
    assert () == report.tables


@ONE_DRIVER
async def test_it_begins_where_the_database_is(empty_url: str, folder: ProjectFolder) -> None:
    await bootstrap.migrate(empty_url, "two", project=folder.project)
    await insert(empty_url, "t_two", 3)

    up = await bootstrap.plan(empty_url, project=folder.project)
    down = await bootstrap.plan(empty_url, "-1", project=folder.project, direction="downgrade")
    there = await bootstrap.plan(empty_url, "two", project=folder.project)

    assert ["three"] == [step.revision for step in up.steps]
    assert ["DROP TABLE t_two"] == sql(down)
    assert [("t_two", 3, True)] == [(one.table, one.rows, one.exact) for one in down.tables]
    assert (("two",), ("one",), False) == (down.before, down.after, there.is_pending)


@ONE_DRIVER
async def test_a_large_table_is_not_counted(empty_url: str, folder: ProjectFolder) -> None:
    await bootstrap.migrate(empty_url, "one", project=folder.project)
    await insert(empty_url, "t_one", 12_000)

    report = await bootstrap.plan(empty_url, "base", project=folder.project, direction="downgrade")

    [found] = report.tables
    assert ("t_one", False) == (found.table, found.exact)
    assert found.rows is None or 10_000 < found.rows < 30_000


@POSTGRESQL
async def test_locks_and_rewrites_stand_beside_each_statement(
    empty_url: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path / "project")
    folder.revision("one", down=None, upgrade="op.create_table('old', sa.Column('id', sa.Integer))")
    folder.revision(
        "two",
        down="one",
        upgrade="""
        op.add_column("old", sa.Column("note", sa.Text))
        op.create_index("i", "old", ["note"])
        op.create_table("new", sa.Column("id", sa.Integer))
        op.create_index("j", "new", ["id"])
        op.execute("FROBNICATE old")
        with op.get_context().autocommit_block():
            op.create_index("k", "old", ["id"], postgresql_concurrently=True)
        """,
    )
    await bootstrap.migrate(empty_url, "one", project=folder.project)

    [step] = (await bootstrap.plan(empty_url, project=folder.project)).steps
    found = [
        (sent.lock, sent.blocks, sent.rewrites)
        for operation in step.operations
        for sent in operation.statements
    ]

    assert [
        ("ACCESS EXCLUSIVE", Blocks.EVERYBODY, False),
        ("SHARE", Blocks.WRITERS, False),
        ("none", Blocks.NOBODY, False),
        ("SHARE", Blocks.NOBODY, False),
        ("unknown", Blocks.UNKNOWN, None),
        ("SHARE UPDATE EXCLUSIVE", Blocks.NOBODY, False),
    ] == found
    assert [False] * 5 + [True] == [operation.outside for operation in step.operations]
    assert not step.transactional


@ONE_DRIVER
async def test_a_revision_that_reads_is_told_as_far_as_it_goes(
    empty_url: str, backend_name: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path / "project")
    path = folder.revision(
        "one",
        down=None,
        upgrade="""
        op.create_table("t", sa.Column("id", sa.Integer))
        rows = op.get_bind().execute(sa.text("SELECT id FROM t")).all()
        op.create_table("u", sa.Column("id", sa.Integer))
        """,
    )
    folder.revision("two", down="one", upgrade="op.create_table('v', sa.Column('id', sa.Integer))")

    one, two = (await bootstrap.plan(empty_url, project=folder.project)).steps

    assert "create table t (id)" in [operation.text for operation in one.operations]
    assert f"{path}:10" in one.unknown
    assert (["create table v (id)"], "") == ([each.text for each in two.operations], two.unknown)
    assert one.transactional is (backend_name in {"sqlite", "postgresql"})


@ONE_DRIVER
async def test_texts_are_as_a_script_has_them(empty_url: str, tmp_path: Path) -> None:
    folder = new_project(tmp_path / "project")
    folder.revision(
        "one",
        down=None,
        upgrade="""
        table = op.create_table("t", sa.Column("id", sa.Integer), sa.Column("s", sa.String(50)))
        op.bulk_insert(table, [{"id": 1, "s": "100% of 'it'"}])
        op.execute("UPDATE t SET s = '50% : %s'")
        """,
    )

    statements = sql(await bootstrap.plan(empty_url, project=folder.project))

    assert statements[1].endswith("VALUES (1, '100% of ''it''')")
    assert "UPDATE t SET s = '50% : %s'" == statements[2]


def test_the_command_checks_and_writes_markdown(tmp_path: Path) -> None:
    folder = three_tables(tmp_path / "project")
    run = Command(folder=folder.root, environ={"DATABASE_URL": "sqlite:///app.db"})
    run("create")

    pending = run("migrate", "--check", "--format", "json")
    planned = run("plan", "+1", "--markdown", "plan.md")
    run("migrate", "-q")
    done = run("migrate", "--check")
    nothing = run("plan")
    undone = run("plan", "--downgrade", "-1")

    assert (1, 0, 0, 0) == (pending.code, planned.code, done.code, nothing.code)
    assert ["one", "two", "three"] == [
        step["revision"] for step in pending.document["report"]["steps"]
    ]
    assert "- create table t\\_one (id)" in (folder.root / "plan.md").read_text()
    assert "Nothing was left to do." in nothing.out
    assert "DROP TABLE t_three" in undone.out

"""What gives no rows is not prepared by asyncpg; what it does, and refuses, is the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy import inspect

import bootstrap
from bootstrap.backends.postgresql.journal.statements import gives_no_rows
from bootstrap.database import Database
from bootstrap.errors import StatementFailed
from tests.projects import ProjectFolder, new_project

ON_POSTGRESQL = pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    return new_project(tmp_path / "project")


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What asyncpg is told to prepare."""
    seen: list[str] = []
    prepare = asyncpg.Connection.prepare

    async def noted(self: Any, query: str, **options: Any) -> Any:
        seen.append(query)
        return await prepare(self, query, **options)

    monkeypatch.setattr(asyncpg.Connection, "prepare", noted)
    return seen


async def tables(url: str) -> list[str]:
    async with Database.of(url).connect() as connection:
        return await connection.run_sync(lambda sync: sorted(inspect(sync).get_table_names()))


@ON_POSTGRESQL
async def test_definitions_take_effect_without_being_prepared(
    empty_url: str, folder: ProjectFolder, prepared: list[str]
) -> None:
    folder.revision(
        "one",
        down=None,
        upgrade="op.create_table('t', sa.Column('id', sa.Integer, primary_key=True))\n"
        "op.add_column('t', sa.Column('name', sa.String(40)))\n"
        "op.execute('CREATE TABLE copied AS SELECT * FROM t')\n",
    )

    await bootstrap.migrate(empty_url, project=folder.project)

    assert {"t", "copied"} <= set(await tables(empty_url))
    assert not [sql for sql in prepared if "CREATE TABLE t " in sql or "ADD COLUMN" in sql]
    assert [sql for sql in prepared if "CREATE TABLE copied" in sql]  # says how many rows it has


@ON_POSTGRESQL
async def test_what_is_written_is_counted_without_being_prepared(
    empty_url: str, folder: ProjectFolder, prepared: list[str]
) -> None:
    folder.revision(
        "one",
        down=None,
        upgrade="op.create_table('t', sa.Column('id', sa.Integer, primary_key=True))\n"
        "run = op.get_bind().exec_driver_sql\n"
        "counts = [run(sql).rowcount for sql in (\n"
        "    'INSERT INTO t VALUES (1), (2), (3)',\n"
        "    'UPDATE t SET id = id + 10 WHERE id > 1',\n"
        "    'DELETE FROM t WHERE id = 99',\n"
        ")]\n"
        "(back,) = run('INSERT INTO t VALUES (4) RETURNING id').scalars()\n"
        "op.create_table('counted_%s_%s_%s_%s' % (*counts, back), sa.Column('id', sa.Integer))\n",
    )
    folder.revision("two", down="one")

    await bootstrap.migrate(empty_url, project=folder.project)

    assert "counted_3_2_0_4" in await tables(empty_url)
    written = [sql for sql in prepared if sql.startswith(("INSERT", "UPDATE", "DELETE"))]
    assert ["INSERT INTO t VALUES (4) RETURNING id"] == [sql for sql in written if " t " in sql]
    assert not [sql for sql in written if sql.startswith("UPDATE alembic_version")]
    assert not [
        sql for sql in written if sql.startswith("INSERT INTO bootstrap_log") and "$" in sql
    ]


async def test_a_version_that_another_has_changed_is_noticed(
    empty_url: str, folder: ProjectFolder
) -> None:
    folder.revision("one", down=None)
    folder.revision(
        "two",
        down="one",
        upgrade="op.execute(\"UPDATE alembic_version SET version_num = 'other'\")",
    )

    with pytest.raises(bootstrap.BootstrapError, match="one"):
        await bootstrap.migrate(empty_url, project=folder.project)


async def test_the_log_takes_any_name(
    empty_url: str, folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["O'Brien", "CORP\\o'brien", "100%", ":name", "a\\"]
    for number, (down, name) in enumerate(zip([None, *names], names, strict=False)):
        folder.revision(str(number), down=str(number - 1) if down else None)
        monkeypatch.setattr("getpass.getuser", lambda name=name: name)
        await bootstrap.migrate(empty_url, project=folder.project)

    report = await bootstrap.log(empty_url, project=folder.project)

    assert names == [entry.os_user for entry in reversed(report.entries)]


@ON_POSTGRESQL
async def test_several_statements_in_one_string_are_refused_as_ever(
    empty_url: str, folder: ProjectFolder
) -> None:
    both = "CREATE TABLE a (id INT); CREATE TABLE b (id INT)"
    folder.revision("one", down=None, upgrade=f"op.execute({both!r})")

    with pytest.raises(StatementFailed, match="multiple commands"):
        await bootstrap.migrate(empty_url, project=folder.project)

    assert not {"a", "b"} & set(await tables(empty_url))


@ON_POSTGRESQL
async def test_a_refused_definition_raises_what_sqlalchemy_raises(
    empty_url: str, folder: ProjectFolder
) -> None:
    folder.revision(
        "one",
        down=None,
        upgrade="from sqlalchemy.exc import ProgrammingError\n"
        "op.create_table('t', sa.Column('id', sa.Integer))\n"
        "try:\n"
        "    with op.get_bind().begin_nested():\n"
        "        op.create_table('t', sa.Column('id', sa.Integer))\n"
        "except ProgrammingError as error:\n"
        "    op.create_table(f'was_{error.orig.sqlstate}', sa.Column('id', sa.Integer))\n",
    )

    await bootstrap.migrate(empty_url, project=folder.project)

    assert "was_42P07" in await tables(empty_url)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("\n\nCREATE TABLE t (id INT)\n\n", True),
        ("alter table t add column c text default ';'", True),
        ("COMMENT ON TABLE t IS 'as it is'", True),
        ("DROP INDEX i;", True),
        ("CREATE TABLE a (id INT); DROP TABLE b", False),
        ("CREATE TABLE t AS SELECT 1", False),
        ("CREATE MATERIALIZED VIEW v AS SELECT 1", False),
        ("INSERT INTO t VALUES (1)", True),
        ("UPDATE t SET name = 'returning; x'", True),
        ("DELETE FROM t", True),
        ("DELETE FROM t RETURNING id", False),
        ("INSERT INTO t VALUES (1); DELETE FROM t", False),
        ("WITH gone AS (DELETE FROM t RETURNING id) SELECT * FROM gone", False),
        (f"INSERT INTO t VALUES ('{'x' * 2_000}')", False),
        ("SELECT 1", False),
        ("EXPLAIN CREATE TABLE t AS SELECT 1", False),
    ],
)
def test_what_gives_no_rows(sql: str, *, expected: bool) -> None:
    assert expected == gives_no_rows(sql)

"""An env.py of a stranger: what it does wrong with Alembic is mended, or said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import text

import bootstrap
from tests.conformance.test_moves import tables_of
from tests.projects import ProjectFolder, new_project, three_tables

THREE = {"t_one", "t_two", "t_three", "alembic_version"}
on_postgresql = pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
ENV = """
import asyncio
import os
import sys
from alembic import context
from bootstrap import Database
from sqlalchemy import text

def run(connection):
    {before}
    context.configure(connection=connection, {options})
    try:
        with context.begin_transaction():
            context.run_migrations()
    except {caught} as error:
        {then}

async def main():
    url = context.config.get_main_option("sqlalchemy.url") or os.environ["DATABASE_URL"]
    engine = Database.of(url).engine()
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()

asyncio.run(main())
"""


def env(*, before: str = "pass", options: str = "", caught: str = "()", then: str = "raise") -> str:
    return ENV.format(before=before, options=options, caught=caught, then=then)


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    return three_tables(tmp_path / "project")


# Errors that env.py swallows ----------------------------------------------------------------------


@pytest.mark.parametrize("then", ["pass", "sys.exit(1)", "raise RuntimeError('no') from None"])
async def test_what_env_py_makes_of_a_failed_statement_does_not_hide_it(
    empty_url: str, folder: ProjectFolder, then: str
) -> None:
    folder.env(env(caught="Exception", then=then))
    folder.revision("four", down="three", upgrade="op.execute('DROP TABLE nowhere')")

    with pytest.raises(bootstrap.StatementFailed, match="of revision four failed"):
        await bootstrap.migrate(empty_url, project=folder.project)


@pytest.mark.parametrize("then", ["pass", "sys.exit(1)"])
async def test_a_refusal_reaches_who_asked_through_an_env_py_that_swallows_all(
    empty_url: str, folder: ProjectFolder, then: str
) -> None:
    source = env().replace("asyncio.run(main())", "try: asyncio.run(main())\nexcept BaseException:")
    folder.env(f"{source} {then}\n")
    await bootstrap.migrate(empty_url, project=folder.project)
    async with bootstrap.Database.of(empty_url).connect() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'newer'"))
        await connection.commit()

    for function in (bootstrap.migrate, bootstrap.status):
        with pytest.raises(bootstrap.RevisionError, match="at revision newer, which this project"):
            await function(empty_url, project=folder.project)


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_another_database_is_said_though_env_py_swallows_it(
    empty_url: str, folder: ProjectFolder, tmp_path: Path
) -> None:
    other = f"sqlite:///{tmp_path}/other.db"
    await bootstrap.create(other)
    source = env().replace("url = ", f"url = {other!r} or ")
    folder.env(source.replace("asyncio.run(main())", "try: asyncio.run(main())\nexcept: pass"))

    with pytest.raises(bootstrap.SettingsError, match=r"env.py connects to .*other.db"):
        await bootstrap.migrate(empty_url, project=folder.project)

    assert set() == await tables_of(other)


async def test_an_env_py_that_tries_again_after_a_failure_may_succeed(
    empty_url: str, folder: ProjectFolder
) -> None:
    source = env().replace(
        "asyncio.run(main())",
        "try: asyncio.run(main())\nexcept Exception: asyncio.run(main())",
    )
    folder.env(source)
    folder.revision(
        "four",
        down="three",
        upgrade="import pathlib\nonce = pathlib.Path(__file__).with_name('once')\n"
        "if not once.exists():\n    once.touch()\n    raise ValueError('the first time')",
    )

    report = await bootstrap.migrate(empty_url, project=folder.project)

    assert ("four",) == report.after
    revisions = [step.revision for step in report.steps]
    assert sorted(set(revisions)) == sorted(revisions)


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_an_env_py_that_leaves_says_so(empty_url: str, folder: ProjectFolder) -> None:
    folder.env("import sys\nsys.exit('not today')")

    with pytest.raises(bootstrap.RevisionError, match=re.escape("sys.exit('not today')")):
        await bootstrap.migrate(empty_url, project=folder.project)


# A statement before configure() -------------------------------------------------------------------


async def test_a_statement_before_configure_no_longer_undoes_the_run(
    empty_url: str, folder: ProjectFolder
) -> None:
    """With plain Alembic everything is rolled back, where that can be, and the exit code is 0."""
    folder.env(env(before="connection.execute(text('SELECT 1'))"))

    alone = folder.alembic("upgrade", "head", url=empty_url)
    left = await tables_of(empty_url)
    heads = await _versions(empty_url) if left else []
    await _without(empty_url, left)  # some servers commit the tables, and not the last revision
    report = await bootstrap.migrate(empty_url, project=folder.project)

    assert (0, False) == (alone.returncode, "three" in heads)
    assert ("three",) == report.after
    assert THREE == await tables_of(empty_url)


async def _versions(url: str) -> list[str]:
    async with bootstrap.Database.of(url).connect() as connection:
        return list(await connection.scalars(text("SELECT version_num FROM alembic_version")))


async def _without(url: str, tables: set[str]) -> None:
    async with bootstrap.Database.of(url).connect() as connection:
        for table in tables:
            await connection.execute(text(f"DROP TABLE {table}"))
        await connection.commit()


@on_postgresql
@pytest.mark.parametrize("options", ["", "transaction_per_migration=True"])
@pytest.mark.parametrize("local", ["", "LOCAL"])
async def test_what_is_set_before_configure_is_in_force_in_the_first_revision(
    empty_url: str, tmp_path: Path, options: str, local: str
) -> None:
    folder = new_project(tmp_path / "project")
    folder.env(
        env(before=f'connection.execute(text("SET {local} lock_timeout = 4321"))', options=options)
    )
    folder.revision("one", down=None, upgrade="op.execute('CREATE TABLE seen (ms text)')\n" + _SEEN)
    folder.revision("two", down="one", upgrade=_SEEN)

    await bootstrap.migrate(empty_url, project=folder.project)

    async with bootstrap.Database.of(empty_url).connect() as connection:
        seen = list(await connection.scalars(text("SELECT ms FROM seen ORDER BY ctid")))
    ended_with_the_first = bool(local and options)
    assert ["4321ms", "0" if ended_with_the_first else "4321ms"] == seen


_SEEN = "op.execute(\"INSERT INTO seen SELECT current_setting('lock_timeout')\")"


@on_postgresql
@pytest.mark.parametrize(
    "before",
    ["connection.execute(text('SELECT 1'))", "connection.exec_driver_sql('SELECT 1')"],
)
async def test_an_autocommit_block_works_after_a_statement_before_configure(
    empty_url: str, folder: ProjectFolder, before: str
) -> None:
    folder.env(env(before=before))
    folder.revision(
        "four",
        down="three",
        upgrade="with op.get_context().autocommit_block():\n"
        "    op.execute('CREATE INDEX CONCURRENTLY i ON t_one (id)')",
    )

    alone = folder.alembic("upgrade", "head", url=empty_url)
    report = await bootstrap.migrate(empty_url, project=folder.project)

    assert (1, "AssertionError") == (alone.returncode, alone.stderr.split()[-1])
    assert ("four",) == report.after


@on_postgresql
@pytest.mark.parametrize(
    "then", ["connection.commit()", "connection.rollback()"], ids=["commits", "rolls back"]
)
async def test_a_transaction_that_env_py_begins_itself_stays_its_own(
    empty_url: str, folder: ProjectFolder, then: str
) -> None:
    source = env(before="connection.begin(); connection.execute(text('SELECT 1'))")
    folder.env(source.replace("\nasync def main", f"    {then}\n\nasync def main"))

    if "rollback" in then:
        with pytest.raises(bootstrap.RevisionError, match="without an error, but the database is"):
            await bootstrap.migrate(empty_url, project=folder.project)
    else:
        await bootstrap.migrate(empty_url, project=folder.project)

    assert ("rollback" in then) == (await tables_of(empty_url) == set())


# Transactions -------------------------------------------------------------------------------------


@on_postgresql
async def test_per_revision_keeps_what_came_before_a_failure(
    empty_url: str, folder: ProjectFolder
) -> None:
    folder.env(env())
    folder.revision("four", down="three", upgrade="op.execute('DROP TABLE nowhere')")

    with pytest.raises(bootstrap.StatementFailed) as together:
        await bootstrap.migrate(empty_url, project=folder.project)
    before = await tables_of(empty_url)
    with pytest.raises(bootstrap.StatementFailed) as apart:
        await bootstrap.migrate(empty_url, project=folder.project, per_revision=True)

    assert (set(), THREE) == (before, await tables_of(empty_url))
    assert "nothing of this run stays" in together.value.hint
    assert "one, two, three are applied; this revision was rolled back" in apart.value.hint


@on_postgresql
async def test_per_revision_holds_for_downgrades(empty_url: str, folder: ProjectFolder) -> None:
    folder.env(env())
    await bootstrap.migrate(empty_url, project=folder.project)
    one = folder.root / "migrations" / "versions" / "one.py"
    one.write_text(one.read_text().replace("op.drop_table('t_one')", "op.drop_table('nowhere')"))

    with pytest.raises(bootstrap.StatementFailed):
        await bootstrap.downgrade(
            empty_url, "base", project=folder.project, drop_rows=True, per_revision=True
        )

    assert {"t_one", "alembic_version"} == await tables_of(empty_url)

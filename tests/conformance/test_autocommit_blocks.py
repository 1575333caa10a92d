"""A revision with autocommit blocks goes on where it stopped, and does nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest

import bootstrap
from bootstrap.database import Database
from bootstrap.errors import HalfApplied, StatementFailed
from tests.long_statements import with_sync_driver
from tests.projects import ProjectFolder, env, new_project

pytestmark = pytest.mark.parametrize(
    "backend_name", ["postgresql", "postgresql+psycopg"], indirect=True
)
TABLE = "op.execute('CREATE TABLE t (id serial PRIMARY KEY, n integer)')"
BLOCK = "with op.get_context().autocommit_block():"
INDEX = "op.execute('CREATE INDEX CONCURRENTLY ix ON t (n)')"
UNIQUE = "op.execute('CREATE UNIQUE INDEX CONCURRENTLY ix ON t (n)')"

_LOOK = """
import pathlib
from sqlalchemy import event

def listen(connection):
    def seen(_connection, _cursor, statement, *_more):
        with pathlib.Path({log!r}).open("a") as log:
            log.write(" ".join(statement.split()) + "\\n")
    event.listen(connection, "before_cursor_execute", seen)
"""


def inside(*lines: str) -> str:
    """The lines in an autocommit block."""
    return "\n".join([BLOCK, *(f"    {line}" for part in lines for line in part.splitlines())])


async def rows(url: str, sql: str) -> list[tuple[object, ...]]:
    async with Database.of(url).connect() as connection:
        return [tuple(row) for row in await connection.exec_driver_sql(sql)]


async def execute(url: str, sql: str) -> None:
    async with Database.of(url).connect() as connection:
        await connection.exec_driver_sql(sql)
        await connection.commit()


async def relations(url: str) -> list[str]:
    sql = (
        "SELECT c.relname || CASE WHEN i.indisvalid = false THEN ' (invalid)' ELSE '' END"
        " FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i', 'p')"
    )
    names = [str(name) for (name,) in await rows(url, sql)]
    return sorted(name for name in names if not name.startswith("bootstrap_log"))


def project(tmp_path: Path, *lines: str) -> ProjectFolder:
    folder = new_project(tmp_path)
    folder.revision("one", down=None, upgrade="\n".join(lines))
    return folder


async def stops(url: str, folder: ProjectFolder) -> str:
    with pytest.raises(StatementFailed) as caught:
        await bootstrap.migrate(url, project=folder.project)
    return f"{caught.value.message}\n{caught.value.hint}"


async def goes_on(url: str, folder: ProjectFolder) -> None:
    report = await bootstrap.migrate(url, project=folder.project)
    assert report.after == ("one",)
    assert "bootstrap_journal" not in await relations(url)


async def test_the_error_says_what_is_applied_and_the_corrected_revision_goes_on(
    empty_url: str, tmp_path: Path
) -> None:
    insert = "op.execute('INSERT INTO t (n) VALUES (1), (1)')"
    folder = project(tmp_path, TABLE, insert, inside(UNIQUE))

    said = await stops(empty_url, folder)

    assert "statement 3 of revision one failed" in said
    assert "23505" in said
    assert "statements 1-2 are applied and recorded" in said
    assert "goes on at statement 3" in said
    assert "ix (invalid)" in await relations(empty_url)  # the control
    folder.revision("one", down=None, upgrade="\n".join([TABLE, insert, inside(INDEX)]))
    await goes_on(empty_url, folder)
    assert ["alembic_version", "alembic_version_pkc", "ix", "t", "t_pkey"] == await relations(
        empty_url
    )
    assert [(1,), (1,)] == await rows(empty_url, "SELECT n FROM t")


async def test_an_error_before_the_block_undoes_the_revision_as_ever(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, TABLE, "op.execute('nonsense')", inside(INDEX))

    said = await stops(empty_url, folder)

    assert "this revision was rolled back" in said
    assert [] == await relations(empty_url)


async def test_a_revision_that_stays_in_its_transaction_sends_nothing_more(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, TABLE, "op.execute('INSERT INTO t (n) VALUES (1)')")
    log = tmp_path / "sent.txt"
    folder.env(env(first=_LOOK.format(log=str(log)), before="listen(connection)"))

    await goes_on(empty_url, folder)

    sent = log.read_text().splitlines()
    ours = [sql for sql in sent if "bootstrap_journal" in sql]
    assert [] == ours
    assert 1 == sum("INSERT INTO t" in sql for sql in sent)
    assert 1 == sum("to_regclass(quote_ident" in sql for sql in sent)  # once for all of a run


@pytest.mark.parametrize(
    ("lines", "then", "expected"),
    [
        pytest.param(
            "made = op.get_bind().execute(sa.text('INSERT INTO t (n) VALUES (7) RETURNING id'))"
            ".scalar_one()",
            "op.execute(f'INSERT INTO t (n) VALUES ({made})')",
            [(7,), (1,)],
            id="RETURNING",
        ),
        pytest.param(
            "op.execute('INSERT INTO t (n) VALUES (7), (8)')\n"
            "changed = op.get_bind().execute(sa.text('UPDATE t SET n = 9')).rowcount",
            "op.execute(f'INSERT INTO t (n) VALUES ({changed})')",
            [(9,), (9,), (2,)],
            id="rowcount",
        ),
        pytest.param(
            "op.execute('INSERT INTO t (n) VALUES (7)')\n"
            "found = op.get_bind().execute(sa.text('SELECT max(n) FROM t')).scalar_one()\n"
            "op.execute('DELETE FROM t')",
            "op.execute(f'INSERT INTO t (n) VALUES ({found})')",
            [(7,)],
            id="a read, though the row is gone",
        ),
        pytest.param(
            "found = op.get_bind().execute(sa.text(\"SELECT nextval('t_id_seq')\")).scalar_one()",
            "op.execute(f'INSERT INTO t (n) VALUES ({found})')",
            [(1,)],
            id="a function that changes something",
        ),
        pytest.param(
            "op.execute(\"SET statement_timeout = '77s'\")",
            'op.execute("INSERT INTO t (n) SELECT setting::int / 1000 FROM pg_settings'
            " WHERE name = 'statement_timeout'\")",
            [(77,)],
            id="a setting of the session",
        ),
        pytest.param(
            "op.execute('CREATE TEMP TABLE few (n integer)')\n"
            "op.execute('INSERT INTO few VALUES (4), (5)')",
            "op.execute('INSERT INTO t (n) SELECT n FROM few')",
            [(4,), (5,)],
            id="a temporary table",
        ),
        pytest.param(
            "try:\n    op.execute('INSERT INTO t (id) VALUES (NULL)')\n"
            "except sa.exc.IntegrityError as error:\n    code = error.orig.sqlstate",
            "op.execute(f'INSERT INTO t (n) VALUES ({code})')",
            [(23502,)],
            id="an error that the revision caught",
        ),
    ],
)
async def test_what_is_durable_returns_what_it_returned(
    empty_url: str, tmp_path: Path, lines: str, then: str, expected: list[object]
) -> None:
    fails = "op.execute('nonsense')"
    parts = [inside(lines, "op.execute('SELECT 1')", fails)]
    folder = project(tmp_path, TABLE, *parts)
    assert "applied and recorded" in await stops(empty_url, folder)

    corrected = [part.replace(fails, then) for part in parts]
    folder.revision("one", down=None, upgrade="\n".join([TABLE, *corrected]))
    await goes_on(empty_url, folder)

    assert expected == await rows(empty_url, "SELECT n FROM t ORDER BY id")


async def test_what_came_before_the_block_returns_what_it_returned(
    empty_url: str, tmp_path: Path
) -> None:
    lines = """
connection = op.get_bind()
op.execute("CREATE TEMP TABLE few (n integer)")
op.execute("INSERT INTO few VALUES (4)")
op.execute("SET LOCAL statement_timeout = '77s'")
found = connection.execute(sa.text("INSERT INTO t (n) VALUES (7) RETURNING n")).scalar_one()
try:
    with connection.begin_nested():
        op.execute("INSERT INTO t (id) VALUES (NULL)")
except sa.exc.IntegrityError as error:
    code = error.orig.sqlstate
if not sa.inspect(connection).has_table("u"):
    op.execute("CREATE TABLE u (n integer)")
"""
    fails = "op.execute('nonsense')"
    then = "op.execute(f'INSERT INTO t (n) SELECT n + {found} + {code} FROM few')"
    folder = project(tmp_path, TABLE, lines, inside(fails))
    assert "applied and recorded" in await stops(empty_url, folder)

    folder.revision("one", down=None, upgrade="\n".join([TABLE, lines, inside(then)]))
    await goes_on(empty_url, folder)

    assert [(7,), (23513,)] == await rows(empty_url, "SELECT n FROM t ORDER BY id")


async def test_an_edited_statement_that_is_applied_is_refused(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, TABLE, inside(INDEX, "op.execute('nonsense')"))
    await stops(empty_url, folder)
    folder.revision(
        "one", down=None, upgrade="\n".join([TABLE, inside(INDEX.replace("(n)", "(id)"))])
    )

    with pytest.raises(HalfApplied, match="is another one than the one that was applied"):
        await bootstrap.migrate(empty_url, project=folder.project)


async def test_a_downgrade_goes_on_too(empty_url: str, tmp_path: Path) -> None:
    folder = new_project(tmp_path)
    drop = "op.drop_index('ix', postgresql_concurrently=True)"
    downgrade = [inside(drop, "op.execute('nonsense')"), "op.drop_table('t')"]
    up = "\n".join([TABLE, inside(INDEX)])
    folder.revision("one", down=None, upgrade=up, downgrade="\n".join(downgrade))
    await bootstrap.migrate(empty_url, project=folder.project)
    with pytest.raises(StatementFailed, match="statement 1 is applied and recorded"):
        await bootstrap.downgrade(empty_url, "base", project=folder.project)
    assert "ix" not in await relations(empty_url)

    downgrade[0] = inside(drop)
    folder.revision("one", down=None, upgrade=up, downgrade="\n".join(downgrade))
    report = await bootstrap.downgrade(empty_url, "base", project=folder.project)
    assert () == report.after
    assert ["alembic_version", "alembic_version_pkc"] == await relations(empty_url)


async def test_an_invalid_index_of_plain_alembic_is_made_anew(
    empty_url: str, tmp_path: Path
) -> None:
    insert = "op.execute('INSERT INTO t (n) VALUES (1), (1)')"
    index = UNIQUE.replace("ix ON", "IF NOT EXISTS ix ON")
    folder = project(tmp_path, "pass")
    folder.revision("table", down=None, upgrade="\n".join([TABLE, insert]))
    folder.revision("one", down="table", upgrade=inside(index))
    url = Database.of(empty_url).url.render_as_string(hide_password=False)
    assert 0 != folder.alembic("upgrade", "head", url=url).returncode
    await execute(empty_url, "DELETE FROM t WHERE id = 1")
    # The control: again, and Alembic takes the index for one.
    assert 0 == folder.alembic("upgrade", "head", url=url).returncode
    assert "ix (invalid)" in await relations(empty_url)
    assert 0 == folder.alembic("stamp", "table", url=url).returncode

    await goes_on(empty_url, folder)

    assert "ix" in await relations(empty_url)


@pytest.mark.parametrize(
    ("options", "isolation"),
    [("transaction_per_migration=True", ""), ("", "AUTOCOMMIT"), ("transactional_ddl=False", "")],
    ids=["a transaction for each", "autocommit", "no transactional DDL"],
)
async def test_any_env_goes_on(
    empty_url: str, tmp_path: Path, options: str, isolation: str
) -> None:
    insert = "op.execute('INSERT INTO t (n) VALUES (1), (1)')"
    before = f"connection.execution_options(isolation_level={isolation!r})" if isolation else "pass"
    folder = project(tmp_path, TABLE, insert, inside(UNIQUE))
    folder.env(env(before=before, options=options))
    assert "goes on at statement 3" in await stops(empty_url, folder)

    folder.revision("one", down=None, upgrade="\n".join([TABLE, insert, inside(INDEX)]))
    await goes_on(empty_url, folder)

    assert [(1,), (1,)] == await rows(empty_url, "SELECT n FROM t")
    assert "ix" in await relations(empty_url)


@pytest.mark.parametrize("driver", ["postgresql+psycopg"])
async def test_a_sync_env_goes_on(empty_url: str, tmp_path: Path, driver: str) -> None:
    folder = project(tmp_path, TABLE, inside(INDEX, "op.execute('nonsense')"))
    with_sync_driver(folder, driver)
    assert "statements 1-2 are applied" in await stops(empty_url, folder)

    folder.revision("one", down=None, upgrade="\n".join([TABLE, inside(INDEX)]))
    await goes_on(empty_url, folder)


async def test_what_commits_by_itself_is_found_out_and_is_in_doubt_after_an_error(
    empty_url: str, tmp_path: Path
) -> None:
    block = "DO $$ BEGIN INSERT INTO t (n) VALUES (1); COMMIT; PERFORM 1 / n FROM t; END $$"
    folder = project(tmp_path, TABLE, inside(f'op.execute("{block}")'))
    await goes_on(empty_url, folder)
    assert [(1,)] == await rows(empty_url, "SELECT n FROM t")
    folder.revision(
        "two",
        down="one",
        upgrade=inside(f'op.execute("{block.replace("VALUES (1)", "VALUES (0)")}")'),
    )

    assert "22012" in await stops(empty_url, folder)

    with pytest.raises(HalfApplied, match="whether statement 1 of revision two was applied"):
        await bootstrap.migrate(empty_url, project=folder.project)
    await bootstrap.repair(empty_url, "applied", project=folder.project)
    assert ("two",) == (await bootstrap.migrate(empty_url, project=folder.project)).after
    assert [(0,), (1,)] == await rows(empty_url, "SELECT n FROM t ORDER BY n")


async def test_the_table_is_beside_the_version_table(empty_url: str, tmp_path: Path) -> None:
    await execute(empty_url, "CREATE SCHEMA tenant")
    folder = project(tmp_path, TABLE, inside(INDEX, "op.execute('nonsense')"))
    folder.env(env(options="version_table_schema='tenant'"))
    await stops(empty_url, folder)

    found = "SELECT schemaname FROM pg_tables WHERE tablename = 'bootstrap_journal'"
    assert [("tenant",)] == await rows(empty_url, found)
    folder.revision("one", down=None, upgrade="\n".join([TABLE, inside(INDEX)]))
    await goes_on(empty_url, folder)
    assert [] == await rows(empty_url, found)


async def test_a_later_revision_that_fails_takes_nothing_back(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, TABLE, inside(INDEX), "op.execute('INSERT INTO t (n) VALUES (1)')")
    folder.env(env())  # one transaction for all
    made = "op.execute('CREATE TABLE u (n integer)')"
    folder.revision("two", down="one", upgrade=made)
    folder.revision("three", down="two", upgrade="op.execute('nonsense')")

    said = await stops(empty_url, folder)

    assert "one, two are applied; nothing of this revision is applied" in said
    assert [("two",)] == await rows(empty_url, "SELECT version_num FROM alembic_version")
    assert [(1,)] == await rows(empty_url, "SELECT n FROM t")


async def test_names_that_need_quotes_are_found_and_dropped(empty_url: str, tmp_path: Path) -> None:
    made = (
        'op.execute(\'CREATE SCHEMA "S %"\')\nop.execute(\'CREATE TABLE "S %"."T %" (n integer)\')'
    )
    insert = 'op.execute(\'INSERT INTO "S %"."T %" VALUES (1), (1)\')'
    index = 'op.execute(\'CREATE {} INDEX CONCURRENTLY "I %" ON ONLY "S %"."T %" (n)\')'
    folder = project(tmp_path, made, insert, inside(index.format("UNIQUE")))
    await stops(empty_url, folder)

    folder.revision("one", down=None, upgrade="\n".join([made, insert, inside(index.format(""))]))
    await goes_on(empty_url, folder)

    found = "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = indexrelid"
    assert [("I %", True)] == await rows(empty_url, f"{found} WHERE c.relname LIKE 'I%%'")

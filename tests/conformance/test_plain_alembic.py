"""The reference project under Alembic's own command, and what programs may hand to env.py."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, NullPool, create_engine, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bootstrap.backends import of_dialect
from bootstrap.database import Database
from bootstrap.errors import DatabaseError
from tests import commands
from tests.catalogues import catalogue, read

ROOT = Path(__file__).parents[2]
HEAD = "widen_usernames"
USERS = [
    {"id": 1, "username": "ada", "email": "Ada@Example.com", "hashed_password": "x"},
    {"id": 2, "username": "ADA", "email": "grace@example.com", "hashed_password": "y"},
    {"id": 7, "username": "ada ", "email": "ÄDA@example.com", "hashed_password": "z"},
]
ITEMS = [
    {"id": 1, "name": "pen", "price": 1.5, "owner_id": 1},
    {"id": 2, "name": "ink", "price": 0, "owner_id": 1},
    {"id": 3, "name": "desk", "price": 99, "owner_id": 7},
]
NEW_USER = (
    "INSERT INTO users (id, username, email, hashed_password)"
    " VALUES (:id, :username, :email, :hashed_password)"
)
NEW_ITEM = "INSERT INTO items (id, name, price, owner_id) VALUES (:id, :name, :price, :owner_id)"


@dataclass(frozen=True, kw_only=True)
class Alembic:
    """Alembic's command, in a copy of the reference project."""

    folder: Path
    url: str | None

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return commands.run("alembic", *arguments, cwd=self.folder, environ=self._environ)

    def anew(self, *arguments: str) -> None:
        """In an interpreter that was started for it, and has imported nothing."""
        done = subprocess.run(
            [sys.executable, "-m", "alembic", *arguments],
            cwd=self.folder,
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert 0 == done.returncode, done.stderr

    def __call__(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert 0 == done.returncode, done.stderr
        return done.stdout

    @property
    def _environ(self) -> dict[str, str]:
        environ = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
        return environ | ({"DATABASE_URL": self.url} if self.url else {})


def copy_project(folder: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "migrations", folder / "migrations", ignore=ignored)
    shutil.copy(ROOT / "alembic.ini", folder)
    return folder


@pytest.fixture
def alembic(tmp_path: Path, empty_url: str) -> Alembic:
    return Alembic(folder=copy_project(tmp_path / "project"), url=empty_url)


async def execute(url: str, sql: str, rows: list[dict[str, Any]]) -> None:
    async with Database.of(url).connect() as connection:
        await connection.execute(text(sql), rows)
        await connection.commit()


async def rows(url: str, sql: str) -> list[tuple[Any, ...]]:
    async with Database.of(url).connect() as connection:
        return [tuple(row) for row in await connection.execute(text(sql))]


def config(handed: object) -> Config:
    """The configuration of a program that hands something to env.py."""
    attributes = {"connection": handed, "configure_logger": False}
    return Config(ROOT / "alembic.ini", attributes=attributes)


def up(connection: Connection, revision: str) -> None:
    command.upgrade(config(connection), revision)


def down(connection: Connection, revision: str) -> None:
    command.downgrade(config(connection), revision)


async def test_the_command_goes_up_and_down_and_everything_agrees(
    alembic: Alembic, empty_url: str
) -> None:
    alembic.anew("upgrade", "head")
    assert [f"{HEAD} (head)"] == alembic("current").split("\n")[:1]
    assert "No new upgrade operations detected." in alembic("check")
    assert ["items", "users"] == sorted(await catalogue(empty_url))

    alembic("downgrade", "base")
    assert {} == await catalogue(empty_url)


async def test_rows_survive_every_step(alembic: Alembic, empty_url: str) -> None:
    """Also the items of the users, whose table SQLite drops and makes again."""
    users = "SELECT id, username, email, hashed_password FROM users ORDER BY id"
    profile = "SELECT name, is_active, created_at FROM users ORDER BY id"
    items = "SELECT id, name, price, owner_id FROM items ORDER BY id"
    alembic("upgrade", "create_users")
    await execute(empty_url, NEW_USER, USERS)
    as_inserted = await rows(empty_url, users)
    alembic("upgrade", "create_items")
    await execute(empty_url, NEW_ITEM, ITEMS)
    owned = await rows(empty_url, items)
    profiles = await rows(empty_url, profile)

    alembic("upgrade", "head")
    assert [*map(lowered, as_inserted)] == await rows(empty_url, users)
    assert owned == await rows(empty_url, items)
    assert profiles == await rows(empty_url, profile)

    alembic("downgrade", "create_items")
    assert [*map(lowered, as_inserted)] == await rows(empty_url, users)
    assert owned == await rows(empty_url, items)
    assert profiles == await rows(empty_url, profile)

    alembic("downgrade", "create_users")
    assert [*map(lowered, as_inserted)] == await rows(empty_url, users)


def lowered(user: tuple[Any, ...]) -> tuple[Any, ...]:
    """What the data migration makes of the emails of this file: `Ä` stays as it is."""
    expected = {"Ada@Example.com": "ada@example.com", "ÄDA@example.com": "Äda@example.com"}
    return tuple(expected.get(value, value) for value in user)


async def test_emails_that_differ_only_in_case_stop_the_data_migration(empty_url: str) -> None:
    twin = {"id": 9, "username": "twin", "email": "ada@example.com", "hashed_password": "x"}
    async with Database.of(empty_url).connect() as connection:
        await connection.run_sync(up, "create_items")
        await connection.execute(text(NEW_USER), [USERS[0], twin])
        await connection.commit()
        with pytest.raises(IntegrityError):
            await connection.run_sync(up, HEAD)

    emails = await rows(empty_url, "SELECT email FROM users ORDER BY id")
    assert [("Ada@Example.com",), ("ada@example.com",)] == emails
    assert [("create_items",)] == await rows(empty_url, "SELECT version_num FROM alembic_version")


async def test_a_long_username_stops_the_downgrade_that_would_cut_it(empty_url: str) -> None:
    user = {"id": 1, "username": "a" * 50, "email": "a@example.com", "hashed_password": "x"}
    async with Database.of(empty_url).connect() as connection:
        await connection.run_sync(up, HEAD)
        before = await connection.run_sync(read)
        await connection.execute(text(NEW_USER), [user])
        await connection.commit()
        with pytest.raises(DBAPIError):
            await connection.run_sync(down, "lower_emails")

    assert [("a" * 50,)] == await rows(empty_url, "SELECT username FROM users")
    assert await catalogue(empty_url) == before


async def test_autogenerate_finds_nothing_at_the_head(alembic: Alembic) -> None:
    alembic("upgrade", "head")
    alembic("revision", "--autogenerate", "-m", "nothing")
    [written] = (alembic.folder / "migrations" / "versions").glob("*_nothing.py")

    assert 2 == written.read_text().count("    pass\n")
    alembic("upgrade", "head")


@pytest.mark.parametrize("backend_name", ["postgresql", "mysql", "mariadb"], indirect=True)
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("ALTER TABLE users ALTER COLUMN name SET DEFAULT 'x'", "modify_default"),
        ("ALTER TABLE users ALTER COLUMN name DROP DEFAULT", "modify_default"),
        ("ALTER TABLE users ALTER COLUMN is_active SET DEFAULT {false}", "modify_default"),
        ("ALTER TABLE items ADD COLUMN colour VARCHAR(9)", "remove_column"),
    ],
)
async def test_check_sees_a_difference(
    alembic: Alembic, empty_url: str, change: str, expected: str
) -> None:
    """The control for the two tests above."""
    async with Database.of(empty_url).connect() as connection:
        await connection.run_sync(up, HEAD)
        native = of_dialect(connection.dialect).features.native_booleans
        await connection.execute(text(change.format(false="false" if native else "0")))
        await connection.commit()

    failed = alembic.run("check")

    assert 255 == failed.returncode
    assert expected in failed.stdout


async def test_autogenerate_writes_the_types_so_that_the_revision_runs(alembic: Alembic) -> None:
    versions = alembic.folder / "migrations" / "versions"
    shutil.rmtree(versions)
    versions.mkdir()
    alembic("revision", "--autogenerate", "-m", "all")
    [written] = versions.glob("*_all.py")
    source = written.read_text()

    for expected in (
        "import bootstrap.types\n",
        "bootstrap.types.ExactString(length=50)",
        "bootstrap.types.ExactDecimal(precision=12, scale=2)",
        "bootstrap.types.UtcDateTime()",
        "server_default=bootstrap.types.utc_now()",
    ):
        assert expected in source
    compile(source, written.name, "exec")


async def test_the_offline_script_makes_the_same_schema_and_unmakes_it(
    alembic: Alembic, empty_url: str
) -> None:
    async def run(script: str) -> None:
        async with Database.of(empty_url).connect() as connection:
            options = {"no_parameters": True, "isolation_level": "AUTOCOMMIT"}
            await connection.execution_options(**options)
            for statement in script.split(";\n"):
                if statement.strip():
                    await connection.exec_driver_sql(statement)

    await run(alembic("upgrade", "head", "--sql"))
    by_script = await catalogue(empty_url)
    await run(alembic("downgrade", "head:base", "--sql"))
    left = await catalogue(empty_url)
    async with Database.of(empty_url).connect() as connection:
        await connection.run_sync(up, HEAD)

    assert {} == left
    assert await catalogue(empty_url) == by_script


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_an_offline_script_of_sqlite_loses_no_rows_with_foreign_keys_on(
    alembic: Alembic, empty_url: str
) -> None:
    alembic("upgrade", "create_items")
    await execute(empty_url, NEW_USER, USERS)
    await execute(empty_url, NEW_ITEM, ITEMS)
    script = alembic("upgrade", "create_items:head", "--sql")
    async with Database.of(empty_url).connect() as connection:
        raw: Any = (await connection.get_raw_connection()).driver_connection
        await raw.execute("PRAGMA foreign_keys=ON")
        await raw.executescript(script)

    assert [(3,)] == await rows(empty_url, "SELECT count(*) FROM items")


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_pyproject_names_the_database_when_nothing_else_does(
    alembic: Alembic, empty_url: str
) -> None:
    (alembic.folder / "pyproject.toml").write_text(f'[tool.bootstrap]\nurl = "{empty_url}"\n')

    Alembic(folder=alembic.folder, url=None)("upgrade", "head")

    assert ["items", "users"] == sorted(await catalogue(empty_url))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, "FAILED: no database is named; set DATABASE_URL"),
        ("postgresql+psycopg2://u:geheim@localhost/a", "FAILED: bootstrap does not work with"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line(
    tmp_path: Path, url: str | None, expected: str
) -> None:
    done = Alembic(folder=copy_project(tmp_path / "project"), url=url).run("current")

    assert 0 != done.returncode
    assert expected in done.stdout
    assert "Traceback" not in done.stderr
    assert "geheim" not in done.stdout + done.stderr


# What a program hands over ------------------------------------------------------------------------


async def test_a_connection_inside_a_running_loop_just_works(empty_url: str) -> None:
    async with Database.of(empty_url).connect() as connection:
        await connection.run_sync(up, HEAD)

    assert ["items", "users"] == sorted(await catalogue(empty_url))


async def test_an_async_connection_works_within_its_run_sync(empty_url: str) -> None:
    async with Database.of(empty_url).connect() as connection:
        await connection.run_sync(lambda _: command.upgrade(config(connection), "head"))

    assert ["items", "users"] == sorted(await catalogue(empty_url))


async def test_an_async_engine_works_where_no_loop_runs(empty_url: str) -> None:
    engine = Database.of(empty_url).engine()

    await asyncio.to_thread(command.upgrade, config(engine), "head")

    assert ["items", "users"] == sorted(await catalogue(empty_url))


async def test_a_url_set_by_a_program_goes_before_the_settings(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere")
    configuration = config(None)
    configuration.set_main_option("sqlalchemy.url", empty_url.replace("%", "%%"))

    await asyncio.to_thread(command.upgrade, configuration, "head")

    assert ["items", "users"] == sorted(await catalogue(empty_url))


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_a_sync_engine_works(empty_url: str) -> None:
    engine = create_engine(empty_url, poolclass=NullPool)

    command.upgrade(config(engine), "head")

    assert ["items", "users"] == sorted(await catalogue(empty_url))


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_anything_else_is_refused(empty_url: str) -> None:
    with pytest.raises(CommandError, match="str is neither a connection nor an engine"):
        command.upgrade(config(empty_url), "head")


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_a_transaction_of_the_program_is_the_programs_to_end(empty_url: str) -> None:
    async with Database.of(empty_url).connect() as connection:
        transaction = await connection.begin()
        await connection.run_sync(up, HEAD)
        inside = await connection.run_sync(read)
        await transaction.rollback()

    assert ["items", "users"] == sorted(inside)
    assert {} == await catalogue(empty_url)


# Foreign keys of SQLite ---------------------------------------------------------------------------


@pytest.fixture(params=["the driver begins", "we begin"])
async def with_foreign_keys(
    request: pytest.FixtureRequest, empty_url: str
) -> AsyncIterator[AsyncConnection]:
    """A connection with rows at revision `create_items`, as an application would open it.

    In the second form it also begins transactions itself, as SQLAlchemy's documentation advises.
    """
    engine = create_async_engine(Database.of(empty_url).url, poolclass=NullPool)

    @event.listens_for(engine.sync_engine, "connect")
    def connected(raw: Any, _record: object) -> None:
        raw.execute("PRAGMA foreign_keys=ON")
        if request.param == "we begin":
            raw.isolation_level = None

    @event.listens_for(engine.sync_engine, "begin")
    def began(connection: Connection) -> None:
        if request.param == "we begin":
            connection.exec_driver_sql("BEGIN")

    async with engine.connect() as connection:
        await connection.run_sync(up, "create_items")
        await connection.execute(text(NEW_USER), USERS)
        await connection.execute(text(NEW_ITEM), ITEMS)
        await connection.commit()
        yield connection


async def number(connection: AsyncConnection, sql: str) -> int:
    found = await connection.scalar(text(sql))
    await connection.rollback()
    return int(found or 0)


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_children_survive_the_rebuild_of_their_parents(
    with_foreign_keys: AsyncConnection,
) -> None:
    connection = with_foreign_keys
    for move, revision in ((up, HEAD), (down, "create_items")):
        await connection.run_sync(move, revision)

        assert 3 == await number(connection, "SELECT count(*) FROM items")
        assert 1 == await number(connection, "PRAGMA foreign_keys")
        assert not connection.in_transaction()


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_without_the_pragma_the_rebuild_deletes_the_children(
    with_foreign_keys: AsyncConnection,
) -> None:
    """The control: batch mode alone, as any other env.py has it."""

    def rebuild(connection: Connection) -> None:
        context = MigrationContext.configure(connection)
        with Operations(context).batch_alter_table("users", recreate="always"):
            """Nothing is altered; the table is made anew."""
        connection.commit()

    await with_foreign_keys.run_sync(rebuild)

    assert 0 == await number(with_foreign_keys, "SELECT count(*) FROM items")
    assert 3 == await number(with_foreign_keys, "SELECT count(*) FROM users")


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_foreign_keys_that_cannot_be_switched_off_are_an_error_and_nothing_is_lost(
    with_foreign_keys: AsyncConnection,
) -> None:
    connection = with_foreign_keys
    await connection.execute(text("UPDATE users SET name = 'in a transaction'"))

    with pytest.raises(DatabaseError, match="in a transaction"):
        await connection.run_sync(up, HEAD)
    await connection.rollback()

    assert 3 == await number(connection, "SELECT count(*) FROM items")


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_a_failed_migration_leaves_foreign_keys_on(
    with_foreign_keys: AsyncConnection,
) -> None:
    connection = with_foreign_keys
    await connection.execute(text("UPDATE users SET email = 'ADA@example.com' WHERE id = 2"))
    await connection.commit()

    with pytest.raises(Exception, match="UNIQUE constraint failed"):
        await connection.run_sync(up, HEAD)

    assert 1 == await number(connection, "PRAGMA foreign_keys")


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_a_rebuilt_table_does_not_give_deleted_ids_again(
    with_foreign_keys: AsyncConnection,
) -> None:
    connection = with_foreign_keys
    await connection.execute(text("DELETE FROM users WHERE id = 7"))
    await connection.commit()
    await connection.run_sync(up, HEAD)
    await connection.execute(
        text("INSERT INTO users (username, email, hashed_password) VALUES ('b', 'b', 'x')")
    )

    assert 8 == await connection.scalar(text("SELECT max(id) FROM users"))
    names = await connection.scalars(text("SELECT name FROM sqlite_sequence ORDER BY name"))
    assert ["items", "users"] == list(names)

"""`bootstrap drift` on databases that others use, that are large, and where it may not do much."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import make_url

import bootstrap
from bootstrap import backends
from bootstrap.checking import restoring
from bootstrap.database import Database
from bootstrap.errors import DatabaseError
from tests.bench import large
from tests.catalogues import catalogue
from tests.conformance.test_drift import by_hand
from tests.projects import ProjectFolder, three_tables

ON_SERVERS = pytest.mark.parametrize(
    "backend_name", ["postgresql", "mysql", "mariadb"], indirect=True
)
ON_POSTGRESQL = pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
# `make test-full` takes two gigabytes.
ROWS = large.TWO_GIGABYTES if os.environ.get("BOOTSTRAP_TEST_CHANGES") == "all" else 20_000


async def migrated(url: str, root: Path) -> ProjectFolder:
    folder = three_tables(root)
    await bootstrap.migrate(url, project=folder.project)
    return folder


@ON_SERVERS
async def test_a_writer_with_an_open_transaction_waits_for_nothing_and_is_not_waited_for(
    empty_url: str, tmp_path: Path
) -> None:
    folder = await migrated(empty_url, tmp_path)
    async with Database.of(empty_url).connect() as writer:
        await writer.exec_driver_sql("INSERT INTO t_one (id) VALUES (1)")

        report = await bootstrap.drift(empty_url, project=folder.project)

        await writer.exec_driver_sql("INSERT INTO t_one (id) VALUES (2)")
        await writer.commit()
    assert report.is_clean


@ON_POSTGRESQL
async def test_whoever_alters_a_table_is_waited_for_so_long_and_no_longer(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = await migrated(empty_url, tmp_path)
    await by_hand(empty_url, "CREATE VIEW v AS SELECT id FROM t_one")
    monkeypatch.setattr(restoring, "_PATIENCE", 1.0)
    async with Database.of(empty_url).connect() as other:
        await other.exec_driver_sql("LOCK TABLE t_one IN ACCESS EXCLUSIVE MODE")

        with pytest.raises(DatabaseError, match="cannot read the schema"):
            await bootstrap.drift(empty_url, project=folder.project)


@pytest.mark.parametrize("backend_name", ["mysql", "mariadb"], indirect=True)
async def test_a_locked_table_is_read_all_the_same(empty_url: str, tmp_path: Path) -> None:
    folder = await migrated(empty_url, tmp_path)
    async with Database.of(empty_url).connect() as other:
        await other.exec_driver_sql("LOCK TABLES t_one WRITE")

        report = await bootstrap.drift(empty_url, project=folder.project)

        assert report.is_clean


_READ = {
    "postgresql": "SELECT coalesce(sum(seq_tup_read), 0) AS value FROM pg_stat_user_tables"
    " WHERE relname LIKE 't_%%'",
}
_OF_THE_SERVER = "SHOW GLOBAL STATUS LIKE 'Handler_read_rnd_next'"  # two columns, the second is it


async def rows_read(url: str) -> int:
    """How many rows were read one after the other; on MySQL and MariaDB those of all tables."""
    database = Database.of(url)
    async with database.connect() as connection:
        query = _READ.get(database.backend.name, _OF_THE_SERVER)
        *_, value = (await connection.exec_driver_sql(query)).one()
        return int(value)


@ON_SERVERS
async def test_rows_are_not_looked_at_and_stay_as_they_are(empty_url: str, tmp_path: Path) -> None:
    folder = await migrated(empty_url, tmp_path)
    await large.filled(empty_url, ROWS)
    as_it_was, before = await catalogue(empty_url), await rows_read(empty_url)

    report = await bootstrap.drift(empty_url, project=folder.project)

    after = await rows_read(empty_url)
    assert ["filling"] == [one.name for one in report.differences]
    assert after - before < ROWS / 2  # the catalogue, and the shadow, have some
    assert as_it_was == await catalogue(empty_url)
    async with Database.of(empty_url).connect() as connection:
        count = (await connection.exec_driver_sql("SELECT count(filling) FROM t_one")).scalar_one()
    assert ROWS == count
    assert await rows_read(empty_url) - after >= ROWS  # so that they would have been seen


@ON_POSTGRESQL
async def test_a_server_of_another_version_does_not_take_its_place(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = await migrated(empty_url, tmp_path)
    name = make_url(empty_url).database
    await by_hand(
        empty_url, f"CREATE ROLE poor_{name} LOGIN", f"ALTER SCHEMA public OWNER TO poor_{name}"
    )
    await by_hand(empty_url, f"GRANT SELECT ON alembic_version TO poor_{name}")
    poor = make_url(empty_url).set(username=f"poor_{name}")
    server = backends.named("postgresql").server
    monkeypatch.setattr(type(server), "version", lambda *_: "9.6.24")

    with pytest.raises(DatabaseError, match="no shadow database can be made") as refused:
        await bootstrap.drift(poor, project=folder.project)

    assert "CREATEDB" in refused.value.hint


@pytest.mark.parametrize("backend_name", ["mysql", "mariadb"], indirect=True)
async def test_an_account_of_one_database_alone_is_told_what_to_grant(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = await migrated(empty_url, tmp_path)
    url = make_url(empty_url)
    account = f"poor_{(url.database or '')[-8:]}"
    await by_hand(
        empty_url,
        f"CREATE USER '{account}'@'%%'",
        f"GRANT ALL ON `{url.database}`.* TO '{account}'@'%%'",
    )
    backend = Database.of(empty_url).backend
    monkeypatch.setattr(type(backend.server), "programs", lambda _: None)

    try:
        with pytest.raises(DatabaseError, match="no shadow database can be made") as refused:
            await bootstrap.drift(url.set(username=account), project=folder.project)
    finally:
        await by_hand(empty_url, f"DROP USER '{account}'@'%%'")

    assert rf"GRANT ALL ON `throwaway\_%`.* TO '{account}'" in refused.value.hint

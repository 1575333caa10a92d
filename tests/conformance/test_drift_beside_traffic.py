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
from tests.conformance.test_drift import by_hand
from tests.projects import ProjectFolder, three_tables

ON_SERVERS = pytest.mark.parametrize(
    "backend_name", ["postgresql", "mysql", "mariadb"], indirect=True
)
ON_POSTGRESQL = pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
# `make test-full` takes two gigabytes.
ROWS = 8_000_000 if os.environ.get("BOOTSTRAP_TEST_CHANGES") == "all" else 2_000


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


async def scans(url: str) -> int:
    """How often tables of the project were read from one end to the other."""
    query = "SELECT coalesce(sum(seq_scan), 0) FROM pg_stat_user_tables WHERE relname LIKE 't_%'"
    async with Database.of(url).connect() as connection:
        return int((await connection.exec_driver_sql(query)).scalar_one())


@ON_POSTGRESQL
async def test_rows_are_not_looked_at(empty_url: str, tmp_path: Path) -> None:
    folder = await migrated(empty_url, tmp_path)
    await by_hand(
        empty_url,
        "ALTER TABLE t_one ADD COLUMN filling text",
        f"INSERT INTO t_one SELECT n, repeat('x', 250) FROM generate_series(1, {ROWS}) n",
    )
    before = await scans(empty_url)

    report = await bootstrap.drift(empty_url, project=folder.project)

    assert ["filling"] == [one.name for one in report.differences]
    assert before == await scans(empty_url)
    async with Database.of(empty_url).connect() as connection:
        await connection.exec_driver_sql("SELECT count(filling) FROM t_one")
    assert before < await scans(empty_url)  # so that one would have been seen


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

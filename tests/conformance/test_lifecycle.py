"""Databases are created, waited for and dropped, the same on every backend."""

import asyncio
import socket
from pathlib import Path

import pytest
from sqlalchemy import inspect, make_url, text

import bootstrap
from bootstrap import events


async def test_create_makes_an_empty_database_once(fresh_url: str) -> None:
    first = await bootstrap.create(fresh_url)
    second = await bootstrap.create(fresh_url)

    assert (True, False) == (first.created, second.created)
    assert await bootstrap.Database.of(fresh_url).exists()


async def test_drop_removes_it_once(empty_url: str) -> None:
    first = await bootstrap.drop(empty_url)
    second = await bootstrap.drop(empty_url)

    assert (True, False) == (first.dropped, second.dropped)
    assert not await bootstrap.Database.of(empty_url).exists()


async def test_many_creators_at_once_do_not_fail(fresh_url: str) -> None:
    reports = await asyncio.gather(*(bootstrap.create(fresh_url) for _ in range(5)))

    assert any(report.created for report in reports)
    assert await bootstrap.Database.of(fresh_url).exists()


async def test_drop_refuses_while_somebody_is_connected(empty_url: str) -> None:
    database = bootstrap.Database.of(empty_url)
    async with database.connect() as connection:
        await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        with pytest.raises(bootstrap.DatabaseInUse) as refused:
            await bootstrap.drop(database)

    assert "--force" in refused.value.hint
    assert await database.exists()


async def test_drop_with_force_does_it_all_the_same(empty_url: str) -> None:
    database = bootstrap.Database.of(empty_url)
    engine = database.engine()
    connection = await engine.connect()
    await connection.execute(text("SELECT 1"))

    report = await bootstrap.drop(database, force=True)

    assert report.dropped
    assert not await database.exists()
    await connection.invalidate()
    await connection.close()
    await engine.dispose()


@pytest.mark.parametrize("name", ["it's", 'say "hi"', "back`tick", "100%", "größe-データ", "a b;c"])
async def test_any_name_is_quoted(fresh_url: str, name: str) -> None:
    url = make_url(fresh_url)
    parent = Path(url.database or "").parent
    named = url.set(database=str(parent / name) if url.drivername == "sqlite" else name)
    database = bootstrap.Database.of(named)
    await bootstrap.drop(database)

    created = await bootstrap.create(database)
    there = await database.exists()
    dropped = await bootstrap.drop(database)

    assert (True, True, True) == (created.created, there, dropped.dropped)


async def test_wait_returns_at_once_when_the_server_answers(fresh_url: str) -> None:
    report = await bootstrap.wait(fresh_url, timeout=20)

    assert (1, False) == (report.attempts, report.database_exists)


@pytest.mark.parametrize("backend_name", ["postgresql", "mysql", "mariadb"], indirect=True)
async def test_wait_gives_up_after_the_timeout(backend_name: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    seen: list[events.Event] = []

    with pytest.raises(bootstrap.DatabaseUnreachable, match=r"nothing listens on 127\.0\.0\.1"):
        await bootstrap.wait(
            f"{backend_name}://u:geheim@127.0.0.1:{port}/db", timeout=0.5, emit=seen.append
        )

    assert all(isinstance(event, events.ConnectionTried) for event in seen)
    assert len(seen) >= 2


@pytest.mark.parametrize("backend_name", ["mysql", "mariadb"], indirect=True)
async def test_wait_gives_up_at_once_on_a_wrong_password(fresh_url: str) -> None:
    wrong = fresh_url.replace("root@", "root:geheim@")
    seen: list[events.Event] = []

    with pytest.raises(bootstrap.DatabaseRefused, match="login was refused") as refused:
        await bootstrap.wait(wrong, timeout=60, emit=seen.append)

    assert [] == seen
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_an_owner_an_encoding_and_a_template_are_kept(fresh_url: str) -> None:
    maintenance = bootstrap.Database.of(fresh_url.rsplit("/", 1)[0] + "/postgres")
    async with maintenance.connect() as connection:
        await connection.execute(text("DROP ROLE IF EXISTS keeper"))
        await connection.execute(text("CREATE ROLE keeper"))
        await connection.commit()

    await bootstrap.create(fresh_url, owner="keeper", encoding="LATIN1", template="template0")

    async with bootstrap.Database.of(fresh_url).connect() as connection:
        found = await connection.execute(
            text(
                "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding)"
                " FROM pg_database WHERE datname = current_database()"
            )
        )
        assert ("keeper", "LATIN1") == tuple(found.one())


@pytest.mark.parametrize("backend_name", ["mysql", "mariadb"], indirect=True)
async def test_a_new_database_holds_all_of_unicode(fresh_url: str) -> None:
    await bootstrap.create(fresh_url)

    async with bootstrap.Database.of(fresh_url).connect() as connection:
        found = await connection.execute(text("SELECT @@character_set_database"))
        assert "utf8mb4" == found.scalar_one()


async def test_a_new_file_gets_its_folders_and_wal_mode(tmp_path: Path) -> None:
    path = tmp_path / "not" / "yet" / "there.db"

    await bootstrap.create(f"sqlite:///{path}")

    async with bootstrap.Database.of(f"sqlite:///{path}").connect() as connection:
        mode = await connection.execute(text("PRAGMA journal_mode"))
        assert "wal" == mode.scalar_one()


@pytest.mark.parametrize("backend_name", ["sqlite", "mysql"], indirect=True)
async def test_an_option_that_means_nothing_is_refused(fresh_url: str) -> None:
    with pytest.raises(bootstrap.SettingsError, match="owner cannot be chosen"):
        await bootstrap.create(fresh_url, owner="somebody")

    assert not await bootstrap.Database.of(fresh_url).exists()


async def test_a_file_that_sqlite_did_not_write_is_never_dropped(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes " * 100)

    for force in (False, True):
        with pytest.raises(bootstrap.DatabaseRefused, match="not a SQLite database"):
            await bootstrap.drop(f"sqlite:///{path}", force=force)

    assert path.exists()


async def test_a_file_in_the_place_of_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(bootstrap.DatabaseRefused, match="it is not a folder"):
        await bootstrap.create(f"sqlite:///{tmp_path}/file/app.db")


async def test_a_database_in_memory_cannot_be_created() -> None:
    with pytest.raises(bootstrap.SettingsError, match="in memory"):
        await bootstrap.create("sqlite://")


@pytest.mark.parametrize("timeout", [float("nan"), float("inf"), -1.0])
async def test_a_time_that_is_none_is_refused(timeout: float) -> None:
    with pytest.raises(bootstrap.SettingsError, match="no time to wait"):
        await bootstrap.wait("sqlite:///x.db", timeout=timeout)


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_the_maintenance_database_itself_can_be_asked_for(fresh_url: str) -> None:
    database = bootstrap.Database.of(make_url(fresh_url).set(database="postgres"))

    report = await bootstrap.create(database)

    assert not report.created
    assert () == await database.backend.admin.sessions(
        database.backend.engines, database.connecting()
    )

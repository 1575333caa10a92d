"""What plain Alembic has left half-applied is found, and goes on, is marked done, or is undone."""

from __future__ import annotations

from pathlib import Path

import pytest

import bootstrap
from bootstrap.database import Database
from bootstrap.errors import HalfApplied, SettingsError, StatementFailed
from tests.projects import ProjectFolder, env, new_project, own_url

on_journals = pytest.mark.parametrize("backend_name", ["mariadb", "mysql"], indirect=True)
on_mariadb = pytest.mark.parametrize("backend_name", ["mariadb"], indirect=True)
on_sqlite = pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
on_all = pytest.mark.parametrize("backend_name", ["sqlite", "mariadb", "postgresql"], indirect=True)
KILL = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
T = "op.execute('CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)')"
U = "op.create_table('u', sa.Column('id', sa.Integer, primary_key=True))"
W = "op.execute('CREATE TABLE w (id INTEGER)')"
COLUMN = "op.add_column('t', sa.Column('m', sa.Integer))"
INSERT = "op.execute('INSERT INTO t (id, n) VALUES (1, 10)')"
UPDATE = "op.execute('UPDATE t SET n = n + 1')"


async def rows(url: str, sql: str) -> list[tuple[object, ...]]:
    async with Database.of(url).connect() as connection:
        return [tuple(row) for row in await connection.exec_driver_sql(sql)]


async def written(url: str, sql: str) -> None:
    async with Database.of(url).connect() as connection:
        await connection.exec_driver_sql(sql)
        await connection.commit()


def alone(url: str, line: str) -> str:
    """The line, so that it is committed by itself: PostgreSQL does so in an autocommit block."""
    block = "with op.get_context().autocommit_block():"
    return f"{block}\n    {line}" if url.startswith("postgresql") else line


def project(tmp_path: Path, url: str) -> ProjectFolder:
    folder = new_project(tmp_path / "project")
    folder.env(env())
    own_url(folder, url)
    return folder


def left_by_alembic(folder: ProjectFolder, *lines: str, at: int, down: str | None = None) -> None:
    """Alembic is killed after so many lines of revision one (or two); then the file is whole."""
    name = "two" if down else "one"
    folder.revision(name, down=down, upgrade="\n".join([*lines[:at], KILL]))
    # The control: it has died there, and nowhere else.
    assert -9 == folder.alembic("upgrade", "head").returncode
    folder.revision(name, down=down, upgrade="\n".join(lines))


async def fails_as_before(folder: ProjectFolder) -> str:
    """What a second run of plain Alembic says."""
    again = folder.alembic("upgrade", "head")
    assert again.returncode != 0
    return again.stderr


@on_journals
async def test_a_revision_goes_on_where_plain_alembic_has_left_it(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, empty_url)
    left_by_alembic(folder, T, INSERT, COLUMN, UPDATE, U, at=3)
    assert "1050" in await fails_as_before(folder)

    looked = await bootstrap.repair(empty_url, project=folder.project)

    assert looked.unrecorded is not None
    assert (3,) == looked.unrecorded.stops
    assert not looked.is_clean
    await bootstrap.repair(empty_url, "record", project=folder.project)
    report = await bootstrap.migrate(empty_url, project=folder.project)
    assert ("one",) == report.after
    assert [(1, 11, None)] == await rows(empty_url, "SELECT id, n, m FROM t")
    assert [] == await rows(empty_url, "SELECT * FROM u")
    assert [] == await rows(empty_url, "SHOW TABLES LIKE 'bootstrap_journal'")


@on_journals
async def test_rows_that_nobody_can_see_are_for_a_person_to_say(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, empty_url)
    folder.revision("one", down=None, upgrade=f"{T}\n{INSERT}")
    await bootstrap.migrate(empty_url, project=folder.project)
    # The server commits the UPDATE before it refuses what follows.
    folder.revision("two", down="one", upgrade=f"{COLUMN}\n{UPDATE}\n{T}")
    assert "1050" in await fails_as_before(folder)
    folder.revision("two", down="one", upgrade=f"{COLUMN}\n{UPDATE}\n{U}")

    looked = await bootstrap.repair(empty_url, project=folder.project)
    assert looked.unrecorded is not None
    assert (1, 2) == looked.unrecorded.stops
    assert [(11,)] == await rows(empty_url, "SELECT n FROM t")
    with pytest.raises(HalfApplied, match="statement 1 or 2 cannot be told") as caught:
        await bootstrap.repair(empty_url, "record", project=folder.project)
    assert "--record --after 1" in caught.value.hint
    with pytest.raises(HalfApplied, match="has not stopped after statement 3"):
        await bootstrap.repair(empty_url, "record", after=3, project=folder.project)
    with pytest.raises(HalfApplied, match="may have written rows"):
        await bootstrap.repair(empty_url, "undo", project=folder.project)

    await bootstrap.repair(empty_url, "record", after=2, project=folder.project)
    await bootstrap.migrate(empty_url, project=folder.project)

    assert [(11,)] == await rows(empty_url, "SELECT n FROM t")
    assert [] == await rows(empty_url, "SELECT * FROM u")


@on_mariadb
async def test_the_error_of_a_run_says_what_finds_out_about_it(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, empty_url)
    left_by_alembic(folder, T, U, at=1)

    with pytest.raises(StatementFailed) as caught:
        await bootstrap.migrate(empty_url, project=folder.project)

    assert "bootstrap repair finds out how far it got" in caught.value.hint


@on_mariadb
async def test_what_is_read_from_rows_steers_what_follows_and_is_not_guessed(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, empty_url)
    folder.revision("one", down=None, upgrade=T)
    await bootstrap.migrate(empty_url, project=folder.project)
    await written(empty_url, "INSERT INTO t (id, n) VALUES (1, 10)")
    read = "found = op.get_bind().execute(sa.text('SELECT n FROM t')).all()"
    left_by_alembic(folder, read, COLUMN, U, at=2, down="one")

    looked = await bootstrap.repair(empty_url, project=folder.project)
    assert looked.unrecorded is not None
    assert (2,) == looked.unrecorded.stops
    assert ("bootstrap repair --undo --yes && bootstrap migrate",) == looked.unrecorded.choices

    with pytest.raises(HalfApplied, match="what its statement 1 returned steers") as caught:
        await bootstrap.repair(empty_url, "record", project=folder.project)
    assert caught.value.place is not None
    assert 8 == caught.value.place.line


@on_mariadb
async def test_to_look_changes_nothing_and_leaves_nothing(empty_url: str, tmp_path: Path) -> None:
    folder = project(tmp_path, empty_url)
    left_by_alembic(folder, T, U, at=1)
    before = await rows(empty_url, "SHOW DATABASES")

    await bootstrap.repair(empty_url, project=folder.project)

    assert before == await rows(empty_url, "SHOW DATABASES")
    assert [("t",)] == [
        one for one in await rows(empty_url, "SHOW TABLES") if one != ("alembic_version",)
    ]


@on_all
async def test_what_is_new_and_empty_is_undone(empty_url: str, tmp_path: Path) -> None:
    folder = project(tmp_path, empty_url)
    folder.revision("one", down=None, upgrade=T)
    await bootstrap.migrate(empty_url, project=folder.project)
    await written(empty_url, "INSERT INTO t (id, n) VALUES (1, 10)")
    index = "op.create_index('ix_t_n', 't', ['n'])"
    lines = [alone(empty_url, one) for one in (U, COLUMN, index)]
    left_by_alembic(folder, *lines, W, at=3, down="one")
    await fails_as_before(folder)

    report = await bootstrap.repair(empty_url, "undo", project=folder.project)

    assert report.unrecorded is not None
    assert ("index ix_t_n of t", "column m of t", "table u") == report.unrecorded.undone
    assert [(1, 10)] == await rows(empty_url, "SELECT * FROM t")
    await bootstrap.migrate(empty_url, project=folder.project)
    assert [(1, 10, None)] == await rows(empty_url, "SELECT * FROM t")


@on_all
async def test_what_is_whole_is_marked_done(empty_url: str, tmp_path: Path) -> None:
    folder = project(tmp_path, empty_url)
    left_by_alembic(folder, alone(empty_url, T), alone(empty_url, U), at=2)

    looked = await bootstrap.repair(empty_url, project=folder.project)
    assert looked.unrecorded is not None
    assert "bootstrap repair --done" == looked.unrecorded.choices[0]
    await bootstrap.repair(empty_url, "done", project=folder.project)

    assert [("one",)] == await rows(empty_url, "SELECT version_num FROM alembic_version")
    assert (await bootstrap.repair(empty_url, project=folder.project)).is_clean


@on_sqlite
async def test_what_is_not_empty_stays(empty_url: str, tmp_path: Path) -> None:
    folder = project(tmp_path, empty_url)
    left_by_alembic(folder, T, U, at=1)
    await written(empty_url, "INSERT INTO t (id, n) VALUES (1, 10)")

    with pytest.raises(HalfApplied, match="table t is not empty"):
        await bootstrap.repair(empty_url, "undo", project=folder.project)
    with pytest.raises(HalfApplied, match="not all of revision one is there"):
        await bootstrap.repair(empty_url, "done", project=folder.project)
    with pytest.raises(HalfApplied, match="from its middle on SQLite"):
        await bootstrap.repair(empty_url, "record", project=folder.project)

    assert [(1, 10)] == await rows(empty_url, "SELECT * FROM t")


@on_sqlite
async def test_what_is_like_no_place_is_shown_with_the_nearest(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, empty_url)
    left_by_alembic(folder, T, U, COLUMN, at=2)
    await written(empty_url, "CREATE INDEX by_hand ON u (id)")

    looked = await bootstrap.repair(empty_url, project=folder.project)

    assert looked.unrecorded is not None
    assert () == looked.unrecorded.stops
    assert 2 == looked.unrecorded.nearest
    assert ["index by_hand of u"] == [one.title for one in looked.unrecorded.differences]
    with pytest.raises(HalfApplied, match="like it is after none of its statements"):
        await bootstrap.repair(empty_url, "undo", project=folder.project)


@on_sqlite
async def test_what_others_have_changed_elsewhere_does_not_count(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, empty_url)
    folder.revision("one", down=None, upgrade=T)
    await bootstrap.migrate(empty_url, project=folder.project)
    await written(empty_url, "CREATE TABLE by_hand (id INTEGER)")
    await written(empty_url, "CREATE INDEX ix_by_hand ON t (n)")
    left_by_alembic(folder, COLUMN, U, at=1, down="one")

    looked = await bootstrap.repair(empty_url, project=folder.project)

    assert looked.unrecorded is not None
    assert (1,) == looked.unrecorded.stops


@on_sqlite
async def test_of_several_branches_the_one_that_is_begun_is_found(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, empty_url)
    folder.revision("one", down=None, upgrade=T)
    await bootstrap.migrate(empty_url, project=folder.project)
    left_by_alembic(folder, COLUMN, U, at=1, down="one")
    folder.revision("other", down="one", upgrade=W)

    looked = await bootstrap.repair(empty_url, project=folder.project)

    assert looked.unrecorded is not None
    assert "two" == looked.unrecorded.revision


@on_sqlite
async def test_a_revision_that_does_not_come_to_its_end_is_found_too(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, empty_url)
    folder.revision("one", down=None, upgrade=f"{T}\nop.execute('CREATE nonsense')")
    assert folder.alembic("upgrade", "head").returncode != 0

    looked = await bootstrap.repair(empty_url, project=folder.project)

    assert looked.unrecorded is not None
    assert (1,) == looked.unrecorded.stops
    assert "CREATE nonsense" in looked.unrecorded.failed


@on_sqlite
async def test_where_nothing_is_half_applied_nothing_is_decided(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, empty_url)
    folder.revision("one", down=None, upgrade=T)

    looked = await bootstrap.repair(empty_url, project=folder.project)

    assert looked.is_clean
    for decision in ("record", "undo", "done"):
        with pytest.raises(SettingsError, match="nothing is half-applied"):
            await bootstrap.repair(empty_url, decision, project=folder.project)

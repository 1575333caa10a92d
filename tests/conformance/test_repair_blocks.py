"""What plain Alembic has left of a revision that had left its transaction goes on, too."""

from __future__ import annotations

from pathlib import Path

import pytest

import bootstrap
from bootstrap.errors import HalfApplied
from tests.conformance.test_repair import COLUMN, INSERT, KILL, T, U, project, rows, written
from tests.projects import ProjectFolder

pytestmark = pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
HERE = "# here"
BLOCK = "with op.get_context().autocommit_block():"
INDEX = "op.execute('CREATE INDEX CONCURRENTLY ix ON t (n)')"
UNIQUE = "op.execute('CREATE UNIQUE INDEX CONCURRENTLY ix ON t (n)')"
TWICE = "op.execute('UPDATE t SET n = n * 2')"


def block(*lines: str) -> str:
    return "\n    ".join([BLOCK, *lines])


def left_at(folder: ProjectFolder, name: str, *lines: str, down: str | None = None) -> None:
    """Alembic is killed at the mark; then the file is whole."""
    upgrade = "\n".join(lines)
    assert HERE in upgrade
    folder.revision(name, down=down, upgrade=upgrade.replace(HERE, KILL))
    # The control: it has died there, and nowhere else.
    assert -9 == folder.alembic("upgrade", "head").returncode
    folder.revision(name, down=down, upgrade=upgrade)


async def stops(url: str, folder: ProjectFolder) -> tuple[int, ...]:
    looked = await bootstrap.repair(url, project=folder.project)
    return looked.unrecorded.stops if looked.unrecorded else ()


async def indexes(url: str) -> list[tuple[object, ...]]:
    """Of table t, with whether they are valid."""
    return await rows(
        url,
        "SELECT CAST(c.relname AS text), i.indisvalid FROM pg_index i"
        " JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE i.indrelid = CAST('t' AS regclass) AND NOT i.indisprimary",
    )


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"], indirect=True)
async def test_a_revision_goes_on_in_the_block_where_plain_alembic_has_left_it(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, empty_url)
    left_at(folder, "one", T, INSERT, block(INDEX, TWICE, COLUMN, HERE, TWICE), U, TWICE)
    again = folder.alembic("upgrade", "head")
    assert (1, True) == (again.returncode, "already exists" in again.stderr)

    assert (5,) == await stops(empty_url, folder)
    await bootstrap.repair(empty_url, "record", project=folder.project)
    report = await bootstrap.migrate(empty_url, project=folder.project)

    assert ("one",) == report.after
    assert [(1, 80, None)] == await rows(empty_url, "SELECT id, n, m FROM t")
    assert [("ix", True)] == await indexes(empty_url)
    assert [] == await rows(empty_url, "SELECT * FROM u")
    assert [(None,)] == await rows(empty_url, "SELECT to_regclass('bootstrap_journal')::text")


async def test_what_came_before_the_block_is_there_as_a_whole(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, empty_url)
    left_at(folder, "one", T, INSERT, block(HERE, TWICE, INDEX), U)

    assert (2,) == await stops(empty_url, folder)
    await bootstrap.repair(empty_url, "record", project=folder.project)
    await bootstrap.migrate(empty_url, project=folder.project)

    assert [(1, 20)] == await rows(empty_url, "SELECT id, n FROM t")


async def test_what_follows_the_block_was_rolled_back(empty_url: str, tmp_path: Path) -> None:
    folder = project(tmp_path, empty_url)
    left_at(folder, "one", T, INSERT, block(INDEX), U, TWICE, HERE)

    assert (3,) == await stops(empty_url, folder)
    await bootstrap.repair(empty_url, "record", project=folder.project)
    await bootstrap.migrate(empty_url, project=folder.project)

    assert [(1, 20)] == await rows(empty_url, "SELECT id, n FROM t")
    assert [] == await rows(empty_url, "SELECT * FROM u")


async def test_rows_of_others_that_a_block_may_have_written_are_for_a_person_to_say(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, empty_url)
    folder.revision("one", down=None, upgrade=T)
    await bootstrap.migrate(empty_url, project=folder.project)
    await written(empty_url, "INSERT INTO t (id, n) VALUES (1, 10)")
    left_at(folder, "two", block(INDEX, TWICE, HERE, COLUMN), down="one")

    assert (1, 2) == await stops(empty_url, folder)
    with pytest.raises(HalfApplied, match="statement 1 or 2 cannot be told"):
        await bootstrap.repair(empty_url, "record", project=folder.project)
    await bootstrap.repair(empty_url, "record", after=2, project=folder.project)
    await bootstrap.migrate(empty_url, project=folder.project)

    assert [(1, 20, None)] == await rows(empty_url, "SELECT id, n, m FROM t")


@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "at once"])
async def test_an_index_that_is_not_valid_is_made_anew(
    empty_url: str, tmp_path: Path, recorded: bool
) -> None:
    folder = project(tmp_path, empty_url)
    folder.revision("one", down=None, upgrade=T)
    await bootstrap.migrate(empty_url, project=folder.project)
    await written(empty_url, "INSERT INTO t (id, n) VALUES (1, 10), (2, 10)")
    before = U if recorded else "pass"
    folder.revision("two", down="one", upgrade=f"{before}\n{block(UNIQUE, COLUMN)}")
    assert "could not create unique index" in folder.alembic("upgrade", "head").stderr
    await written(empty_url, "DELETE FROM t WHERE id = 2")
    # The control: it is there, and Alembic does not come past it.
    assert [("ix", False)] == await indexes(empty_url)
    assert "already exists" in folder.alembic("upgrade", "head").stderr

    if recorded:
        assert (1,) == await stops(empty_url, folder)
        await bootstrap.repair(empty_url, "record", project=folder.project)
    await bootstrap.migrate(empty_url, project=folder.project)

    assert [("ix", True)] == await indexes(empty_url)
    assert [(1, 10, None)] == await rows(empty_url, "SELECT id, n, m FROM t")


@pytest.mark.parametrize(
    ("read", "sql"),
    [
        ("op.get_bind().execute(sa.text('SELECT n FROM t')).all()", "SELECT n FROM t"),
        (
            "op.execute(\"SELECT 't'::regclass::oid FROM pg_catalog.pg_class\")",
            "pg_class",
        ),
        ("op.get_bind().execute(sa.text(\"SELECT nextval('numbers')\")).scalar()", "nextval"),
    ],
    ids=["rows", "the number of a table", "the number of a sequence"],
)
async def test_what_another_database_would_return_is_not_guessed(
    empty_url: str, tmp_path: Path, read: str, sql: str
) -> None:
    folder = project(tmp_path, empty_url)
    folder.revision("one", down=None, upgrade=f"{T}\nop.execute('CREATE SEQUENCE numbers')")
    await bootstrap.migrate(empty_url, project=folder.project)
    await written(empty_url, "INSERT INTO t (id, n) VALUES (1, 10)")
    left_at(folder, "two", read, block(INDEX, HERE), down="one")

    assert (2,) == await stops(empty_url, folder)
    with pytest.raises(HalfApplied, match="what its statement 1 returned steers") as caught:
        await bootstrap.repair(empty_url, "record", project=folder.project)

    assert sql in caught.value.message
    assert [] == await rows(empty_url, "SELECT 1 FROM pg_class WHERE relname = 'bootstrap_journal'")


async def test_a_commit_that_is_sent_as_text_is_a_place_to_stop_at(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, empty_url)
    left_at(folder, "one", T, "op.execute('COMMIT')", INDEX, HERE, U)

    assert (3,) == await stops(empty_url, folder)
    await bootstrap.repair(empty_url, "record", project=folder.project)
    await bootstrap.migrate(empty_url, project=folder.project)

    assert [("ix", True)] == await indexes(empty_url)
    assert [] == await rows(empty_url, "SELECT * FROM u")


async def test_an_index_that_is_not_valid_is_undone_with_the_rest(
    empty_url: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, empty_url)
    folder.revision("one", down=None, upgrade=T)
    await bootstrap.migrate(empty_url, project=folder.project)
    await written(empty_url, "INSERT INTO t (id, n) VALUES (1, 10), (2, 10)")
    folder.revision("two", down="one", upgrade=f"{U}\n{block(COLUMN, UNIQUE)}")
    assert "could not create unique index" in folder.alembic("upgrade", "head").stderr

    report = await bootstrap.repair(empty_url, "undo", project=folder.project)

    assert report.unrecorded is not None
    assert ("index ix of t", "column m of t", "table u") == report.unrecorded.undone
    assert [] == await indexes(empty_url)
    assert [(1, 10), (2, 10)] == await rows(empty_url, "SELECT * FROM t")

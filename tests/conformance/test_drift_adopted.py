"""`bootstrap drift --adopt`: the history follows the database."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import make_url

import bootstrap
from bootstrap.database import Database
from bootstrap.errors import RevisionError
from tests import available
from tests.conformance.test_drift import by_hand
from tests.projects import three_tables


async def fresh(url: str, folder: Path) -> str:
    """Another, empty database of the same backend."""
    there = make_url(url)
    is_file = Database.of(url).backend.features.is_file
    name = str(folder / "fresh.db") if is_file else f"{there.database}_f"
    other = there.set(database=name)
    available.create(other)
    return other.render_as_string(hide_password=False)


async def test_the_whole_walk_from_drift_to_the_same_schema_everywhere(
    empty_url: str, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path)
    await bootstrap.migrate(empty_url, project=folder.project)
    await by_hand(
        empty_url,
        "ALTER TABLE t_one ADD COLUMN extra VARCHAR(20)",
        "CREATE INDEX ix_extra ON t_one (extra)",
        "DROP TABLE t_two",
        "CREATE TABLE by_hand (id INTEGER PRIMARY KEY, n INTEGER, "
        "CONSTRAINT ck_n CHECK (n > 0 AND n <> 7))",
        "CREATE VIEW v AS SELECT id FROM t_one",
        "INSERT INTO by_hand (id, n) VALUES (1, 2)",
    )

    report = await bootstrap.adopt(
        empty_url, project=folder.project, message="Adopt", rev_id="adopted"
    )

    assert ((), ()) == (report.missing, report.not_undone)
    assert report.revision is not None
    text = report.revision.path.read_text()
    assert "op.add_column('t_one'" in text
    assert "op.create_index('ix_extra'" in text
    assert "op.drop_table('t_two')" in text
    assert "VIEW" in text.partition("op.execute(")[2]
    await bootstrap.stamp(empty_url, "adopted", project=folder.project)
    assert (await bootstrap.drift(empty_url, project=folder.project)).is_clean
    other = await fresh(empty_url, tmp_path)
    try:
        await bootstrap.migrate(other, project=folder.project)
        assert (await bootstrap.snapshot(empty_url)).digest == (
            await bootstrap.snapshot(other)
        ).digest
    finally:
        available.drop(make_url(other))


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_where_there_is_nothing_to_adopt_no_file_is_written(
    empty_url: str, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path)
    await bootstrap.migrate(empty_url, project=folder.project)

    report = await bootstrap.adopt(empty_url, project=folder.project)

    assert ((), None) == (report.adopted, report.revision)


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_a_database_that_is_not_at_the_heads_is_refused(
    empty_url: str, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path)
    await bootstrap.migrate(empty_url, "two", project=folder.project)
    await by_hand(empty_url, "CREATE TABLE by_hand (id INTEGER)")

    with pytest.raises(RevisionError, match="not at the heads"):
        await bootstrap.adopt(empty_url, project=folder.project)

    assert ["one.py", "three.py", "two.py"] == sorted(
        path.name for path in (folder.root / "migrations" / "versions").glob("*.py")
    )

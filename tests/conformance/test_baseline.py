"""`bootstrap baseline` finds the revision of a database that no version table tells of."""

from __future__ import annotations

from pathlib import Path

import pytest

import bootstrap
from bootstrap import Project
from bootstrap.errors import RevisionError
from tests.conformance.test_drift import by_hand
from tests.projects import three_tables

_REFERENCE = Project.at(Path(__file__).parents[2] / "alembic.ini")


async def test_each_revision_of_the_reference_history_is_found_and_stamped(empty_url: str) -> None:
    history = (await bootstrap.history(project=_REFERENCE)).revisions
    names = [one.revision for one in reversed(history)]
    for name in names:
        await bootstrap.migrate(empty_url, name, project=_REFERENCE)
        await bootstrap.stamp(empty_url, "base", project=_REFERENCE)

        report = await bootstrap.baseline(empty_url, project=_REFERENCE)

        assert (((name,),), (name,), ()) == (report.matches, report.stamped, report.differences)
        current = await bootstrap.current(empty_url, project=_REFERENCE)
        assert [name] == [one.revision for one in current.revisions]
    assert 5 == len(names)


async def test_where_none_matches_the_nearest_is_named_with_what_differs(
    empty_url: str, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path)
    await bootstrap.migrate(empty_url, "two", project=folder.project)
    await bootstrap.stamp(empty_url, "base", project=folder.project)
    await by_hand(empty_url, "ALTER TABLE t_one ADD COLUMN more INTEGER")

    report = await bootstrap.baseline(empty_url, project=folder.project)

    assert ((), ("two",), ()) == (report.matches, report.nearest, report.stamped)
    assert ["column more of t_one"] == [one.title for one in report.differences]


async def test_a_revision_that_changes_rows_alone_leaves_two_and_nothing_is_stamped(
    empty_url: str, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path)
    folder.revision("rows", down="three", upgrade="op.execute('DELETE FROM t_one')")
    await bootstrap.migrate(empty_url, project=folder.project)
    await bootstrap.stamp(empty_url, "base", project=folder.project)

    report = await bootstrap.baseline(empty_url, project=folder.project)

    assert ((("three",), ("rows",)), (), False) == (
        report.matches,
        report.stamped,
        report.is_found,
    )


async def test_without_stamping_the_revision_is_named_and_not_written(
    empty_url: str, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path)
    await bootstrap.migrate(empty_url, "two", project=folder.project)
    await bootstrap.stamp(empty_url, "base", project=folder.project)

    report = await bootstrap.baseline(empty_url, project=folder.project, stamping=False)

    assert ((("two",),), ()) == (report.matches, report.stamped)
    assert () == (await bootstrap.current(empty_url, project=folder.project)).revisions


async def test_a_database_with_a_version_is_refused(empty_url: str, tmp_path: Path) -> None:
    folder = three_tables(tmp_path)
    await bootstrap.migrate(empty_url, "one", project=folder.project)

    with pytest.raises(RevisionError, match="is at one already") as refused:
        await bootstrap.baseline(empty_url, project=folder.project)

    assert "bootstrap drift" in refused.value.hint

"""`drift` and `baseline` where the history begins with a function of the project's own."""

from __future__ import annotations

import pytest

import bootstrap
from bootstrap.errors import RevisionError
from tests.conformance import test_first_time
from tests.conformance.test_drift import by_hand
from tests.conformance.test_first_time import first, on_sqlite
from tests.projects import ProjectFolder

folder = test_first_time.folder


@on_sqlite
@pytest.mark.parametrize("name", ["newest", "older", "base"])
async def test_what_the_function_has_made_is_no_drift(
    empty_url: str, folder: ProjectFolder, name: str
) -> None:
    project = first(folder, name)
    await bootstrap.migrate(empty_url, project=project)
    clean = await bootstrap.drift(empty_url, project=project)
    await by_hand(empty_url, "CREATE TABLE by_hand (id INTEGER)")

    report = await bootstrap.drift(empty_url, project=project)

    assert () == clean.differences
    assert ["by_hand"] == [one.table for one in report.differences]


@on_sqlite
async def test_a_revision_that_no_empty_database_comes_to_is_refused_with_what_to_do(
    empty_url: str, folder: ProjectFolder
) -> None:
    project = first(folder, "newest")
    await bootstrap.migrate(empty_url, project=project)
    await bootstrap.stamp(empty_url, "one", project=project)

    with pytest.raises(RevisionError, match="cannot be replayed to one") as refused:
        await bootstrap.drift(empty_url, project=project)

    assert refused.value.hint.startswith("bootstrap migrate")


@on_sqlite
async def test_the_heads_are_found_for_a_database_that_no_version_table_tells_of(
    empty_url: str, folder: ProjectFolder
) -> None:
    project = first(folder, "newest")
    await bootstrap.migrate(empty_url, project=project)
    await bootstrap.stamp(empty_url, "base", project=project)

    report = await bootstrap.baseline(empty_url, project=project)

    assert ((("two",),), ("two",)) == (report.matches, report.stamped)

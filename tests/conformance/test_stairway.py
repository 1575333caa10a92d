"""`verify --stairway` and `--data`: what downgrades leave behind, and which rows they lose."""

from pathlib import Path
from typing import Any

import pytest

import bootstrap
from bootstrap.checking.acceptances import Acceptance
from bootstrap.checking.differences import Comparison
from bootstrap.reference import datasets_folder
from tests import available
from tests.available import Servers
from tests.projects import ProjectFolder, new_project

FIRST = (
    "op.create_table('rows', sa.Column('id', sa.Integer, primary_key=True),"
    " sa.Column('name', sa.String(20), nullable=False))"
)
REFERENCE = Path(__file__).parents[2] / "alembic.ini"


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    folder = new_project(tmp_path / "project")
    folder.revision("one", down=None, upgrade=FIRST, downgrade="op.drop_table('rows')")
    return folder


@pytest.fixture
def where(backend_name: str, servers: Servers) -> dict[str, Any]:
    """The backend of the test, in the words of `verify`; drivers make no difference."""
    if backend_name == "sqlite":
        return {"backends": ("sqlite",)}
    return {"urls": (servers.url(backend_name),)}


each_backend = pytest.mark.parametrize("backend_name", available.BACKENDS, indirect=True)
on_sqlite = pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)


def found(report: bootstrap.VerifyReport) -> list[tuple[str, str]]:
    """Revision and title of what the stairway found."""
    return [
        (one.revision, one.title)
        for one in report.differences
        if one.comparison is Comparison.STAIRWAY
    ]


@each_backend
async def test_a_way_back_that_works_leaves_nothing(
    folder: ProjectFolder, where: dict[str, Any]
) -> None:
    folder.revision(
        "two",
        down="one",
        upgrade="with op.batch_alter_table('rows') as batch:\n"
        "    batch.add_column(sa.Column('more', sa.Integer))",
        downgrade="with op.batch_alter_table('rows') as batch:\n    batch.drop_column('more')",
    )
    folder.revision("west", down="one")
    folder.revision("east", down=("two", "west"))

    report = await bootstrap.verify(project=folder.project, models=False, stairway=True, **where)

    assert [] == found(report)


@each_backend
async def test_what_a_downgrade_leaves_behind_is_found(
    folder: ProjectFolder, where: dict[str, Any]
) -> None:
    folder.revision(
        "two",
        down="one",
        upgrade="op.create_index('ix_rows_name', 'rows', ['name'], if_not_exists=True)"
        if "backends" in where
        else "from sqlalchemy import inspect\n"
        "if not inspect(op.get_bind()).get_indexes('rows'):\n"
        "    op.create_index('ix_rows_name', 'rows', ['name'])",
    )

    report = await bootstrap.verify(project=folder.project, models=False, stairway=True, **where)

    assert [("two", "index ix_rows_name of rows")] == found(report)
    (difference,) = report.differences
    assert ["before", "after the downgrade"] == [side.where for side in difference.sides]
    assert [True, False] == [side.value is None for side in difference.sides]
    assert not report.is_clean


@on_sqlite
async def test_a_downgrade_that_raises_is_found_and_the_next_revision_is_looked_at(
    folder: ProjectFolder, where: dict[str, Any]
) -> None:
    folder.revision("two", down="one", downgrade="raise NotImplementedError('never')")
    folder.revision(
        "three",
        down="two",
        upgrade="op.create_table('t', sa.Column('id', sa.Integer, primary_key=True))",
    )

    report = await bootstrap.verify(project=folder.project, models=False, stairway=True, **where)
    accepted = await bootstrap.verify(
        project=folder.project,
        models=False,
        stairway=True,
        accepted=[
            Acceptance(reason="there is no way back", revision="two"),
            Acceptance(reason="nor here", revision="three", attribute="second upgrade"),
        ],
        **where,
    )

    assert [
        ("two", "revision two: downgrade fails"),
        ("three", "revision three: second upgrade fails"),
    ] == found(report)
    assert "revision two raised NotImplementedError" in str(report.differences[0].sides[0].value)
    assert accepted.is_clean


@each_backend
async def test_a_downgrade_that_loses_rows_is_named(
    folder: ProjectFolder, where: dict[str, Any]
) -> None:
    folder.revision(
        "two",
        down="one",
        upgrade="op.create_table('children', sa.Column('id', sa.Integer, primary_key=True),"
        " sa.Column('row', sa.Integer, sa.ForeignKey('rows.id'), nullable=False),"
        " sa.Column('at', sa.DateTime), sa.Column('flag', sa.Boolean, nullable=False))",
        downgrade="op.drop_table('children')",
    )
    folder.revision(
        "three",
        down="two",
        upgrade="op.rename_table('children', 'others')",
        downgrade="op.rename_table('others', 'children')",
    )

    report = await bootstrap.verify(project=folder.project, models=False, data=True, **where)

    assert {} == report.not_filled
    assert [("two", "children", 1), ("one", "rows", 1)] == [
        (loss.revision, loss.table, loss.rows) for loss in report.losses
    ]
    assert {report.servers[0].name} == {loss.server for loss in report.losses}


@on_sqlite
async def test_a_downgrade_that_rows_prevent_is_found(
    folder: ProjectFolder, where: dict[str, Any]
) -> None:
    folder.revision(
        "two",
        down="one",
        downgrade="op.execute('INSERT INTO rows SELECT id, name FROM rows')",
    )

    without = await bootstrap.verify(project=folder.project, models=False, stairway=True, **where)
    with_rows = await bootstrap.verify(project=folder.project, models=False, data=True, **where)

    assert [] == found(without)
    assert [("two", "revision two: downgrade with rows fails")] == found(with_rows)


@on_sqlite
async def test_a_table_that_no_made_up_row_fits_into_is_said(
    folder: ProjectFolder, where: dict[str, Any]
) -> None:
    folder.revision(
        "two",
        down="one",
        upgrade="op.create_table('odd', sa.Column('id', sa.Integer, primary_key=True),"
        " sa.Column('code', sa.String(9), sa.CheckConstraint(\"code = 'xyz'\"), nullable=False))",
        downgrade="op.drop_table('odd')",
    )

    report = await bootstrap.verify(project=folder.project, models=False, data=True, **where)

    assert {report.servers[0].name: ("odd",)} == report.not_filled
    assert ["rows"] == [loss.table for loss in report.losses]


@each_backend
async def test_rows_of_data_sets_are_counted(where: dict[str, Any]) -> None:
    project = bootstrap.Project.at(REFERENCE)

    report = await bootstrap.verify(
        project=project, stairway=True, data=True, datasets=[datasets_folder()], **where
    )

    assert report.is_clean
    assert [("create_items", "items", 8), ("create_users", "users", 4)] == [
        (loss.revision, loss.table, loss.rows) for loss in report.losses
    ]

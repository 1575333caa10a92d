"""Where a database is and whether it has what the models say; nothing in it is changed."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, text

import bootstrap
from bootstrap.records.names import TOOL_TABLES
from tests.projects import ProjectFolder, new_project, three_tables

EXISTING = """
op.create_table('owners', sa.Column('id', sa.Integer, primary_key=True))
op.create_table(
    'things',
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('name', sa.String(20), nullable=True),
    sa.Column('size', sa.Integer, nullable=False),
    sa.Column('old', sa.Integer),
    sa.Column('owner_id', sa.Integer),
    sa.UniqueConstraint('size', name='uq_size'),
)
op.create_index('ix_old', 'things', ['old'])
op.create_table('left_over', sa.Column('id', sa.Integer, primary_key=True))
"""
MODELS = """
import sqlalchemy as sa
metadata = sa.MetaData()
sa.Table('owners', metadata, sa.Column('id', sa.Integer, primary_key=True))
sa.Table(
    'things',
    metadata,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('name', sa.String(50), nullable=False),
    sa.Column('size', sa.Integer, nullable=False),
    sa.Column('weight', sa.Integer, nullable=False, server_default='1'),
    sa.Column('owner_id', sa.Integer),
    sa.ForeignKeyConstraint(['owner_id'], ['owners.id'], name='fk_owner'),
    sa.UniqueConstraint('name', name='uq_name'),
    sa.Index('ix_weight', 'weight', unique=True),
)
sa.Table('parts', metadata, sa.Column('id', sa.Integer, primary_key=True))
"""
PENDING = {
    "create_table": {"create table parts (id)"},
    "drop_table": {"drop table left_over"},
    "add_column": {"add column things.weight INTEGER not null default '1'"},
    "drop_column": {"drop column things.old"},
    "alter_column": {"alter column things.name: type VARCHAR(20) to VARCHAR(50), not null"},
    "create_foreign_key": {"create foreign key fk_owner on things (owner_id) to owners (id)"},
    "create_unique_constraint": {"create unique constraint uq_name on things (name)"},
    "drop_index": {"drop index ix_old on things"},
    "create_index": {"create unique index ix_weight on things (weight)"},
}


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    return three_tables(tmp_path / "project")


def with_models(root: Path, *, models: str = MODELS) -> ProjectFolder:
    """A project whose one revision is older than its models."""
    folder = new_project(root)
    folder.revision("first", down=None, upgrade=EXISTING)
    env = (root / "migrations" / "env.py").read_text()
    folder.env(env.replace("from sqlalchemy import MetaData\nmetadata = MetaData()", models))
    return folder


def tables(connection: Connection) -> set[str]:
    """Those of the project, and of Alembic."""
    return set(inspect(connection).get_table_names()) - TOOL_TABLES


async def tables_of(url: str) -> set[str]:
    async with bootstrap.Database.of(url).connect() as connection:
        return await connection.run_sync(tables)


async def test_current_tells_where_a_database_is(empty_url: str, folder: ProjectFolder) -> None:
    before = await bootstrap.current(empty_url, project=folder.project)
    untouched = await tables_of(empty_url)
    await bootstrap.migrate(empty_url, "two", project=folder.project)
    half_way = await bootstrap.current(empty_url, project=folder.project)
    await bootstrap.migrate(empty_url, project=folder.project)
    after = await bootstrap.current(empty_url, project=folder.project)

    assert ((), False, set()) == (before.revisions, before.at_heads, untouched)
    assert [("two", False, True)] == [
        (one.revision, one.is_head, one.is_current) for one in half_way.revisions
    ]
    assert (False, True) == (half_way.at_heads, after.at_heads)
    assert (("three",), "three title") == (after.heads, after.revisions[0].title)


async def test_a_head_that_another_depends_on_is_applied_with_it(
    empty_url: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path / "project")
    folder.revision("ground", down=None)
    folder.revision("house", down=None, extra="depends_on = ('ground',)")
    await bootstrap.migrate(empty_url, "heads", project=folder.project)

    report = await bootstrap.current(empty_url, project=folder.project)
    status = await bootstrap.status(empty_url, project=folder.project)

    assert ("house",) == status.current  # what the version table has
    assert ["ground", "house"] == [one.revision for one in report.revisions]
    assert [True, False] == [one.is_depended_on for one in report.revisions]
    assert report.at_heads


async def test_history_and_show_know_what_is_current(empty_url: str, folder: ProjectFolder) -> None:
    project = folder.project
    never = await bootstrap.history(":current", project=project, database=empty_url)
    await bootstrap.migrate(empty_url, "two", project=project)

    marked = await bootstrap.history(project=project, database=empty_url)
    to_current = await bootstrap.history("-2:current", project=project, database=empty_url)
    from_current = await bootstrap.history("current:", project=project, database=empty_url)
    shown = await bootstrap.show("current", project=project, database=empty_url)

    assert () == never.revisions
    assert [("three", False), ("two", True), ("one", False)] == [
        (one.revision, one.is_current) for one in marked.revisions
    ]
    assert ["two", "one"] == [one.revision for one in to_current.revisions]
    assert ["three", "two"] == [one.revision for one in from_current.revisions]
    assert ["two"] == [one.revision for one in shown.revisions]


async def test_there_is_nothing_current_to_show_before_the_first_migration(
    empty_url: str, folder: ProjectFolder
) -> None:
    with pytest.raises(bootstrap.RevisionError, match="the database is at no revision"):
        await bootstrap.show("current", project=folder.project, database=empty_url)


async def test_check_lists_what_the_models_have_and_the_database_has_not(
    empty_url: str, tmp_path: Path
) -> None:
    folder = with_models(tmp_path / "project")
    await bootstrap.migrate(empty_url, project=folder.project)
    before = await tables_of(empty_url)

    report = await bootstrap.check(empty_url, project=folder.project)

    found: dict[str, set[str]] = {}
    for operation in report.operations:
        found.setdefault(operation.kind, set()).add(operation.text)
    dropped = found.pop("drop_constraint", set()) | {
        text for text in found.get("drop_index", set()) if "uq_size" in text
    }
    found["drop_index"] -= dropped
    # MySQL and MariaDB have no unique constraint that is not an index.
    assert dropped in (
        {"drop unique constraint uq_size on things"},
        {"drop index uq_size on things"},
    )
    assert PENDING == found
    assert not report.is_clean
    assert {"things"} == {one.table for one in report.operations if not one.kind.endswith("_table")}
    assert before == await tables_of(empty_url)


async def test_check_is_clean_when_nothing_is_pending(empty_url: str, tmp_path: Path) -> None:
    models = "import sqlalchemy as sa\nmetadata = sa.MetaData()\n"
    models += "sa.Table('t', metadata, sa.Column('id', sa.Integer, primary_key=True))"
    folder = with_models(tmp_path / "project", models=models)
    folder.revision(
        "first",
        down=None,
        upgrade="op.create_table('t', sa.Column('id', sa.Integer, primary_key=True))",
    )
    await bootstrap.migrate(empty_url, project=folder.project)

    report = await bootstrap.check(empty_url, project=folder.project)

    assert ((), True) == (report.operations, report.is_clean)


async def test_check_respects_the_filters_and_hooks_of_env_py(
    empty_url: str, tmp_path: Path
) -> None:
    folder = with_models(tmp_path / "project")
    env = (folder.root / "migrations" / "env.py").read_text()
    folder.env(
        env.replace(
            "target_metadata=metadata,",
            "target_metadata=metadata,\n"
            "        include_name=lambda name, kind, _: kind != 'table' or name == 'owners',\n"
            "        process_revision_directives=only_parts,",
        ).replace(
            "def configure(",
            "def only_parts(context, revision, directives):\n"
            "    operations = directives[0].upgrade_ops\n"
            "    operations.ops = [one for one in operations.ops if 'parts' in str(vars(one))]\n"
            "\n\ndef configure(",
        )
    )
    await bootstrap.migrate(empty_url, project=folder.project)

    report = await bootstrap.check(empty_url, project=folder.project)

    assert ["create table parts (id)"] == [one.text for one in report.operations]


async def test_check_needs_a_database_at_the_heads(empty_url: str, folder: ProjectFolder) -> None:
    await bootstrap.migrate(empty_url, "two", project=folder.project)

    with pytest.raises(bootstrap.RevisionError, match="not at the heads") as refused:
        await bootstrap.check(empty_url, project=folder.project)

    assert "bootstrap migrate" in refused.value.hint


async def test_check_needs_models(empty_url: str, folder: ProjectFolder) -> None:
    env = (folder.root / "migrations" / "env.py").read_text()
    folder.env(env.replace("target_metadata=metadata,", ""))
    await bootstrap.migrate(empty_url, project=folder.project)

    with pytest.raises(bootstrap.RevisionError, match=r"env\.py names no models"):
        await bootstrap.check(empty_url, project=folder.project)


async def test_check_says_when_env_py_ends_too_early(empty_url: str, folder: ProjectFolder) -> None:
    env = (folder.root / "migrations" / "env.py").read_text()
    folder.env(env.replace("context.run_migrations()", "pass"))

    with pytest.raises(bootstrap.RevisionError, match=r"without calling context\.run_migrations"):
        await bootstrap.check(empty_url, project=folder.project)


async def test_a_purge_forgets_revisions_that_nobody_knows(
    empty_url: str, folder: ProjectFolder
) -> None:
    await bootstrap.migrate(empty_url, "two", project=folder.project)
    async with bootstrap.Database.of(empty_url).connect() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'gone'"))
        await connection.commit()

    with pytest.raises(bootstrap.RevisionError, match="at revision gone"):
        await bootstrap.stamp(empty_url, "one", project=folder.project)
    purged = await bootstrap.stamp(empty_url, "one", project=folder.project, purge=True)
    emptied = await bootstrap.stamp(empty_url, "base", project=folder.project, purge=True)

    assert (("gone",), ("one",)) == (purged.before, purged.after)
    assert (("one",), (), ()) == (emptied.before, emptied.after, emptied.steps)


async def test_several_branches_are_stamped_at_once(empty_url: str, tmp_path: Path) -> None:
    folder = new_project(tmp_path / "project")
    folder.revision("left", down=None)
    folder.revision("right", down=None)

    report = await bootstrap.stamp(empty_url, ["left", "right"], project=folder.project)

    assert ("left", "right") == report.after

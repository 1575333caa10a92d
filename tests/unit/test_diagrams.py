"""Diagrams: what they show of a schema and of a history, and that names break nothing."""

from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, ForeignKey, Integer, MetaData, String, Table

import bootstrap
from bootstrap.errors import RevisionError
from bootstrap.testing import throwaway_database
from tests.projects import new_project, three_tables

MODELS = """
sa.Table('parents', metadata, sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('name', sa.String(20), unique=True, nullable=False))
sa.Table('children', metadata, sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('parent', sa.ForeignKey('parents.id'), nullable=False),
    sa.Column('friend', sa.ForeignKey('children.id'), unique=True),
    sa.Column('price', sa.Numeric(12, 2)))
"""
DRAWN = """erDiagram
    "children" {
        INTEGER id PK "not null"
        INTEGER parent FK "not null"
        INTEGER friend FK, UK
        NUMERIC(12_2) price
    }
    "parents" {
        INTEGER id PK "not null"
        VARCHAR(20) name UK "not null"
    }
    "children" |o--o| "children" : "friend"
    "parents" ||--o{ "children" : "parent"
"""


async def test_the_models_are_drawn_with_keys_and_references(tmp_path: Path) -> None:
    folder = new_project(tmp_path / "project")
    folder.models(MODELS)

    report = await bootstrap.diagram_schema(folder.project)

    assert DRAWN == report.mermaid


async def test_a_database_and_its_snapshot_are_drawn_alike(tmp_path: Path) -> None:
    folder = three_tables(tmp_path / "project")
    file, drawn = tmp_path / "schema.json", tmp_path / "schema.mmd"
    async with throwaway_database("sqlite") as database:
        await bootstrap.migrate(database, project=folder.project)
        await bootstrap.snapshot(database, output=file)
        by_database = await bootstrap.diagram_schema(database, leave_out=["t_two"])

    by_file = await bootstrap.diagram_schema(file, leave_out=["t_two"], output=drawn)

    assert by_database.mermaid == by_file.mermaid == drawn.read_text()
    assert '"t_one" {' in by_file.mermaid
    assert "t_two" not in by_file.mermaid
    assert "alembic_version" not in by_file.mermaid


def _odd(connection: Connection) -> None:
    metadata = MetaData()
    Table("a b", metadata, Column("1 x", Integer, primary_key=True), Column("ü", String(3)))
    Table('q"', metadata, Column("key, y", ForeignKey("a b.1 x"), primary_key=True))
    metadata.create_all(connection)


async def test_names_with_signs_in_them_break_nothing() -> None:
    async with throwaway_database("sqlite") as database:
        async with database.connect() as connection:
            await connection.run_sync(_odd)
            await connection.commit()
        report = await bootstrap.diagram_schema(database)

    assert (
        '    "a b" {\n        INTEGER x1_x PK "not null"\n        VARCHAR(3) x\n' in report.mermaid
    )
    assert '    "a b" ||--o| "q\'" : "key, y"\n' in report.mermaid


async def test_a_project_without_models_cannot_be_drawn(tmp_path: Path) -> None:
    folder = three_tables(tmp_path / "project")
    env = (folder.root / "migrations" / "env.py").read_text()
    folder.env(env.replace("target_metadata=metadata", "target_metadata=None"))

    with pytest.raises(RevisionError, match="names no models"):
        await bootstrap.diagram_schema(folder.project)


async def test_the_history_is_drawn_with_branches_and_dependencies(tmp_path: Path) -> None:
    folder = new_project(tmp_path / "project")
    folder.revision("one", down=None)
    folder.revision("two", down="one", extra="branch_labels = ('west',)")
    folder.revision("three", down="one")
    folder.revision("four", down=("two", "three"))
    folder.revision("five", down=None, extra="depends_on = 'two'")
    path = folder.revision("six", down="five")
    path.write_text(path.read_text().replace("six title", 'say <"hi"> & #1'))

    report = await bootstrap.diagram_history(project=folder.project)

    lines = report.mermaid.splitlines()
    names = {line.split('["')[1].split("<")[0]: line.split("[")[0].strip() for line in lines[1:7]}
    arrows = {line.strip() for line in lines[7:]}
    expected = {
        ("one", "-->", "two (west)"),
        ("one", "-->", "three"),
        ("two (west)", "-->", "four (west)"),
        ("three", "-->", "four (west)"),
        ("two (west)", "-.->", "five"),
        ("five", "-->", "six"),
    }
    assert "flowchart TD" == lines[0]
    assert {f"{names[a]} {arrow} {names[b]}" for a, arrow, b in expected} == arrows
    assert "six<br/>say #lt;#quot;hi#quot;#gt; #amp; #35;1" in report.mermaid

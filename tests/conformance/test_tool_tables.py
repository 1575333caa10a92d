"""Autogenerate of plain Alembic never proposes to drop what is not the project's own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import bootstrap
from bootstrap.integrations import autogenerate
from bootstrap.records.names import TOOL_TABLES
from tests.conformance.test_plain_alembic import Alembic
from tests.projects import ProjectFolder, new_project

OURS = sorted(TOOL_TABLES)


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    return new_project(tmp_path / "project")


@pytest.fixture
def alembic(folder: ProjectFolder, empty_url: str) -> Alembic:
    return Alembic(folder=folder.root, url=empty_url)


def edit_env(folder: ProjectFolder, before: str, after: str) -> None:
    env = folder.root / "migrations" / "env.py"
    source = env.read_text()
    assert before in source
    env.write_text(source.replace(before, after))


def configure(folder: ProjectFolder, options: str) -> None:
    """Adds options to the `context.configure()` of the project."""
    begin = "        target_metadata=metadata,\n"
    edit_env(folder, begin, f"{begin}        {options},\n")


async def make_tables(url: str, names: Sequence[str], *statements: str) -> None:
    async with bootstrap.Database.of(url).connect() as connection:
        for name in names:
            await connection.execute(text(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY)"))
        for statement in statements:
            await connection.execute(text(statement))
        await connection.commit()


def dropped(alembic: Alembic) -> list[str]:
    """What `alembic check` would drop."""
    done = alembic.run("check")
    assert done.returncode in {0, 255}, done.stderr
    found = [line.rpartition("removed table ")[2] for line in done.stderr.splitlines()]
    return sorted(name.strip("'") for name in found if name.startswith("'"))


async def test_neither_check_nor_revision_proposes_to_drop_them(
    alembic: Alembic, empty_url: str, folder: ProjectFolder
) -> None:
    await make_tables(empty_url, [*OURS, "stray"])

    found = dropped(alembic)
    alembic("revision", "--autogenerate", "-m", "all")
    [written] = (folder.root / "migrations" / "versions").glob("*_all.py")

    assert ["stray"] == found
    assert "op.drop_table('stray')" in written.read_text()
    assert "bootstrap_" not in written.read_text().partition("def upgrade")[2]


async def test_the_control_without_the_plugin_they_are_proposed(
    alembic: Alembic, empty_url: str, folder: ProjectFolder
) -> None:
    plugins = '["alembic.autogenerate.*", "~alembic.autogenerate.bootstrap"]'
    configure(folder, f"autogenerate_plugins={plugins}")
    await make_tables(empty_url, OURS)

    assert dropped(alembic) == OURS


async def test_bootstrap_check_is_clean_beside_them(empty_url: str, folder: ProjectFolder) -> None:
    await make_tables(empty_url, OURS)

    report = await bootstrap.check(empty_url, project=folder.project)

    assert () == report.operations


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_they_are_ours_beside_the_version_table_and_nowhere_else(
    alembic: Alembic, empty_url: str, folder: ProjectFolder
) -> None:
    configure(folder, 'version_table_schema="meta", include_schemas=True')
    schemas = ["CREATE SCHEMA meta", "CREATE SCHEMA other"]
    await make_tables(empty_url, [], *schemas)
    await make_tables(empty_url, [f"{at}.{OURS[0]}" for at in ("meta", "public", "other")])

    assert [f"other.{OURS[0]}"] == dropped(alembic)


@pytest.mark.parametrize("schema", [None, "public"])
@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_a_model_of_the_project_with_such_a_name_is_compared(
    alembic: Alembic, empty_url: str, folder: ProjectFolder, schema: str | None
) -> None:
    model = (
        "import sqlalchemy as sa\nmetadata = MetaData()\n"
        f"sa.Table('{OURS[0]}', metadata, sa.Column('id', sa.Integer, primary_key=True), "
        f"sa.Column('mine', sa.Integer), schema={schema!r})"
    )
    edit_env(folder, "metadata = MetaData()", model)
    configure(folder, "include_schemas=True")
    await make_tables(empty_url, OURS)

    done = alembic.run("check")

    assert f"Detected added column '{OURS[0]}.mine'" in done.stderr
    assert [] == dropped(alembic)


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_tables_of_extensions_are_theirs(
    alembic: Alembic, empty_url: str, folder: ProjectFolder
) -> None:
    configure(folder, "include_schemas=True")
    await make_tables(
        empty_url,
        ["stray", "spatial_ref_sys"],
        "CREATE SCHEMA topology",
        "CREATE TABLE topology.layer (id INTEGER PRIMARY KEY)",
        "CREATE TABLE topology.stray (id INTEGER PRIMARY KEY)",
        "ALTER EXTENSION plpgsql ADD TABLE spatial_ref_sys",
        "ALTER EXTENSION plpgsql ADD TABLE topology.layer",
    )

    assert ["stray", "topology.stray"] == dropped(alembic)


@pytest.mark.parametrize(
    "option",
    [
        "include_name=lambda name, kind, parents: name != 'kept'",
        "include_object=lambda item, name, *_: name != 'kept'",
    ],
)
async def test_the_filters_of_the_project_stay_in_force(
    alembic: Alembic, empty_url: str, folder: ProjectFolder, option: str
) -> None:
    configure(folder, option)
    await make_tables(empty_url, [*OURS, "kept", "stray"])

    assert ["stray"] == dropped(alembic)


def test_alembic_waits_for_nothing_when_it_starts() -> None:
    program = (
        "import sys, alembic.config, alembic.runtime.plugins as plugins\n"
        "assert 'alembic.autogenerate.bootstrap' in plugins._all_plugins\n"
        "print(sorted(name for name in sys.modules if name.startswith('bootstrap')))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )

    assert [
        "bootstrap",
        "bootstrap.integrations",
        "bootstrap.integrations.autogenerate",
        "bootstrap.records",
        "bootstrap.records.names",
        "bootstrap.version",
    ] == eval(done.stdout)


def test_every_alembic_since_1_18_can_load_it() -> None:
    """The first ones look for modules in what the entry point names, the later ones take it."""
    module: Any = autogenerate

    assert [autogenerate] == list(module)

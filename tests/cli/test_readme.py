"""What the README shows is what the command prints."""

import re
import shutil
from pathlib import Path

import pytest

from bootstrap.reference import configuration_file, datasets_folder, migrations_folder
from tests.cli.conftest import Command

README = Path(__file__).parents[2] / "README.md"


def blocks() -> list[str]:
    """The output that the README shows."""
    return re.findall(r"```text\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def calm(text: str) -> str:
    """Without times and versions."""
    return re.sub(r"\(SQLite [\d.]+\)", "(SQLite)", re.sub(r"\d+\.\d\d s", "0.00 s", text))


def reference_project(folder: Path) -> Command:
    """What a clone of the repository has."""
    shutil.copy(configuration_file(), folder)
    shutil.copytree(migrations_folder(), folder / "migrations")
    (folder / "pyproject.toml").write_text(
        f'[tool.bootstrap]\nurl = "sqlite:///users.db"\ndatasets = "{datasets_folder()}"\n'
    )
    return Command(folder=folder)


def test_the_main_job_prints_what_the_readme_shows(tmp_path: Path) -> None:
    done = reference_project(tmp_path)("up")

    assert calm(blocks()[0]) == calm(done.err + done.out)


def test_an_error_looks_as_the_readme_shows(tmp_path: Path) -> None:
    run = reference_project(tmp_path)
    run("up")

    done = run("migrate", "widen_usrnames")

    assert blocks()[1].removeprefix("$ bootstrap migrate widen_usrnames\n") == done.err


@pytest.mark.parametrize("backend_name", ["mysql"], indirect=True)
def test_a_failed_statement_looks_as_the_readme_shows(tmp_path: Path, fresh_url: str) -> None:
    run = reference_project(tmp_path)
    run("up", "--url", fresh_url)
    revision = tmp_path / "migrations" / "versions" / "20260401_1000_add_total.py"
    revision.write_text(
        '"""Add totals."""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n'
        'revision = "add_total"\ndown_revision = "widen_usernames"\n\n\n'
        'def upgrade():\n    op.add_column("items", sa.Column("quantity", sa.Integer))\n'
        '    op.add_column("items", sa.Column("total", sa.Numeric(12, 2)))\n'
        '    op.add_column("items", sa.Column("price", sa.Numeric(12, 2)))\n'
    )

    done = run("migrate", "--url", fresh_url)

    assert 7 == done.code
    assert blocks()[2].removeprefix("$ bootstrap migrate\n") == done.err

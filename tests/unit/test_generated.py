"""Files that follow from the code are what the code gives now."""

from pathlib import Path

import pytest

from tests import alembic_table, generated


@pytest.mark.parametrize(
    ("path", "text"), [pytest.param(*one, id=one[0].name) for one in generated.files()]
)
def test_a_generated_file_is_up_to_date(path: Path, text: str) -> None:
    """Where it is not: make generated."""
    there = path.read_text(encoding="utf-8")
    if path.name == "alembic.md" and alembic_table.versions() not in there:
        pytest.skip(f"the table is not that of {alembic_table.versions()}")
    assert text == there


def test_no_schema_is_left_of_a_command_that_is_gone() -> None:
    wanted = {path for path, _ in generated.files() if path.parent == generated.SCHEMAS}

    assert wanted == set(generated.SCHEMAS.glob("*.json"))

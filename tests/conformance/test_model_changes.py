"""What becomes of changes of models; docs/revisions.md has the table that is checked here."""

import os
from pathlib import Path

import pytest

from tests.available import BACKENDS, Missing, Servers, look_for, required
from tests.changes import table
from tests.changes.catalogue import CHANGES, Change
from tests.changes.measuring import measure

# Each change takes four databases twice. `make test-full` tries all of them.
EVERY = 1 if os.environ.get("BOOTSTRAP_TEST_CHANGES") == "all" else 6


@pytest.fixture
def all_backends() -> None:
    for name in BACKENDS:
        if isinstance(look_for(name), Missing):
            complain = pytest.fail if name in required() else pytest.skip
            complain(f"{name} is missing")


def test_the_table_has_every_change_once() -> None:
    assert [change.name for change in CHANGES] == list(table.documented())
    assert len(CHANGES) == len({change.name for change in CHANGES}) >= 40


# What Alembic and SQLAlchemy warn of belongs to what is measured, and ends no revision of users.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("all_backends")
@pytest.mark.parametrize("change", CHANGES[::EVERY], ids=lambda change: change.name)
async def test_a_change_ends_as_the_table_says(
    change: Change, tmp_path: Path, servers: Servers
) -> None:
    if table.versions() not in table.PAGE.read_text(encoding="utf-8"):
        pytest.skip(f"the table was not measured with {table.versions()}")

    measured = await measure(
        change,
        tmp_path,
        places=table.places(servers, tmp_path),
        compared_on=table.COMPARED_ON,
    )

    assert table.documented()[change.name] == table.row(change, measured)

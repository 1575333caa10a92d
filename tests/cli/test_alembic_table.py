"""What Alembic's command line can do, ours can, or there is a reason."""

import pytest

from bootstrap.cli import cli
from tests import alembic_table
from tests.alembic_table import REASONS, Row
from tests.cli.conftest import Command

ROWS = alembic_table.rows()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.alembic)
def test_nothing_of_alembics_is_missing_without_a_reason(row: Row) -> None:
    assert row.ours or row.reason


@pytest.mark.parametrize("key", REASONS, ids=" ".join)
def test_a_reason_is_for_something_that_is_missing(key: tuple[str, str]) -> None:
    (row,) = [one for one in ROWS if key == (one.command, one.option)]

    assert "" == row.ours


def test_all_of_alembics_commands_are_looked_at() -> None:
    """The control: the parsers were read."""
    from alembic import command

    names = {row.command for row in ROWS if row.command}
    assert names > {"upgrade", "downgrade", "stamp", "ensure_version", "list_templates"}
    assert [] == [name for name in names if not callable(getattr(command, name))]
    assert len(ROWS) > 40


def test_alembics_names_of_commands_work(run: Command) -> None:
    run.environ["DATABASE_URL"] = "sqlite:///app.db"
    run("create")

    ensured = run("ensure_version")
    again = run("ensure-version", "--format", "json")
    upgraded = run("--format", "json", "upgrade", "head")

    assert "Created the version table alembic_version\n" == ensured.out
    assert again.document["report"]["created"] is False
    assert "migrate" == upgraded.document["command"]
    assert set() == {"upgrade", "ensure_version"} & set(cli.commands)


def test_options_may_stand_before_the_command_as_alembics_do(run: Command) -> None:
    (run.folder / "alembic.ini").rename(run.folder / "other.ini")

    before = run("-c", "other.ini", "heads")
    after = run("-c", "nope.ini", "heads", "-c", "other.ini")
    missing = run("-c", "nope.ini", "heads")

    assert ["three (head)\n"] * 2 == [before.out, after.out]
    assert (3, True) == (missing.code, "nope.ini does not exist" in missing.err)


@pytest.mark.parametrize("backend_name", ["sqlite", "postgresql", "mysql"], indirect=True)
def test_the_version_table_is_created_where_the_server_keeps_it(
    run: Command, empty_url: str
) -> None:
    first = run("ensure-version", "--url", empty_url, "--format", "json")
    second = run("ensure-version", "--url", empty_url, "--format", "json")
    status = run("status", "--url", empty_url, "--format", "json")

    created = [one.document["report"]["created"] for one in (first, second)]
    assert [True, False] == created
    assert [] == status.document["report"]["current"]

"""What passes by itself does not end a run: it begins again, where the database is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

import bootstrap
from bootstrap.database import Database
from bootstrap.errors import Fault
from bootstrap.events import Event, LockRetried, RunRetried
from bootstrap.running import retrying
from tests import commands
from tests.projects import ProjectFolder, env, new_project
from tests.trouble import TROUBLE, Once, trouble

SERVERS = ["postgresql", "mysql", "mariadb"]
on_servers = pytest.mark.parametrize("backend_name", SERVERS, indirect=True)
on_postgresql = pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "_FIRST_PAUSE", 0.02)


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    """A project whose second revision meets with the trouble that a test makes, once."""
    folder = new_project(tmp_path / "project")
    folder.env(env(options="transaction_per_migration=True"))
    folder.revision(
        "one",
        down=None,
        upgrade="""
            for name in ("a", "b"):
                table = op.create_table(
                    name,
                    sa.Column("id", sa.Integer, primary_key=True),
                    sa.Column("n", sa.Integer, nullable=False),
                )
                op.bulk_insert(table, [{"id": n, "n": n} for n in range(1, 51)])
        """,
    )
    folder.revision(
        "two",
        down="one",
        upgrade=f"""
            op.execute("UPDATE a SET n = n + 1 WHERE id = 1")
            {TROUBLE}
            op.execute("UPDATE b SET n = n + 1 WHERE id = 1")
        """,
    )
    return folder


class Seen(list[Event]):
    """The events of a run, and what is done when a try has failed."""

    def __init__(self, then: Callable[[RunRetried], None] = lambda _: None) -> None:
        super().__init__()
        self._then = then

    def __call__(self, event: Event) -> None:
        self.append(event)
        if isinstance(event, RunRetried):
            self._then(event)

    @property
    def faults(self) -> list[str]:
        return [event.fault for event in self if isinstance(event, RunRetried)]


async def _rows(url: str) -> list[tuple[Any, ...]]:
    """The first row of each table: both are 2 when each UPDATE was carried out once."""
    async with Database.of(url).connect() as connection:
        asked = text("SELECT a.n, b.n FROM a JOIN b ON a.id = b.id WHERE a.id = 1")
        return [tuple(row) for row in await connection.execute(asked)]


@on_servers
async def test_the_victim_of_a_deadlock_begins_again(empty_url: str, folder: ProjectFolder) -> None:
    seen = Seen()

    with trouble(Once.DEADLOCK, empty_url) as made:
        report = await bootstrap.migrate(empty_url, project=folder.project, emit=seen)

    assert made.count == 1
    assert [Fault.CONFLICT] == seen.faults
    assert ["one", "two"] == [step.revision for step in report.steps]
    assert 2 == report.tries
    assert [(2, 2)] == await _rows(empty_url)


@on_servers
async def test_without_a_second_try_it_fails(empty_url: str, folder: ProjectFolder) -> None:
    """The control."""
    seen = Seen()

    with trouble(Once.DEADLOCK, empty_url), pytest.raises(bootstrap.StatementFailed) as failed:
        await bootstrap.migrate(empty_url, project=folder.project, retry_for=0, emit=seen)

    assert "--retry-for" in failed.value.hint
    assert [] == seen.faults


@on_servers
async def test_a_connection_that_the_server_ends_is_opened_again(
    empty_url: str, folder: ProjectFolder
) -> None:
    seen = Seen()

    with trouble(Once.ENDED, empty_url) as made:
        report = await bootstrap.migrate(empty_url, project=folder.project, emit=seen)

    assert made.count == 1
    assert [Fault.LOST] == seen.faults
    assert (2, ("two",)) == (report.tries, report.after)
    assert [(2, 2)] == await _rows(empty_url)


@on_postgresql
async def test_a_run_that_went_in_between_counts(empty_url: str, folder: ProjectFolder) -> None:
    def another(_event: RunRetried) -> None:
        ini = str(folder.root / "alembic.ini")
        arguments = ("migrate", "-c", ini, "--url", empty_url)
        commands.run("bootstrap", *arguments, cwd=folder.root).check_returncode()

    seen = Seen(another)

    with trouble(Once.ENDED, empty_url):
        report = await bootstrap.migrate(empty_url, project=folder.project, emit=seen)

    assert [Fault.LOST] == seen.faults
    assert ((), ("two",), 2) == (report.before, report.after, report.tries)
    assert [(2, 2)] == await _rows(empty_url)


@on_postgresql
async def test_a_server_that_is_read_only_after_a_failover_is_tried_again(
    empty_url: str, folder: ProjectFolder
) -> None:
    name = make_url(empty_url).database
    engine = create_engine(make_url(empty_url).set(drivername="postgresql+psycopg2"))

    def alter(event: RunRetried) -> None:
        change = "SET default_transaction_read_only = on"
        if event.fault == Fault.READ_ONLY:
            change = "RESET default_transaction_read_only"
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("SET default_transaction_read_only = off")
            connection.exec_driver_sql(f'ALTER DATABASE "{name}" {change}')

    seen = Seen(alter)

    with trouble(Once.ENDED, empty_url):
        report = await bootstrap.migrate(empty_url, project=folder.project, emit=seen)
    engine.dispose()

    assert [Fault.LOST, Fault.READ_ONLY] == seen.faults
    assert 3 == report.tries
    assert [(2, 2)] == await _rows(empty_url)


@on_postgresql
async def test_a_server_that_is_read_only_from_the_start_is_not(
    empty_url: str, folder: ProjectFolder
) -> None:
    seen = Seen()
    read_only = f"{empty_url}?options=-c%20default_transaction_read_only%3Don"

    with pytest.raises(bootstrap.DatabaseRefused, match="transactions only read"):
        await bootstrap.migrate(read_only, project=folder.project, emit=seen)

    assert [] == seen.faults


@on_servers
async def test_a_server_that_is_not_there_at_the_start_is_not_waited_for(
    empty_url: str, folder: ProjectFolder
) -> None:
    seen = Seen()
    closed = make_url(empty_url).set(port=1)

    with pytest.raises(bootstrap.DatabaseUnreachable, match="nothing listens"):
        await bootstrap.migrate(closed, project=folder.project, emit=seen)

    assert [] == seen.faults


@on_postgresql
async def test_on_a_programs_own_connection_nothing_is_tried_again(
    empty_url: str, folder: ProjectFolder
) -> None:
    folder.env(
        """
        from alembic import context

        context.configure(connection=context.config.attributes["connection"])
        with context.begin_transaction():
            context.run_migrations()
        """
    )
    seen = Seen()
    engine = create_async_engine(Database.of(empty_url).url)

    with trouble(Once.ENDED, empty_url), pytest.raises(bootstrap.BootstrapError) as failed:
        async with engine.connect() as connection:
            await bootstrap.migrate(connection, project=folder.project, emit=seen)
    await engine.dispose()

    assert Fault.LOST is failed.value.fault
    assert "nothing was tried again" in failed.value.hint
    assert [] == seen.faults


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
async def test_what_is_no_time_is_refused(
    folder: ProjectFolder, tmp_path: Path, seconds: float
) -> None:
    with pytest.raises(bootstrap.SettingsError, match="no time to try again"):
        await bootstrap.migrate(
            f"sqlite:///{tmp_path}/no.db", project=folder.project, retry_for=seconds
        )


_EACH = """
from alembic import context
from sqlalchemy import create_engine, pool

for name in ("first", "second"):
    url = context.config.get_section_option(name, "sqlalchemy.url")
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
"""


def _both(empty_url: str, tmp_path: Path) -> dict[str, str]:
    """A database for each name in env.py: a file, and the one of the test."""
    file = tmp_path / "first.db"
    file.touch()
    return {"first": f"sqlite:///{file}", "second": empty_url}


@on_servers
async def test_of_several_databases_each_is_where_it_should_be(
    empty_url: str, folder: ProjectFolder, tmp_path: Path
) -> None:
    folder.env(_EACH)
    both, seen = _both(empty_url, tmp_path), Seen()

    with trouble(Once.ENDED, empty_url) as made:
        report = await bootstrap.migrate_each(both, project=folder.project, emit=seen)

    assert made.count == 1
    assert [Fault.LOST] == seen.faults
    assert [("two",)] * 2 == [one.after for one in report.databases]
    steps = [[step.revision for step in one.steps] for one in report.databases]
    assert [["one", "two"]] * 2 == steps
    assert [[(2, 2)]] * 2 == [await _rows(url) for url in both.values()]


@pytest.mark.parametrize("backend_name", ["sqlite", "postgresql"], indirect=True)
async def test_of_several_databases_one_that_is_locked_is_tried_again(
    empty_url: str, folder: ProjectFolder, tmp_path: Path
) -> None:
    folder.env(_EACH)
    both = _both(empty_url, tmp_path)
    await bootstrap.migrate_each(both, "one", project=folder.project)
    seen = Seen()

    with trouble(Once.LOCKED, empty_url) as made:
        report = await bootstrap.migrate_each(
            both, project=folder.project, lock_timeout=0.3, emit=made.ending(seen)
        )

    assert [event for event in seen if isinstance(event, LockRetried)]
    assert [] == seen.faults
    assert [["two"]] * 2 == [[step.revision for step in one.steps] for one in report.databases]
    assert [[(2, 2)]] * 2 == [await _rows(url) for url in both.values()]

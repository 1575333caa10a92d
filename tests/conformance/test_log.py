"""`bootstrap log`: what was run here, written where the version is stamped."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, make_url, text

import bootstrap
from bootstrap.records import log as records
from bootstrap.records.names import LOG
from bootstrap.records.origin import git_commit
from tests.cli.conftest import Command
from tests.conformance.test_doctor import executed, poor_account
from tests.conformance.test_scripts import execute
from tests.projects import ProjectFolder, new_project, three_tables

ONE_DRIVER = pytest.mark.parametrize(
    "backend_name", ["sqlite", "postgresql", "mysql", "mariadb"], indirect=True
)
DOCS = Path(__file__).parents[2] / "docs"
ALL_SERVERS = pytest.mark.parametrize(
    "backend_name", ["postgresql", "mysql", "mariadb"], indirect=True
)
POSTGRESQL = pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
SERVERS = pytest.mark.parametrize("backend_name", ["postgresql", "mariadb"], indirect=True)


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    return three_tables(tmp_path / "project")


async def entries(url: str, project: bootstrap.Project) -> list[bootstrap.LogEntry]:
    """The oldest first."""
    return list((await bootstrap.log(url, project=project)).entries)[::-1]


def steps(found: list[bootstrap.LogEntry]) -> list[tuple[str, str, str]]:
    return [(one.direction, one.revision, one.outcome.value) for one in found]


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    async with bootstrap.Database.of(url).connect() as connection:
        yield connection
        await connection.commit()


def is_logged_in_as(entry: bootstrap.LogEntry, url: str) -> bool:
    user = make_url(url).username
    return (entry.database_user or "").partition("@")[0] == (user or "")


async def test_each_step_is_in_the_log(
    empty_url: str, backend_name: str, folder: ProjectFolder
) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    await bootstrap.migrate(empty_url, "two", project=folder.project)
    await bootstrap.downgrade(empty_url, "one", project=folder.project)
    await bootstrap.stamp(empty_url, "three", project=folder.project)

    found = await entries(empty_url, folder.project)

    assert [
        ("upgrade", "one", "applied"),
        ("upgrade", "two", "applied"),
        ("downgrade", "two", "applied"),
        ("stamp", "three", "applied"),
    ] == steps(found)
    assert [1, 1, 1, 0] == [one.statements for one in found]
    assert 3 == len({one.run for one in found})
    assert found[0].run == found[1].run
    two = hashlib.sha256(folder.files[-1].read_bytes()).hexdigest()
    assert [two, two, None] == [one.checksum for one in found[1:]]
    assert all(before <= one.started <= datetime.now(UTC) for one in found)
    assert all(one.seconds is not None and 0 <= one.seconds < 60 for one in found)
    assert all(one.os_user and one.host for one in found)
    assert {bootstrap.__version__} == {one.tool for one in found}
    assert backend_name == "sqlite" or all(is_logged_in_as(one, empty_url) for one in found)


async def test_what_fails_is_in_the_log_with_statement_and_code(
    empty_url: str, backend_name: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path / "project")
    folder.revision("one", down=None, upgrade="op.create_table('t', sa.Column('id', sa.Integer))")
    folder.revision(
        "two",
        down="one",
        upgrade="op.execute('INSERT INTO t VALUES (1)')\nop.execute('SELECT geheim FROM nowhere')",
    )

    with pytest.raises(bootstrap.StatementFailed):
        await bootstrap.migrate(empty_url, per_revision=True, project=folder.project)
    found = await entries(empty_url, folder.project)

    codes = {"sqlite": "sqlite SQLITE_ERROR", "postgresql": "postgresql 42P01"}
    code = codes.get(backend_name, f"{backend_name} 1146")
    assert [("upgrade", "one", "applied"), ("upgrade", "two", "failed")] == steps(found)
    assert (2, code) == (found[-1].statements, found[-1].error)
    assert found[0].run == found[1].run


async def test_what_raises_is_in_the_log_without_its_text(empty_url: str, tmp_path: Path) -> None:
    folder = new_project(tmp_path / "project")
    folder.revision("one", down=None, upgrade="raise ValueError('geheim')")

    with pytest.raises(bootstrap.RevisionError):
        await bootstrap.migrate(empty_url, project=folder.project)
    [found] = await entries(empty_url, folder.project)

    assert ("failed", "ValueError", 0) == (found.outcome, found.error, found.statements)
    assert "geheim" not in repr(found)


@POSTGRESQL
async def test_a_run_that_is_rolled_back_leaves_the_failure_alone(
    empty_url: str, folder: ProjectFolder
) -> None:
    """In one transaction the rows of the steps before it go with them."""
    folder.revision("four", down="three", upgrade="op.execute('SELECT nothing FROM nowhere')")
    env = folder.root / "migrations" / "env.py"
    per_revision = "transaction_per_migration=True"
    assert per_revision in env.read_text()
    env.write_text(env.read_text().replace(per_revision, "transaction_per_migration=False"))

    with pytest.raises(bootstrap.StatementFailed):
        await bootstrap.migrate(empty_url, project=folder.project)

    assert [("upgrade", "four", "failed")] == steps(await entries(empty_url, folder.project))
    assert () == (await bootstrap.status(empty_url, project=folder.project)).current


@pytest.mark.parametrize("backend_name", ["mysql", "mariadb"], indirect=True)
async def test_what_goes_on_after_a_failure_is_resumed(empty_url: str, tmp_path: Path) -> None:
    folder = new_project(tmp_path / "project")
    create = "op.create_table('t', sa.Column('id', sa.Integer))\n"
    folder.revision("one", down=None, upgrade=create + "op.execute('SELECT n FROM nowhere')")
    with pytest.raises(bootstrap.StatementFailed):
        await bootstrap.migrate(empty_url, project=folder.project)
    folder.revision("one", down=None, upgrade=create + "op.execute('SELECT 1')")

    await bootstrap.migrate(empty_url, project=folder.project)
    found = await entries(empty_url, folder.project)

    assert [("upgrade", "one", "failed"), ("upgrade", "one", "resumed")] == steps(found)
    assert [2, 2] == [one.statements for one in found]


@pytest.mark.parametrize("backend_name", ["postgresql", "mariadb"], indirect=True)
async def test_what_the_journal_adds_to_a_revision_does_not_count(
    empty_url: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path / "project")
    upgrade = """
        op.create_table("t", sa.Column("id", sa.Integer))
        op.execute("INSERT INTO t VALUES (1)")
        with op.get_context().autocommit_block():
            op.execute("INSERT INTO t VALUES (2)")
        op.execute("INSERT INTO t VALUES (3)")
    """
    folder.revision("one", down=None, upgrade=upgrade)

    await bootstrap.migrate(empty_url, project=folder.project)
    found = await entries(empty_url, folder.project)

    assert [4] == [one.statements for one in found]


@pytest.mark.parametrize("backend_name", ["mariadb"], indirect=True)
@pytest.mark.parametrize("decision", ["done", "forget"])
async def test_what_a_person_says_is_in_the_log(
    empty_url: str, tmp_path: Path, decision: str
) -> None:
    folder = new_project(tmp_path / "project")
    create = "op.create_table('t', sa.Column('id', sa.Integer))\n"
    folder.revision("one", down=None, upgrade=create + "op.execute('SELECT n FROM nowhere')")
    with pytest.raises(bootstrap.StatementFailed):
        await bootstrap.migrate(empty_url, project=folder.project)

    await bootstrap.repair(empty_url, decision, project=folder.project)
    found = await entries(empty_url, folder.project)

    assert [("upgrade", "one", "failed"), ("upgrade", "one", f"said {decision}")] == steps(found)
    status = await bootstrap.status(empty_url, project=folder.project)
    assert (("one",) if decision == "done" else ()) == status.current
    assert status.half_applied is None


@SERVERS
async def test_what_is_cancelled_is_in_the_log(empty_url: str, tmp_path: Path) -> None:
    folder = new_project(tmp_path / "project")
    sleep = {"postgresql": "SELECT pg_sleep(60)"}.get(
        make_url(empty_url).get_backend_name(), "SELECT SLEEP(60)"
    )
    folder.revision("one", down=None, upgrade=f"op.execute({sleep!r})")
    begun = asyncio.Event()

    def seen(event: object) -> None:
        if type(event).__name__ == "StepStarted":
            begun.set()

    running = asyncio.create_task(bootstrap.migrate(empty_url, project=folder.project, emit=seen))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert [("upgrade", "one", "interrupted")] == steps(await entries(empty_url, folder.project))


@ONE_DRIVER
async def test_a_script_writes_what_a_run_writes(
    empty_url: str, backend_name: str, folder: ProjectFolder
) -> None:
    up = await bootstrap.migration_script(empty_url, project=folder.project)
    execute(up.sql, empty_url, backend_name)
    down = await bootstrap.migration_script(
        empty_url, "three:one", project=folder.project, direction="downgrade"
    )
    execute(down.sql, empty_url, backend_name)
    await bootstrap.migrate(empty_url, "two", project=folder.project)

    found = await entries(empty_url, folder.project)

    assert [
        ("upgrade", "one", "applied"),
        ("upgrade", "two", "applied"),
        ("upgrade", "three", "applied"),
        ("downgrade", "three", "applied"),
        ("downgrade", "two", "applied"),
        ("upgrade", "two", "applied"),
    ] == steps(found)
    assert found[1].checksum == found[-1].checksum
    assert (None, None) == (found[0].host, found[0].seconds)
    assert backend_name == "sqlite" or is_logged_in_as(found[0], empty_url)
    assert abs(found[0].started - datetime.now(UTC)) < timedelta(minutes=10)


@ONE_DRIVER
async def test_the_order_is_that_of_the_keys_when_a_clock_jumps_back(
    empty_url: str, folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bootstrap.migrate(empty_url, "one", project=folder.project)
    long_ago = datetime(2001, 1, 1, tzinfo=UTC)

    class Jumped(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return long_ago

    monkeypatch.setattr("bootstrap.running.logbook.datetime", Jumped)
    await bootstrap.migrate(empty_url, "two", project=folder.project)
    report = await bootstrap.log(empty_url, project=folder.project)

    assert ["two", "one"] == [one.revision for one in report.entries]
    assert long_ago == report.entries[0].started
    assert 0 <= (report.entries[0].seconds or -1) < 60


async def test_a_log_of_a_newer_form_is_refused_before_anything_runs(
    empty_url: str, folder: ProjectFolder
) -> None:
    await bootstrap.migrate(empty_url, "one", project=folder.project)
    async with connected(empty_url) as connection:
        await connection.execute(text(f"UPDATE {LOG} SET form = 2"))

    with pytest.raises(bootstrap.DatabaseError, match="form 2 of a newer bootstrap") as it:
        await bootstrap.migrate(empty_url, project=folder.project)
    with pytest.raises(bootstrap.DatabaseError, match="form 2"):
        await bootstrap.log(empty_url, project=folder.project)

    assert "log = false" in it.value.hint
    off = bootstrap.Project.at(folder.project.config_file, log=False)
    assert ("one",) == (await bootstrap.status(empty_url, project=off)).current
    await bootstrap.migrate(empty_url, project=off)


@ONE_DRIVER
async def test_without_a_log_nothing_is_written(empty_url: str, folder: ProjectFolder) -> None:
    off = bootstrap.Project.at(folder.project.config_file, log=False)

    await bootstrap.migrate(empty_url, project=off)
    report = await bootstrap.log(empty_url, project=off)

    assert () == report.entries
    async with connected(empty_url) as connection:
        there = await connection.run_sync(lambda plain: inspect(plain).has_table(LOG))
    assert not there
    with pytest.raises(bootstrap.SettingsError, match="the log, which is off"):
        await bootstrap.migrate(empty_url, project=off, strict=True)


@asynccontextmanager
async def another_schema(url: str) -> AsyncIterator[str]:
    """On MySQL and MariaDB it is another database."""
    name = f"ops_{secrets.token_hex(4)}"
    await executed(url, f"CREATE SCHEMA {name}")
    try:
        yield name
    finally:
        dropped = "CASCADE" if make_url(url).get_backend_name() == "postgresql" else ""
        await executed(url, f"DROP SCHEMA {name} {dropped}")


@ALL_SERVERS
async def test_it_can_live_in_another_schema(empty_url: str, folder: ProjectFolder) -> None:
    async with another_schema(empty_url) as ops:
        project = bootstrap.Project.at(folder.project.config_file, log_schema=ops)

        await bootstrap.migrate(empty_url, "one", project=project)

        async with connected(empty_url) as connection:
            rows = (await connection.execute(text(f"SELECT revision FROM {ops}.{LOG}"))).all()
            there = await connection.run_sync(lambda plain: inspect(plain).has_table(LOG))
        found = await entries(empty_url, project)
    assert ([("one",)], False) == ([tuple(row) for row in rows], there)
    assert [("upgrade", "one", "applied")] == steps(found)


@ALL_SERVERS
async def test_without_the_right_to_make_the_table_nothing_runs(
    empty_url: str, backend_name: str, folder: ProjectFolder
) -> None:
    name = make_url(empty_url).database
    here = "CREATE ON SCHEMA public" if backend_name == "postgresql" else f"ALL ON {name}.*"
    async with (
        another_schema(empty_url) as ops,
        poor_account(empty_url, f"GRANT {here}") as url,
    ):
        project = bootstrap.Project.at(folder.project.config_file, log_schema=ops)
        with pytest.raises(bootstrap.DatabaseRefused, match="cannot keep the log") as it:
            await bootstrap.migrate(url, project=project)

        async with connected(empty_url) as connection:
            left = await connection.run_sync(lambda plain: inspect(plain).get_table_names())
        assert [] == left
        assert f"hint: {it.value.hint}" in (DOCS / "log.md").read_text(encoding="utf-8")
        off = bootstrap.Project.at(folder.project.config_file, log=False)
        await bootstrap.migrate(url, project=off)
        assert ("three",) == (await bootstrap.status(url, project=off)).current


@pytest.mark.parametrize("backend_name", ["mysql", "mariadb"], indirect=True)
async def test_without_the_right_to_make_a_table_rows_are_written_and_an_alter_is_refused(
    empty_url: str, folder: ProjectFolder
) -> None:
    """What is one transaction needs no journal there; without one, no ALTER is begun."""
    folder.revision("four", down="three", upgrade="op.execute('INSERT INTO t_one VALUES (7)')")
    folder.revision(
        "five", down="four", upgrade="op.add_column('t_one', sa.Column('n', sa.Integer))"
    )
    off = bootstrap.Project.at(folder.project.config_file, log=False)
    await bootstrap.migrate(empty_url, "three", project=off)
    name = make_url(empty_url).database
    rights = f"GRANT SELECT, INSERT, UPDATE, DELETE, ALTER, LOCK TABLES ON {name}.*"

    async with poor_account(empty_url, rights) as url:
        with pytest.raises(bootstrap.DatabaseRefused, match="cannot keep the log"):
            await bootstrap.migrate(url, project=folder.project)
        with pytest.raises(bootstrap.BootstrapError, match="bootstrap_journal") as refused:
            await bootstrap.migrate(url, project=off)

    async with connected(empty_url) as connection:
        left = (await connection.execute(text("SELECT * FROM t_one"))).all()
    assert [(7,)] == [tuple(row) for row in left]
    assert ("four",) == (await bootstrap.status(empty_url, project=off)).current
    assert (7, True) == (refused.value.exit_code, "grant the right" in refused.value.hint)


@ONE_DRIVER
async def test_a_changed_file_is_reported_and_stops_a_strict_run(
    empty_url: str, folder: ProjectFolder
) -> None:
    await bootstrap.migrate(empty_url, "two", project=folder.project)
    one = next(path for path in folder.files if path.stem == "one")
    one.write_bytes(one.read_bytes().replace(b"\n", b"\r\n"))
    unchanged = await bootstrap.status(empty_url, project=folder.project)
    one.write_text(one.read_text() + "# changed\n")

    changed = await bootstrap.status(empty_url, project=folder.project)
    with pytest.raises(bootstrap.RevisionError, match="one was changed after being applied"):
        await bootstrap.migrate(empty_url, project=folder.project, strict=True)
    after = await bootstrap.status(empty_url, project=folder.project)
    await bootstrap.migrate(empty_url, project=folder.project)
    await bootstrap.downgrade(empty_url, "base", project=folder.project)
    undone = await bootstrap.status(empty_url, project=folder.project)
    await bootstrap.migrate(empty_url, project=folder.project, strict=True)
    again = await bootstrap.status(empty_url, project=folder.project)

    assert ((), ["one"]) == (unchanged.changed, [each.revision for each in changed.changed])
    assert ("two",) == after.current
    assert () == undone.changed == again.changed


@ONE_DRIVER
async def test_a_changed_file_is_accepted_until_it_is_changed_again(
    empty_url: str, folder: ProjectFolder
) -> None:
    await bootstrap.migrate(empty_url, "two", project=folder.project)
    one = next(path for path in folder.files if path.stem == "one")
    one.write_text(one.read_text() + "# another form\n")
    before = await bootstrap.status(empty_url, project=folder.project)

    accepted = await bootstrap.accept_changed(empty_url, project=folder.project)
    after = await bootstrap.status(empty_url, project=folder.project)
    nothing = await bootstrap.accept_changed(empty_url, project=folder.project)
    await bootstrap.migrate(empty_url, project=folder.project, strict=True)
    found = await entries(empty_url, folder.project)
    one.write_text(one.read_text() + "# and another\n")
    again = await bootstrap.status(empty_url, project=folder.project)

    assert before.changed == accepted.accepted
    assert ["one"] == [each.revision for each in accepted.accepted]
    assert () == after.changed == nothing.accepted
    assert ("upgrade", "one", "said accepted") == steps(found)[2]
    assert 4 == len(found)
    # When it was applied, and not when somebody accepted it.
    assert before.changed == again.changed


@POSTGRESQL
async def test_what_was_undone_is_not_accepted(empty_url: str, folder: ProjectFolder) -> None:
    await bootstrap.migrate(empty_url, "two", project=folder.project)
    await bootstrap.downgrade(empty_url, "one", project=folder.project)
    for path in folder.files:
        path.write_text(path.read_text() + "# changed\n")

    accepted = await bootstrap.accept_changed(empty_url, project=folder.project)

    assert ["one"] == [each.revision for each in accepted.accepted]


@ONE_DRIVER
async def test_without_a_log_nothing_can_be_accepted(empty_url: str, folder: ProjectFolder) -> None:
    off = bootstrap.Project.at(folder.project.config_file, log=False)

    with pytest.raises(bootstrap.SettingsError, match="the log, which is off") as it:
        await bootstrap.accept_changed(empty_url, project=off)

    assert "leave --accept-changed out" in it.value.hint


@ONE_DRIVER
async def test_a_revision_and_a_number_narrow_it(empty_url: str, folder: ProjectFolder) -> None:
    await bootstrap.migrate(empty_url, project=folder.project)
    await bootstrap.downgrade(empty_url, "two", project=folder.project)

    limited = await bootstrap.log(empty_url, project=folder.project, limit=2)
    named = await bootstrap.log(empty_url, project=folder.project, revision="three")

    assert ["three", "three"] == [one.revision for one in limited.entries]
    assert ["downgrade", "upgrade"] == [one.direction for one in named.entries]
    with pytest.raises(bootstrap.SettingsError, match="no number of steps"):
        await bootstrap.log(empty_url, project=folder.project, limit=0)


@ONE_DRIVER
async def test_a_database_without_a_log_has_an_empty_one(
    empty_url: str, folder: ProjectFolder
) -> None:
    assert [] == await entries(empty_url, folder.project)


@POSTGRESQL
async def test_two_runs_make_the_table_at_once(empty_url: str, tmp_path: Path) -> None:
    """On two version tables, so that no run lock keeps them apart."""
    folders = [three_tables(tmp_path / name) for name in ("left", "right")]
    for folder, name in zip(folders, ("left", "right"), strict=True):
        env = folder.root / "migrations" / "env.py"
        before = "        target_metadata=metadata,\n"
        assert before in env.read_text()
        env.write_text(
            env.read_text().replace(before, f"{before}        version_table={name!r},\n")
        )
        for path in folder.files:
            path.write_text(path.read_text().replace("'t_", f"'{name}_"))

    await asyncio.gather(
        *(bootstrap.migrate(empty_url, project=folder.project) for folder in folders)
    )
    found = await entries(empty_url, folders[0].project)

    assert {"left", "right"} == {one.version_table for one in found}
    assert 6 == len({one.id for one in found})


def test_the_command_accepts_what_was_changed(tmp_path: Path) -> None:
    folder = three_tables(tmp_path / "project")
    run = Command(folder=folder.root, environ={"DATABASE_URL": "sqlite:///app.db"})
    run("up")
    path = folder.files[0]
    path.write_text(path.read_text() + "# changed\n")

    refused = run("migrate", "--strict")
    both = run("repair", "--accept-changed", "--done")
    done = run("repair", "--accept-changed")
    strict = run("migrate", "--strict")
    again = run("repair", "--accept-changed", "--format", "json")

    assert (6, 2, 0, 0, 0) == (refused.code, both.code, done.code, strict.code, again.code)
    assert "bootstrap repair --accept-changed" in refused.err
    assert f"Accepted as they are now:\n  {path.stem}   " in done.out
    assert [] == again.document["report"]["accepted"]


def test_the_commit_is_read_from_the_files_of_git(tmp_path: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    below = tmp_path / "app" / "migrations"
    below.mkdir(parents=True)

    (git / "HEAD").write_text("ref: refs/heads/main\n")
    none_yet = git_commit(below)
    (git / "packed-refs").write_text(f"# pack-refs\n{commit} refs/heads/main\n")
    packed = git_commit(below)
    (git / "refs" / "heads" / "main").write_text(f"{commit[::-1]}\n")
    loose = git_commit(below)
    (git / "HEAD").write_text(f"{commit}\n")
    detached = git_commit(below)
    (git / "HEAD").write_bytes(b"\xff\xfe")
    broken = git_commit(below)

    assert (None, commit, commit[::-1], commit, None) == (
        none_yet,
        packed,
        loose,
        detached,
        broken,
    )


def test_the_commit_of_a_worktree_is_its_own(tmp_path: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    inside = tmp_path / "main" / ".git" / "worktrees" / "other"
    inside.mkdir(parents=True)
    (inside / "HEAD").write_text("ref: refs/heads/topic\n")
    (inside / "commondir").write_text("../..\n")
    (tmp_path / "main" / ".git" / "packed-refs").write_text(f"{commit} refs/heads/topic\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / ".git").write_text(f"gitdir: {inside}\n")

    assert commit == git_commit(tmp_path / "other")


def test_the_form_of_the_table_has_not_changed_unseen() -> None:
    """A change that an older bootstrap cannot live with needs a new number."""
    columns = """id form run version_table revision direction outcome started seconds statements
        error checksum database_user os_user host tool git_commit"""

    assert 1 == records.FORM
    assert columns.split() == [column.name for column in records.table(None).columns]

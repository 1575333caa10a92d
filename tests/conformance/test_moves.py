"""A database moves along its history: migrate, downgrade, stamp, status."""

import asyncio
import re
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, text

import bootstrap
from bootstrap import events
from bootstrap.records.names import TOOL_TABLES
from tests import commands
from tests.projects import ProjectFolder, new_project, three_tables


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    return three_tables(tmp_path / "project")


def tables(connection: Connection) -> set[str]:
    """Those of the project, and of Alembic."""
    return set(inspect(connection).get_table_names()) - TOOL_TABLES


async def tables_of(url: str) -> set[str]:
    async with bootstrap.Database.of(url).connect() as connection:
        return await connection.run_sync(tables)


async def execute(url: str, sql: str) -> None:
    async with bootstrap.Database.of(url).connect() as connection:
        await connection.execute(text(sql))
        await connection.commit()


async def test_migrate_goes_to_the_head_and_then_has_nothing_to_do(
    empty_url: str, folder: ProjectFolder
) -> None:
    seen: list[events.Event] = []

    first = await bootstrap.migrate(empty_url, project=folder.project, emit=seen.append)
    second = await bootstrap.migrate(empty_url, project=folder.project)

    assert ["one", "two", "three"] == [step.revision for step in first.steps]
    assert ((), ("three",)) == (first.before, first.after)
    assert ((), ("three",)) == (second.steps, second.after)
    assert ["StepStarted", "StepFinished"] * 3 == [type(event).__name__ for event in seen]
    assert {"t_one", "t_two", "t_three", "alembic_version"} == await tables_of(empty_url)


@pytest.mark.parametrize(
    ("revision", "expected"),
    [("+1", "one"), ("one+1", "two"), ("thre", "three"), ("heads", "three")],
)
async def test_migrate_takes_the_forms_of_alembic(
    empty_url: str, folder: ProjectFolder, revision: str, expected: str
) -> None:
    report = await bootstrap.migrate(empty_url, revision, project=folder.project)

    assert (expected,) == report.after


async def test_a_branch_label_names_its_head(empty_url: str, tmp_path: Path) -> None:
    folder = new_project(tmp_path / "project")
    folder.revision("left", down=None, extra="branch_labels = ('west',)")
    folder.revision("right", down=None, extra="branch_labels = ('east',)")

    report = await bootstrap.migrate(empty_url, "east@head", project=folder.project)

    assert ("right",) == report.after


async def test_several_heads_are_named_and_heads_applies_all(
    empty_url: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path / "project")
    folder.revision("left", down=None)
    folder.revision("right", down=None)

    with pytest.raises(bootstrap.RevisionError, match="several heads: left, right"):
        await bootstrap.migrate(empty_url, project=folder.project)
    before = await tables_of(empty_url)
    report = await bootstrap.migrate(empty_url, "heads", project=folder.project)

    assert set() == before
    assert ("left", "right") == report.after


async def test_a_merge_ends_at_one_head(empty_url: str, tmp_path: Path) -> None:
    folder = new_project(tmp_path / "project")
    folder.revision("base1", down=None)
    folder.revision("left", down="base1")
    folder.revision("right", down="base1")
    folder.revision("joined", down=("left", "right"))

    up = await bootstrap.migrate(empty_url, project=folder.project)
    down = await bootstrap.downgrade(empty_url, "left", project=folder.project)

    assert ("joined",) == up.after
    assert ("left", "right") == down.after


async def test_an_unknown_revision_changes_nothing_and_names_the_nearest(
    empty_url: str, folder: ProjectFolder
) -> None:
    with pytest.raises(bootstrap.RevisionError, match="no revision 'thre3'") as refused:
        await bootstrap.migrate(empty_url, "thre3", project=folder.project)

    assert "nearest: three (three title)" == refused.value.hint
    assert set() == await tables_of(empty_url)


async def test_too_many_steps_up_change_nothing(empty_url: str, folder: ProjectFolder) -> None:
    with pytest.raises(bootstrap.RevisionError, match=r"\+7"):
        await bootstrap.migrate(empty_url, "+7", project=folder.project)

    assert set() == await tables_of(empty_url)


async def test_a_database_of_other_code_is_recognised(
    empty_url: str, folder: ProjectFolder
) -> None:
    await bootstrap.migrate(empty_url, "one", project=folder.project)
    await execute(empty_url, "UPDATE alembic_version SET version_num = 'newer'")

    for function in (bootstrap.migrate, bootstrap.status):
        with pytest.raises(bootstrap.RevisionError, match="at revision newer, which this project"):
            await function(empty_url, project=folder.project)


async def test_a_missing_database_is_said_and_not_created(
    fresh_url: str, folder: ProjectFolder
) -> None:
    for function in (bootstrap.migrate, bootstrap.status):
        with pytest.raises(bootstrap.DatabaseMissing, match="does not exist") as refused:
            await function(fresh_url, project=folder.project)
        assert "bootstrap create" in refused.value.hint

    assert not await bootstrap.Database.of(fresh_url).exists()


async def test_downgrade_goes_back_and_leaves_nothing(
    empty_url: str, folder: ProjectFolder
) -> None:
    await bootstrap.migrate(empty_url, project=folder.project)

    one_back = await bootstrap.downgrade(empty_url, "-1", project=folder.project)
    to_base = await bootstrap.downgrade(empty_url, "base", project=folder.project)

    assert ("two",) == one_back.after
    assert ["two", "one"] == [step.revision for step in to_base.steps]
    assert {"alembic_version"} == await tables_of(empty_url)


async def test_a_downgrade_that_loses_rows_asks_first(
    empty_url: str, folder: ProjectFolder
) -> None:
    await bootstrap.migrate(empty_url, project=folder.project)
    await execute(empty_url, "INSERT INTO t_two (id) VALUES (1), (2)")

    with pytest.raises(bootstrap.RowsWouldBeLost) as refused:
        await bootstrap.downgrade(empty_url, "base", project=folder.project)
    untouched = await tables_of(empty_url)
    still_free = await bootstrap.downgrade(empty_url, "two", project=folder.project)
    accepted = await bootstrap.downgrade(empty_url, "base", project=folder.project, drop_rows=True)

    assert {"t_two": 2} == refused.value.tables
    assert {"t_one", "t_two", "t_three", "alembic_version"} == untouched
    assert (("two",), ()) == (still_free.after, accepted.after)


@pytest.mark.parametrize(
    "downgrade",
    [
        "op.execute('DROP TABLE  precious')",
        "op.execute('drop /* the */ table precious')",
        "op.rename_table('precious', 'old')\nop.drop_table('old')",
        "if op.get_bind().execute(sa.text('select count(*) from precious')).scalar() >= 0:\n"
        "    op.drop_table('precious')",
    ],
    ids=["raw SQL", "a comment", "renamed before", "needs data to decide"],
)
async def test_a_loss_that_is_hidden_is_found(
    empty_url: str, tmp_path: Path, downgrade: str
) -> None:
    folder = new_project(tmp_path / "project")
    create = "op.create_table('precious', sa.Column('id', sa.Integer, primary_key=True))"
    folder.revision("one", down=None, upgrade=create, downgrade=downgrade)
    await bootstrap.migrate(empty_url, project=folder.project)
    await execute(empty_url, "INSERT INTO precious (id) VALUES (1)")

    with pytest.raises(bootstrap.RowsWouldBeLost, match=r"precious \(1 row\)"):
        await bootstrap.downgrade(empty_url, "base", project=folder.project)

    assert {"precious", "alembic_version"} == await tables_of(empty_url)


async def test_a_table_that_batch_mode_makes_anew_is_not_lost(
    empty_url: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path / "project")
    create = (
        "op.create_table('kept', sa.Column('id', sa.Integer, primary_key=True),"
        " sa.Column('extra', sa.Integer))"
    )
    drop = "with op.batch_alter_table('kept') as batch:\n    batch.drop_column('extra')"
    folder.revision("one", down=None, upgrade=create)
    folder.revision("two", down="one", downgrade=drop)
    await bootstrap.migrate(empty_url, project=folder.project)
    await execute(empty_url, "INSERT INTO kept (id) VALUES (1)")

    report = await bootstrap.downgrade(empty_url, "one", project=folder.project)

    assert ("one",) == report.after


async def test_stamp_writes_the_revision_and_runs_nothing(
    empty_url: str, folder: ProjectFolder
) -> None:
    stamped = await bootstrap.stamp(empty_url, "two", project=folder.project)
    after = await tables_of(empty_url)
    cleared = await bootstrap.stamp(empty_url, "base", project=folder.project)

    assert (("two",), ["two"]) == (stamped.after, [step.revision for step in stamped.steps])
    assert {"alembic_version"} == after
    assert ((), ["base"]) == (cleared.after, [step.revision for step in cleared.steps])


async def test_status_tells_what_is_pending_and_writes_nothing(
    empty_url: str, folder: ProjectFolder
) -> None:
    untouched = await bootstrap.status(empty_url, project=folder.project)
    tables_after = await tables_of(empty_url)
    await bootstrap.migrate(empty_url, "two", project=folder.project)
    halfway = await bootstrap.status(empty_url, project=folder.project)

    assert ((), ("three",)) == (untouched.current, untouched.heads)
    assert ["one", "two", "three"] == [step.revision for step in untouched.pending]
    assert set() == tables_after
    assert (("two",), ["three"]) == (
        halfway.current,
        [step.revision for step in halfway.pending],
    )


async def test_the_backend_that_really_answers_is_reported(
    empty_url: str, backend_name: str, folder: ProjectFolder
) -> None:
    as_mysql = empty_url.replace("mariadb://", "mysql://")

    report = await bootstrap.status(as_mysql, project=folder.project)

    assert backend_name == report.backend
    assert report.server_version[0].isdigit()


async def test_a_failing_statement_names_file_line_and_statement(
    empty_url: str, folder: ProjectFolder
) -> None:
    path = folder.revision("four", down="three", upgrade="op.execute('DROP TABLE nowhere')")
    seen: list[events.Event] = []

    with pytest.raises(bootstrap.StatementFailed) as failed:
        await bootstrap.migrate(empty_url, project=folder.project, emit=seen.append)

    assert f"{path}:8" in failed.value.message
    assert "DROP TABLE nowhere" in failed.value.message
    assert "revision four" in failed.value.message
    status = await bootstrap.status(empty_url, project=folder.project)
    assert (
        "three" in status.current
        or bootstrap.Database.of(empty_url).backend.features.transactional_ddl
    )


async def test_a_revision_that_raises_is_named_with_its_line(
    empty_url: str, folder: ProjectFolder
) -> None:
    path = folder.revision("four", down="three", upgrade="1 / 0")

    with pytest.raises(
        bootstrap.RevisionError, match="revision four raised ZeroDivisionError"
    ) as it:
        await bootstrap.migrate(empty_url, project=folder.project)

    assert f"{path}:8" in it.value.message


ENV = """
    import asyncio
    from alembic import context
    from bootstrap import Database
    from sqlalchemy import text

    def run(connection):
        BEFORE
        context.configure(connection=connection)
        try:
            with context.begin_transaction():
                context.run_migrations()
        except EXCEPTION:
            pass

    async def main():
        engine = Database.of(context.config.get_main_option("sqlalchemy.url")).engine()
        async with engine.connect() as connection:
            await connection.run_sync(run)
        await engine.dispose()

    asyncio.run(main())
"""


async def test_a_transaction_that_env_py_does_not_commit_is_no_success(
    empty_url: str, folder: ProjectFolder
) -> None:
    """Plain Alembic ends with exit code 0, and what it did is rolled back."""
    folder.env(ENV.replace("BEFORE", "connection.begin()").replace("EXCEPTION", "()"))

    with pytest.raises(bootstrap.RevisionError, match="without an error, but the database is at"):
        await bootstrap.migrate(empty_url, project=folder.project)


async def test_a_broken_env_py_is_named_with_its_line(
    empty_url: str, folder: ProjectFolder
) -> None:
    folder.env("import missing_module_of_mine\n")

    with pytest.raises(bootstrap.RevisionError, match=r"env.py failed: ModuleNotFoundError") as it:
        await bootstrap.migrate(empty_url, project=folder.project)

    assert "env.py:1" in it.value.message


async def test_a_revision_with_a_syntax_error_is_named_with_its_line(
    empty_url: str, folder: ProjectFolder
) -> None:
    path = folder.root / "migrations" / "versions" / "four.py"
    path.write_text("revision = 'four'\ndown_revision = = 'three'\n")

    with pytest.raises(bootstrap.RevisionError, match="SyntaxError") as it:
        await bootstrap.migrate(empty_url, project=folder.project)

    assert f"{path}:2" in it.value.message


async def test_several_databases_at_once_each_get_their_own_tables(
    empty_url: str, tmp_path: Path
) -> None:
    """With Alembic's API four threads on four databases end with tables in the wrong one."""
    folders = [three_tables(tmp_path / f"project{number}") for number in range(3)]
    others = [f"sqlite:///{tmp_path}/{number}.db" for number in range(2)]
    for url in others:
        await bootstrap.create(url)
    urls = [empty_url, *others]

    await asyncio.gather(
        *(
            bootstrap.migrate(url, project=folder.project)
            for url, folder in zip(urls, folders, strict=True)
        )
    )

    expected = {"t_one", "t_two", "t_three", "alembic_version"}
    assert [expected] * 3 == [await tables_of(url) for url in urls]


async def test_a_cancelled_run_ends_after_the_step_that_is_running(
    empty_url: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path / "project")
    folder.revision("one", down=None, upgrade="import time\ntime.sleep(0.5)")
    folder.revision("two", down="one")
    started = asyncio.Event()

    def emit(_event: events.Event) -> None:
        started.set()

    task = asyncio.create_task(bootstrap.migrate(empty_url, project=folder.project, emit=emit))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    status = await bootstrap.status(empty_url, project=folder.project)
    assert "two" not in status.current


async def test_a_run_that_is_cancelled_in_the_queue_applies_nothing(
    empty_url: str, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path / "project")
    slow = new_project(tmp_path / "slow")
    slow.revision("one", down=None, upgrade="import time\ntime.sleep(1)")
    other = f"sqlite:///{tmp_path}/other.db"
    await bootstrap.create(other)
    started = asyncio.Event()
    first = asyncio.create_task(
        bootstrap.migrate(other, project=slow.project, emit=lambda _event: started.set())
    )
    await started.wait()
    second = asyncio.create_task(bootstrap.migrate(empty_url, project=folder.project))
    await asyncio.sleep(0.3)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    await first

    assert set() == await tables_of(empty_url)


async def test_what_emit_raises_is_raised_when_all_is_done(
    empty_url: str, folder: ProjectFolder
) -> None:
    def broken(event: events.Event) -> None:
        raise RuntimeError(type(event).__name__)

    with pytest.raises(RuntimeError, match="StepStarted"):
        await bootstrap.migrate(empty_url, project=folder.project, emit=broken)

    status = await bootstrap.status(empty_url, project=folder.project)
    assert ("three",) == status.current


async def test_another_database_than_the_one_asked_for_is_never_migrated(
    empty_url: str, folder: ProjectFolder, tmp_path: Path
) -> None:
    elsewhere = f"sqlite:///{tmp_path}/elsewhere.db"
    await bootstrap.create(elsewhere)
    env = (folder.root / "migrations" / "env.py").read_text()
    asked = 'config.get_main_option("sqlalchemy.url")'
    assert asked in env
    folder.env(env.replace(asked, repr(elsewhere)))

    with pytest.raises(bootstrap.SettingsError, match=r"env\.py connects to sqlite") as refused:
        await bootstrap.migrate(empty_url, project=folder.project)

    assert "nothing was run" in refused.value.message
    assert set() == await tables_of(elsewhere)
    assert set() == await tables_of(empty_url)


@pytest.mark.parametrize("template", ["generic", "async", "pyproject", "pyproject_async"])
@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_the_env_py_of_alembics_own_templates_works(
    empty_url: str, tmp_path: Path, template: str
) -> None:
    root = tmp_path / "stock"
    root.mkdir()
    driver = "+aiosqlite" if "async" in template else ""
    run_alembic("init", "-t", template, "migrations", cwd=root)
    ini = root / "alembic.ini"
    url = f"sqlalchemy.url = sqlite{driver}:///unused.db"
    ini.write_text(re.sub(r"(?m)^sqlalchemy\.url = .*$", url, ini.read_text()))
    run_alembic("revision", "-m", "first", "--rev-id", "first", cwd=root)

    report = await bootstrap.migrate(empty_url, project=bootstrap.Project.at(ini))

    assert ("first",) == report.after
    assert {"alembic_version"} == await tables_of(empty_url)


def run_alembic(*arguments: str, cwd: Path) -> None:
    commands.run("alembic", *arguments, cwd=cwd).check_returncode()


async def test_a_revision_that_is_there_twice_is_an_error(
    empty_url: str, folder: ProjectFolder
) -> None:
    twin = folder.root / "migrations" / "versions" / "twin.py"
    twin.write_text((folder.root / "migrations" / "versions" / "two.py").read_text())

    with pytest.raises(bootstrap.RevisionError, match="both have the revision two"):
        await bootstrap.status(empty_url, project=folder.project)


@pytest.mark.parametrize("revision", ["", "one@-1"])
async def test_a_revision_that_means_nothing_is_an_error(
    empty_url: str, folder: ProjectFolder, revision: str
) -> None:
    with pytest.raises(bootstrap.RevisionError):
        await bootstrap.downgrade(empty_url, revision, project=folder.project)


async def test_a_database_in_memory_is_refused(folder: ProjectFolder) -> None:
    for function in (bootstrap.migrate, bootstrap.status):
        with pytest.raises(bootstrap.SettingsError, match="in memory"):
            await function("sqlite://", project=folder.project)

"""A new revision: written from the template or from the models, tried, and kept if it works."""

import ast
import asyncio
import textwrap
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

import bootstrap
from bootstrap import backends as rooms
from bootstrap.authoring.new_revision import RevisionReport
from bootstrap.events import Event, TryFinished, TryStarted
from bootstrap.testing import ThrowawayDatabases
from tests.available import Servers
from tests.projects import ProjectFolder, new_project, three_tables

ITEMS = """
sa.Table(
    'items', metadata,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('name', sa.String(20), nullable=False),
)
"""
CREATE_ITEMS = """op.create_table(
    'items', sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('name', sa.String(20), nullable=False))"""
FAILS = """
from alembic.operations import ops

def only_sql(context, revision, directives):
    for one in directives:
        if one.upgrade_ops.ops:
            one.upgrade_ops.ops.insert(0, ops.ExecuteSQLOp('SELECT * FROM nowhere'))
"""
# A second upgrade must not fail, or it would be the first thing to say.
NO_WAY_BACK = """
def no_way_back(context, revision, directives):
    directives[0].downgrade_ops.ops.clear()
    for operation in directives[0].upgrade_ops.ops:
        operation.if_not_exists = True
"""
TOO_LITTLE = """
def too_little(context, revision, directives):
    if not revision:
        directives[0].upgrade_ops.ops[0].columns.pop(1)
"""


@pytest.fixture
def databases(backend_name: str, servers: Servers, tmp_path: Path) -> ThrowawayDatabases:
    """A place for databases of each backend, on the servers that all tests share."""
    return place(backend_name, servers, tmp_path)


def place(backend_name: str, servers: Servers, folder: Path) -> ThrowawayDatabases:
    backend = rooms.named(backend_name)
    if backend.features.is_file:
        url = URL.create(backend.schemes[0], database=str(folder))
    else:
        url = servers.url(backend_name)
    return ThrowawayDatabases(backend=backend, place=url)


@pytest.fixture
def items(tmp_path: Path) -> ProjectFolder:
    """A project whose models have a table, and which has no revision."""
    folder = new_project(tmp_path / "project")
    folder.models(ITEMS)
    return folder


def hooked(folder: ProjectFolder, code: str, function: str) -> None:
    """Adds a hook to env.py that changes what autogenerate found."""
    env = (folder.root / "migrations" / "env.py").read_text()
    hook = f"target_metadata=metadata, process_revision_directives={function},"
    env = env.replace("target_metadata=metadata,", hook)
    folder.env(env.replace("config = context.config", f"{code}\nconfig = context.config", 1))


async def written(folder: ProjectFolder, message: str = "new", **options: Any) -> RevisionReport:
    return await bootstrap.revision(message, project=folder.project, autogenerate=True, **options)


async def test_what_the_models_have_is_written_and_tried(
    items: ProjectFolder, databases: ThrowawayDatabases
) -> None:
    events: list[Event] = []

    first = await written(items, "add items", backends=[databases], emit=events.append)
    again = await written(items, backends=[databases])

    (path,) = items.files
    (revision,) = first.revisions
    (attempt,) = first.attempts
    assert ("add items.", path, ()) == (revision.title, revision.path, revision.down_revisions)
    assert ["create table items (id, name)"] == [one.text for one in first.operations]
    assert (databases.backend.name, True, True) == (attempt.backend, attempt.works, first.kept)
    assert [TryStarted, TryFinished] == [type(event) for event in events]
    assert ((), (), (), False) == (again.revisions, again.operations, again.attempts, again.kept)


@pytest.mark.parametrize("backend_name", ["sqlite", "mysql", "mariadb"], indirect=True)
async def test_a_sync_env_py_is_tried_on_backends_that_it_was_not_written_for(
    items: ProjectFolder, databases: ThrowawayDatabases
) -> None:
    ini = items.root / "alembic.ini"
    ini.write_text(
        ini.read_text().replace("[alembic]", "[alembic]\nsqlalchemy.url = postgresql://h/a")
    )
    items.env(
        f"""
        import sqlalchemy as sa
        from alembic import context
        metadata = sa.MetaData()
        {ITEMS.replace(chr(10), chr(10) + 8 * " ")}
        url = context.config.get_main_option("sqlalchemy.url")
        with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
            context.configure(connection=connection, target_metadata=metadata)
            with context.begin_transaction():
                context.run_migrations()
        """
    )

    report = await written(items, backends=[databases])

    assert report.works


async def test_it_is_written_for_a_history_that_has_revisions(
    databases: ThrowawayDatabases, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path / "project")

    report = await written(folder, backends=[databases])

    assert {"drop table t_one", "drop table t_two", "drop table t_three"} == {
        one.text for one in report.operations
    }
    assert ("three",) == report.revisions[0].down_revisions
    assert report.works


async def test_a_statement_that_fails_is_said_with_the_backend_and_no_file_stays(
    items: ProjectFolder, databases: ThrowawayDatabases
) -> None:
    hooked(items, FAILS, "only_sql")

    with pytest.raises(bootstrap.StatementFailed) as failed:
        await written(items, backends=[databases], rev_id="wrong")

    first, second, third = failed.value.message.splitlines()
    assert "the new revision wrong does not work" == first
    title = databases.backend.title
    assert second.startswith(f"{title}, upgrade: ")
    assert "of revision wrong failed (" in second
    assert third.endswith("SELECT * FROM nowhere")
    assert "--keep" in failed.value.hint
    assert [] == items.files
    assert [] == list((items.root / "migrations").rglob("versions/**/*.pyc"))


async def test_a_file_that_does_not_work_stays_when_that_is_asked_for(
    items: ProjectFolder, tmp_path: Path, servers: Servers
) -> None:
    hooked(items, FAILS, "only_sql")

    with pytest.raises(bootstrap.StatementFailed) as failed:
        await written(items, backends=[place("sqlite", servers, tmp_path)], keep=True)

    (path,) = items.files
    assert f"correct {path}" == failed.value.hint


async def test_a_downgrade_that_leaves_something_is_no_error_and_no_success(
    items: ProjectFolder, databases: ThrowawayDatabases
) -> None:
    hooked(items, NO_WAY_BACK, "no_way_back")

    report = await written(items, backends=[databases])

    (attempt,) = report.attempts
    assert (False, False, ()) == (report.works, report.kept, attempt.pending)
    assert any(fact.startswith("table items added") for fact in attempt.not_undone)
    assert [] == items.files


async def test_what_the_models_still_need_is_no_error_and_no_success(
    items: ProjectFolder, databases: ThrowawayDatabases
) -> None:
    hooked(items, TOO_LITTLE, "too_little")

    report = await written(items, backends=[databases])

    (attempt,) = report.attempts
    assert (False, [True]) == (
        report.works,
        [one.text.startswith("add column items.name") for one in attempt.pending],
    )
    assert [] == items.files


async def test_a_database_that_is_named_is_compared_with_and_left_as_it_is(
    empty_url: str, databases: ThrowawayDatabases, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path / "project")
    await bootstrap.migrate(empty_url, project=folder.project)

    report = await written(folder, backends=[databases], database=empty_url)

    status = await bootstrap.status(empty_url, project=folder.project)
    assert 3 == len(report.operations)
    assert [databases.backend.name] == [one.backend for one in report.attempts]
    assert ("three",) == status.current


async def test_a_named_database_must_be_at_the_heads(empty_url: str, tmp_path: Path) -> None:
    folder = three_tables(tmp_path / "project")

    with pytest.raises(bootstrap.RevisionError, match="not at the heads"):
        await written(folder, database=empty_url)

    assert 3 == len(folder.files)


async def test_a_history_that_does_not_begin_with_an_empty_database_is_named(
    items: ProjectFolder, databases: ThrowawayDatabases, empty_url: str
) -> None:
    items.revision("late", down=None, upgrade="op.drop_column('made_by_create_all', 'x')")

    with pytest.raises(bootstrap.StatementFailed) as failed:
        await written(items, backends=[databases])

    assert f"an empty {databases.backend.title} database cannot be migrated" in str(failed.value)
    assert "of revision late failed" in str(failed.value)
    assert "--url" in failed.value.hint
    assert 1 == len(items.files)
    await bootstrap.stamp(empty_url, "late", project=items.project)
    report = await written(items, database=empty_url, trying=False)
    assert (["create table items (id, name)"], True, ()) == (
        [one.text for one in report.operations],
        report.kept,
        report.attempts,
    )


async def test_an_env_py_that_connects_elsewhere_is_refused_and_told_about_url(
    items: ProjectFolder, databases: ThrowawayDatabases, tmp_path: Path
) -> None:
    env = (items.root / "migrations" / "env.py").read_text()
    mine = tmp_path / "mine.db"
    items.env(env.replace("Database.of(url) if url else", f"Database.of('sqlite:///{mine}') or"))

    with pytest.raises(bootstrap.SettingsError, match="throwaway database cannot be used") as said:
        await written(items, backends=[databases])

    assert (True, True) == (str(mine) in said.value.message, "--url" in said.value.hint)
    assert [] == items.files


async def test_a_backend_that_cannot_be_started_is_named_and_the_others_are_tried(
    items: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing_installed(monkeypatch)

    report = await written(items, backends=["postgresql", "sqlite", "mysql"])

    assert ["sqlite"] == [one.backend for one in report.attempts]
    assert ["postgresql", "mysql"] == [one.backend for one in report.not_tried]
    assert "postgresql" in report.not_tried[0].hint


async def test_without_any_backend_there_is_nothing_to_compare_with(
    items: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing_installed(monkeypatch)

    with pytest.raises(bootstrap.SettingsError, match="postgresql: the programs") as said:
        await written(items, backends=["postgresql", "mariadb"])

    assert (True, True) == ("install" in said.value.hint, "--url" in said.value.hint)
    assert [] == items.files


def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without database servers."""
    for name in ("postgresql", "mysql", "mariadb"):
        server = type(rooms.named(name).server)
        monkeypatch.setattr(server, "programs", lambda _: None)


async def test_a_cancelled_try_leaves_no_file(
    items: ProjectFolder, tmp_path: Path, servers: Servers
) -> None:
    databases = [place("sqlite", servers, tmp_path)]

    def cancel(event: Event) -> None:
        assert 1 == len(items.files)
        task.cancel()

    task = asyncio.ensure_future(written(items, backends=databases, emit=cancel))
    with pytest.raises(asyncio.CancelledError):
        await task

    assert [] == items.files


async def test_without_autogenerate_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing_installed(monkeypatch)
    folder = three_tables(tmp_path / "project")
    folder.env("raise RuntimeError('env.py runs')")

    report = await bootstrap.revision(
        "By hand",
        project=folder.project,
        rev_id="four",
        branch_label="side",
        depends_on=["one"],
        backends=["postgresql"],
    )

    (revision,) = report.revisions
    assert ("four", "By hand.", ("three",)) == (
        revision.revision,
        revision.title,
        revision.down_revisions,
    )
    assert (("side",), ("one",), True) == (revision.labels, revision.depends_on, report.kept)


async def test_head_splice_and_a_taken_id_mean_what_they_mean_to_alembic(tmp_path: Path) -> None:
    folder = three_tables(tmp_path / "project")

    with pytest.raises(bootstrap.RevisionError, match="--splice"):
        await bootstrap.revision("side", project=folder.project, head="two")
    with pytest.raises(bootstrap.RevisionError, match="there is a revision two already"):
        await bootstrap.revision("side", project=folder.project, rev_id="two")
    with pytest.raises(bootstrap.RevisionError, match="cannot be written"):
        await bootstrap.revision("side", project=folder.project, version_path="/nowhere")
    spliced = await bootstrap.revision("side", project=folder.project, head="two", splice=True)
    with pytest.raises(bootstrap.RevisionError, match="Multiple heads"):
        await bootstrap.revision("top", project=folder.project)
    based = await bootstrap.revision("new", project=folder.project, head="base")

    assert (("two",), ()) == (
        spliced.revisions[0].down_revisions,
        based.revisions[0].down_revisions,
    )


async def test_a_merge_and_a_branch_of_their_own_are_tried_too(
    items: ProjectFolder, databases: ThrowawayDatabases
) -> None:
    items.revision("left", down=None)
    items.revision("right", down=None)

    merged = await written(items, backends=[databases], head="heads")
    items.models(ITEMS + "sa.Table('more', metadata, sa.Column('id', sa.Integer))")
    branch = await written(items, "branch", backends=[databases], head="base")

    assert {"left", "right"} == set(merged.revisions[0].down_revisions)
    assert (True, True, ()) == (merged.works, branch.works, branch.revisions[0].down_revisions)


async def test_revision_environment_runs_env_py_without_a_database_of_the_user(
    items: ProjectFolder, databases: ThrowawayDatabases
) -> None:
    ini = items.root / "alembic.ini"
    ini.write_text(ini.read_text().replace("[alembic]", "[alembic]\nrevision_environment = true"))
    code = (
        "def comment(context, revision, directives):\n    directives[0].message = 'from env.py'\n"
    )
    hooked(items, code, "comment")

    report = await bootstrap.revision("plain", project=items.project, backends=[databases])

    assert "from env.py." == report.revisions[0].title


async def test_with_sql_env_py_runs_offline_where_it_runs_at_all(
    items: ProjectFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing_installed(monkeypatch)
    with pytest.raises(bootstrap.RevisionError, match="it does not run for new revisions"):
        await bootstrap.revision("plain", project=items.project, sql=True)
    with pytest.raises(bootstrap.RevisionError, match="offline there is no database"):
        await written(items, sql=True)
    ini = items.root / "alembic.ini"
    ini.write_text(ini.read_text().replace("[alembic]", "[alembic]\nrevision_environment = true"))
    code = "def comment(context, revision, directives):\n"
    hooked(items, code + "    directives[0].message = f'offline {context.as_sql}'\n", "comment")

    report = await bootstrap.revision(
        "plain", project=items.project, sql=True, database="postgresql://app@127.0.0.1:1/none"
    )

    assert ("offline True.", "") == (report.revisions[0].title, capsys.readouterr().out)


async def test_post_write_hooks_run_and_a_failed_one_leaves_no_file(items: ProjectFolder) -> None:
    ini = items.root / "alembic.ini"
    before = ini.read_text()
    hook = "\n[post_write_hooks]\nhooks = h\nh.type = exec\nh.executable = {}\nh.options = {}\n"
    ini.write_text(before + hook.format("/bin/sed", "-i s/hello/goodbye/ REVISION_SCRIPT_FILENAME"))

    report = await bootstrap.revision("hello", project=items.project)
    ini.write_text(before + hook.format("/nonexistent", ""))
    with pytest.raises(bootstrap.RevisionError, match="cannot be written"):
        await bootstrap.revision("second", project=items.project)

    assert "goodbye." == report.revisions[0].title
    assert [report.revisions[0].path] == items.files


async def test_the_backend_is_by_default_the_one_of_the_project(
    items: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    fallback = await written(items)
    items.files[0].unlink()
    ini = items.root / "alembic.ini"
    url = "sqlalchemy.url = postgresql+asyncpg://app@127.0.0.1:1/none"
    ini.write_text(ini.read_text().replace("[alembic]", f"[alembic]\n{url}"))
    nothing_installed(monkeypatch)

    with pytest.raises(bootstrap.SettingsError, match="postgresql: "):
        await written(items)

    assert "sqlite" == fallback.compared_on


MENDED = """
sa.Table(
    'items', metadata,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('name', sa.String(20), nullable=False),
    sa.Column('state', sa.Enum('new', 'old', name='state')),
    sa.Column('sold', sa.Boolean, nullable=False, server_default=sa.false()),
)
"""
COMPUTED = """
sa.Table(
    'sums', metadata,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('size', sa.Integer),
    sa.Column('twice', sa.Integer, sa.Computed('size * 2', persisted=True)),
    sa.Column('made', sa.DateTime, server_default=sa.func.now()),
    sa.Column('done', sa.Boolean, server_default=sa.true()),
)
"""


async def test_enums_and_booleans_are_written_so_that_every_backend_takes_them(
    items: ProjectFolder, databases: ThrowawayDatabases, tmp_path: Path, servers: Servers
) -> None:
    items.revision("first", down=None, upgrade=CREATE_ITEMS)
    without_computed = MENDED.replace(
        "sa.Column('twice', sa.Integer, sa.Computed('size * 2')),", ""
    )
    items.models(without_computed)

    report = await written(items, backends=[place("sqlite", servers, tmp_path), databases])

    text = report.revisions[0].path.read_text()
    up, down = text.split("def downgrade")
    assert report.works, report.attempts
    assert "sa.Enum('new', 'old', name='state').create(op.get_bind(), checkfirst=True)" in up
    assert "sa.Enum('new', 'old', name='state').drop(op.get_bind(), checkfirst=True)" in down
    assert "server_default=sa.false()" in up


async def test_an_enum_that_another_table_uses_stays(
    items: ProjectFolder, databases: ThrowawayDatabases
) -> None:
    more = "sa.Table('more', metadata, sa.Column('state', sa.Enum('new', 'old', name='state')))"
    items.models(ITEMS + more)
    await written(items, "first", backends=[databases])
    items.models(more + MENDED)

    report = await written(items, "second", backends=[databases])

    assert report.works, report.attempts
    assert ".drop(op.get_bind()" not in report.revisions[0].path.read_text()


async def test_operations_of_an_extension_are_left_alone(
    items: ProjectFolder, tmp_path: Path, servers: Servers
) -> None:
    code = """
    from alembic.autogenerate import renderers
    from alembic.operations import ops

    class NoteOp(ops.MigrateOperation):
        pass

    @renderers.dispatch_for(NoteOp, replace=True)
    def note(context, operation):
        return "# noted"

    def noted(context, revision, directives):
        for one in directives:
            if one.upgrade_ops.ops:
                one.upgrade_ops.ops.append(NoteOp())
    """
    items.models(MENDED)
    hooked(items, textwrap.dedent(code), "noted")

    report = await written(items, backends=[place("sqlite", servers, tmp_path)])

    text = report.revisions[0].path.read_text()
    assert (True, False) == ("# noted" in text, "op.get_bind()" in text)


async def test_a_computed_column_and_a_default_of_the_server_are_compared_without_a_false_alarm(
    items: ProjectFolder, databases: ThrowawayDatabases
) -> None:
    items.models(COMPUTED)

    first = await written(items, backends=[databases])
    again = await written(items, backends=[databases])

    assert (True, ()) == (first.works, again.operations), first.attempts


async def test_what_is_written_imports_nothing_of_the_application(
    items: ProjectFolder, tmp_path: Path, servers: Servers
) -> None:
    items.models(
        "from bootstrap.types import ExactString\n"
        "sa.Table('t', metadata, sa.Column('name', ExactString(20), primary_key=True))"
    )

    report = await written(items, backends=[place("sqlite", servers, tmp_path)])

    tree = ast.parse(report.revisions[0].path.read_text())
    imported = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert {"__future__", "alembic", "sqlalchemy", "bootstrap.types"} == imported


async def test_tables_are_dropped_and_come_back_in_the_order_of_their_references(
    items: ProjectFolder, databases: ThrowawayDatabases
) -> None:
    def table(name: str, refers_to: str | None) -> str:
        key = f"sa.ForeignKey('{refers_to}.id', name='fk_{name}'), index=True"
        other = f", sa.Column('other', sa.Integer, {key})"
        column = "sa.Column('id', sa.Integer, primary_key=True)"
        return f"sa.Table('{name}', metadata, {column}{other if refers_to else ''})\n"

    chains = [("a", "b"), ("b", "c"), ("c", None), ("z", "y"), ("y", "x"), ("x", None)]
    items.models("".join(table(name, other) for name, other in chains))
    await written(items, "first", backends=[databases], rev_id="first")
    items.models("")

    report = await written(items, "second", backends=[databases])

    assert 10 == len(report.operations)
    assert report.works, report.attempts

"""`--sql`: scripts that the backends' own clients run, written without a database."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text

import bootstrap
from bootstrap.reference import configuration_file, migrations_folder
from tests.available import Found, look_for
from tests.catalogues import catalogue
from tests.cli.conftest import Command
from tests.projects import ProjectFolder, new_project, three_tables

SEVERAL = "revision a_1 raised"
HEAD = "widen_usernames"


@pytest.fixture
def reference(tmp_path: Path) -> bootstrap.Project:
    root = tmp_path / "reference"
    root.mkdir()
    shutil.copy(configuration_file(), root)
    shutil.copytree(migrations_folder(), root / "migrations")
    return bootstrap.Project.at(root / "alembic.ini")


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    return new_project(tmp_path / "project")


def client(url: str, backend_name: str) -> list[str]:
    """The backend's own client program, which stops at the first error."""
    parsed = make_url(url)
    if backend_name == "sqlite":
        return [program("sqlite3", backend_name), "-batch", "-bail", str(parsed.database)]
    place = [f"--host={parsed.host}", f"--port={parsed.port}"]
    if backend_name == "postgresql":
        stop = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
        user = [f"--username={parsed.username}", str(parsed.database)]
        return [program("psql", backend_name), *stop, *place, *user]
    name = "mariadb" if backend_name == "mariadb" else "mysql"
    tcp = ["--no-defaults", "--protocol=tcp", "--default-character-set=latin1"]
    user = [f"--user={parsed.username}", str(parsed.database)]
    return [program(name, backend_name), *tcp, *place, *user]


def program(name: str, backend_name: str) -> str:
    found = look_for(backend_name)
    assert isinstance(found, Found)
    beside = found.programs / name if found.programs else None
    path = str(beside) if beside and beside.is_file() else shutil.which(name)
    if path is None:
        pytest.skip(f"there is no {name} program")
    return path


def execute(script: str, url: str, backend_name: str) -> str:
    done = subprocess.run(
        client(url, backend_name),
        input=script.encode(),
        capture_output=True,
        # The locale of a bare container, in which clients guess another character set.
        env=os.environ | {"LC_ALL": "C", "PGCLIENTENCODING": "LATIN1"},
        check=False,
    )
    assert 0 == done.returncode, done.stderr.decode()
    return done.stdout.decode()


async def rows(url: str, sql: str) -> list[tuple[Any, ...]]:
    async with bootstrap.Database.of(url).connect() as connection:
        return [tuple(row) for row in await connection.execute(text(sql))]


async def test_the_client_makes_what_migrate_makes_and_unmakes_it(
    empty_url: str, backend_name: str, reference: bootstrap.Project
) -> None:
    up = await bootstrap.migration_script(empty_url, project=reference)
    down = await bootstrap.migration_script(
        empty_url, "head:base", project=reference, direction="downgrade"
    )

    printed = execute(up.sql, empty_url, backend_name)
    by_script = await catalogue(empty_url)
    canonical = (await bootstrap.snapshot(empty_url)).schema
    after = await bootstrap.current(empty_url, project=reference)
    written = await bootstrap.log(empty_url, project=reference)
    execute(down.sql, empty_url, backend_name)
    left = await catalogue(empty_url)
    await bootstrap.migrate(empty_url, project=reference)
    ran = await bootstrap.log(empty_url, project=reference, limit=len(up.steps))

    assert "" == printed
    assert canonical == (await bootstrap.snapshot(empty_url)).schema
    assert [logged(one) for one in ran.entries] == [logged(one) for one in written.entries]
    assert (up.start, up.end) == ((), (HEAD,))
    assert (down.start, down.end) == ((HEAD,), ())
    assert [step.revision for step in up.steps][::-1] == [step.revision for step in down.steps]
    assert [HEAD] == [revision.revision for revision in after.revisions]
    assert {} == left
    assert await catalogue(empty_url) == by_script


def logged(entry: bootstrap.LogEntry) -> tuple[object, ...]:
    """What the log of a script has: who runs it from where, and for how long, it cannot know."""
    same = ("version_table", "revision", "direction", "outcome", "checksum", "database_user")
    return tuple(getattr(entry, name) for name in (*same, "tool", "git_commit"))


async def test_a_script_may_make_the_version_table_alone(
    empty_url: str, backend_name: str, reference: bootstrap.Project
) -> None:
    script = await bootstrap.version_table_script(empty_url, project=reference)

    execute(script.sql, empty_url, backend_name)
    by_script = await catalogue(empty_url)
    report = await bootstrap.ensure_version(empty_url, project=reference)
    await bootstrap.migrate(empty_url, project=reference)

    assert {} == by_script
    assert ((), (), ()) == (script.start, script.end, script.steps)
    assert not report.created


async def test_a_script_may_begin_and_end_anywhere(
    empty_url: str, backend_name: str, tmp_path: Path
) -> None:
    project = three_tables(tmp_path / "project").project
    await bootstrap.migrate(empty_url, "one", project=project)

    up = await bootstrap.migration_script(empty_url, "one:+1", project=project)
    execute(up.sql, empty_url, backend_name)
    moved = await bootstrap.current(empty_url, project=project)
    stamp = await bootstrap.migration_script(
        empty_url, "two:three", project=project, direction="stamp"
    )
    execute(stamp.sql, empty_url, backend_name)
    stamped = await bootstrap.current(empty_url, project=project)
    back = await bootstrap.migration_script(
        empty_url, "two:-1", project=project, direction="downgrade"
    )

    assert [["two"], ["three"]] == [
        [one.revision for one in found.revisions] for found in (moved, stamped)
    ]
    assert (("two",), ("one",)) == (back.start, back.end)


NASTY = r"""100% of 'it's' -- \n \\ ; "q" :name $$ // é 漢 % %s %(x)s {} #"""


async def test_every_text_arrives_as_it_is(
    empty_url: str, backend_name: str, folder: ProjectFolder
) -> None:
    """Percent signs, backslashes, tabs, colons, comments and other alphabets."""
    value = NASTY + "\tand a\nnew line  "
    folder.revision(
        "one",
        down=None,
        upgrade=f"""
        import datetime
        table = op.create_table(
            "things",
            sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("note", sa.String(200)),
            sa.Column("day", sa.Date),
        )
        day = datetime.date(2026, 1, 2)
        op.bulk_insert(table, [{{"id": 1, "note": {value!r}, "day": day}}, {{"id": 2}}])
        op.execute(table.update().values(note={value!r}).where(table.c.id == 2))
        op.execute("INSERT INTO things (id, note) VALUES (3, '50% -- no comment')")
        op.execute("INSERT INTO things (id, note) VALUES (4, 'a;b'); -- a comment;")
        """,
    )
    report = await bootstrap.migration_script(empty_url, project=folder.project)

    execute(report.sql, empty_url, backend_name)

    assert [
        (1, value),
        (2, value),
        (3, "50% -- no comment"),
        (4, "a;b"),
    ] == await rows(empty_url, "SELECT id, note FROM things ORDER BY id")


TRIGGER = {
    "sqlite": "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; DELETE FROM b; END",
    "postgresql": "CREATE FUNCTION f() RETURNS int AS $$ BEGIN DELETE FROM b; RETURN 1; END $$ "
    "LANGUAGE plpgsql",
    "mysql": "CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW "
    "BEGIN DELETE FROM b; DELETE FROM b; END;",
}
TRIGGER["mariadb"] = TRIGGER["mysql"]


async def test_a_body_with_semicolons_is_one_statement(
    empty_url: str, backend_name: str, folder: ProjectFolder
) -> None:
    folder.revision(
        "one",
        down=None,
        upgrade=f"""
        op.create_table("a", sa.Column("id", sa.Integer, primary_key=True))
        op.create_table("b", sa.Column("id", sa.Integer, primary_key=True))
        op.execute({TRIGGER[backend_name]!r})
        op.execute("INSERT INTO b (id) VALUES (1)")
        op.execute("INSERT INTO a (id) VALUES (1)")
        """,
    )
    report = await bootstrap.migration_script(empty_url, project=folder.project)

    execute(report.sql, empty_url, backend_name)

    fires = "postgresql" != backend_name
    assert [(0 if fires else 1,)] == await rows(empty_url, "SELECT count(*) FROM b")


@pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
async def test_a_failed_revision_is_rolled_back_and_those_before_it_stay(
    empty_url: str, backend_name: str, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path / "project")
    folder.revision(
        "four",
        down="three",
        upgrade="""
        op.create_table("t_four", sa.Column("id", sa.Integer))
        op.execute("SELECT nothing FROM nowhere")
        """,
    )
    report = await bootstrap.migration_script(empty_url, project=folder.project)

    with pytest.raises(AssertionError, match="nowhere"):
        execute(report.sql, empty_url, backend_name)

    status = await bootstrap.status(empty_url, project=folder.project)
    assert (("three",), ["four"]) == (status.current, [one.revision for one in status.pending])
    assert "t_four" not in await catalogue(empty_url)


URLS = (
    "postgresql://me:geheim@nowhere.invalid/app",
    "mysql://me:geheim@nowhere.invalid/app",
    "mariadb://me:geheim@nowhere.invalid/app",
    "sqlite:///missing/app.db",
    "sqlite://",
)


@pytest.mark.parametrize("url", URLS)
async def test_no_database_is_needed(url: str, reference: bootstrap.Project) -> None:
    report = await bootstrap.migration_script(url, project=reference)

    assert "CREATE TABLE users" in report.sql
    assert "geheim" not in report.sql


READING = (
    "[row for row in op.get_bind().execute(sa.text('SELECT 1'))]",
    "op.get_bind().scalar(sa.text('SELECT 1'))",
    "sa.inspect(op.get_bind()).get_table_names()",
    "op.get_bind().execute(sa.text('DELETE FROM a WHERE id = :id'), {'id': 1})",
    "op.get_bind().execute(sa.insert(sa.table('a', sa.column('id'))), [{'id': 1}])",
)


@pytest.mark.parametrize("reading", READING)
async def test_a_revision_that_reads_is_named_with_its_line(
    folder: ProjectFolder, reading: str
) -> None:
    path = folder.revision("a_1", down=None, upgrade=reading)

    with pytest.raises(bootstrap.RevisionError, match=SEVERAL) as it:
        await bootstrap.migration_script("postgresql://nowhere/app", project=folder.project)

    assert f"{path}:8" in it.value.message
    assert "bootstrap migrate" in it.value.hint


async def test_batch_mode_that_must_look_at_the_table_is_named(folder: ProjectFolder) -> None:
    folder.revision(
        "a_1",
        down=None,
        upgrade="""
        with op.batch_alter_table("users") as batch:
            batch.drop_column("name")
        """,
    )

    with pytest.raises(bootstrap.RevisionError, match=SEVERAL) as it:
        await bootstrap.migration_script("sqlite://", project=folder.project)

    assert "copy_from" in it.value.hint


@pytest.mark.parametrize(
    ("direction", "revisions", "expected"),
    [
        ("upgrade", "thre3", "no revision 'thre3'"),
        ("upgrade", "nine:head", "no revision 'nine'"),
        ("downgrade", "one", "must be told where it begins"),
        ("downgrade", "one:two", "no way from"),
        ("stamp", ("one:two", "two:three"), "one beginning"),
    ],
)
async def test_what_cannot_be_is_refused(
    tmp_path: Path, direction: str, revisions: str, expected: str
) -> None:
    project = three_tables(tmp_path / "project").project

    with pytest.raises(bootstrap.RevisionError, match=expected):
        await bootstrap.migration_script(
            "sqlite://", revisions, project=project, direction=direction
        )


async def test_several_heads_are_named(folder: ProjectFolder) -> None:
    folder.revision("left", down=None)
    folder.revision("right", down=None)

    with pytest.raises(bootstrap.RevisionError, match="several heads: left, right"):
        await bootstrap.migration_script("sqlite://", project=folder.project)
    both = await bootstrap.migration_script("sqlite://", "heads", project=folder.project)

    assert ("left", "right") == both.end


async def test_env_py_for_another_backend_is_refused(tmp_path: Path) -> None:
    folder = three_tables(tmp_path / "project")
    folder.env(
        """
        from alembic import context
        context.configure(dialect_name="mysql")
        context.run_migrations()
        """
    )

    with pytest.raises(bootstrap.SettingsError, match="SQL for mysql, but postgresql"):
        await bootstrap.migration_script("postgresql://nowhere/app", project=folder.project)


async def test_env_py_that_ends_too_early_is_no_success(tmp_path: Path) -> None:
    folder = three_tables(tmp_path / "project")
    folder.env('from alembic import context\ncontext.configure(dialect_name="sqlite")')

    with pytest.raises(bootstrap.RevisionError, match="the script is not complete"):
        await bootstrap.migration_script("sqlite://", project=folder.project)


# The command --------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path) -> Command:
    folder = three_tables(tmp_path / "project")
    env = folder.root / "migrations" / "env.py"
    env.write_text(env.read_text() + "\nprint('said by env.py')\n")
    return Command(folder=folder.root)


def test_nothing_but_the_script_is_on_standard_output(run: Command) -> None:
    """A password that is a word of the script mauls nothing."""
    done = run("migrate", "--sql", "--url", "postgresql://me:TABLE@nowhere.invalid/app")

    assert 0 == done.code, done.err
    assert done.out.startswith("SET client_encoding")
    assert "CREATE TABLE t_three" in done.out
    assert "said by env.py" in done.err
    assert "***" not in done.out


def test_the_script_stands_in_the_report(run: Command) -> None:
    url = ["--url", "sqlite:///none.db", "--format", "json"]

    done = run("downgrade", "--sql", "head:one", *url)

    report = done.document["report"]
    assert (["three"], ["one"]) == (report["start"], report["end"])
    assert ["three", "two"] == [step["revision"] for step in report["steps"]]
    assert "DROP TABLE t_three;" in report["sql"]


def test_a_stamp_is_written_too_and_purging_is_refused(run: Command) -> None:
    url = ["--url", "sqlite:///none.db"]

    done = run("stamp", "--sql", "one:three", *url)
    purged = run("stamp", "--sql", "--purge", "three", *url)

    assert "UPDATE alembic_version SET version_num='three'" in done.out
    assert 2 == purged.code


def test_a_range_is_for_scripts(run: Command) -> None:
    done = run("migrate", "one:two", "--url", "sqlite:///none.db")

    assert 6 == done.code
    assert "ranges are for scripts (--sql)" in done.err


def test_an_error_leaves_standard_output_empty(run: Command) -> None:
    done = run("migrate", "--sql", "nine", "--url", "sqlite:///none.db")

    assert (6, "") == (done.code, done.out)
    assert "no revision 'nine'" in done.err

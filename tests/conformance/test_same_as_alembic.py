"""After `bootstrap migrate` a database is what `alembic upgrade head` makes of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

import bootstrap
from bootstrap.project import Project
from bootstrap.schema.compare import compare
from tests import available, commands
from tests.cli.conftest import Command
from tests.projects import ProjectFolder, create, env, new_project, own_url

on_all = pytest.mark.parametrize(
    "backend_name", ["sqlite", "postgresql", "mysql", "mariadb"], indirect=True
)
on_postgresql = pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
_REVISIONS = int(os.environ.get("BOOTSTRAP_TEST_REVISIONS", "50"))
SYNC = {"sqlite": "pysqlite", "postgresql": "psycopg", "mysql": "pymysql", "mariadb": "pymysql"}


@pytest.fixture
def twin_url(fresh_url: str) -> Iterator[str]:
    """Another empty database on the same server."""
    url = make_url(fresh_url)
    twin = url.set(database=f"{url.database}_twin")
    available.create(twin)
    yield twin.render_as_string(hide_password=False)
    available.drop(twin)


async def both(
    folder: ProjectFolder,
    *,
    alembic_url: str,
    url: str,
    driver: str = "",
    project: Project | None = None,
    leave_out: tuple[str, ...] = (),
) -> tuple[bootstrap.MigrationReport, str]:
    """Migrates one database with Alembic and one with bootstrap; gives what Alembic said."""
    own_url(folder, alembic_url, driver=driver)
    alone = folder.alembic("upgrade", "heads", url=str(_with_driver(alembic_url)))
    assert 0 == alone.returncode, alone.stderr
    report = await bootstrap.migrate(url, "heads", project=project or folder.project)
    one = await bootstrap.snapshot(alembic_url, leave_out=leave_out)
    other = await bootstrap.snapshot(url, leave_out=leave_out)
    assert one.schema.tables, "the history makes nothing"
    assert () == compare(one.schema, other.schema)
    return report, alone.stderr


def _with_driver(url: str) -> str:
    return bootstrap.Database.of(url).url.render_as_string(hide_password=False)


async def rows(url: str, sql: str) -> list[tuple[object, ...]]:
    async with bootstrap.Database.of(url).connect() as connection:
        return [tuple(row) for row in await connection.execute(text(sql))]


# Alembic's own templates --------------------------------------------------------------------------


def initialised(root: Path, template: str) -> ProjectFolder:
    """What `alembic init` writes, with two revisions."""
    root.mkdir()
    done = commands.run("alembic", "init", "-t", template, "migrations", cwd=root)
    assert 0 == done.returncode, done.stderr + done.stdout
    folder = ProjectFolder(root=root)
    folder.revision("one", down=None, upgrade=create("t_one"))
    folder.revision("two", down="one", upgrade=create("t_two"))
    return folder


@on_all
@pytest.mark.parametrize("template", ["generic", "async", "pyproject", "pyproject_async"])
async def test_a_template_of_alembic(
    empty_url: str, twin_url: str, backend_name: str, tmp_path: Path, template: str
) -> None:
    folder = initialised(tmp_path / "project", template)
    driver = "" if "async" in template else SYNC[backend_name]

    report, _ = await both(folder, alembic_url=twin_url, url=empty_url, driver=driver)

    assert ("two",) == report.after


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_several_databases_in_one_env_py_are_refused_and_untouched(
    empty_url: str, twin_url: str, tmp_path: Path
) -> None:
    folder = initialised(tmp_path / "project", "multidb")
    ini = folder.root / "alembic.ini"
    source = ini.read_text()
    for name in ("engine1", "engine2"):
        section = f"[{name}]\nsqlalchemy.url = "
        start = source.index(section) + len(section)
        source = source[:start] + twin_url + source[source.index("\n", start) :]
    ini.write_text(source)

    with pytest.raises(bootstrap.SettingsError, match=r"env\.py connects to"):
        await bootstrap.migrate(empty_url, project=folder.project)

    assert [] == await rows(twin_url, "SELECT name FROM sqlite_master")


# What revisions do --------------------------------------------------------------------------------

DATA = """
people = op.create_table('people', sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('name', sa.String(30), nullable=False), sa.Column('size', sa.Integer))
op.bulk_insert(people, [{'id': 1, 'name': 'ada'}, {'id': 2, 'name': "o'hara"}])
bind = op.get_bind()
for row in bind.execute(sa.select(people)).all():
    change = sa.update(people).where(people.c.id == row.id)
    bind.execute(change.values(size=len(row.name)))
"""
ORM = """
from sqlalchemy.orm import Session, declarative_base
Base = declarative_base()
class Person(Base):
    __tablename__ = 'people'
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String(30), nullable=False)
    size = sa.Column(sa.Integer)
Base.metadata.create_all(op.get_bind())
session = Session(bind=op.get_bind())
session.add_all([Person(id=1, name='ada', size=3), Person(id=2, name="o'hara", size=6)])
session.commit()
"""
BATCH = """
op.create_table('people', sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('name', sa.String(10), nullable=False), sa.Column('gone', sa.Integer))
op.execute("INSERT INTO people (id, name) VALUES (1, 'ada'), (2, 'o''hara')")
with op.batch_alter_table('people') as batch:
    batch.drop_column('gone')
    batch.alter_column('name', existing_type=sa.String(10), type_=sa.String(30),
                       existing_nullable=False)
    batch.add_column(sa.Column('size', sa.Integer))
    batch.create_unique_constraint('one_name', ['name'])
op.execute('UPDATE people SET size = CHAR_LENGTH(name)' if op.get_bind().dialect.name != 'sqlite'
           else 'UPDATE people SET size = LENGTH(name)')
"""
RAW = '''
op.execute("""
    CREATE TABLE people (
        id INTEGER NOT NULL PRIMARY KEY, -- a comment; with a semicolon
        name VARCHAR(30) NOT NULL,
        size INTEGER
    )
""")
op.execute("""
    INSERT INTO people (id, name, size)
    VALUES (1, 'ada', 3),
           (2, 'o''hara', 6)
""")
'''


@on_all
@pytest.mark.parametrize(
    "upgrade", [DATA, ORM, BATCH, RAW], ids=["data", "ORM", "batch", "raw SQL"]
)
async def test_what_a_revision_does(
    empty_url: str, twin_url: str, tmp_path: Path, upgrade: str
) -> None:
    folder = new_project(tmp_path / "project")
    folder.env(env(options="transaction_per_migration=True"))
    folder.revision("one", down=None, upgrade=upgrade)

    await both(folder, alembic_url=twin_url, url=empty_url)

    people = "SELECT id, name, size FROM people ORDER BY id"
    assert [(1, "ada", 3), (2, "o'hara", 6)] == await rows(empty_url, people)
    assert await rows(twin_url, people) == await rows(empty_url, people)


SECOND = """
with op.get_bind().engine.connect() as second:
    number = second.scalar(sa.text('SELECT count(*) FROM t_one'))
op.create_table(f't_{number}', sa.Column('id', sa.Integer, primary_key=True))
"""


@on_all
async def test_a_revision_with_a_second_connection(
    empty_url: str, twin_url: str, backend_name: str, tmp_path: Path
) -> None:
    folder = initialised(tmp_path / "project", "generic")
    source = (folder.root / "migrations" / "env.py").read_text()
    folder.env(source.replace("target_metadata=target_metadata", "transaction_per_migration=True"))
    folder.revision("three", down="two", upgrade=SECOND)

    report, _ = await both(folder, alembic_url=twin_url, url=empty_url, driver=SYNC[backend_name])

    assert ("three",) == report.after


# Histories ----------------------------------------------------------------------------------------


@on_all
async def test_a_long_history(empty_url: str, twin_url: str, tmp_path: Path) -> None:
    folder = new_project(tmp_path / "project")
    folder.env(env(options="transaction_per_migration=True"))
    names = [f"r{number:04}" for number in range(_REVISIONS)]
    for name, before in zip(names, (None, *names), strict=False):
        folder.revision(name, down=before, upgrade=create(f"t_{name}"))

    report, _ = await both(folder, alembic_url=twin_url, url=empty_url)

    assert names == [step.revision for step in report.steps]


@on_all
async def test_branches_merges_and_dependencies(
    empty_url: str, twin_url: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path / "project")
    folder.env(env())
    folder.revision("v1.0.0", down=None, upgrade=create("a"))
    folder.revision("left", down="v1.0.0", upgrade="op.add_column('a', sa.Column('l', sa.Text))")
    folder.revision("right", down="v1.0.0", upgrade="op.add_column('a', sa.Column('r', sa.Text))")
    folder.revision("059", down=("left", "right"), upgrade=create("b"))
    folder.revision(
        "plugin",
        down=None,
        upgrade="op.add_column('b', sa.Column('p', sa.Text))",
        extra="branch_labels = ('extras',)\ndepends_on = ('059',)",
    )

    report, _ = await both(folder, alembic_url=twin_url, url=empty_url)

    version = "SELECT version_num FROM alembic_version ORDER BY version_num"
    assert await rows(twin_url, version) == await rows(empty_url, version)
    # Alembic leaves out a head that another one depends on.
    assert [(one,) for one in report.after] == await rows(empty_url, version)


@on_postgresql
async def test_a_version_table_in_another_schema(
    empty_url: str, twin_url: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path / "project")
    before = "connection.execute(text('CREATE SCHEMA IF NOT EXISTS own')); connection.commit()"
    folder.env(env(before=before, options="version_table='applied', version_table_schema='own'"))
    folder.revision("one", down=None, upgrade=create("t_one"))

    await both(folder, alembic_url=twin_url, url=empty_url)

    assert [("one",)] == await rows(empty_url, "SELECT version_num FROM own.applied")


@on_all
async def test_two_version_tables_in_one_database(
    empty_url: str, twin_url: str, tmp_path: Path
) -> None:
    left_out = ("versions_first", "versions_second")
    for name in ("first", "second"):
        folder = new_project(tmp_path / name)
        folder.env(env(options=f"version_table='versions_{name}'"))
        folder.revision("one", down=None, upgrade=create(f"t_{name}"))
        report, _ = await both(folder, alembic_url=twin_url, url=empty_url, leave_out=left_out)
        assert ("one",) == report.after

    for name in left_out:
        assert [("one",)] == await rows(empty_url, f"SELECT version_num FROM {name}")


# What env.py does ---------------------------------------------------------------------------------

RUNNING: dict[str, Callable[[], str]] = {
    "reads os.environ": lambda: env(url="os.environ['APP_DATABASE']"),
    "worker thread": lambda: env(
        first="import threading",
        run="thread = threading.Thread(target=lambda: asyncio.run(connect()))\n"
        "thread.start()\nthread.join()",
    ),
    "own naming": lambda: env(
        options="target_metadata=__import__('sqlalchemy').MetaData("
        "naming_convention={'ix': 'ours_%(column_0_label)s'})"
    ),
    "hook on each step": lambda: env(
        options="on_version_apply=lambda **given: print(given['step'])"
    ),
}


@on_all
@pytest.mark.parametrize("kind", RUNNING)
async def test_what_an_env_py_does(
    empty_url: str,
    twin_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    folder = new_project(tmp_path / "project")
    folder.env(RUNNING[kind]())
    folder.revision("one", down=None, upgrade=create("t_one"))
    if kind == "own naming":
        folder.revision("two", down="one", upgrade="op.create_index(None, 't_one', ['id'])")
    monkeypatch.setenv("APP_DATABASE", _with_driver(twin_url))
    project = Project.at(folder.root / "alembic.ini", reach=bootstrap.Reach(env_var="APP_DATABASE"))

    await both(folder, alembic_url=twin_url, url=empty_url, project=project)


@pytest.mark.parametrize("backend_name", ["sqlite"], indirect=True)
async def test_what_only_the_main_thread_may_do(
    empty_url: str, twin_url: str, tmp_path: Path
) -> None:
    folder = new_project(tmp_path / "project")
    folder.env(
        env(
            first="import signal\nsignal.signal(signal.SIGUSR1, signal.SIG_IGN)",
            run="import warnings\nwarnings.simplefilter('ignore')\n"
            "asyncio.get_event_loop().run_until_complete(connect())",
        )
    )
    folder.revision("one", down=None, upgrade=create("t_one"))
    own_url(folder, twin_url)
    alone = folder.alembic("upgrade", "head")
    done = Command(folder=folder.root)("migrate", "--url", empty_url)

    one, other = await bootstrap.snapshot(twin_url), await bootstrap.snapshot(empty_url)
    assert (0, 0) == (alone.returncode, done.code), done.err
    assert {"t_one"} == {table.name for table in one.schema.tables}
    assert () == compare(one.schema, other.schema)

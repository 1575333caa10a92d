"""`verify`: what a history makes on one backend and not on another is found, and named."""

import signal
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, text

import bootstrap
from bootstrap import urls as urls_module
from bootstrap.backends import named
from bootstrap.checking.differences import Comparison, Difference
from bootstrap.checking.servers import ServerPrograms, wanted
from bootstrap.database import Database
from bootstrap.errors import RevisionError, SettingsError, StatementFailed
from bootstrap.project import Project
from tests import available
from tests.available import Missing, Servers
from tests.conformance.test_drivers_of_env import _SYNC as SYNC
from tests.conformance.test_drivers_of_env import own_url
from tests.projects import ProjectFolder, new_project, three_tables

REFERENCE = Path(__file__).parents[2] / "alembic.ini"
POSTGRESQL = named("postgresql")


@dataclass(frozen=True, kw_only=True)
class World:
    """The servers of the test run, and a project."""

    urls: tuple[URL, ...]
    folder: ProjectFolder

    async def verify(self, **options: Any) -> bootstrap.VerifyReport:
        return await bootstrap.verify(
            project=self.folder.project, backends=("sqlite",), urls=self.urls, **options
        )


def urls_of(servers: Servers) -> tuple[URL, ...]:
    names = [name for name in available.BACKENDS if named(name).server is not None]
    there = [name for name in names if not isinstance(available.look_for(name), Missing)]
    return tuple(servers.url(name) for name in there)


@pytest.fixture
def world(servers: Servers, tmp_path: Path) -> World:
    return World(urls=urls_of(servers), folder=new_project(tmp_path / "project"))


def found(differences: Sequence[Difference]) -> list[tuple[str, str]]:
    """Class and title of each."""
    return [(one.weight.value, one.title) for one in differences]


def shapes(difference: Difference) -> dict[str, set[str]]:
    """What the sides have, and which backends have it."""
    alike: dict[str, set[str]] = {}
    for side in difference.sides:
        alike.setdefault(str(side.value), set()).add(side.where.partition(" ")[0])
    return alike


CREATED = """
op.create_table(
    'parents',
    sa.Column('id', sa.Integer, primary_key=True),
)
op.create_table(
    'rows',
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('name', sa.String(50), nullable=False),
    sa.Column('code', sa.String(20)),
    sa.Column('amount', sa.Integer, nullable=False, server_default='0'),
    sa.Column('parent', sa.Integer),
)
"""
ON = "if op.get_context().dialect.name {test}:\n    "
SERVERS_ONLY = ON.format(test="!= 'sqlite'")
POSTGRESQL_ONLY = ON.format(test="== 'postgresql'")
NOT_POSTGRESQL = ON.format(test="!= 'postgresql'")

# Second steps of a history, and what they leave different: class, title, who is alone with it.
HISTORIES = {
    "a statement for one backend": (
        POSTGRESQL_ONLY + "op.execute('ALTER TABLE rows ADD COLUMN more INTEGER')",
        ("definition", "column more of rows"),
        {"PostgreSQL"},
    ),
    "a table on one backend": (
        POSTGRESQL_ONLY + "op.create_table('extra', sa.Column('id', sa.Integer, primary_key=True))",
        ("definition", "table extra"),
        {"PostgreSQL"},
    ),
    "NOT NULL lost by a rename": (
        "with op.batch_alter_table('rows') as batch:\n"
        "    batch.alter_column(\n"
        "        'name', new_column_name='title', existing_type=sa.String(50))",
        ("definition", "column title of rows: nullable"),
        {"MySQL", "MariaDB"},
    ),
    "a default lost by a change of the type": (
        "with op.batch_alter_table('rows') as batch:\n"
        "    batch.alter_column('amount', type_=sa.BigInteger, existing_nullable=False)",
        ("definition", "column amount of rows: default"),
        {"MySQL", "MariaDB"},
    ),
    "CASCADE on one side": (
        "cascade = 'CASCADE' if op.get_context().dialect.name == 'postgresql' else None\n"
        "with op.batch_alter_table('rows') as batch:\n"
        "    batch.create_foreign_key('fk_parent', 'parents', ['parent'], ['id'],"
        " ondelete=cascade)",
        ("definition", "foreign key fk_parent of rows: on delete"),
        {"PostgreSQL"},
    ),
    "a missing index": (
        NOT_POSTGRESQL + "op.create_index('ix_rows_code', 'rows', ['code'])",
        ("definition", "index ix_rows_code of rows"),
        {"PostgreSQL"},
    ),
    "an index of other columns": (
        "columns = ['code'] if op.get_context().dialect.name == 'postgresql' else ['amount']\n"
        "op.create_index('ix_rows', 'rows', columns)",
        ("definition", "index ix_rows of rows: keys"),
        {"PostgreSQL"},
    ),
    "a unique constraint on servers only": (
        SERVERS_ONLY + "op.create_unique_constraint('uq_code', 'rows', ['code'])",
        ("definition", "unique uq_code of rows"),
        {"SQLite"},
    ),
    "a check on servers only": (
        SERVERS_ONLY + "op.create_check_constraint('ck_amount', 'rows', 'amount >= 0')",
        ("definition", "check ck_amount of rows"),
        {"SQLite"},
    ),
    "another length": (
        "length = 10 if op.get_context().dialect.name == 'postgresql' else 20\n"
        "with op.batch_alter_table('rows') as batch:\n"
        "    batch.alter_column('code', type_=sa.String(length), existing_nullable=True)",
        ("definition", "column code of rows: length"),
        {"PostgreSQL"},
    ),
    "a partial index where there are such": (
        "op.create_index('ix_some', 'rows', ['code'],"
        " postgresql_where=sa.text('amount > 0'), sqlite_where=sa.text('amount > 0'))",
        ("policy", "index ix_some of rows: where"),
        {"MySQL", "MariaDB"},
    ),
    "fractions of a second": (
        "op.add_column('rows', sa.Column('at', sa.DateTime))",
        ("policy", "column at of rows: fraction"),
        {"MySQL", "MariaDB"},
    ),
}


@pytest.mark.parametrize("history", list(HISTORIES))
async def test_what_one_backend_has_and_another_has_not_is_found_and_named(
    world: World, history: str
) -> None:
    step, expected, alone = HISTORIES[history]
    world.folder.revision("one", down=None, upgrade=CREATED)
    before = await world.verify(models=False)
    world.folder.revision("two", down="one", upgrade=step)

    after = await world.verify(models=False)

    # A column that is renamed has the collation of its server under another name.
    differences = [
        one
        for one in after.differences
        if one not in before.differences and not one.attribute.startswith("collation")
    ]
    assert expected in found(differences)
    difference = differences[found(differences).index(expected)]
    assert {difference.name} == {one.name for one in differences}
    running = {server.name.partition(" ")[0] for server in after.servers}
    assert alone & running in shapes(difference).values()
    assert not after.is_clean
    assert difference.why


async def test_the_reference_project_makes_the_same_but_for_what_it_has_accepted(
    world: World,
) -> None:
    report = await bootstrap.verify(
        project=Project.at(REFERENCE), backends=("sqlite",), urls=world.urls
    )

    assert report.is_clean
    assert () == report.unused
    assert [
        ("definition", "check ck_users_created_at_time of users"),
        ("policy", "column created_at of users: default"),
        ("policy", "column created_at of users: time zone"),
    ] == found(report.differences)
    assert {("items", "users")} == {server.tables for server in report.servers}
    assert all(server.models_compared and len(server.revisions) == 5 for server in report.servers)


async def test_what_the_models_say_and_the_history_does_not_is_found(world: World) -> None:
    world.folder.models(
        "sa.Table('rows', metadata, sa.Column('id', sa.Integer, primary_key=True),"
        " sa.Column('name', sa.String(50), index=True))"
    )
    world.folder.revision(
        "one",
        down=None,
        upgrade="op.create_table('rows', sa.Column('id', sa.Integer, primary_key=True),"
        " sa.Column('name', sa.String(50)))",
    )

    report = await world.verify()

    differences = [one for one in report.differences if one.comparison is Comparison.MODELS]
    (difference,) = differences
    assert [("definition", "index ix_rows_name of rows")] == found(differences)
    assert [True, False] == [side.value is not None for side in difference.sides]
    assert tuple(server.name for server in report.servers) == difference.servers


async def test_a_project_without_models_is_compared_between_servers_alone(world: World) -> None:
    env = (world.folder.root / "migrations" / "env.py").read_text()
    world.folder.env(env.replace("target_metadata=metadata", "target_metadata=None"))
    world.folder.revision("one", down=None, upgrade=CREATED)

    report = await world.verify()

    assert {Comparison.SERVERS} >= {one.comparison for one in report.differences}
    assert not any(server.models_compared for server in report.servers)


async def test_a_table_that_is_left_out_is_not_compared(world: World) -> None:
    world.folder.revision(
        "one",
        down=None,
        upgrade=POSTGRESQL_ONLY
        + "op.create_table('extra', sa.Column('id', sa.Integer, primary_key=True))",
    )

    assert (await world.verify(leave_out=("extra",))).is_clean


async def test_a_revision_that_fails_on_one_backend_only_is_an_error_that_says_where(
    world: World, tmp_path: Path
) -> None:
    world.folder.revision("one", down=None, upgrade=CREATED)
    path = world.folder.revision(
        "two", down="one", upgrade=POSTGRESQL_ONLY + "op.execute('SELECT * FROM nowhere')"
    )

    with pytest.raises(StatementFailed) as failed:
        await world.verify()

    first, second, third = failed.value.message.splitlines()
    assert "the history cannot be verified" == first
    assert second.startswith("PostgreSQL, upgrade: a statement of revision two failed (postgresql")
    assert third.endswith("SELECT * FROM nowhere")
    assert failed.value.place is not None
    assert path == failed.value.place.path
    assert [] == await databases_left(world)


async def databases_left(world: World) -> list[str]:
    """Throwaway databases that are still there."""
    url = next(url for url in world.urls if url.drivername.startswith("postgresql"))
    async with Database.of(url).connect() as connection:
        names = await connection.scalars(text("SELECT datname FROM pg_database"))
    return [name for name in names if name.startswith("throwaway_")]


async def test_two_servers_of_one_backend_are_two_servers(world: World) -> None:
    found_programs = POSTGRESQL.server.programs() if POSTGRESQL.server else None
    assert found_programs is not None, "PostgreSQL is missing"
    one = ServerPrograms(backend="postgresql", programs=found_programs)
    world.folder.revision("one", down=None, upgrade=CREATED)

    report = await bootstrap.verify(project=world.folder.project, servers=(one, one), models=False)

    assert report.is_clean
    first, second = (server.name for server in report.servers)
    assert f"{first} (2)" == second


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary ones, which no other test uses, and other accounts look into."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


async def test_a_server_that_dies_is_an_error_and_nothing_stays_behind(
    tmp_path: Path, temporary: Path
) -> None:
    folder = three_tables(tmp_path / "project")
    folder.revision(
        "four",
        down="three",
        upgrade=f"""
            import os, signal
            from pathlib import Path
            data = op.get_bind().exec_driver_sql('SHOW data_directory').scalar()
            Path({str(tmp_path / "data")!r}).write_text(data)
            os.kill(int(Path(data, 'postmaster.pid').read_text().split()[0]), signal.{_KILL})
            op.execute('SELECT pg_sleep(60)')
        """,
    )

    with pytest.raises(bootstrap.BootstrapError) as failed:
        await bootstrap.verify(project=folder.project, backends=("postgresql",))

    assert "the history cannot be verified\nPostgreSQL, upgrade: " in failed.value.message
    assert 70 != failed.value.exit_code
    assert Path((tmp_path / "data").read_text()).is_relative_to(temporary)
    assert [] == list(temporary.iterdir())


_KILL = signal.SIGQUIT.name  # PostgreSQL's immediate shutdown


async def test_an_env_py_that_connects_elsewhere_is_refused(world: World, tmp_path: Path) -> None:
    env = (world.folder.root / "migrations" / "env.py").read_text()
    other = tmp_path / "other.db"
    available.create(URL.create("sqlite", database=str(other)))
    world.folder.env(
        env.replace('url = config.get_main_option("sqlalchemy.url")', f'url = "sqlite:///{other}"')
    )

    with pytest.raises(SettingsError) as refused:
        await bootstrap.verify(project=world.folder.project, backends=("sqlite",))

    assert "SQLite, first look: a throwaway database cannot be used: " in refused.value.message
    assert "let env.py take the URL from sqlalchemy.url" == refused.value.hint


async def test_a_sync_env_py_is_verified_where_there_is_a_sync_driver(
    world: World, tmp_path: Path
) -> None:
    folder = three_tables(tmp_path / "sync")
    folder.env(SYNC)
    own_url(folder, "mysql+pymysql://u@elsewhere/own")
    urls = [url for url in world.urls if url.drivername.partition("+")[0] != "postgresql"]

    report = await bootstrap.verify(
        project=folder.project, backends=("sqlite",), urls=urls, models=False
    )

    assert report.is_clean
    assert 1 + len(urls) == len(report.servers)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
async def test_a_sync_env_py_without_a_sync_driver_is_told_what_to_install(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(urls_module, "_with_sync_driver", lambda url, _: url)
    folder = three_tables(tmp_path / "sync")
    folder.env(SYNC)
    own_url(folder, "mysql+pymysql://u@elsewhere/own")
    postgresql = [url for url in world.urls if url.drivername.startswith("postgresql")]

    with pytest.raises(RevisionError) as refused:
        await bootstrap.verify(project=folder.project, urls=postgresql)

    assert (
        "the history cannot be verified\nPostgreSQL, first look: env.py connects without asyncio, "
        "and no sync driver of PostgreSQL is installed"
    ) == refused.value.message
    assert refused.value.hint.startswith("install one (psycopg2, ")


async def test_models_that_a_server_refuses_are_an_error_with_the_way_out(world: World) -> None:
    world.folder.models(
        "from sqlalchemy.types import UserDefinedType\n"
        "class Odd(UserDefinedType):\n"
        "    cache_ok = True\n"
        "    def get_col_spec(self):\n"
        "        return 'NO SUCH TYPE ('\n"
        "sa.Table('rows', metadata, sa.Column('id', Odd))"
    )
    world.folder.revision("one", down=None)

    with pytest.raises(StatementFailed, match="the models cannot be created on SQLite") as failed:
        await bootstrap.verify(project=world.folder.project, backends=("sqlite",))
    without = await bootstrap.verify(
        project=world.folder.project, backends=("sqlite",), models=False
    )

    assert "--no-models" in failed.value.hint
    assert without.is_clean


def test_programs_of_another_version_are_refused() -> None:
    programs = POSTGRESQL.server.programs() if POSTGRESQL.server else None
    assert programs is not None, "PostgreSQL is missing"

    with pytest.raises(SettingsError, match=r", not 9$"):
        wanted(servers=(ServerPrograms.of(f"postgresql=9:{programs}"),))


def test_a_folder_without_programs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"there is no PostgreSQL server in {tmp_path}"):
        wanted(servers=(ServerPrograms.of(f"postgresql={tmp_path}"),))


@pytest.mark.parametrize("written", ["postgresql", "=/usr/bin", "postgresql=", "postgresql=17:"])
def test_what_names_no_server_is_refused(written: str) -> None:
    with pytest.raises(SettingsError, match="does not name a server"):
        ServerPrograms.of(written)


def test_a_file_is_no_server() -> None:
    with pytest.raises(SettingsError, match="is no server") as refused:
        wanted(urls=("sqlite:///app.db",))

    assert "--backend sqlite" in refused.value.hint


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in available.BACKENDS:
        server = named(name).server
        if server is not None:
            monkeypatch.setattr(type(server), "programs", lambda _: None)


@pytest.mark.usefixtures("nothing_installed")
def test_a_backend_that_is_not_installed_is_refused_where_it_was_asked_for() -> None:
    with pytest.raises(SettingsError, match="of a MySQL server were not found") as refused:
        wanted(backends=("sqlite", "mysql"))

    assert "BOOTSTRAP_MYSQL_PROGRAMS" in refused.value.hint


@pytest.mark.usefixtures("nothing_installed")
def test_backends_that_are_not_installed_are_listed_where_nothing_was_asked_for() -> None:
    places, missing = wanted()

    assert ["sqlite"] == [one.backend.name for one in places]
    assert ["mariadb", "mysql", "postgresql"] == [one.backend for one in missing]

"""What a revision loses by accident when it makes a table anew on SQLite is not committed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import create_async_engine

import bootstrap
from tests.conformance.test_sqlite_atomicity import ENVS, asked
from tests.projects import ProjectFolder, new_project

SCHEMA = """
    CREATE TABLE users (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT COLLATE NOCASE,
        age INTEGER CHECK (age > 0),
        email TEXT,
        CONSTRAINT ck_email CHECK (email LIKE '%@%'),
        UNIQUE (email)
    );
    CREATE INDEX ix_lower ON users (lower(name));
    CREATE INDEX ix_age ON users (age DESC);
    CREATE TABLE log (line TEXT);
    CREATE TRIGGER tr_users AFTER DELETE ON users BEGIN INSERT INTO log VALUES (old.name); END;
    CREATE TABLE items (
        id INTEGER PRIMARY KEY,
        owner INTEGER REFERENCES users (id) ON DELETE CASCADE
    );
    CREATE VIEW items_of AS SELECT owner, count(*) AS many FROM items GROUP BY owner;
    INSERT INTO users (id, name, age, email) VALUES (1, 'Ada', 36, 'ada@x'), (2, 'Bo', 7, 'bo@x');
    INSERT INTO users (id, name) VALUES (9, 'gone');
    DELETE FROM users WHERE id = 9;
    INSERT INTO items VALUES (1, 1), (2, 1), (3, 2);
"""
PLAIN = """
    CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, age INTEGER);
    INSERT INTO users VALUES (1, 'Ada', 36), (2, 'Bo', 7);
"""
BATCHED = """
    with op.batch_alter_table("users", TABLE) as batch:
        OPERATIONS
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "app.db"
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMA)
    connection.close()
    return path


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    made = new_project(tmp_path / "project")
    made.env(ENVS["async"])
    return made


def plain(file: Path) -> None:
    """A table that batch mode can make anew without losing anything but AUTOINCREMENT."""
    file.unlink()
    connection = sqlite3.connect(file)
    connection.executescript(PLAIN)
    connection.close()


def everything(file: Path) -> tuple[list[tuple[object, ...]], ...]:
    return (
        asked(
            file,
            "SELECT name, sql FROM sqlite_master "
            "WHERE name NOT LIKE 'alembic%' AND name NOT LIKE 'bootstrap%'",
        ),
        asked(file, "SELECT * FROM users"),
        asked(file, "SELECT * FROM sqlite_sequence"),
    )


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
@pytest.mark.filterwarnings("ignore:.*Unnamed CHECK:UserWarning")
async def test_what_batch_mode_drops_silently_is_named_and_rolled_back(
    file: Path, folder: ProjectFolder
) -> None:
    folder.revision(
        "one",
        down=None,
        upgrade=BATCHED.replace("TABLE", "").replace(
            "OPERATIONS", "batch.alter_column('age', nullable=False, server_default='1')"
        ),
    )
    before = everything(file)

    with pytest.raises(bootstrap.PartsWouldBeLost) as refused:
        await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)

    assert (
        "AUTOINCREMENT of users",
        "CHECK (age > 0) of users",
        "collation of name of users",
        "index ix_lower of users",
        "order or collation of index ix_age of users",
        "trigger tr_users of users",
    ) == refused.value.losses
    assert 7 == refused.value.exit_code
    assert "--allow-loss" in refused.value.hint
    assert before == everything(file)

    report = await bootstrap.migrate(f"sqlite:///{file}", project=folder.project, allow_loss=True)

    assert ("one",) == report.after
    assert [(3,)] == asked(file, "SELECT count(*) FROM items")


KEPT = """
    users = sa.Table(
        "users", sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text(collation="NOCASE")),
        sa.Column("age", sa.Integer),
        sa.Column("email", sa.Text),
        sa.CheckConstraint("age > 0"),
        sa.CheckConstraint("email LIKE '%@%'", name="ck_email"),
        sa.UniqueConstraint("email"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("users", copy_from=users) as batch:
        OPERATIONS
    op.execute("CREATE INDEX ix_lower ON users (lower(name))")
    op.execute("CREATE INDEX ix_age ON users (age DESC)")
    op.execute('''
        CREATE TRIGGER tr_users AFTER DELETE ON users BEGIN INSERT INTO log VALUES (old.name); END
    ''')
"""


async def test_a_revision_that_states_everything_loses_nothing(
    file: Path, folder: ProjectFolder
) -> None:
    change = "batch.alter_column('email', type_=sa.String(50))"
    folder.revision("one", down=None, upgrade=KEPT.replace("OPERATIONS", change))

    await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)

    assert [("users", 9)] == asked(file, "SELECT * FROM sqlite_sequence")
    assert [(3,)] == asked(file, "SELECT count(*) FROM items")


ON_PURPOSE = """
    op.execute("DROP TRIGGER tr_users")
    op.drop_index("ix_lower", "users")
    op.execute("DROP INDEX ix_age")
    op.execute("DELETE FROM items WHERE owner = 2")
    op.execute("DELETE FROM users WHERE id = 2")
    users = sa.Table(
        "users", sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text(collation="NOCASE")),
        sa.Column("age", sa.Integer),  # its CHECK goes with it
        sa.Column("email", sa.Text),
        sa.CheckConstraint("email LIKE '%@%'", name="ck_email"),
        sa.UniqueConstraint("email"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("users", copy_from=users) as batch:
        batch.drop_constraint("ck_email")
        batch.drop_column("age")
"""


async def test_what_a_revision_drops_on_purpose_is_no_loss(
    file: Path, folder: ProjectFolder
) -> None:
    folder.revision("one", down=None, upgrade=ON_PURPOSE)

    await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)

    assert [("id",), ("name",), ("email",)] == asked(
        file, "SELECT name FROM pragma_table_info('users')"
    )
    assert [(1, "Ada", "ada@x")] == asked(file, "SELECT * FROM users")


async def test_a_column_that_copy_from_forgets_is_a_loss(file: Path, folder: ProjectFolder) -> None:
    plain(file)
    folder.revision(
        "one",
        down=None,
        upgrade="""
        users = sa.Table(
            "users", sa.MetaData(),
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("name", sa.Text),
            sqlite_autoincrement=True,
        )
        with op.batch_alter_table("users", copy_from=users) as batch:
            batch.alter_column("name", new_column_name="called")
        """,
    )

    with pytest.raises(bootstrap.PartsWouldBeLost) as refused:
        await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)

    assert ("column age of users",) == refused.value.losses


BY_HAND = {
    "a new one gets the name": """
        op.execute("CREATE TABLE new_users (id INTEGER PRIMARY KEY, name TEXT)")
        op.execute("INSERT INTO new_users SELECT id, name FROM users WHERE age > 10")
        op.execute("DROP TABLE users")
        op.execute('alter table new_users rename to "users"')
        op.execute("DELETE FROM users WHERE name = 'nobody'")
    """,
    "the old one gives it away": """
        op.execute("ALTER TABLE users RENAME TO old_users")
        op.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
        op.execute("INSERT INTO users SELECT id, name FROM old_users WHERE age > 10")
        op.execute("DROP TABLE old_users")
    """,
}


@pytest.mark.parametrize("upgrade", BY_HAND.values(), ids=BY_HAND)
async def test_rows_and_triggers_that_a_rebuild_by_hand_loses_are_named(
    upgrade: str, file: Path, folder: ProjectFolder
) -> None:
    plain(file)
    connection = sqlite3.connect(file)
    connection.execute("CREATE TRIGGER tr AFTER INSERT ON users BEGIN SELECT 1; END")
    connection.close()
    folder.revision("one", down=None, upgrade=upgrade)

    with pytest.raises(bootstrap.PartsWouldBeLost) as refused:
        await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)

    assert ("1 of 2 rows of users", "trigger tr of users") == refused.value.losses
    assert [(2,)] == asked(file, "SELECT count(*) FROM users")


@pytest.mark.filterwarnings("ignore:Unnamed CHECK")  # so says Alembic since 1.19
async def test_a_table_with_a_new_name_is_looked_at_when_it_is_made_anew(
    file: Path, folder: ProjectFolder
) -> None:
    rebuild = BATCHED.replace('"users", TABLE', '"people", recreate="always"')
    folder.revision(
        "one",
        down=None,
        upgrade="\n    op.execute('DROP INDEX ix_lower')\n    op.execute('DROP INDEX ix_age')"
        "\n    op.rename_table('users', 'people')" + rebuild.replace("OPERATIONS", "pass"),
    )

    with pytest.raises(bootstrap.PartsWouldBeLost) as refused:
        await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)

    assert "trigger tr_users of people" in refused.value.losses
    assert [] == asked(file, "SELECT 1 FROM sqlite_master WHERE name = 'people'")


async def test_a_table_dropped_and_made_anew_is_no_loss_while_it_is_empty(
    file: Path, folder: ProjectFolder
) -> None:
    plain(file)
    folder.revision(
        "one",
        down=None,
        upgrade="op.drop_table('users')\nop.execute('CREATE TABLE users (key TEXT)')",
    )

    report = await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)

    assert ("one",) == report.after


async def test_the_last_id_of_a_table_goes_on_when_that_is_made_anew(
    file: Path, folder: ProjectFolder
) -> None:
    plain(file)
    connection = sqlite3.connect(file)
    with connection:
        connection.execute("INSERT INTO users VALUES (77, 'gone', 1)")
        connection.execute("DELETE FROM users WHERE id = 77")
    connection.close()
    table = "table_kwargs={'sqlite_autoincrement': True}"
    folder.revision(
        "one",
        down=None,
        upgrade=BATCHED.replace("TABLE", table).replace("OPERATIONS", "batch.drop_column('age')"),
    )

    await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)

    assert [("users", 77)] == asked(file, "SELECT * FROM sqlite_sequence")


async def test_rows_that_would_refer_to_none_are_named_and_older_ones_are_not(
    file: Path, folder: ProjectFolder
) -> None:
    connection = sqlite3.connect(file)
    with connection:
        connection.execute("INSERT INTO items VALUES (4, 404)")
    connection.close()
    folder.revision("one", down=None, upgrade="op.execute('UPDATE items SET id = id + 10')")
    folder.revision("two", down="one", upgrade="op.execute('ALTER TABLE items RENAME TO things')")
    folder.revision("three", down="two", upgrade="op.execute('DELETE FROM users WHERE id = 1')")

    with pytest.raises(bootstrap.PartsWouldBeLost) as refused:
        await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)

    assert ("the rows of users that 2 rows of things refer to",) == refused.value.losses
    assert [("two",)] == asked(file, "SELECT * FROM alembic_version")


@pytest.mark.parametrize("env", ["async", "async, in one transaction of its own"])
async def test_a_rebuild_cascades_to_no_row_with_foreign_keys_on(
    env: str, file: Path, folder: ProjectFolder
) -> None:
    folder.env(
        ENVS[env].replace(
            "def run(connection):",
            "def run(connection):\n"
            "        cursor = connection.connection.cursor()\n"
            "        cursor.execute('PRAGMA foreign_keys = ON')\n"
            "        cursor.close()\n",
        )
    )
    change = "batch.alter_column('email', type_=sa.String(50))"
    folder.revision("one", down=None, upgrade=KEPT.replace("OPERATIONS", change))

    await bootstrap.migrate(f"sqlite:///{file}", project=folder.project)

    assert [(3,)] == asked(file, "SELECT count(*) FROM items")


async def test_where_foreign_keys_stay_on_a_rebuild_that_cascades_is_refused(
    file: Path, folder: ProjectFolder
) -> None:
    change = "batch.alter_column('email', type_=sa.String(50))"
    folder.revision("one", down=None, upgrade=KEPT.replace("OPERATIONS", change))
    engine = create_async_engine(f"sqlite+aiosqlite:///{file}")

    @event.listens_for(engine.sync_engine, "connect")
    def _strict(connection: sqlite3.Connection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    async with engine.connect() as connection:
        await connection.execute(text("INSERT INTO log VALUES ('written before')"))
        with pytest.raises(bootstrap.RevisionError, match="rows of items that refer to it"):
            await bootstrap.migrate(connection, project=folder.project)
        assert 3 == (await connection.exec_driver_sql("SELECT count(*) FROM items")).scalar()
    await engine.dispose()

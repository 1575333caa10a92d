"""What is migrated while it is killed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.projects import ProjectFolder, new_project

_REVISIONS = Path(__file__).parents[2] / "migrations" / "versions"

# The env.py that `alembic init -t async` writes, but for one line.
ENV = """
    import asyncio
    from alembic import context
    from sqlalchemy import pool
    from sqlalchemy.ext.asyncio import create_async_engine
    from tests.chaos import killing

    def run(connection):
        killing.attach(connection)
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()

    async def main():
        url = context.config.get_main_option("sqlalchemy.url")
        engine = create_async_engine(url, poolclass=pool.NullPool)
        async with engine.connect() as connection:
            await connection.run_sync(run)
        await engine.dispose()

    asyncio.run(main())
"""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A project, and a database to begin with.

    Attributes:
        name: For the table in the documentation.
        write: Writes the project into a folder.
        start: The revision that the database is at before; empty for an empty database.
        rows: Statements that fill it then.
        end: The revision that it is migrated to.
    """

    name: str
    write: Callable[[Path], ProjectFolder]
    start: str = ""
    rows: tuple[str, ...] = ()
    end: str = "head"


def reference(root: Path) -> ProjectFolder:
    """The revisions of this repository."""
    folder = new_project(root)
    folder.env(ENV)
    for path in _REVISIONS.glob("*.py"):
        target = folder.root / "migrations" / "versions" / path.name
        target.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def mixed(root: Path) -> ProjectFolder:
    """Everything that a revision may do, in three of them."""
    folder = new_project(root)
    folder.env(ENV)
    folder.revision("one", down=None, upgrade=_FIRST)
    folder.revision("two", down="one", upgrade=_SECOND)
    folder.revision("three", down="two", upgrade=_THIRD)
    return folder


_FIRST = """
    authors = op.create_table(
        "authors",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(50), nullable=False),
    )
    op.create_table(
        "books",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "author_id",
            sa.Integer,
            sa.ForeignKey("authors.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("title", sa.String(80), nullable=False),
    )
    op.bulk_insert(authors, [{"id": n, "name": f"author {n}"} for n in range(1, 6)])
    op.create_index("ix_books_title", "books", ["title"])
"""
_SECOND = """
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    class Base(DeclarativeBase):
        pass

    class Author(Base):
        __tablename__ = "authors"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]

    books = sa.table("books", sa.column("id"), sa.column("author_id"), sa.column("title"))
    connection = op.get_bind()
    connection.execute(
        books.insert(),
        [{"id": n, "author_id": n % 5 + 1, "title": f"book {n}"} for n in range(1, 11)],
    )
    one = books.insert().values(id=11, author_id=1, title="returned")
    if connection.dialect.insert_returning:
        made = connection.execute(one.returning(books.c.id)).scalar_one()
    else:
        connection.execute(one)
        made = 11
    op.execute(books.update().where(books.c.id == made).values(title="RETURNED"))
    with Session(bind=connection) as session:
        session.add(Author(id=6, name="by a session"))
        session.flush()
        session.get(Author, 2).name = "changed by a session"
        session.commit()
    op.execute('''
        -- a comment; with a semicolon
        UPDATE books
        SET title = 'it''s raw'
        WHERE id = 3
    ''')
    op.add_column("authors", sa.Column("born", sa.Integer))
    op.execute("UPDATE authors SET born = 1900 + id")
    op.execute("DELETE FROM books WHERE id = 10")
"""
_THIRD = """
    with op.batch_alter_table("authors", recreate="auto") as batch:
        batch.alter_column("born", existing_type=sa.Integer, nullable=False)
        batch.alter_column("name", existing_type=sa.String(50), type_=sa.String(60))
        batch.create_index("ix_authors_born", ["born"])
    with op.batch_alter_table("books") as batch:
        batch.add_column(sa.Column("pages", sa.Integer, server_default="1", nullable=False))
        batch.create_check_constraint("ck_books_pages", "pages > 0")
    op.execute("UPDATE books SET pages = id * 10")
    op.create_table("tags", sa.Column("name", sa.String(20), primary_key=True))
    op.execute("INSERT INTO tags SELECT DISTINCT title FROM books WHERE id < 3")
    op.drop_index("ix_books_title", "books")
"""
_KINDS = """
    connection = op.get_bind()
    connection.execute(sa.text("SET @before = 5, sql_mode = 'STRICT_TRANS_TABLES,ANSI_QUOTES'"))
    for name in ("a", "b"):
        if not sa.inspect(connection).has_table(name):
            op.create_table(
                name,
                sa.Column("id", sa.Integer, primary_key=True),
                sa.Column("n", sa.Integer, nullable=False),
            )
    op.execute("INSERT INTO a VALUES (1, 10), (2, 20), (3, 30)")
    op.execute("INSERT INTO b VALUES (7, 70)")
    op.execute("RENAME TABLE a TO x, b TO a, x TO b")
    op.execute("CREATE VIEW v AS SELECT id, n FROM b")
    op.execute(
        "CREATE TRIGGER tr BEFORE INSERT ON a FOR EACH ROW BEGIN SET NEW.n = NEW.n + 1; END"
    )
    op.execute("INSERT INTO a VALUES (8, 80)")
    op.execute("CREATE PROCEDURE p() BEGIN INSERT INTO a VALUES (9, 90); END")
    op.execute("CALL p()")
    op.execute("SET @made = (SELECT MAX(n) FROM a)")
    op.execute("UPDATE a SET n = n + @made + @before WHERE id = 7")
    try:
        op.execute("CREATE TABLE a (id INTEGER)")
    except sa.exc.DBAPIError:
        op.execute("INSERT INTO a VALUES (10, 100)")
    op.execute("CREATE TEMPORARY TABLE filled (n INTEGER)")
    op.execute("INSERT INTO filled VALUES (11), (12)")
    op.execute("ALTER TABLE a ADD COLUMN extra INTEGER NOT NULL DEFAULT 0")
    op.execute("INSERT INTO a (id, n) SELECT n, n FROM filled")
    with connection.begin_nested() as point:
        op.execute("DELETE FROM a")
        point.rollback()
    op.execute("CREATE INDEX ix ON a (n)")
    while connection.execute(
        sa.text("UPDATE a SET extra = 1 WHERE extra = 0 ORDER BY id LIMIT 2")
    ).rowcount:
        pass
    op.execute("CREATE TABLE gone (id INTEGER)")
    op.execute("INSERT INTO gone VALUES (1)")
    op.execute("TRUNCATE TABLE gone")
    op.execute("INSERT INTO gone VALUES (2)")
    op.execute("DROP TABLE IF EXISTS gone, nothing")
    op.execute("DROP VIEW v")  # its text has the name of the database in it
    op.execute("DROP TRIGGER tr")
    op.execute("DROP PROCEDURE p")
    op.execute("ALTER TABLE a CHANGE COLUMN extra more INTEGER NOT NULL DEFAULT 0")
    with op.get_context().autocommit_block():
        op.execute("INSERT INTO a (id, n) VALUES (21, 210)")
        op.execute("INSERT INTO a (id, n) VALUES (22, 220)")
    op.execute("PREPARE s FROM 'ALTER TABLE b ADD COLUMN m INTEGER DEFAULT 4'")
    op.execute("EXECUTE s")
    op.execute("DEALLOCATE PREPARE s")
"""

_BLOCKS = """
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    class Base(DeclarativeBase):
        pass

    class A(Base):
        __tablename__ = "a"
        id: Mapped[int] = mapped_column(primary_key=True)
        n: Mapped[int]

    connection = op.get_bind()
    a = op.create_table(
        "a", sa.Column("id", sa.Integer, primary_key=True), sa.Column("n", sa.Integer)
    )
    op.execute("CREATE TYPE mood AS ENUM ('bad')")
    op.execute("CREATE TABLE parts (n integer) PARTITION BY LIST (n)")
    op.execute("CREATE TABLE first_part PARTITION OF parts FOR VALUES IN (1)")
    op.bulk_insert(a, [{"id": n, "n": n * 10} for n in range(1, 6)])
    with op.get_context().autocommit_block():
        op.create_index("ix_a", "a", ["n"], postgresql_concurrently=True)
        op.execute("ALTER TYPE mood ADD VALUE 'good'")
        op.execute("INSERT INTO parts VALUES (1)")
        connection.execute(a.insert(), [{"id": n, "n": n * 10} for n in (6, 7)])
        made = connection.execute(a.insert().values(n=80).returning(a.c.id), {"id": 8}).scalar_one()
        most = connection.execute(sa.text("SELECT max(n) FROM a")).scalar_one()
        with Session(bind=connection) as session:
            session.add(A(id=9, n=most + made))
            session.commit()
    op.add_column("a", sa.Column("feels", sa.Enum(name="mood", native_enum=True), nullable=True))
    op.execute("UPDATE a SET feels = 'good' WHERE n > 20")
    with Session(bind=connection) as session:
        session.get(A, 2).n = 21
        session.commit()
    with connection.begin_nested() as point:
        op.execute("DELETE FROM a")
        point.rollback()
    op.execute("SET work_mem = '5MB'")
    op.execute("CREATE MATERIALIZED VIEW seen AS SELECT id, n FROM a")
    op.execute("CREATE UNIQUE INDEX ON seen (id)")
    with op.get_context().autocommit_block():
        op.execute("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ix_a_n ON a (n)")
        op.execute("REINDEX INDEX CONCURRENTLY ix_a_n")
        op.execute("DROP INDEX CONCURRENTLY ix_a")
        op.execute("VACUUM a")
        op.execute("INSERT INTO a (id, n) SELECT id + 100, n + 1000 FROM a WHERE id < 3")
        op.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY seen")
        op.execute("ALTER TABLE parts DETACH PARTITION first_part CONCURRENTLY")
        try:
            op.execute("CREATE TABLE a (id integer)")
        except sa.exc.DBAPIError:
            op.execute("INSERT INTO a VALUES (10, 100)")
        op.execute("BEGIN")
        op.execute("UPDATE a SET n = n + 1 WHERE id = 10")
        op.execute("COMMIT")
        while connection.execute(
            sa.text("UPDATE a SET feels = 'bad' WHERE id IN "
                    "(SELECT id FROM a WHERE feels = 'good' ORDER BY id LIMIT 4)")
        ).rowcount:
            pass
    op.execute("ALTER TABLE a ADD CONSTRAINT uq UNIQUE USING INDEX ix_a_n")
    op.execute("INSERT INTO a (id, n) SELECT n + 200, n FROM first_part")
"""
_BLOCKS_LATER = """
    with op.get_context().autocommit_block():
        op.create_index("ix_later", "a", ["feels"], postgresql_concurrently=True)
        op.drop_index("ix_later", "a", postgresql_concurrently=True)
    op.execute("UPDATE a SET n = n + 1 WHERE id = 1")
"""


def blocks(root: Path) -> ProjectFolder:
    """Revisions that leave their transaction, and go on in another one."""
    folder = new_project(root)
    folder.env(ENV)
    folder.revision("one", down=None, upgrade=_FIRST)
    folder.revision("two", down="one", upgrade=_BLOCKS)
    folder.revision("three", down="two", upgrade=_BLOCKS_LATER)
    return folder


def kinds(root: Path) -> ProjectFolder:
    """One revision with each kind of statement that has a rule of its own in the journal."""
    folder = new_project(root)
    folder.env(ENV)
    folder.revision("one", down=None, upgrade=_KINDS)
    return folder


_USERS = tuple(
    f"INSERT INTO users (id, username, email, hashed_password) "
    f"VALUES ({n}, 'user{n}', 'User{n}@Example.com', 'x')"
    for n in (1, 2, 3)
)
_ITEMS = tuple(
    f"INSERT INTO items (id, name, price, owner_id) VALUES ({n}, 'item', 1.50, {n % 3 + 1})"
    for n in (1, 2, 3, 4)
)
SCENARIOS = (
    Scenario(name="the reference history", write=reference),
    Scenario(
        name="the reference history on rows",
        write=reference,
        start="create_items",
        rows=_USERS + _ITEMS,
    ),
    Scenario(name="DDL, DML, executemany, RETURNING, a session, batch mode, raw SQL", write=mixed),
)
# Where each statement is committed by itself.
COMMITTING = (
    Scenario(
        name="swaps, views, triggers, procedures, TRUNCATE, caught errors, session state",
        write=kinds,
    ),
)
# Where a revision can leave its transaction.
LEAVING = (
    Scenario(
        name="autocommit blocks: indexes, a partition, an enum, rows, sessions; DDL between them",
        write=blocks,
    ),
)

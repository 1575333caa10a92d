"""A copy on PostgreSQL is handed out again where it is as its template is, and only there."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import make_url, text

from bootstrap.backends.base import Copier
from bootstrap.database import Database
from tests import available

_PATIENCE = 60.0  # seconds
_TEMPLATE = (
    "CREATE TABLE seeded (id SERIAL PRIMARY KEY, name TEXT)",
    "INSERT INTO seeded (name) VALUES ('a'), ('b'), ('c')",
    "DELETE FROM seeded WHERE name = 'b'",
    "CREATE TABLE bare (id SERIAL PRIMARY KEY, name TEXT, large BYTEA)",
    'CREATE SCHEMA "Of, it"',
    'CREATE TABLE "Of, it"."50%:x" (id BIGINT GENERATED ALWAYS AS IDENTITY, name TEXT)',
    "CREATE TABLE one (id INT PRIMARY KEY, two INT)",
    "CREATE TABLE two (id INT PRIMARY KEY, one INT REFERENCES one ON DELETE RESTRICT)",
    "ALTER TABLE one ADD FOREIGN KEY (two) REFERENCES two DEFERRABLE INITIALLY DEFERRED",
    "CREATE TABLE owned (seeded INT REFERENCES seeded ON DELETE CASCADE)",
    "CREATE TABLE parts (id INT, name TEXT) PARTITION BY RANGE (id)",
    "CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (10)",
    "CREATE UNLOGGED TABLE fleeting (id INT)",
    "CREATE TYPE mood AS ENUM ('good')",
    "CREATE FUNCTION f() RETURNS INT LANGUAGE sql AS 'SELECT 1'",
    "CREATE MATERIALIZED VIEW seen AS SELECT id, name FROM seeded",
    "CREATE UNIQUE INDEX ON seen (id)",
    "CREATE SEQUENCE numbers START 5",
)
_AUDITED = (
    "CREATE TABLE audit (said TEXT)",
    "CREATE FUNCTION audited() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN INSERT INTO audit VALUES (TG_OP); RETURN NULL; END $$",
    "CREATE TRIGGER audited AFTER INSERT OR DELETE ON seeded"
    " FOR EACH ROW EXECUTE FUNCTION audited()",
)
_HARMLESS = {
    "nothing": (),
    "a question": ("SELECT count(*) FROM seeded",),
    "a row in a table of some": ("INSERT INTO seeded (name) VALUES ('new')",),
    "rows in an empty table": ("INSERT INTO bare (name) SELECT 'x' FROM generate_series(1, 50)",),
    "a row that was changed and deleted": (
        "INSERT INTO bare (name) VALUES ('x'), ('y')",
        "UPDATE bare SET name = 'z' WHERE name = 'x'",
        "DELETE FROM bare",
    ),
    "a name that is to be quoted": ('INSERT INTO "Of, it"."50%:x" (name) VALUES (\'x\')',),
    "a sequence": ("SELECT nextval('numbers')",),
    "a sequence that is set": ("SELECT setval('numbers', 40, false)",),
    "a circle of references": (
        "BEGIN",
        "INSERT INTO one VALUES (1, 1)",
        "INSERT INTO two VALUES (1, 1)",
        "COMMIT",
    ),
    "a reference to a row that was there": ("INSERT INTO owned VALUES (1)",),
    "references to a row that is new": (
        "INSERT INTO seeded (id, name) VALUES (70, 'new')",
        "INSERT INTO owned VALUES (70), (1)",
    ),
    "a partition": ("INSERT INTO parts VALUES (1, 'x')",),
    "an unlogged table": ("INSERT INTO fleeting VALUES (1)",),
    "a lock of the session": ("SELECT pg_advisory_lock(7)", "LISTEN news"),
    "a locked row": ("BEGIN", "SELECT * FROM seeded FOR UPDATE", "COMMIT"),
    "an insert that was undone": ("BEGIN", "INSERT INTO seeded (name) VALUES ('x')", "ROLLBACK"),
    "an update that was undone": ("BEGIN", "UPDATE seeded SET name = 'x'", "ROLLBACK"),
    "a table that was made and dropped": ("CREATE TABLE t (id INT)", "DROP TABLE t"),
    "DDL that was undone": ("BEGIN", "CREATE TABLE t (id INT)", "ROLLBACK"),
}
_DDL = {
    "CREATE TABLE": ("CREATE TABLE t (id INT)",),
    "DROP TABLE": ("DROP TABLE fleeting",),
    "ADD COLUMN": ("ALTER TABLE seeded ADD COLUMN further INT",),
    "RENAME": ("ALTER TABLE bare RENAME COLUMN name TO title",),
    "SET DEFAULT": ("ALTER TABLE bare ALTER COLUMN name SET DEFAULT 'x'",),
    "CREATE INDEX": ("CREATE INDEX ON bare (name)",),
    "ADD CHECK": ("ALTER TABLE bare ADD CHECK (id > 0)",),
    "CREATE VIEW": ("CREATE VIEW v AS SELECT 1 AS one",),
    "a function": ("CREATE OR REPLACE FUNCTION f() RETURNS INT LANGUAGE sql AS 'SELECT 2'",),
    "a trigger that is switched off": ("ALTER TABLE owned DISABLE TRIGGER ALL",),
    "a value of a type": ("ALTER TYPE mood ADD VALUE 'bad'",),
    "a schema": ("CREATE SCHEMA another",),
    "a sequence": ("ALTER SEQUENCE numbers INCREMENT BY 3",),
    "a policy": ("CREATE POLICY p ON bare",),
    "row level security": ("ALTER TABLE bare ENABLE ROW LEVEL SECURITY",),
    "a parameter of storage": ("ALTER TABLE bare SET (fillfactor = 50)",),
    "statistics": ("CREATE STATISTICS s ON id, name FROM bare",),
    "a publication": ("CREATE PUBLICATION p FOR TABLE bare",),
    "a collation": ('CREATE COLLATION mine FROM "C"',),
    "an operator": ("CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)",),
    "a cast": ("CREATE CAST (mood AS INT) WITH INOUT",),
    "a text search": ("CREATE TEXT SEARCH CONFIGURATION c (COPY = simple)",),
}
_LASTING = _DDL | {
    "a row that was there is changed": ("UPDATE seeded SET name = 'x' WHERE id = 1",),
    "a row that was there is written again": ("UPDATE seeded SET name = name",),
    "a row that was there is deleted": ("DELETE FROM seeded WHERE id = 1",),
    "one more and one less": ("DELETE FROM seeded WHERE id = 1", "INSERT INTO seeded VALUES (1)"),
    "TRUNCATE": ("TRUNCATE seeded CASCADE",),
    "TRUNCATE of nothing": ("TRUNCATE bare",),
    "a view that is refreshed": (
        "INSERT INTO seeded (name) VALUES ('x')",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY seen",
    ),
    "GRANT": ("GRANT SELECT ON seeded TO PUBLIC",),
    "GRANT on a function": ("REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC",),
    "GRANT on the database": ("GRANT CREATE ON DATABASE {name} TO PUBLIC",),
    "default privileges": ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",),
    "COMMENT": ("COMMENT ON COLUMN seeded.name IS 'x'",),
    "COMMENT on the database": ("COMMENT ON DATABASE {name} IS 'x'",),
    "ALTER DATABASE SET": ("ALTER DATABASE {name} SET work_mem = '1MB'",),
    "ALTER DATABASE CONNECTION LIMIT": ("ALTER DATABASE {name} CONNECTION LIMIT 50",),
    "ALTER ROLE IN DATABASE": ("ALTER ROLE CURRENT_USER IN DATABASE {name} SET work_mem = '1MB'",),
    "a large object": ("SELECT lo_from_bytea(0, 'x')",),
    "VACUUM FULL": ("VACUUM FULL seeded",),
    "ANALYZE": ("ANALYZE seeded",),
    "an index that was undone": ("BEGIN", "CREATE INDEX ON low (name)", "ROLLBACK"),
    "many rows": ("INSERT INTO fleeting SELECT generate_series(1, 10001)",),
    "large rows": (
        "ALTER TABLE bare ALTER COLUMN large SET STORAGE PLAIN",
        "INSERT INTO bare (large) SELECT repeat('x', 7000)::bytea FROM generate_series(1, 200)",
    ),
}


@dataclass
class Copies:
    """A template on a server, and copies of it."""

    url: str
    copier: Copier
    made: list[str] = field(default_factory=list)

    def named(self) -> Database:
        """A database that is not there."""
        url = make_url(self.url)
        name = f"{url.database}_{len(self.made)}"
        self.made.append(name)
        return Database.of(url.set(database=name))

    async def copy(self) -> Database:
        """A new copy."""
        database = self.named()
        await self.copier.copy(database.connecting())
        return database

    async def renew(self, used: Database) -> Database | None:
        """The copy under another name, or none when it was dropped."""
        database = self.named()
        if await self.copier.renew(used.connecting(), database.connecting()):
            assert not await used.exists()
            return database
        assert not await used.exists()
        assert not await database.exists()
        return None


async def run(database: Database, statements: Sequence[str]) -> None:
    """Sends statements, each committed by itself, by a connection that is closed then."""
    async with database.connect() as connection:
        plain = await connection.execution_options(isolation_level="AUTOCOMMIT", no_parameters=True)
        for statement in statements:
            await plain.exec_driver_sql(statement.replace("{name}", f'"{database.name}"'))


async def content(database: Database) -> dict[str, Any]:
    """All rows, and where sequences are."""
    async with database.connect() as connection:
        names = await connection.execute(
            text(
                "SELECT quote_ident(n.nspname) || '.' || quote_ident(relname)"
                " FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
                " WHERE relkind IN ('r', 'm', 'S') AND n.nspname !~ '^(pg_|information_schema)'"
            )
        )
        found = {}
        for name in names.scalars().all():
            columns = "last_value, is_called" if name.endswith(("_seq", "numbers")) else "*"
            plain = await connection.execution_options(no_parameters=True)
            rows = await plain.exec_driver_sql(f"SELECT {columns} FROM {name}")
            found[name] = [tuple(row) for row in rows]
        return found


Making = Callable[..., Awaitable[Copies]]


@pytest.fixture
async def making(empty_url: str) -> AsyncIterator[Making]:
    """Makes a template of statements."""
    made: list[Copies] = []

    async def of(*statements: str, url: str = empty_url) -> Copies:
        template = Database.of(url)
        await run(template, statements)
        templates, engines = template.backend.templates, template.backend.engines
        await templates.complete(engines, template.connecting())
        copier = await templates.copier(engines, template.connecting())
        made.append(Copies(url=url, copier=copier))
        return made[-1]

    yield of
    for copies in made:
        await copies.copier.close()
        for name in copies.made:
            available.drop(make_url(empty_url).set(database=name))
        template = Database.of(empty_url)
        await template.backend.templates.remove(template.backend.engines, template.connecting())


async def ready(copies: Copies) -> dict[str, Any]:
    """What a new copy has; how it looks is read when one is made a second time."""
    await copies.copy()
    return await content(await copies.copy())


async def is_renewed(copies: Copies, statements: Sequence[str], before: dict[str, Any]) -> bool:
    """Whether it may be; what is renewed has to be as it was.

    Autovacuum may be in the way of one try, and a machine that is busy of several: the server gets
    no turn to end a connection in the time after which a new copy is the better way.
    """
    end = time.monotonic() + _PATIENCE
    while not await _is_renewed(copies, statements, before):
        if time.monotonic() > end:
            return False
    return True


async def _is_renewed(copies: Copies, statements: Sequence[str], before: dict[str, Any]) -> bool:
    """Twice: the first time a connection is opened, the second time it is there."""
    database = await copies.copy()
    for _ in range(2):
        await run(database, statements)
        renewed = await copies.renew(database)
        if renewed is None:
            return False
        assert before == await content(renewed)
        database = renewed
    return True


async def is_dropped(copies: Copies, statements: Sequence[str]) -> bool:
    """Twice: by a connection that is opened, and by one that is there."""
    database = await copies.copy()
    await run(database, statements)
    if await copies.renew(database):
        return False
    renewed = None
    while renewed is None:  # what is compared with may have to be read again
        renewed = await copies.renew(await copies.copy())
    await run(renewed, statements)
    return await copies.renew(renewed) is None


postgresql = pytest.mark.parametrize("backend_name", ["postgresql"], indirect=True)
both_drivers = pytest.mark.parametrize(
    "backend_name", ["postgresql", "postgresql+psycopg"], indirect=True
)


@postgresql
async def test_what_a_test_has_added_is_taken_away(making: Making) -> None:
    copies = await making(*_TEMPLATE)
    before = await ready(copies)

    found = {what: await is_renewed(copies, sql, before) for what, sql in _HARMLESS.items()}

    assert [] == [what for what, renewed in found.items() if not renewed]


@postgresql
async def test_a_template_that_was_analyzed_since_is_looked_at_anew(making: Making) -> None:
    copies = await making(*_TEMPLATE)
    await ready(copies)
    template = Database.of(copies.url)
    opened = f'ALTER DATABASE "{template.name}" ALLOW_CONNECTIONS'
    await run(await copies.copy(), (f"{opened} true",))
    await run(template, ("ANALYZE seeded",))  # as autovacuum does
    await run(await copies.copy(), (f"{opened} false",))
    a_row = ("INSERT INTO bare (name) VALUES ('x')",)
    used = await copies.copy()
    await run(used, a_row)

    assert await copies.renew(used) is None
    assert await is_renewed(copies, a_row, await content(await copies.copy()))


@postgresql
async def test_a_copy_that_is_another_is_dropped(making: Making) -> None:
    copies = await making(*_TEMPLATE)
    await ready(copies)

    found = {what: await is_dropped(copies, sql) for what, sql in _LASTING.items()}

    assert [] == [what for what, dropped in found.items() if not dropped]


@both_drivers
async def test_triggers_write_nothing_when_rows_are_taken_away(making: Making) -> None:
    copies = await making(*_TEMPLATE, *_AUDITED)

    before = await ready(copies)

    assert await is_renewed(copies, ("INSERT INTO seeded (name) VALUES ('x')",), before)


@postgresql
async def test_triggers_that_cannot_be_kept_still_are_not_risked(making: Making) -> None:
    always = "ALTER TABLE seeded ENABLE ALWAYS TRIGGER audited"
    copies = await making(*_TEMPLATE, *_AUDITED, always)

    await ready(copies)

    assert await is_dropped(copies, ("INSERT INTO seeded (name) VALUES ('x')",))


@postgresql
async def test_rules_write_nothing_when_rows_are_taken_away(making: Making) -> None:
    rule = "CREATE RULE r AS ON DELETE TO bare DO ALSO INSERT INTO fleeting VALUES (1)"
    copies = await making(*_TEMPLATE, rule)

    before = await ready(copies)

    assert await is_renewed(copies, ("INSERT INTO bare (name) VALUES ('x')",), before)


@both_drivers
async def test_a_copy_that_somebody_is_connected_to_is_dropped(making: Making) -> None:
    copies = await making(*_TEMPLATE)
    await copies.copy()
    database = await copies.copy()
    for _ in range(2):
        engine = database.engine()
        left = await engine.connect()
        assert None is await copies.renew(database)
        await left.invalidate()
        await engine.dispose()
        database = await copies.renew(await copies.copy()) or await copies.copy()


@postgresql
async def test_a_session_in_a_transaction_is_not_overlooked(making: Making) -> None:
    copies = await making(*_TEMPLATE)
    await copies.copy()
    database = await copies.renew(await copies.copy())
    assert database is not None
    engine = database.engine()
    left = await engine.connect()
    await left.execute(text("INSERT INTO seeded (name) VALUES ('later')"))

    assert None is await copies.renew(database)

    await left.invalidate()
    await engine.dispose()


@postgresql
async def test_what_was_written_before_a_new_copy_was_looked_at_is_not_overlooked(
    making: Making,
) -> None:
    copies = await making(*_TEMPLATE)
    change = ("UPDATE seeded SET name = 'x'",)
    first = await copies.copy()
    await run(first, change)
    second, analyzed = await copies.copy(), await copies.copy()
    assert None is await copies.renew(first)

    await run(second, change)
    await run(analyzed, ("ANALYZE",))
    assert None is await copies.renew(analyzed)
    third = await copies.copy()  # what is compared with is read anew
    assert None is await copies.renew(second)
    assert None is not await copies.renew(third)


@postgresql
async def test_a_temporary_table_leaves_nothing_that_another_test_sees(making: Making) -> None:
    copies = await making(*_TEMPLATE)
    await copies.copy()
    database = await copies.copy()
    before = await content(database)
    await run(database, ("CREATE TEMPORARY TABLE t AS SELECT 1 AS one",))

    again = await copies.renew(database) or await copies.copy()

    assert before == await content(again)


@postgresql
async def test_a_copy_that_a_test_has_dropped_is_no_error(making: Making) -> None:
    copies = await making(*_TEMPLATE)
    await copies.copy()
    database = await copies.copy()
    available.drop(database.url)

    assert None is await copies.renew(database)


@postgresql
async def test_the_template_is_looked_at_again_when_the_planner_knows_more(making: Making) -> None:
    copies = await making(*_TEMPLATE)
    await copies.copy()
    database = await copies.copy()
    await run(database, ("ANALYZE",))
    assert None is await copies.renew(database)

    assert None is not await copies.renew(await copies.copy())


@both_drivers
async def test_who_is_no_superuser_has_copies_again_too(making: Making, empty_url: str) -> None:
    url = make_url(empty_url)
    role = f"plain_{url.database}"[:60]
    admin = Database.of(url.set(database="postgres"))
    await run(admin, (f'CREATE ROLE "{role}" LOGIN CREATEDB',))
    await run(admin, (f'ALTER DATABASE "{url.database}" OWNER TO "{role}"',))
    copies = await making(*_TEMPLATE[:4], url=url.set(username=role).render_as_string(False))

    before = await ready(copies)

    assert await is_renewed(copies, ("INSERT INTO seeded (name) VALUES ('x')",), before)
    assert await is_dropped(copies, ("UPDATE seeded SET name = 'x'",))
    assert await is_dropped(copies, ("SELECT lo_from_bytea(0, 'x')",))

"""`bootstrap snapshot` on every backend: the same schema again and again, and no secret in it."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Double,
    Enum,
    Float,
    ForeignKey,
    Index,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    Time,
    Unicode,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.types import TypeEngine

import bootstrap
from bootstrap.database import Database
from bootstrap.schema.compare import all_changes
from bootstrap.schema.model import Schema

DIALECTS: dict[str, ModuleType] = {
    "postgresql": postgresql,
    "mysql": mysql,
    "mariadb": mysql,
    "sqlite": sqlite,
}
# Values of an enum, and what a type needs besides.
ARGUMENTS: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "ENUM": [(("a", "b"), {"name": "letters"})],
    "SET": [(("a", "b"), {})],
    "VARCHAR": [((7,), {})],
    "NVARCHAR": [((7,), {})],
    "VARBINARY": [((7,), {})],
    "ARRAY": [((Integer,), {}), ((String(5),), {})],
    "NUMERIC": [((), {}), ((10, 2), {}), ((10,), {})],
    "DECIMAL": [((), {}), ((10, 2), {})],
    "TIMESTAMP": [((), {}), ((), {"timezone": True})],
}
LEFT_OUT = {"DOMAIN", "NullType", "NULLTYPE", "CITEXT", "TypeEngine"}


def portable_tables() -> MetaData:
    """One declaration for all backends."""
    metadata = MetaData()
    Table(
        "parent",
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    )
    Table(
        "things",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("small", SmallInteger, server_default="1"),
        Column("big", BigInteger, nullable=False),
        Column("yes", Boolean, server_default=text("true")),
        Column("price", Numeric(10, 2), server_default="0"),
        Column("ratio", Float),
        Column("exact", Double),
        Column("name", String(30), server_default="it's", nullable=False),
        Column("wide", Unicode(40)),
        Column("body", Text),
        Column("raw", LargeBinary),
        Column("day", Date),
        Column("hour", Time),
        Column("at", DateTime, server_default=func.now()),
        Column("zoned", DateTime(timezone=True)),
        Column("span", Interval),
        Column("key", Uuid),
        Column("tree", JSON),
        Column("mood", Enum("sad", "ok", name="mood", create_constraint=True)),
        Column("twice", Integer, Computed("small * 2", persisted=True)),
        Column("parent_id", ForeignKey("parent.id", ondelete="CASCADE")),
        UniqueConstraint("name", name="uq_name"),
        CheckConstraint("price >= 0 AND price < 1000", name="ck_price"),
        CheckConstraint("name IN ('a', 'b') OR name IS NOT NULL", name="ck_name"),
        Index("ix_day", "day", "hour"),
        Index("ix_unique", "wide", unique=True),
        comment="all sorts",
    )
    return metadata


def all_types(backend_name: str) -> list[TypeEngine[object]]:
    """Each type that SQLAlchemy's dialect exports, in each of its usual forms."""
    dialect = DIALECTS[backend_name]
    found = []
    for name in vars(dialect)["__all__"]:
        kind = getattr(dialect, name)
        if not (isinstance(kind, type) and issubclass(kind, TypeEngine)) or name in LEFT_OUT:
            continue
        for given, options in ARGUMENTS.get(name, [((), {})]):
            found.append(kind(*given, **options))
    return found


async def taken(url: str, metadata: MetaData) -> Schema:
    """The schema of a database after the tables are made."""
    async with Database.of(url).connect() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.commit()
    return (await bootstrap.snapshot(url)).schema


async def test_a_column_of_every_type_is_read_the_same_again(
    backend_name: str, empty_url: str
) -> None:
    types = all_types(backend_name)
    refused = []
    async with Database.of(empty_url).connect() as connection:
        for number, kind in enumerate(types):
            table = Table(f"t{number}", MetaData(), Column("c", kind), Column("d", Integer))
            try:
                await connection.run_sync(table.create)
                await connection.commit()
            except Exception as error:  # noqa: BLE001 - counted below
                await connection.rollback()
                refused.append((type(kind).__name__, str(error)[:200]))
        before = (await bootstrap.snapshot(empty_url)).schema
        made = list(before.tables)
        await connection.exec_driver_sql("CREATE TABLE another (id INTEGER)")
        await connection.exec_driver_sql("DROP TABLE another")
        await connection.commit()
    again = (await bootstrap.snapshot(empty_url)).schema

    assert before == again
    assert len(types) - len(refused) == len(made)
    assert len(refused) <= len(types) // 4, refused
    families = {table.columns[0].type.family for table in made}
    unknown = [t.columns[0].type.raw for t in made if t.columns[0].type.family == "other"]
    assert len(families) > 8
    assert len(unknown) <= 8, unknown


async def test_the_same_declarations_make_equal_schemas(backend_name: str, empty_url: str) -> None:
    one = await taken(empty_url, portable_tables())
    async with Database.of(empty_url).connect() as connection:
        await connection.run_sync(portable_tables().drop_all)
        await connection.commit()
    other = await taken(empty_url, portable_tables())

    assert one == other
    assert () == all_changes(one, other)


ODD = 'odd %s :name "x" `y` it\'s'


async def test_names_with_signs_in_them_are_read_as_they_are(empty_url: str) -> None:
    metadata = MetaData()
    table = Table(ODD, metadata, Column("a b", Integer, primary_key=True), Column("Ü:%", Integer))
    Index("ix % :odd", table.c["Ü:%"])
    schema = await taken(empty_url, metadata)
    database = Database.of(empty_url)
    async with database.connect() as connection:
        catalog = database.present(connection.dialect).catalog
        named = await connection.run_sync(catalog.read, [ODD])
        fingerprint = await connection.run_sync(catalog.fingerprint, [ODD])
        await connection.run_sync(lambda sync: Index("more", table.c["Ü:%"]).create(sync))
        other = await connection.run_sync(catalog.fingerprint, [ODD])

    assert [ODD] == [one.name for one in schema.tables]
    assert schema.tables == named.tables
    assert ["a b", "Ü:%"] == [column.name for column in schema.tables[0].columns]
    assert ["ix % :odd"] == [index.name for index in schema.tables[0].indexes]
    assert fingerprint != other


async def test_only_the_tables_named_are_read(empty_url: str) -> None:
    everything = await taken(empty_url, portable_tables())
    database = Database.of(empty_url)
    async with database.connect() as connection:
        catalog = database.present(connection.dialect).catalog
        named = await connection.run_sync(catalog.read, ["parent", "nowhere"])
        before = await connection.run_sync(catalog.fingerprint, ["things"])
        await connection.exec_driver_sql("ALTER TABLE parent ADD COLUMN more INTEGER")
        after = await connection.run_sync(catalog.fingerprint, ["things"])

    assert [one for one in everything.tables if one.name == "parent"] == list(named.tables)
    assert before == after

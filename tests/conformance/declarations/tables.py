"""Tables for what is no type: defaults, numbers, constraints, indexes, names and more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from bootstrap.types import utc_now

Parts = Sequence[sa.schema.SchemaItem]
Table = Callable[[], Parts]


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _x(kind: sa.types.TypeEngine[Any] | None = None, **options: Any) -> Table:
    """An id and a column `x`."""
    return lambda: (_id(), sa.Column("x", kind or sa.Integer(), **options))


def _on(*names: str) -> Callable[..., bool]:
    """Whether something is declared on a backend: on these only."""
    return lambda *_given, dialect, **_options: dialect.name in names


def _with(*parts: Callable[[], sa.schema.SchemaItem]) -> Table:
    """An id, a number `x`, a string `y`, and more."""
    return lambda: (
        _id(),
        sa.Column("x", sa.Integer),
        sa.Column("y", sa.String(20)),
        *(part() for part in parts),
    )


def _refers(**options: Any) -> Table:
    """A reference to `parents`, the first table of all."""
    return lambda: (
        _id(),
        sa.Column("parent_id", sa.Integer, sa.ForeignKey("parents.id", **options)),
    )


_NULLABILITY: Mapping[str, Table] = {
    "nullable": _x(nullable=True),
    "not_null": _x(nullable=False),
    "not_null_text": _x(sa.Text(), nullable=False),
}
_DEFAULTS: Mapping[str, Table] = {
    "default_integer": _x(server_default="1"),
    "default_negative": _x(server_default="-1"),
    "default_zero": _x(server_default=sa.text("0")),
    "default_of_not_null": _x(nullable=False, server_default="7"),
    "default_decimal": _x(sa.Numeric(10, 2), server_default="0"),
    "default_decimal_with_zeros": _x(sa.Numeric(10, 2), server_default="1.50"),
    "default_float": _x(sa.Double(), server_default="0.5"),
    "default_true": _x(sa.Boolean(), server_default=sa.true()),
    "default_false": _x(sa.Boolean(), server_default=sa.false()),
    "default_true_as_text": _x(sa.Boolean(), server_default=sa.text("true")),
    "default_string": _x(sa.String(20), server_default="new"),
    "default_empty_string": _x(sa.String(20), server_default=""),
    "default_with_quote": _x(sa.String(20), server_default="it's"),
    "default_with_backslash": _x(sa.String(20), server_default="a\\b"),
    "default_with_percent": _x(sa.String(20), server_default="100 %"),
    "default_with_colon": _x(sa.String(20), server_default="a:b"),
    "default_of_letters": _x(sa.String(20), server_default="grün ☃"),
    "default_that_looks_like_null": _x(sa.String(20), server_default="NULL"),
    "default_that_looks_like_a_number": _x(sa.String(20), server_default="007"),
    "default_null": _x(server_default=sa.text("NULL")),
    "default_of_enum": _x(sa.Enum("new", "old", name="state_of_default"), server_default="new"),
    "default_date": _x(sa.Date(), server_default="2026-01-05"),
    "default_date_time": _x(sa.DateTime(), server_default="2026-01-05 09:12:00"),
    "default_now": _x(sa.DateTime(), server_default=sa.func.now()),
    "default_now_with_zone": _x(sa.DateTime(timezone=True), server_default=sa.func.now()),
    "default_current_timestamp": _x(sa.DateTime(), server_default=sa.text("CURRENT_TIMESTAMP")),
    "default_now_of_microseconds": _x(
        sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
        server_default=utc_now(),
    ),
    "default_expression": _x(server_default=sa.text("(1 + 2)")),
    "default_function": _x(sa.String(20), server_default=sa.text("(lower('NEW'))")),
    "default_json": _x(sa.JSON(), server_default=sa.text("('{}')")),
    "default_text": _x(sa.Text(), server_default=sa.text("('none')")),
}
_NUMBERS: Mapping[str, Table] = {
    "key_of_integer": lambda: (_id(),),
    "key_of_big_integer": lambda: (
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
    ),
    "key_of_small_integer": lambda: (sa.Column("id", sa.SmallInteger, primary_key=True),),
    "key_without_numbers": lambda: (
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    ),
    "key_of_identity_always": lambda: (
        sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True),
    ),
    "key_of_identity_by_default": lambda: (
        sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
    ),
    "key_of_identity_from_100": lambda: (
        sa.Column("id", sa.Integer, sa.Identity(start=100, increment=10), primary_key=True),
    ),
    "key_of_string": lambda: (sa.Column("id", sa.String(20), primary_key=True),),
    "key_of_uuid": lambda: (sa.Column("id", sa.Uuid, primary_key=True),),
    "key_of_two": lambda: (
        sa.Column("a", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("b", sa.Integer, primary_key=True, autoincrement=False),
    ),
    "key_with_a_name": lambda: (
        sa.Column("id", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_key_with_a_name"),
    ),
    "no_key": lambda: (sa.Column("x", sa.Integer),),
}
_COMPUTED: Mapping[str, Table] = {
    "computed_stored": _with(
        lambda: sa.Column("z", sa.Integer, sa.Computed("x * 2", persisted=True))
    ),
    "computed_of_strings": _with(
        lambda: sa.Column("z", sa.String(40), sa.Computed("lower(y)", persisted=True))
    ),
    "computed_of_case": _with(
        lambda: sa.Column(
            "z", sa.Integer, sa.Computed("CASE WHEN x > 0 THEN 1 ELSE 0 END", persisted=True)
        )
    ),
}
_UNIQUES: Mapping[str, Table] = {
    "unique_column": lambda: (_id(), sa.Column("x", sa.String(20), unique=True)),
    "unique_constraint": _with(lambda: sa.UniqueConstraint("y", name="uq_named")),
    "unique_of_two": _with(lambda: sa.UniqueConstraint("x", "y", name="uq_of_two")),
    "unique_without_name": _with(lambda: sa.UniqueConstraint("x", "y")),
    "unique_index": _with(lambda: sa.Index("ix_unique_index", "y", unique=True)),
    "unique_that_is_deferred": lambda: (
        _id(),
        sa.Column("x", sa.Integer),
        sa.UniqueConstraint("x", name="uq_deferred").ddl_if(
            callable_=_on("mysql", "mariadb", "sqlite")
        ),
        sa.UniqueConstraint("x", name="uq_deferred", deferrable=True, initially="DEFERRED").ddl_if(
            dialect="postgresql"
        ),
    ),
}
_CHECKS: Mapping[str, Table] = {
    f"check_{name}": _with(
        lambda name=name, sql=sql: sa.CheckConstraint(sql, name=f"ck_{name}")  # type: ignore[misc]
    )
    for name, sql in {
        "positive": "x > 0",
        "not_equal": "x <> 0",
        "range": "x >= 0 AND x < 1000",
        "between": "x BETWEEN 0 AND 1000",
        "in_numbers": "x IN (1, 2, 3)",
        "not_in": "x NOT IN (1, 2)",
        "or_": "x = 1 OR x = 2 AND y IS NULL",
        "brackets": "(x = 1 OR x = 2) AND y IS NOT NULL",
        "not": "NOT (x = 1)",
        "is_not_null": "x IS NOT NULL OR y IS NOT NULL",
        "in_strings": "y IN ('a', 'b') OR x IS NULL",
        "like": "y LIKE 'a%'",
        "not_like": "y NOT LIKE 'a%'",
        "lower": "y = lower(y)",
        "coalesce": "coalesce(x, 0) >= 0",
        "case": "CASE WHEN x > 0 THEN 1 ELSE 2 END = 1",
        "arithmetic": "x * 2 + 1 > x - 1",
        "modulo": "x % 2 = 0",
        "negative": "x > -10",
        "string": "y <> 'it''s'",
        "empty_string": "y <> ''",
        "trim": "y = trim(y)",
        "replace": "y = replace(y, ' ', '')",
        "abs": "abs(x) < 10",
        "two_columns": "x > 0 OR y > 'a'",
    }.items()
}
_CHECKS = {
    **_CHECKS,
    "check_without_name": _with(lambda: sa.CheckConstraint("x > 0")),
    "check_of_two_without_names": _with(
        lambda: sa.CheckConstraint("x > 0"), lambda: sa.CheckConstraint("x < 9")
    ),
    "check_of_length": _with(
        lambda: sa.CheckConstraint(
            sa.func.char_length(sa.column("y")) <= 10, name="ck_length"
        ).ddl_if(callable_=_on("postgresql", "mysql", "mariadb")),
        lambda: sa.CheckConstraint(sa.func.length(sa.column("y")) <= 10, name="ck_length").ddl_if(
            dialect="sqlite"
        ),
    ),
}
_KEYS: Mapping[str, Table] = {
    "reference": _refers(),
    "reference_with_a_name": _refers(name="fk_named"),
    "reference_cascade": _refers(ondelete="CASCADE"),
    "reference_set_null": _refers(ondelete="SET NULL"),
    "reference_restrict": _refers(ondelete="RESTRICT"),
    "reference_no_action": _refers(ondelete="NO ACTION"),
    "reference_update_cascade": _refers(onupdate="CASCADE"),
    "reference_both": _refers(ondelete="CASCADE", onupdate="CASCADE"),
    "reference_with_index": lambda: (
        _id(),
        sa.Column("parent_id", sa.Integer, sa.ForeignKey("parents.id"), index=True),
    ),
    "reference_to_itself": lambda: (
        _id(),
        sa.Column("parent_id", sa.Integer, sa.ForeignKey("reference_to_itself.id")),
    ),
    "reference_to_unique": lambda: (
        _id(),
        sa.Column("code", sa.String(20), sa.ForeignKey("parents.code")),
    ),
    "reference_of_two": lambda: (
        _id(),
        sa.Column("a", sa.Integer),
        sa.Column("b", sa.Integer),
        sa.ForeignKeyConstraint(["a", "b"], ["key_of_two.a", "key_of_two.b"], name="fk_of_two"),
    ),
    "reference_as_key": lambda: (
        sa.Column(
            "id", sa.Integer, sa.ForeignKey("parents.id"), primary_key=True, autoincrement=False
        ),
    ),
    "reference_deferrable": lambda: (
        _id(),
        sa.Column("parent_id", sa.Integer),
        sa.ForeignKeyConstraint(["parent_id"], ["parents.id"], name="fk_deferrable").ddl_if(
            callable_=_on("mysql", "mariadb")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["parents.id"],
            name="fk_deferrable",
            deferrable=True,
            initially="DEFERRED",
        ).ddl_if(callable_=_on("postgresql", "sqlite")),
    ),
}
_INDEXES: Mapping[str, Table] = {
    "index_of_column": lambda: (_id(), sa.Column("x", sa.Integer, index=True)),
    "index_with_a_name": _with(lambda: sa.Index("ix_by_name", "x")),
    "index_of_two": _with(lambda: sa.Index("ix_of_two", "x", "y")),
    "index_descending": _with(lambda: sa.Index("ix_descending", sa.text("x DESC"))),
    "index_descending_and_not": _with(lambda: sa.Index("ix_mixed", sa.text("x DESC"), "y")),
    "index_of_expression": _with(
        lambda: sa.Index("ix_expression", sa.text("(lower(y))")).ddl_if(
            callable_=_on("postgresql", "sqlite", "mysql")
        )
    ),
    "index_of_part": _with(
        lambda: sa.Index(
            "ix_part",
            "y",
            postgresql_where=sa.text("x > 0"),
            sqlite_where=sa.text("x > 0"),
        )
    ),
    "index_unique_of_part": _with(
        lambda: sa.Index(
            "ix_unique_part",
            "y",
            unique=True,
            postgresql_where=sa.text("x IS NULL"),
            sqlite_where=sa.text("x IS NULL"),
        )
    ),
    "index_of_prefix": _with(lambda: sa.Index("ix_prefix", "y", mysql_length=5, mariadb_length=5)),
    "index_of_text_prefix": lambda: (
        _id(),
        sa.Column("body", sa.Text),
        sa.Index("ix_text_prefix", "body", mysql_length=10, mariadb_length=10),
    ),
    "index_by_hash": _with(lambda: sa.Index("ix_hash", "x", postgresql_using="hash")),
    "index_that_includes": _with(lambda: sa.Index("ix_includes", "x", postgresql_include=["y"])),
    "index_of_json": lambda: (
        _id(),
        sa.Column("tree", sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")),
        sa.Index("ix_json", "tree", postgresql_using="gin").ddl_if(dialect="postgresql"),
    ),
    "index_for_full_text": lambda: (
        _id(),
        sa.Column("body", sa.Text),
        sa.Index("ix_full_text", "body", mysql_prefix="FULLTEXT", mariadb_prefix="FULLTEXT").ddl_if(
            callable_=_on("mysql", "mariadb")
        ),
    ),
}
_NAMES: Mapping[str, Table] = {
    "order": _x(),
    "Camel Case": _x(),
    "schnee_☃": _x(),
    "column_of_keyword": lambda: (_id(), sa.Column("order", sa.Integer), sa.Column("a b", sa.Text)),
    "column_of_percent": lambda: (_id(), sa.Column("100 %", sa.Integer)),
    "a_name_that_is_as_long_as_names_on_every_server_can_be_and_no_": _x(),
    "comment_on_column": lambda: (_id(), sa.Column("x", sa.Integer, comment="it's 100 %")),
}
TABLES: Mapping[str, Table] = {
    **_NULLABILITY,
    **_DEFAULTS,
    **_NUMBERS,
    **_COMPUTED,
    **_UNIQUES,
    **_CHECKS,
    **_KEYS,
    **_INDEXES,
    **_NAMES,
}
